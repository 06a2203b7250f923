"""Make the recording of an answer, and the next best one when a part fails."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from bot.errors import PartFailed
from bot.media import AudioChunk, VideoFrame, samples
from bot.messages import Clip, Medium
from bot.perform import Cast, perform
from bot.personas import Persona
from bot.ports import Faces, MediaSink, Recorder, Recording, Voice
from bot.script import Script

CHARACTERS_A_SECOND = 14.5  # of speech; only for the progress bar
PROGRESS_EVERY = 0.5
NOT_MADE = {
    Medium.VIDEO: "I could not film this answer just now.",
    Medium.VOICE: "I could not speak this answer just now.",
}

Report = Callable[[Medium, float], Awaitable[None]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Studio:
    """What recordings are made with."""

    voice: Voice
    faces: Faces
    recorder: Recorder

    def shoot(self, script: Script, answer_id: UUID, persona: Persona, medium: Medium, report: Report) -> "Shoot":
        """Begin to record a script, at once, while it may still be being written."""
        return Shoot(self, script, answer_id, persona, medium, report)


class Shoot:
    """One recording on its way. Always `stop` it; that is harmless once it is done."""

    def __init__(
        self, studio: Studio, script: Script, answer_id: UUID, persona: Persona, medium: Medium, report: Report
    ) -> None:
        self._studio = studio
        self._answer_id = answer_id
        self._persona = persona
        self._medium = medium
        self._report = report
        self._begin(script)

    def _begin(self, script: Script) -> None:
        self.script = script
        self._recording: Recording | None = None
        self._task = asyncio.create_task(self._perform()) if self._medium is not Medium.TEXT else None

    async def restart(self, script: Script) -> None:
        """The words were replaced: forget what was recorded of the old ones."""
        await self.stop()
        self._begin(script)

    async def finished(self) -> tuple[Clip | None, str]:
        """The clip, or None when it could not be made; and a sentence for the person when it is less than asked for."""
        notice = ""
        while self._task:
            try:
                await self._task
                assert self._recording
                return await self._recording.keep(), notice
            except PartFailed as error:
                log.exception("a recording failed", extra={"answer_id": self._answer_id, "part": error.part})
                notice = notice or NOT_MADE[self._medium]
                await self.stop()
                self._medium = _next_best(self._medium, error)
                self._begin(Script.of(self.script.text))
        return None, notice

    async def stop(self) -> None:
        """Stop every stage and let go of the files."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._recording:
            await self._recording.discard()

    async def _perform(self) -> None:
        face = None
        if self._medium is Medium.VIDEO:
            face = await self._studio.faces.of(self._persona, seed=self._answer_id.int & 0xFFFF_FFFF)
        self._recording = self._studio.recorder.open(self._answer_id, self._medium, self._persona)
        sink = _Reporting(self._recording, self._told)
        await perform(aiter(self.script), Cast(self._persona, self._studio.voice, face), sink)

    async def _told(self, at: int) -> None:
        expected = samples(max(1.0, len(self.script.text) / CHARACTERS_A_SECOND))
        await self._report(self._medium, min(0.99, at / expected))


def _next_best(medium: Medium, error: PartFailed) -> Medium:
    """Without a voice there is neither sound nor video; a failed face or encoder still leaves the voice."""
    return Medium.TEXT if error.part == "voice" else medium.plainer or Medium.TEXT


class _Reporting:
    """A sink that tells how far it has come."""

    def __init__(self, sink: MediaSink, told: Callable[[int], Awaitable[None]]) -> None:
        self._sink = sink
        self._told = told
        self._next = 0.0

    async def write(self, item: AudioChunk | VideoFrame) -> None:
        await self._sink.write(item)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PROGRESS_EVERY
            await self._told(item.at)

    async def clear(self) -> None:
        await self._sink.clear()

    async def finish(self) -> None:
        await self._sink.finish()
