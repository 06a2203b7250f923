"""What people write and what they get back."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Medium(StrEnum):
    """How an answer reaches the person. Ordered from plain to rich by `rank`."""

    TEXT = "text"
    VOICE = "voice"
    VIDEO = "video"

    @property
    def rank(self) -> int:
        """0 for text, 1 for voice, 2 for video."""
        return list(Medium).index(self)

    @property
    def plainer(self) -> "Medium | None":
        """The next best medium when this one fails, or None below text."""
        return list(Medium)[self.rank - 1] if self.rank else None


class Role(StrEnum):
    """Who said a turn."""

    PERSON = "person"
    AVATAR = "avatar"


class TurnState(StrEnum):
    """A question is `asked`, then `answering`, then `answered` or `failed`; an answer follows its question."""

    ASKED = "asked"
    ANSWERING = "answering"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a conversation takes place. Opaque to the core: only the surface that made it reads the parts."""

    surface: str
    tenant: str
    channel: str
    thread: str


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote, as the surface knows them. (`surface`, `tenant`, `external_id`) names one person."""

    surface: str
    tenant: str
    external_id: str
    name: str = ""

    def same(self, other: "Author") -> bool:
        """Whether both are one person; a display name may change."""
        return (self.surface, self.tenant, self.external_id) == (other.surface, other.tenant, other.external_id)


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as it came in. `event_id` deduplicates what a platform sends again."""

    event_id: str
    address: Address
    author: Author
    text: str
    sent_at: datetime
    persona_id: str | None = None
    medium: Medium | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who talks to avatars, and what they prefer."""

    id: UUID
    author: Author
    medium: Medium = Medium.TEXT
    persona_id: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A note an answer rests on."""

    note_id: str
    title: str
    source: str
    date: str
    quote: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that was said. An answer names its question in `reply_to`."""

    id: UUID
    conversation_id: UUID
    role: Role
    text: str
    state: TurnState
    created_at: datetime
    medium: Medium = Medium.TEXT
    reply_to: UUID | None = None
    posted_ref: str | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one person and one persona said to each other in one place."""

    id: UUID
    persona_id: str
    person: Person
    address: Address


@dataclass(frozen=True, slots=True)
class Clip:
    """A finished recording, stored. Keys are blob keys; `poster`, `captions` and `video` exist for video only."""

    turn_id: UUID
    medium: Medium
    media_key: str
    media_type: str
    duration: float
    captions_key: str | None = None
    poster_key: str | None = None
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a surface shows: the words, what they rest on, and what else may be asked of them.

    `turn_id` is the answer's own turn, `question_id` the one it answers.
    `disclosure` is the persona's standing sentence that this is an AI; a surface always shows it.
    `offers` are the media the person may still ask for under this answer (consent permitting).
    """

    turn_id: UUID
    question_id: UUID
    persona_id: str
    persona_name: str
    text: str
    disclosure: str
    citations: tuple[Citation, ...] = ()
    offers: tuple[Medium, ...] = ()
    notice: str = ""
    failed: bool = field(default=False)
