"""The lobby as it is, with stores in memory and a worker that answers by a script through the real surface."""

import asyncio
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import imageio_ffmpeg
from aiohttp import web

from bot.commands import Commands
from bot.consent import Consent, Scope
from bot.jobs import ReplyJob
from bot.messages import Answer, Citation, Clip, Medium, Role
from bot.personas import Persona
from bot.receive import Receive
from integrations.blobs import FolderBlobs
from integrations.web.app import Lobby, make_web
from integrations.web.surface import EventSurface
from tests.fakes.memory import MemoryConversations, MemoryEvents, MemoryPersonas, SystemClock

PIECES = (
    "We had a relay ",
    "computer that stopped. ",
    "Somebody opened panel F ",
    "and there was a moth in relay 70. ",
    "We taped it into the log book, ",
    "and from then on we told people we were debugging the machine.",
)
CITATIONS = (
    Citation(
        "moth",
        "The moth in the Mark II",
        "Mark II log book, Smithsonian National Museum of American History",
        "1947-09-09",
        "A moth was found in relay 70 of panel F and taped into the log with the words “first actual case of bug "
        "being found”.",
    ),
    Citation("word", "An older word", "Edison's letters", "1878", "Engineers had said “bug” for decades."),
)
VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nWe had a relay\n\n00:01.000 --> 00:02.000\ncomputer that stopped.\n"


def grace() -> Persona:
    """Somebody to talk to."""
    return Persona(
        id="grace-hopper",
        name="Grace Hopper",
        title="Rear Admiral, United States Navy (1906-1992)",
        style="",
        exemplars=(),
        voice="bf_emma",
        face="",
        language="en-US",
        disclosure="AI avatar: a historical demonstration. Grace Hopper died in 1992; the words are written by "
        "a computer from notes about her life, the voice is a stock voice, the picture is a public-domain Navy "
        "portrait.",
        ask_instead="the archive",
        suggestions=(
            "What was the moth in the computer?",
            "What is a nanosecond?",
            "How did COBOL begin?",
            "Why did your clock run backwards?",
        ),
    )


def ada() -> Persona:
    """Somebody else, who may only write."""
    return Persona(
        id="ada",
        name="Ada Example",
        title="Chief of an invented company",
        style="",
        exemplars=(),
        voice="x",
        face="",
        language="en-GB",
        disclosure="AI avatar of an invented person.",
        ask_instead="nobody",
        suggestions=("What do you do?",),
    )


def consent(*scopes: Scope) -> Consent:
    """For everyone, for ever."""
    return Consent(frozenset(scopes), "a test", frozenset({"everyone"}), datetime(2026, 1, 1, tzinfo=UTC))


@dataclass
class Script:
    """How the worker answers. `gates` are waited for before the piece, clip or end of that name."""

    pieces: Sequence[str] = PIECES
    citations: Sequence[Citation] = CITATIONS
    final: str | None = None
    notice: str = ""
    failed: bool = False
    pace: float = 0.0
    clip: bool = True
    gates: dict[str, asyncio.Event] = field(default_factory=dict)

    async def gate(self, name: str) -> None:
        if name in self.gates:
            await self.gates[name].wait()


class House:
    """A lobby that people can visit. `url` once opened."""

    def __init__(self, folder: Path, events: Any = None) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.personas = MemoryPersonas()
        self.conversations = MemoryConversations(self.clock, self.personas)
        self.events = events or MemoryEvents()
        self.surface = EventSurface(self.events)
        self.blobs = FolderBlobs(folder / "blobs")
        self.script = Script()
        self.jobs: list[ReplyJob] = []
        self.failures: list[BaseException] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    async def furnish(self, portrait: Path | None = None) -> None:
        """Two personas; the first may do everything, the second may only write."""
        await self.personas.publish(grace(), [consent(*Scope)], [])
        await self.personas.publish(ada(), [consent(Scope.TEXT)], [])
        if portrait:
            await self.blobs.put("personas/grace-hopper/portrait.jpg", str(portrait), "image/jpeg")

    def lobby(self) -> Lobby:
        receive = Receive(self.personas, self.conversations, self, self.clock, "grace-hopper", timedelta(seconds=60))
        commands = Commands(self.personas, self.conversations, self.clock, "grace-hopper")
        return make_web(
            receive=receive,
            conversations=self.conversations,
            personas=self.personas,
            events=self.events,
            blobs=self.blobs,
            secret=b"a secret of at least sixteen bytes",
            commands=commands,
            clock=self.clock,
            public_url="http://lobby.example",
            default_persona="grace-hopper",
        )

    async def open(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one."""
        self._lobby = self.lobby()
        app = web.Application()
        app.add_routes(self._lobby.routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def shut(self) -> None:
        """Close the door; the stores and the worker go on."""
        await self._lobby.close()
        await self._runner.cleanup()

    async def leave(self) -> None:
        """Close everything. Raises what went wrong in the worker."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.shut()
        if self.failures:
            raise self.failures[0]

    # ---- the worker

    async def submit(self, job: ReplyJob, after: float = 0.0) -> None:
        """Is the job queue, too. Nobody waits here, so nobody else need write the words of a film."""
        if after:
            return
        self.jobs.append(job)
        task = asyncio.create_task(self._work(job, self.script))
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.failures.append(error)

    async def _work(self, job: ReplyJob, script: Script) -> None:
        question, conversation = await self.conversations.turn(job.turn_id)
        answer = await self.conversations.begin(question.id)
        where, author = conversation.address, conversation.person.author
        stream = await self.surface.stream(where, question.id, author, answer.posted_ref)
        await self.conversations.posted(answer.id, stream.ref)
        shown = self._answer(answer.id, question.id, script, answer.text)
        if not answer.text:
            await self.surface.status(where, question.id, "thinking")
            await script.gate("first")
            await self.surface.status(where, question.id, "writing")
            for index, piece in enumerate(script.pieces):
                await script.gate(str(index))
                await stream.append(piece)
                await asyncio.sleep(script.pace)
            await script.gate("final")
            await stream.finish(shown)
            await self.conversations.settle(answer.id, shown.text, shown.citations, failed=script.failed)
        if job.medium is not Medium.TEXT and not script.failed:
            stage = "filming" if job.medium is Medium.VIDEO else "speaking"
            for progress in (0.1, 0.42):
                await self.surface.status(where, question.id, stage, progress)  # type: ignore[arg-type]
            await script.gate("clip")
            if script.clip:
                clip = await self._film(answer.id, job.medium)
                await self.surface.show(where, clip, shown)
                await self.conversations.add_clip(clip)
        await script.gate("done")
        await self.surface.status(where, question.id, "done")

    def _answer(self, answer_id: UUID, question_id: UUID, script: Script, text: str) -> Answer:
        persona = grace()
        return Answer(
            turn_id=answer_id,
            question_id=question_id,
            persona_id=persona.id,
            persona_name=persona.name,
            text=text or script.final or "".join(script.pieces),
            disclosure=persona.disclosure,
            citations=() if script.failed else tuple(script.citations),
            notice=script.notice,
            failed=script.failed,
        )

    async def _film(self, answer_id: UUID, medium: Medium) -> Clip:
        root = f"turns/{answer_id}"
        if medium is Medium.VOICE:
            await self.blobs.put(f"{root}/answer.m4a", str(tiny_sound(self.folder)), "audio/mp4")
            return Clip(answer_id, medium, f"{root}/answer.m4a", "audio/mp4", 2.0)
        vtt = self.folder / "answer.vtt"
        vtt.write_text(VTT)
        await self.blobs.put(f"{root}/answer.mp4", str(tiny_film(self.folder)), "video/mp4")
        await self.blobs.put(f"{root}/answer.vtt", str(vtt), "text/vtt")
        await self.blobs.put(f"{root}/poster.jpg", str(poster(self.folder)), "image/jpeg")
        return Clip(
            answer_id,
            medium,
            f"{root}/answer.mp4",
            "video/mp4",
            2.0,
            f"{root}/answer.vtt",
            f"{root}/poster.jpg",
            512,
            512,
        )

    async def answers(self) -> list[UUID]:
        """The ids of all answers, whoever asked."""
        return [turn.id for turn in self.conversations._turns.values() if turn.role is Role.AVATAR]


def tiny_film(folder: Path) -> Path:
    """Two seconds, 512x512, H.264 and AAC."""
    return _make(
        folder / "tiny.mp4",
        "-f lavfi -i testsrc2=s=512x512:r=25:d=2 -f lavfi -i sine=220:d=2 "
        "-c:v libx264 -pix_fmt yuv420p -c:a aac -movflags +faststart",
    )


def tiny_sound(folder: Path) -> Path:
    """Two seconds of AAC."""
    return _make(folder / "tiny.m4a", "-f lavfi -i sine=220:d=2 -c:a aac -movflags +faststart")


def poster(folder: Path) -> Path:
    """One picture."""
    return _make(folder / "poster.jpg", "-f lavfi -i testsrc2=s=512x512:r=25:d=2 -frames:v 1 -update 1")


def _make(path: Path, arguments: str) -> Path:
    if not path.exists():
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments.split(), "-y", str(path)]
        subprocess.run(command, check=True, timeout=60)
    return path
