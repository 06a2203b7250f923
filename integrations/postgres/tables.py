"""The tables, and nothing that moves. Rows never leave this room: the stores translate them to the core's types."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from pgvector.sqlalchemy import Vector
from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    UniqueConstraint,
    func,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import BigInteger, Float, Integer, SmallInteger, Text

DIMENSIONS = 384
UNSETTLED = sql("role = 'person' AND state IN ('asked','answering')")
"""Questions that still wait for an answer: the condition of an index, so it is written once."""

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    """What every table shares: names of constraints that a migration can rely on, times with a zone."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text,
        dict[str, Any]: JSONB,
    }


def _now() -> Any:
    return func.clock_timestamp()


class PersonaRow(Table):
    """Somebody who can be talked to. `document` is the core's Persona as JSON."""

    __tablename__ = "personas"
    __table_args__ = (CheckConstraint("id ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name="id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    published_at: Mapped[datetime] = mapped_column(server_default=_now())


class ConsentRow(Table):
    """One statement of consent of the person portrayed."""

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint("cardinality(scopes) > 0 AND scopes <@ ARRAY['text','voice','face','live']", name="scopes"),
        CheckConstraint("until IS NULL OR until > since", name="until"),
        Index(None, "persona_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    persona_id: Mapped[str] = mapped_column(ForeignKey("personas.id", ondelete="CASCADE"))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    basis: Mapped[str]
    audience: Mapped[list[str]] = mapped_column(ARRAY(Text))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class NoteRow(Table):
    """Something a persona knows."""

    __tablename__ = "notes"
    __table_args__ = (CheckConstraint("text <> ''", name="text"),)

    persona_id: Mapped[str] = mapped_column(ForeignKey("personas.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    text: Mapped[str]
    source: Mapped[str]
    date: Mapped[str]


class NoteChunkRow(Table):
    """A piece of a note, small enough to be embedded as one meaning."""

    __tablename__ = "note_chunks"
    __table_args__ = (
        ForeignKeyConstraint(["persona_id", "note_id"], ["notes.persona_id", "notes.id"], ondelete="CASCADE"),
        UniqueConstraint("persona_id", "note_id", "position"),
        Index(
            "ix_note_chunks_embedding",
            "embedding",
            postgresql_using="hnsw",
            postgresql_ops={"embedding": "vector_cosine_ops"},
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    persona_id: Mapped[str]
    note_id: Mapped[str]
    position: Mapped[int] = mapped_column(Integer)
    text: Mapped[str]
    embedding: Mapped[Any] = mapped_column(Vector(DIMENSIONS))


class PersonRow(Table):
    """Somebody who talks to avatars, as one surface knows them."""

    __tablename__ = "people"
    __table_args__ = (
        UniqueConstraint("surface", "tenant", "external_id"),
        CheckConstraint("medium IN ('text','voice','video')", name="medium"),
        Index(None, "persona_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    surface: Mapped[str]
    tenant: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    medium: Mapped[str] = mapped_column(server_default="text")
    persona_id: Mapped[str | None] = mapped_column(ForeignKey("personas.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=_now())


class ConversationRow(Table):
    """What one person and one persona say to each other in one place."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("person_id", "persona_id", "surface", "tenant", "channel", "thread", name="uq_conversations"),
        Index(None, "persona_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    persona_id: Mapped[str] = mapped_column(ForeignKey("personas.id", ondelete="RESTRICT"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    surface: Mapped[str]
    tenant: Mapped[str]
    channel: Mapped[str]
    thread: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=_now())


class TurnRow(Table):
    """One thing that was said.

    A question carries the event that brought it and a deadline, an answer names its question; the checks hold them
    apart. `number` is the order in which turns were stored; `handed_at` is when work on a question was last handed out.
    """

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("reply_to"),
        CheckConstraint("role IN ('person','avatar')", name="role"),
        CheckConstraint("state IN ('asked','answering','answered','failed')", name="state"),
        CheckConstraint("medium IN ('text','voice','video')", name="medium"),
        CheckConstraint(
            "CASE role WHEN 'person' THEN num_nulls(event_surface, event_tenant, event_id, deadline) = 0"
            " AND reply_to IS NULL"
            " ELSE num_nonnulls(event_surface, event_tenant, event_id, deadline) = 0"
            " AND reply_to IS NOT NULL AND state <> 'asked' END",
            name="question_or_answer",
        ),
        Index(None, "event_surface", "event_tenant", "event_id", unique=True),
        Index(None, "conversation_id", "number"),
        Index(
            "ix_turns_unsettled",
            "handed_at",
            postgresql_where=UNSETTLED,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    conversation_id: Mapped[UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    role: Mapped[str]
    text: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str]
    medium: Mapped[str]
    event_surface: Mapped[str | None]
    event_tenant: Mapped[str | None]
    event_id: Mapped[str | None]
    deadline: Mapped[datetime | None]
    reply_to: Mapped[UUID | None] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    posted_ref: Mapped[str | None]
    citations: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default=sql("'[]'"))
    created_at: Mapped[datetime] = mapped_column(server_default=_now())
    handed_at: Mapped[datetime] = mapped_column(server_default=_now())
    settled_at: Mapped[datetime | None]


class ClipRow(Table):
    """A finished recording of an answer; one per medium."""

    __tablename__ = "clips"
    __table_args__ = (
        CheckConstraint("medium IN ('voice','video')", name="medium"),
        CheckConstraint("duration >= 0 AND width >= 0 AND height >= 0", name="measures"),
    )

    turn_id: Mapped[UUID] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True)
    medium: Mapped[str] = mapped_column(primary_key=True)
    media_key: Mapped[str]
    media_type: Mapped[str]
    duration: Mapped[float] = mapped_column(Float)
    captions_key: Mapped[str | None]
    poster_key: Mapped[str | None]
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(server_default=_now())


class RatingRow(Table):
    """What a person thought of an answer: +1 or -1; no row is no opinion."""

    __tablename__ = "ratings"
    __table_args__ = (CheckConstraint("value IN (-1, 1)", name="value"), Index(None, "person_id"))

    turn_id: Mapped[UUID] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    value: Mapped[int] = mapped_column(SmallInteger)
    rated_at: Mapped[datetime] = mapped_column(server_default=_now())
