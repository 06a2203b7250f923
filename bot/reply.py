"""Answer one question: write it and, when asked for, speak or film it while it is being written.

When a part fails the next best thing goes out: video, else voice, else text, else an apology that says what to do.
Every step may be repeated after a crash: the answer's turn, its message and its clip are found again, not made twice.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot import consent
from bot.errors import ConsentDenied, Expired, PartFailed
from bot.filming import Shoot, Studio
from bot.jobs import ReplyJob
from bot.messages import Answer, Conversation, Medium, Role, Turn, TurnState
from bot.ports import AnswerStream, ChatSurface, Clock, Conversations, Personas, Published, Stage
from bot.script import Script
from bot.writing import Writer, Written

REMEMBERED_TURNS = 8
APOLOGY = "I am sorry, I could not answer that just now. Please ask me again in a minute."
TOO_LATE = "I am sorry, this took too long and I gave up. Please ask me again; a text answer is the quickest."
WITHDRAWN = "The consent for this ended while I was preparing it, so the answer stays in writing."
UNFINISHED = "There was not enough time to record this answer."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What an answer is made with."""

    personas: Personas
    conversations: Conversations
    writer: Writer
    studio: Studio
    surfaces: Mapping[str, ChatSurface]
    clock: Clock


@dataclass(frozen=True, slots=True)
class Scene:
    """One question on its way to its answer."""

    job: ReplyJob
    question: Turn
    conversation: Conversation
    published: Published
    surface: ChatSurface

    @property
    def asked(self) -> Medium:
        """The richest medium that is on its way: what the question asked for, or what is asked for now."""
        return max(self.job.medium, self.question.medium, key=lambda medium: medium.rank)

    async def status(self, stage: Stage, progress: float | None = None) -> None:
        """Tell the person what is happening."""
        await self.surface.status(self.conversation.address, self.question.id, stage, progress)

    async def filming(self, medium: Medium, progress: float) -> None:
        """Tell how far a recording has come."""
        await self.status("filming" if medium is Medium.VIDEO else "speaking", progress)


class Reply:
    """The use case behind a ReplyJob."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def answer(self, job: ReplyJob) -> None:
        """Answer, or finish an answer that was begun. Raises PartFailed when trying again may help."""
        scene = await self._scene(job)
        left = (job.deadline - self._parts.clock.now()).total_seconds()
        try:
            async with asyncio.timeout(left):
                await self._answer(scene)
        except TimeoutError:
            log.warning("out of time", extra={"turn_id": job.turn_id})
            await self._give_up(scene, TOO_LATE)
        except Exception as error:
            if isinstance(error, PartFailed) and error.retryable:
                raise
            log.exception("no answer could be made", extra={"turn_id": job.turn_id})
            await self._give_up(scene, APOLOGY)
        if not self._words_only(scene):
            await scene.status("done")

    async def apologise(self, job: ReplyJob) -> None:
        """The last attempt has failed, or the deadline passed unseen: say so, unless there is an answer."""
        scene = await self._scene(job)
        await self._give_up(scene, TOO_LATE)
        await scene.status("done")

    async def _scene(self, job: ReplyJob) -> Scene:
        question, conversation = await self._parts.conversations.turn(job.turn_id)
        if question.role is not Role.PERSON:
            raise Expired("a job names a turn that is no question")
        published = await self._parts.personas.get(conversation.persona_id)
        return Scene(job, question, conversation, published, self._parts.surfaces[conversation.address.surface])

    async def _answer(self, scene: Scene) -> None:
        answer = await self._parts.conversations.begin(scene.question.id)
        if answer.state is TurnState.FAILED:
            return
        try:
            medium, why = self._consented(scene, answer)
        except ConsentDenied as denied:
            await self._deny(scene, answer, str(denied))
            return
        if answer.state is not TurnState.ANSWERED:
            await self._write_and_record(scene, answer, medium, why)
        elif scene.job.medium is not Medium.TEXT:
            await self._record(scene, answer, medium, why)

    def _consented(self, scene: Scene, answer: Turn) -> tuple[Medium, str]:
        """Consent, asked again at the work: the medium to use, and why it is not the one that was asked for."""
        author, now = scene.conversation.person.author, self._parts.clock.now()
        consents, name = scene.published.consents, scene.published.persona.name
        best = consent.best(consents, scene.job.medium, author, now)
        asked = scene.job.medium if answer.state is TurnState.ANSWERED else scene.asked
        try:
            consent.require(consents, Medium.TEXT if best is None else asked, author, now, name)
        except ConsentDenied as denied:
            if best is None:
                raise
            return best, str(denied)
        return best or Medium.TEXT, ""

    def _words_only(self, scene: Scene) -> bool:
        """Whether this job only writes what another one records."""
        author, now = scene.conversation.person.author, self._parts.clock.now()
        best = consent.best(scene.published.consents, scene.asked, author, now)
        return best is not None and best.rank > scene.job.medium.rank

    async def _write_and_record(self, scene: Scene, answer: Turn, medium: Medium, why: str) -> None:
        await scene.status("thinking")
        stream = await self._open(scene, answer)
        shoot = self._shoot(scene, answer, medium, Script())
        try:
            written = await self._write(scene, stream, shoot.script)
            if written.replaced:
                await shoot.restart(Script.of(written.text))
            shown = self._answer_of(scene, answer, written, why or written.notice, scene.asked)
            await self._settle(scene, answer, stream, shown)
            await self._deliver(scene, answer, stream, shoot, shown)
        finally:
            await shoot.stop()

    async def _record(self, scene: Scene, answer: Turn, medium: Medium, why: str) -> None:
        """The words stand already; now they are to be heard or seen."""
        if any(clip.medium is medium for clip in await self._parts.conversations.clips(answer.id)):
            return
        stream = await self._open(scene, answer)
        shown = self._answer_of(scene, answer, Written(answer.text, answer.citations), why, medium)
        if why:
            await stream.finish(shown)
        shoot = self._shoot(scene, answer, medium, Script.of(answer.text))
        try:
            await self._deliver(scene, answer, stream, shoot, shown)
        finally:
            await shoot.stop()

    def _shoot(self, scene: Scene, answer: Turn, medium: Medium, script: Script) -> Shoot:
        return self._parts.studio.shoot(script, answer.id, scene.published.persona, medium, scene.filming)

    async def _open(self, scene: Scene, answer: Turn) -> AnswerStream:
        """The answer's message: the one that an earlier attempt has opened, or a new one."""
        author, address = scene.conversation.person.author, scene.conversation.address
        stream = await scene.surface.stream(address, scene.question.id, author, answer.posted_ref)
        if stream.ref != answer.posted_ref:
            await self._parts.conversations.posted(answer.id, stream.ref)
        return stream

    async def _write(self, scene: Scene, stream: AnswerStream, script: Script) -> Written:
        """Write into the script, and show each piece as it comes."""
        history = await self._parts.conversations.history(scene.conversation.id, scene.question.id, REMEMBERED_TURNS)
        showing = asyncio.create_task(self._show(scene, stream, script))
        try:
            written = await self._parts.writer.write(scene.question.text, history, scene.published.persona, script)
            await showing
        finally:
            script.close()
            showing.cancel()
        return written

    async def _show(self, scene: Scene, stream: AnswerStream, script: Script) -> None:
        first = True
        async for piece in script:
            if first:
                first = False
                await scene.status("writing")
            await stream.append(piece)

    async def _settle(self, scene: Scene, answer: Turn, stream: AnswerStream, shown: Answer) -> None:
        """Visible first, then final: a crash between the two edits the same message again."""
        await stream.finish(shown)
        await self._parts.conversations.settle(answer.id, shown.text, shown.citations, failed=shown.failed)

    async def _deliver(self, scene: Scene, answer: Turn, stream: AnswerStream, shoot: Shoot, shown: Answer) -> None:
        """Wait for the recording and put it beside the words; whatever happens to it, the words stay."""
        clip, notice = await shoot.finished()
        if clip and not await self._still_consented(scene, clip.medium):
            clip, notice = None, WITHDRAWN
        if clip:
            await scene.surface.show(scene.conversation.address, clip, shown)
            await self._parts.conversations.add_clip(clip)
        if notice:
            await stream.finish(replace(shown, notice=notice))

    async def _still_consented(self, scene: Scene, medium: Medium) -> bool:
        published = await self._parts.personas.get(scene.published.persona.id)
        author, now = scene.conversation.person.author, self._parts.clock.now()
        return consent.best(published.consents, medium, author, now) is medium

    def _answer_of(self, scene: Scene, answer: Turn, written: Written, notice: str, medium: Medium) -> Answer:
        persona, author = scene.published.persona, scene.conversation.person.author
        offered = consent.offered(scene.published.consents, author, self._parts.clock.now())
        return Answer(
            turn_id=answer.id,
            question_id=scene.question.id,
            persona_id=persona.id,
            persona_name=persona.name,
            text=written.text,
            disclosure=persona.disclosure,
            citations=written.citations,
            offers=tuple(each for each in offered if each.rank > medium.rank),
            notice=notice,
        )

    async def _deny(self, scene: Scene, answer: Turn, why: str) -> None:
        """Not even text is consented to: in place of an answer, or under one that was to be recorded."""
        if answer.state is TurnState.ANSWERED:
            stream = await self._open(scene, answer)
            written = Written(answer.text, answer.citations)
            await stream.finish(self._answer_of(scene, answer, written, why, Medium.VIDEO))
        await self._close(scene, answer, why)

    async def _close(self, scene: Scene, answer: Turn, text: str) -> None:
        """End with a sentence instead of an answer."""
        if answer.state in (TurnState.ANSWERED, TurnState.FAILED):
            return
        stream = await self._open(scene, answer)
        plain = self._answer_of(scene, answer, Written(text), "", Medium.VIDEO)
        await self._settle(scene, answer, stream, replace(plain, failed=True))

    async def _give_up(self, scene: Scene, text: str) -> None:
        answer = await self._parts.conversations.begin(scene.question.id)
        if answer.state is TurnState.ANSWERED and scene.job.medium is not Medium.TEXT:
            stream = await self._open(scene, answer)
            written = Written(answer.text, answer.citations, UNFINISHED)
            await stream.finish(self._answer_of(scene, answer, written, UNFINISHED, Medium.TEXT))
        await self._close(scene, answer, text)
