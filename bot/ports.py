"""What the core asks of the outside. Each Protocol has one contract suite in tests/contract."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from bot.consent import Consent
from bot.jobs import ReplyJob
from bot.media import AudioChunk, SpeechChunk, VideoFrame
from bot.messages import Address, Answer, Author, Citation, Clip, Conversation, Inbound, Medium, Person, Turn
from bot.personas import Note, Persona, Prompt


class ChatModel(Protocol):
    """Writes. Raises PartFailed("model")."""

    def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """The answer, in pieces as they are written."""
        ...


class Voice(Protocol):
    """Speaks one utterance (a clause or a sentence). Raises PartFailed("voice")."""

    def speak(self, text: str, voice: str, language: str) -> AsyncIterator[SpeechChunk]:
        """Sound with phoneme and word times counted from the utterance's first sample."""
        ...


class Face(Protocol):
    """Shows a person speaking. Raises PartFailed("face")."""

    def animate(self, speech: AsyncIterator[AudioChunk]) -> AsyncIterator[AudioChunk | VideoFrame]:
        """The same audio chunks with the frames that belong to them, in `at` order, one frame per 960 samples.

        Frames cover the speech from `at` 0 to its end, then the mouth closes (about 10 more frames).
        Audio may lead its frames by the look-ahead.
        """
        ...

    def idle(self) -> AsyncIterator[VideoFrame]:
        """Endless frames of somebody who listens: breath, blink, gaze."""
        ...


class MediaSink(Protocol):
    """Where sound and pictures go. Waiting in `write` is back-pressure."""

    async def write(self, item: AudioChunk | VideoFrame) -> None: ...

    async def clear(self) -> None:
        """Forget everything written so far that nobody has seen or heard."""
        ...

    async def finish(self) -> None: ...


class AnswerStream(Protocol):
    """One answer being written into a conversation."""

    @property
    def ref(self) -> str:
        """What names this message on its surface; kept so that a second attempt edits it, never posts twice."""
        ...

    async def append(self, text: str) -> None:
        """Add words at the end."""
        ...

    async def finish(self, answer: Answer) -> None:
        """The final form. Replaces what was streamed where it differs; adds notes, label and buttons."""
        ...


Stage = Literal["received", "waiting", "thinking", "writing", "speaking", "filming", "done"]


class ChatSurface(Protocol):
    """Where a conversation is seen. Raises PartFailed("surface")."""

    async def status(self, address: Address, turn_id: UUID, stage: Stage, progress: float | None = None) -> None:
        """Show what is happening (0..1 where known). Never fails the turn: an adapter swallows its own hiccups."""
        ...

    async def stream(self, address: Address, turn_id: UUID, author: Author, ref: str | None) -> AnswerStream:
        """Open the answer to the question `turn_id`; `ref` names the message an earlier attempt has opened."""
        ...

    async def show(self, address: Address, clip: Clip, answer: Answer) -> None:
        """Put a clip or a recording where the answer is, playable in place."""
        ...

    async def say(self, address: Address, author: Author, text: str) -> str:
        """A plain sentence from Understudy itself (a refusal, an apology, help); returns its ref."""
        ...


class Recording(MediaSink, Protocol):
    """A sink that becomes a stored clip. Raises PartFailed("clip")."""

    async def keep(self) -> Clip:
        """Store what was finished; call after `finish`."""
        ...

    async def discard(self) -> None:
        """Let go of everything; harmless after `keep`."""
        ...


class Recorder(Protocol):
    """Opens recordings."""

    def open(self, answer_id: UUID, medium: Medium, persona: Persona) -> Recording:
        """A new recording of this answer: sound only for VOICE, sound and pictures for VIDEO."""
        ...


class Faces(Protocol):
    """Finds the enrolled face of a persona. Raises PartFailed("face")."""

    async def of(self, persona: Persona, seed: int) -> Face: ...


class BlobStore(Protocol):
    """Files by key, e.g. `turns/<id>/answer.mp4`. Raises PartFailed("store"), NotFound."""

    async def put(self, key: str, path: str, media_type: str) -> None:
        """Store the local file at `path` under `key`; whole or not at all."""
        ...

    async def fetch(self, key: str) -> str:
        """A local path at which the blob can be read."""
        ...

    async def delete(self, prefix: str) -> None: ...


@dataclass(frozen=True, slots=True)
class FoundNote:
    """A note and how near it is to the question (cosine similarity, -1..1)."""

    note: Note
    score: float


@dataclass(frozen=True, slots=True)
class Published:
    """A persona as it is in force: who, under which consents."""

    persona: Persona
    consents: tuple[Consent, ...]


class Personas(Protocol):
    """The personas that may be talked to, and their notes."""

    async def publish(self, persona: Persona, consents: Sequence[Consent], notes: Sequence[Note]) -> None:
        """Replace the persona of this id, its consents and its notes, in one transaction. Idempotent."""
        ...

    async def get(self, persona_id: str) -> Published:
        """Raises NotFound."""
        ...

    async def all(self) -> list[Published]: ...

    async def withdraw(self, persona_id: str) -> None:
        """Revoke all its consents now: nothing more is said or shown, until it is published again. Raises NotFound."""
        ...

    async def search(self, persona_id: str, question: str, limit: int) -> list[FoundNote]:
        """The nearest notes of this persona, best first."""
        ...


class Conversations(Protocol):
    """History, kept per person and thread. Nothing here answers about another person's conversation."""

    async def accept(self, inbound: Inbound, persona_id: str, medium: Medium, deadline: datetime) -> Turn | None:
        """Store a question once, with its person and conversation; None when this event_id is already stored."""
        ...

    async def person(self, author: Author) -> Person:
        """The person of this author, made when new."""
        ...

    async def prefer(
        self, author: Author, *, medium: Medium | None = None, persona_id: str | None = None
    ) -> Person: ...

    async def turn(self, turn_id: UUID) -> tuple[Turn, Conversation]:
        """Raises NotFound."""
        ...

    async def history(self, conversation_id: UUID, before: UUID, limit: int) -> list[Turn]:
        """The turns before that one, oldest first; only answered questions and their answers."""
        ...

    async def answer_to(self, question_id: UUID) -> Turn | None: ...

    async def begin(self, question_id: UUID) -> Turn:
        """The answer turn of this question, made when missing: one per question, whoever comes second gets it too."""
        ...

    async def posted(self, answer_id: UUID, ref: str) -> None: ...

    async def settle(self, answer_id: UUID, text: str, citations: Sequence[Citation], *, failed: bool = False) -> Turn:
        """The answer is final: store it and mark question and answer."""
        ...

    async def add_clip(self, clip: Clip) -> None: ...

    async def clips(self, answer_id: UUID) -> list[Clip]: ...

    async def rate(self, answer_id: UUID, author: Author, value: int) -> None:
        """+1, -1, or 0 to take it back. Raises NotFound when the answer is not in a conversation of this author."""
        ...

    async def recent(self, author: Author, persona_id: str, address: Address, limit: int) -> list[Turn]:
        """What this person and this persona said to each other here, oldest first."""
        ...

    async def stranded(self, older_than: datetime, limit: int) -> list[ReplyJob]:
        """Questions that are neither answered nor failed though their time is running, untouched since `older_than`.

        Each is handed out once: that counts as a touch, as `accept` and `begin` do, so that it is not found again
        before it has been still for as long once more.
        """
        ...

    async def overdue(self, now: datetime, limit: int) -> list[ReplyJob]:
        """Questions whose deadline had passed at `now` and that were never settled, longest overdue first."""
        ...


class JobQueue(Protocol):
    """Hands work to a worker somewhere. Raises PartFailed("queue", retryable=True)."""

    async def submit(self, job: ReplyJob, after: float = 0.0) -> None:
        """Hand it over now, to be begun `after` seconds at the earliest."""
        ...


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...
