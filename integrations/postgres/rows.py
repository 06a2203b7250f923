"""Rows to the core's types and back: pure."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from bot.consent import Consent, Scope
from bot.messages import Address, Author, Citation, Clip, Conversation, Medium, Person, Role, Turn, TurnState
from bot.personas import Exemplar, Note, Persona, Phrase
from integrations.postgres.tables import ClipRow, ConsentRow, ConversationRow, NoteRow, PersonRow, TurnRow


def clean(text: str) -> str:
    """Text as Postgres can keep it: without NUL, and with lone surrogates replaced."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def to_person(row: PersonRow) -> Person:
    author = Author(row.surface, row.tenant, row.external_id, row.name)
    return Person(row.id, author, Medium(row.medium), row.persona_id)


def to_conversation(row: ConversationRow, person: PersonRow) -> Conversation:
    address = Address(row.surface, row.tenant, row.channel, row.thread)
    return Conversation(row.id, row.persona_id, to_person(person), address)


def to_turn(row: TurnRow) -> Turn:
    return Turn(
        id=row.id,
        conversation_id=row.conversation_id,
        role=Role(row.role),
        text=row.text,
        state=TurnState(row.state),
        created_at=row.created_at,
        medium=Medium(row.medium),
        reply_to=row.reply_to,
        posted_ref=row.posted_ref,
        citations=tuple(Citation(**each) for each in row.citations),
    )


def from_citation(citation: Citation) -> dict[str, str]:
    return {key: clean(value) for key, value in asdict(citation).items()}


def to_clip(row: ClipRow) -> Clip:
    return Clip(
        turn_id=row.turn_id,
        medium=Medium(row.medium),
        media_key=row.media_key,
        media_type=row.media_type,
        duration=row.duration,
        captions_key=row.captions_key,
        poster_key=row.poster_key,
        width=row.width,
        height=row.height,
    )


def to_persona(document: dict[str, Any]) -> Persona:
    lists = {key: tuple(document[key]) for key in ("limits", "suggestions")}
    exemplars = tuple(Exemplar(**each) for each in document["exemplars"])
    phrases = tuple(Phrase(**each) for each in document.get("phrases", ()))
    return Persona(**{**document, **lists, "exemplars": exemplars, "phrases": phrases})


def to_consent(row: ConsentRow) -> Consent:
    scopes, audience = frozenset(map(Scope, row.scopes)), frozenset(row.audience)
    return Consent(scopes, row.basis, audience, row.since, row.until, row.revoked_at)


def from_consent(persona_id: str, consent: Consent) -> dict[str, Any]:
    return {
        "persona_id": persona_id,
        "scopes": sorted(consent.scopes),
        "basis": clean(consent.basis),
        "audience": sorted(consent.audience),
        "since": consent.since,
        "until": consent.until,
        "revoked_at": consent.revoked_at,
    }


def to_note(row: NoteRow) -> Note:
    return Note(row.id, row.persona_id, row.title, row.text, row.source, row.date)


def cleaned(note: Note) -> Note:
    return Note(note.id, note.persona_id, clean(note.title), clean(note.text), clean(note.source), clean(note.date))


def no_turn(turn_id: UUID) -> str:
    return f"There is no such message ({turn_id})."
