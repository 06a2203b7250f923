"""Personas, their consents and their notes in Postgres: `bot.ports.Personas`."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import any_, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

from bot.consent import Consent
from bot.errors import BadInput, NotFound
from bot.personas import Note, Persona
from bot.ports import FoundNote, Published
from integrations.embeddings import Embedder, Vectors
from integrations.postgres.chunks import chunks
from integrations.postgres.database import Database
from integrations.postgres.rows import cleaned, from_consent, to_consent, to_note, to_persona
from integrations.postgres.tables import ConsentRow, NoteChunkRow, NoteRow, PersonaRow

BATCH = 100
CHUNKS_PER_NOTE = 8  # looked at for every note wanted: several of the nearest may belong to one note

Embedded = dict[Note, list[tuple[str, Vectors]]]


class PostgresPersonas:
    """Implements `bot.ports.Personas`. Raises PartFailed("store") when the database does not answer."""

    def __init__(self, database: Database, embedder: Embedder) -> None:
        self._database = database
        self._embedder = embedder

    async def publish(self, persona: Persona, consents: Sequence[Consent], notes: Sequence[Note]) -> None:
        """Replace persona, consents and notes in one transaction. Notes that did not change are not embedded again.

        Raises BadInput when two notes have one id or a note is somebody else's.
        """
        notes = _checked(persona.id, notes)
        async with self._database.transaction() as session:
            known = await _notes(session, persona.id)
        embedded = await self._embedded(_changed(notes, known))
        async with self._database.transaction() as session:
            # Two processes that publish one persona take turns; what the first stored is unchanged for the second.
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"publish:{persona.id}"))))
            await _put_persona(session, persona, consents)
            known = await _notes(session, persona.id)
            changed = _changed(notes, known)
            embedded |= await self._embedded(note for note in changed if note not in embedded)
            await _put_notes(session, persona.id, notes, changed, embedded)

    async def get(self, persona_id: str) -> Published:
        """Raises NotFound."""
        async with self._database.transaction() as session:
            row = await session.get(PersonaRow, persona_id)
            if row is None:
                raise NotFound(f"There is no persona “{persona_id}”.")
            return await _published(session, row)

    async def all(self) -> list[Published]:
        """Every persona, by id."""
        async with self._database.transaction() as session:
            rows = (await session.execute(select(PersonaRow).order_by(PersonaRow.id))).scalars().all()
            return [await _published(session, row) for row in rows]

    async def withdraw(self, persona_id: str) -> None:
        """Revoke all its consents now. What was said stays in the history. Raises NotFound."""
        async with self._database.transaction() as session:
            if await session.get(PersonaRow, persona_id) is None:
                raise NotFound(f"There is no persona “{persona_id}”.")
            mine = (ConsentRow.persona_id == persona_id, ConsentRow.revoked_at.is_(None))
            await session.execute(update(ConsentRow).where(*mine).values(revoked_at=func.clock_timestamp()))

    async def search(self, persona_id: str, question: str, limit: int) -> list[FoundNote]:
        """The nearest notes of this persona by their nearest piece, best first."""
        if limit < 1:
            return []
        vector = (await asyncio.to_thread(self._embedder.embed, [question]))[0]
        distance = NoteChunkRow.embedding.cosine_distance(vector)
        nearest = (
            select(NoteChunkRow.note_id, (1 - distance).label("score"))
            .where(NoteChunkRow.persona_id == persona_id)
            .order_by(distance)
            .limit(limit * CHUNKS_PER_NOTE)
        )
        async with self._database.transaction() as session:
            # Without it the index gives its 40 nearest of *all* personas, of which perhaps none is this one's.
            await session.execute(text("SET LOCAL hnsw.iterative_scan = strict_order"))
            best: dict[str, float] = {}
            for note_id, score in (await session.execute(nearest)).all():
                best.setdefault(note_id, float(score))
            wanted = list(best)[:limit]
            statement = select(NoteRow).where(NoteRow.persona_id == persona_id, NoteRow.id.in_(wanted))
            found = {row.id: to_note(row) for row in (await session.execute(statement)).scalars()}
        return [FoundNote(found[note_id], best[note_id]) for note_id in wanted if note_id in found]

    async def _embedded(self, notes: Iterable[Note]) -> Embedded:
        pieces = [(note, piece) for note in notes for piece in chunks(note)]
        found: Embedded = {}
        for at in range(0, len(pieces), BATCH):
            some = pieces[at : at + BATCH]
            vectors = await asyncio.to_thread(self._embedder.embed, [piece for _, piece in some])
            for (note, piece), vector in zip(some, vectors, strict=True):
                found.setdefault(note, []).append((piece, vector))
        return found


def _checked(persona_id: str, notes: Sequence[Note]) -> list[Note]:
    seen: set[str] = set()
    for note in notes:
        if note.persona_id != persona_id:
            raise BadInput(f"The note “{note.id}” belongs to “{note.persona_id}”, not to “{persona_id}”.")
        if note.id in seen:
            raise BadInput(f"Two notes of “{persona_id}” are called “{note.id}”.")
        if not note.text.strip():
            raise BadInput(f"The note “{note.id}” of “{persona_id}” says nothing.")
        seen.add(note.id)
    return [cleaned(note) for note in notes]


def _changed(notes: Sequence[Note], known: dict[str, Note]) -> list[Note]:
    return [note for note in notes if known.get(note.id) != note]


async def _notes(session: AsyncSession, persona_id: str) -> dict[str, Note]:
    rows = (await session.execute(select(NoteRow).where(NoteRow.persona_id == persona_id))).scalars()
    return {row.id: to_note(row) for row in rows}


async def _published(session: AsyncSession, row: PersonaRow) -> Published:
    statement = select(ConsentRow).where(ConsentRow.persona_id == row.id).order_by(ConsentRow.since, ConsentRow.id)
    consents = (await session.execute(statement)).scalars()
    return Published(to_persona(row.document), tuple(map(to_consent, consents)))


async def _put_persona(session: AsyncSession, persona: Persona, consents: Sequence[Consent]) -> None:
    document = asdict(persona)
    statement = insert(PersonaRow).values(id=persona.id, document=document)
    changed = {"document": document, "published_at": func.clock_timestamp()}
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))
    await session.execute(delete(ConsentRow).where(ConsentRow.persona_id == persona.id))
    if consents:
        await session.execute(insert(ConsentRow), [from_consent(persona.id, each) for each in consents])


async def _put_notes(
    session: AsyncSession, persona_id: str, notes: Sequence[Note], changed: Sequence[Note], embedded: Embedded
) -> None:
    fresh = {note.id for note in changed}
    kept = literal([note.id for note in notes if note.id not in fresh], ARRAY(Text))
    gone = delete(NoteRow).where(NoteRow.persona_id == persona_id, ~(NoteRow.id == any_(kept)))
    await session.execute(gone)  # and their pieces with them
    for at in range(0, len(changed), BATCH):
        some = changed[at : at + BATCH]
        await session.execute(insert(NoteRow), [asdict(note) for note in some])
        rows = [
            {"persona_id": persona_id, "note_id": note.id, "position": position, "text": piece, "embedding": vector}
            for note in some
            for position, (piece, vector) in enumerate(embedded.get(note, []))
        ]
        await session.execute(insert(NoteChunkRow), rows)
    if changed:
        # The planner must know how many pieces each persona has: few are compared one by one, many by the index.
        await session.execute(text("ANALYZE note_chunks"))
