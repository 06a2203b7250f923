"""Answering: exactly one visible answer, the next best medium when a part fails, consent at every gate.

The history and the notes are in a real Postgres; the surface, the voice, the face and the recorder are plain ones.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from bot.consent import Consent, Scope
from bot.errors import BadInput, Busy, ConsentDenied, NotAllowed, NotFound, PartFailed
from bot.filming import Studio
from bot.jobs import ReplyJob
from bot.messages import Address, Answer, Author, Clip, Inbound, Medium, TurnState
from bot.personas import Note, Persona, Prompt
from bot.receive import Receive
from bot.reply import TOO_LATE, UNFINISHED, WITHDRAWN, Parts, Reply
from bot.writing import MODEL_SILENT, Writer
from integrations.postgres import Database, PostgresConversations, PostgresPersonas
from tests.fakes.performers import PlainFace, PlainFaces, PlainRecorder, PlainVoice

QUESTION = "How long is the harbour crane?"
ANSWER = "The harbour crane is 42 metres long. It was built in 1951."
NOTE = Note("crane", "ada", "The harbour crane", ANSWER, "the yard book", "1951")
PERSONA = Persona("ada", "Ada Crane", "Head", "Brief.", (), "v", "f", "en", "This is an AI.", "the archive")
ALL = frozenset({Scope.TEXT, Scope.VOICE, Scope.FACE})


class Words:
    """Texts that share words are near each other: enough to find one note."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(texts), 384), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().replace("?", "").replace(".", "").split():
                row[int(hashlib.sha256(word.encode()).hexdigest(), 16) % 384] += 1
            row /= np.linalg.norm(row) or 1
        return rows


class Clockwork:
    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        return self.at


class Model:
    """Says what it is told to, word by word."""

    def __init__(self, text: str = ANSWER, *, fails: bool = False) -> None:
        self.text, self.fails, self.asked = text, fails, 0

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        self.asked += 1
        if self.fails:
            raise PartFailed("model", "down", retryable=True)
        for word in self.text.split(" "):
            await asyncio.sleep(0)
            yield word + " "


@dataclass
class Message:
    """One visible message."""

    streamed: str = ""
    finals: list[Answer] = field(default_factory=list)


class Surface:
    """Remembers what a person would see."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.clips: list[Clip] = []
        self.stages: list[str] = []
        self.down = False

    async def status(self, address: Address, turn_id: UUID, stage: str, progress: float | None = None) -> None:
        self.stages.append(stage)

    async def stream(self, address: Address, turn_id: UUID, author: Author, ref: str | None) -> "Surface.Stream":
        if self.down:
            raise PartFailed("surface", "down", retryable=True)
        ref = ref or f"m{len(self.messages)}"
        self.messages.setdefault(ref, Message())
        return Surface.Stream(self, ref)

    async def show(self, address: Address, clip: Clip, answer: Answer) -> None:
        self.clips.append(clip)

    async def say(self, address: Address, author: Author, text: str) -> str:
        raise AssertionError("nothing is said beside the answer")

    class Stream:
        def __init__(self, surface: "Surface", ref: str) -> None:
            self.message, self.ref = surface.messages[ref], ref
            self.message.streamed = ""

        async def append(self, text: str) -> None:
            self.message.streamed += text

        async def finish(self, answer: Answer) -> None:
            self.message.finals.append(answer)

    @property
    def only(self) -> Answer:
        """The one answer that is visible."""
        assert len(self.messages) == 1
        return next(iter(self.messages.values())).finals[-1]


class Queue:
    def __init__(self) -> None:
        self.jobs: list[ReplyJob] = []
        self.down = False

    async def submit(self, job: ReplyJob, after: float = 0.0) -> None:
        if self.down:
            raise PartFailed("queue", "down", retryable=True)
        self.jobs.append(job)


class House:
    """Everything between a message and its answer."""

    def __init__(self, database: Database) -> None:
        self.clock, self.surface, self.queue = Clockwork(), Surface(), Queue()
        self.personas = PostgresPersonas(database, Words())
        self.conversations = PostgresConversations(database)
        self.model, self.voice = Model(), PlainVoice()
        self.faces, self.recorder = PlainFaces(PlainFace()), PlainRecorder()
        self.author = Author("web", "local", "u1", "U")
        self.receive = Receive(self.personas, self.conversations, self.queue, self.clock, "ada", timedelta(seconds=60))

    async def publish(self, scopes: frozenset[Scope] = ALL, **consent: object) -> None:
        given = Consent(scopes, "asked", frozenset({"everyone"}), datetime(2020, 1, 1, tzinfo=UTC), **consent)  # type: ignore[arg-type]
        await self.personas.publish(PERSONA, [given], [NOTE])

    def inbound(self, text: str = QUESTION, medium: Medium | None = None, event: str | None = None) -> Inbound:
        address = Address("web", "local", "lobby", "u1")
        return Inbound(event or uuid4().hex, address, self.author, text, self.clock.now(), None, medium)

    async def ask(self, medium: Medium = Medium.TEXT, text: str = QUESTION) -> ReplyJob:
        turn = await self.receive.message(self.inbound(text, medium))
        assert turn
        return max((job for job in self.queue.jobs if job.turn_id == turn.id), key=lambda job: job.medium.rank)

    async def answer(self, job: ReplyJob) -> None:
        writer = Writer(self.personas, self.model)
        studio = Studio(self.voice, self.faces, self.recorder)
        parts = Parts(self.personas, self.conversations, writer, studio, {"web": self.surface}, self.clock)
        await Reply(parts).answer(job)


@pytest.fixture
async def house(database: Database) -> House:
    house = House(database)
    await house.publish()
    return house


# --- the plain way ---


async def test_a_question_is_answered_in_writing(house: House) -> None:
    await house.answer(await house.ask())
    assert house.surface.only.text == ANSWER
    assert house.surface.only.citations[0].note_id == "crane"
    assert house.surface.only.disclosure == PERSONA.disclosure
    assert house.surface.only.offers == (Medium.VOICE, Medium.VIDEO)
    assert house.surface.stages[0] == "thinking" and house.surface.stages[-1] == "done"
    assert not house.recorder.opened


async def test_what_was_streamed_is_what_stands(house: House) -> None:
    await house.answer(await house.ask())
    message = next(iter(house.surface.messages.values()))
    assert message.streamed.split() == ANSWER.split()


@pytest.mark.parametrize("medium", [Medium.VOICE, Medium.VIDEO])
async def test_a_recording_says_the_words_of_the_answer(house: House, medium: Medium) -> None:
    await house.answer(await house.ask(medium))
    assert house.surface.only.text == ANSWER
    (clip,) = house.surface.clips
    assert clip.medium is medium
    assert house.recorder.opened[0].words.split() == ANSWER.split()
    assert all(recording.discarded for recording in house.recorder.opened)


async def test_nothing_known_is_said_without_the_model(house: House) -> None:
    await house.answer(await house.ask(text="Who won the football yesterday evening?"))
    assert house.model.asked == 0
    assert PERSONA.ask_instead in house.surface.only.text.lower()


async def test_an_invention_is_replaced_by_the_note(house: House) -> None:
    house.model = Model("The harbour crane is 42 metres long. It weighs 977 tonnes.")
    await house.answer(await house.ask(Medium.VIDEO))
    assert "977" not in house.surface.only.text
    assert "1951" in house.surface.only.text
    assert "977" not in house.recorder.opened[-1].words


async def test_the_words_of_a_film_that_waits_are_written_by_somebody_else(house: House) -> None:
    film = await house.ask(Medium.VIDEO)
    words = house.queue.jobs[-1]
    assert (film.medium, words.medium) == (Medium.VIDEO, Medium.TEXT)
    await house.answer(words)
    assert house.surface.only.text == ANSWER and not house.recorder.opened
    assert house.surface.only.offers == (), "it is on its way; nobody need ask for it"
    assert house.surface.stages[-1] != "done", "the film is still to come"
    await house.answer(film)
    assert house.model.asked == 1
    assert [clip.medium for clip in house.surface.clips] == [Medium.VIDEO]
    assert house.surface.stages[-1] == "done"


async def test_the_words_of_a_film_that_is_made_are_not_written_twice(house: House) -> None:
    film = await house.ask(Medium.VIDEO)
    await house.answer(film)
    await house.answer(house.queue.jobs[-1])
    assert house.model.asked == 1
    assert house.surface.stages.count("done") == 1


# --- the next best thing ---


async def test_a_model_that_is_down_is_stood_in_for_by_the_note(house: House) -> None:
    house.model = Model(fails=True)
    await house.answer(await house.ask())
    assert "42 metres" in house.surface.only.text
    assert house.surface.only.notice == MODEL_SILENT


async def test_without_a_face_the_voice_goes_out_and_says_so(house: House) -> None:
    house.faces = PlainFaces(None)
    await house.answer(await house.ask(Medium.VIDEO))
    assert [clip.medium for clip in house.surface.clips] == [Medium.VOICE]
    assert "could not film" in house.surface.only.notice


async def test_a_face_that_fails_in_the_middle_leaves_the_voice(house: House) -> None:
    house.faces = PlainFaces(PlainFace(fails=True))
    await house.answer(await house.ask(Medium.VIDEO))
    assert [clip.medium for clip in house.surface.clips] == [Medium.VOICE]


async def test_without_a_voice_the_words_stand_and_it_says_so(house: House) -> None:
    house.voice = PlainVoice(fails_at="1951")
    await house.answer(await house.ask(Medium.VIDEO))
    assert not house.surface.clips
    assert house.surface.only.text == ANSWER
    assert "could not film" in house.surface.only.notice


async def test_an_encoder_that_dies_leaves_the_voice(house: House) -> None:
    house.recorder = PlainRecorder(fails=Medium.VIDEO)
    await house.answer(await house.ask(Medium.VIDEO))
    assert [clip.medium for clip in house.surface.clips] == [Medium.VOICE]


# --- exactly once ---


async def test_the_same_event_is_one_question(house: House) -> None:
    first = await house.receive.message(house.inbound(event="e1"))
    again = await house.receive.message(house.inbound(event="e1"))
    assert first is not None and again is None
    assert len(house.queue.jobs) == 1


async def test_a_job_done_twice_is_one_message(house: House) -> None:
    job = await house.ask(Medium.VIDEO)
    await house.answer(job)
    await house.answer(job)
    assert len(house.surface.messages) == 1 and len(house.surface.clips) == 1
    assert house.model.asked == 1


async def test_a_job_that_died_after_opening_edits_the_same_message(house: House) -> None:
    job = await house.ask()
    answer = await house.conversations.begin(job.turn_id)
    house.surface.messages["m7"] = Message("half an ans")
    await house.conversations.posted(answer.id, "m7")
    await house.answer(job)
    assert list(house.surface.messages) == ["m7"]
    assert house.surface.only.text == ANSWER


async def test_a_job_that_died_before_its_clip_makes_only_the_clip(house: House) -> None:
    job = await house.ask(Medium.VIDEO)
    answer = await house.conversations.begin(job.turn_id)
    await house.conversations.posted(answer.id, "m0")
    await house.conversations.settle(answer.id, ANSWER, [])
    await house.answer(job)
    assert house.model.asked == 0
    assert [clip.medium for clip in house.surface.clips] == [Medium.VIDEO]


async def test_a_queue_that_is_down_loses_nothing(house: House) -> None:
    house.queue.down = True
    turn = await house.receive.message(house.inbound())
    assert turn is not None and not house.queue.jobs
    later = house.clock.now() + timedelta(seconds=40)
    assert [job.turn_id for job in await house.conversations.stranded(later, 10)] == [turn.id]


async def test_a_surface_that_is_down_is_tried_again(house: House) -> None:
    job = await house.ask()
    house.surface.down = True
    with pytest.raises(PartFailed, match="surface"):
        await house.answer(job)
    house.surface.down = False
    await house.answer(job)
    assert house.surface.only.text == ANSWER


async def test_too_late_is_an_apology_and_final(house: House) -> None:
    job = await house.ask()
    house.clock.at += timedelta(minutes=5)
    await house.answer(job)
    assert house.surface.only.text == TOO_LATE and house.surface.only.failed
    question, _ = await house.conversations.turn(job.turn_id)
    assert question.state is TurnState.FAILED
    await house.answer(job)
    assert len(next(iter(house.surface.messages.values())).finals) == 1


async def test_out_of_time_while_filming_keeps_the_words(house: House) -> None:
    house.voice = PlainVoice(pause=30)
    job = await house.ask(Medium.VIDEO)
    await house.answer(job.model_copy(update={"deadline": house.clock.now() + timedelta(seconds=1)}))
    assert house.surface.only.text == ANSWER
    assert house.surface.only.notice == UNFINISHED
    assert all(recording.discarded for recording in house.recorder.opened)


# --- consent ---


async def test_without_consent_for_text_nothing_is_stored(house: House) -> None:
    await house.publish(frozenset({Scope.VOICE}))
    with pytest.raises(ConsentDenied, match="Ada Crane"):
        await house.receive.message(house.inbound())
    assert not house.queue.jobs


async def test_without_consent_for_the_face_the_voice_answers_and_says_why(house: House) -> None:
    await house.publish(frozenset({Scope.TEXT, Scope.VOICE}))
    await house.answer(await house.ask(Medium.VIDEO))
    assert [clip.medium for clip in house.surface.clips] == [Medium.VOICE]
    assert "not agreed to be shown" in house.surface.only.notice


async def test_a_revocation_bites_inside_the_queue(house: House) -> None:
    job = await house.ask(Medium.VIDEO)
    await house.publish(ALL, revoked_at=house.clock.now() - timedelta(seconds=1))
    await house.answer(job)
    assert house.model.asked == 0 and not house.surface.clips
    assert house.surface.only.failed and "not agreed" in house.surface.only.text


async def test_a_revocation_while_filming_keeps_the_clip_back(house: House) -> None:
    job = await house.ask(Medium.VIDEO)

    class Revoking(PlainFace):
        async def animate(self, speech):  # type: ignore[no-untyped-def]
            await house.publish(frozenset({Scope.TEXT}))
            async for item in super().animate(speech):
                yield item

    house.faces = PlainFaces(Revoking())
    await house.answer(job)
    assert not house.surface.clips
    assert house.surface.only.notice == WITHDRAWN


async def test_a_revocation_before_a_press_is_answered_says_why(house: House) -> None:
    await house.answer(await house.ask())
    await house.receive.again(house.surface.only.turn_id, house.author, Medium.VIDEO)
    await house.publish(frozenset({Scope.TEXT, Scope.VOICE}))
    await house.answer(house.queue.jobs[-1])
    assert [clip.medium for clip in house.surface.clips] == [Medium.VOICE]
    assert "not agreed to be shown" in house.surface.only.notice


async def test_a_revocation_of_everything_before_a_press_is_answered_says_why(house: House) -> None:
    await house.answer(await house.ask())
    await house.receive.again(house.surface.only.turn_id, house.author, Medium.VOICE)
    await house.publish(ALL, revoked_at=house.clock.now() - timedelta(seconds=1))
    await house.answer(house.queue.jobs[-1])
    assert not house.surface.clips and "not agreed" in house.surface.only.notice


async def test_hear_it_on_a_film_is_heard_not_filmed_again(house: House) -> None:
    await house.answer(await house.ask(Medium.VIDEO))
    await house.receive.again(house.surface.only.turn_id, house.author, Medium.VOICE)
    await house.answer(house.queue.jobs[-1])
    assert [clip.medium for clip in house.surface.clips] == [Medium.VIDEO, Medium.VOICE]


async def test_a_press_that_the_queue_does_not_take_is_said(house: House) -> None:
    await house.answer(await house.ask())
    house.queue.down = True
    with pytest.raises(Busy):
        await house.receive.again(house.surface.only.turn_id, house.author, Medium.VOICE)


async def test_consent_that_ran_out_is_no_consent(house: House) -> None:
    await house.publish(ALL, until=house.clock.now() - timedelta(seconds=1))
    with pytest.raises(ConsentDenied):
        await house.receive.message(house.inbound())


# --- hear it, see it ---


async def test_an_answer_can_be_seen_afterwards_in_the_same_words(house: House) -> None:
    await house.answer(await house.ask())
    await house.receive.again(house.surface.only.turn_id, house.author, Medium.VIDEO)
    await house.answer(house.queue.jobs[-1])
    assert house.model.asked == 1
    assert [clip.medium for clip in house.surface.clips] == [Medium.VIDEO]
    assert len(house.surface.messages) == 1


async def test_see_it_may_be_pressed_the_moment_the_words_stand(house: House) -> None:
    """The words are visible a moment before they are stored as final."""
    job = await house.ask()
    answer = await house.conversations.begin(job.turn_id)
    await house.receive.again(answer.id, house.author, Medium.VIDEO)
    await house.answer(job)
    await house.answer(house.queue.jobs[-1])
    assert [clip.medium for clip in house.surface.clips] == [Medium.VIDEO]
    assert len(house.surface.messages) == 1


async def test_what_failed_cannot_be_spoken(house: House) -> None:
    job = await house.ask()
    house.clock.at += timedelta(minutes=5)
    await house.answer(job)
    with pytest.raises(NotFound):
        await house.receive.again(house.surface.only.turn_id, house.author, Medium.VOICE)


async def test_only_who_asked_can_have_it_spoken(house: House) -> None:
    await house.answer(await house.ask())
    stranger = Author("web", "local", "u2")
    with pytest.raises(NotAllowed):
        await house.receive.again(house.surface.only.turn_id, stranger, Medium.VOICE)
    with pytest.raises(NotFound):
        await house.receive.again(uuid4(), house.author, Medium.VOICE)


# --- what comes in ---


@pytest.mark.parametrize("text", ["", "   \n", "x" * 40_000])
async def test_what_cannot_be_read_is_one_clear_sentence(house: House, text: str) -> None:
    with pytest.raises(BadInput, match="message"):
        await house.receive.message(house.inbound(text))
    assert not house.queue.jobs


async def test_a_persona_that_is_not_there_is_one_clear_sentence(house: House) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await house.receive.message(replace(house.inbound(), persona_id="nobody"))
    assert not house.queue.jobs
