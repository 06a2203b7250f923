"""Grace Hopper from her folder, a few of her notes, and turns of a conversation."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from bot.messages import Citation, Role, Turn, TurnState
from bot.personas import Note
from bot.ports import FoundNote
from integrations.persona_folder import read

FOLDER = read(Path(__file__).parents[2] / "personas" / "grace-hopper")
GRACE = FOLDER.persona
NOTES = {note.id: note for note in FOLDER.notes}


def turn(role: str, text: str, *notes: Note) -> Turn:
    """One turn of some conversation; an answer may cite notes."""
    citations = tuple(Citation(note.id, note.title, note.source, note.date, note.text[:60]) for note in notes)
    now = datetime(2026, 11, 24, tzinfo=UTC)
    return Turn(uuid4(), uuid4(), Role(role), text, TurnState.ANSWERED, now, citations=citations)


def found(*scored: tuple[str, float]) -> list[FoundNote]:
    """Notes by id with the similarity that a search gave them."""
    return [FoundNote(NOTES[name], score) for name, score in scored]
