"""Personas and their notes: one suite, on the fake and on Postgres; the meaning of words with the real embedder."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bot.consent import Consent, Scope
from bot.errors import BadInput, NotFound, PartFailed
from bot.personas import Exemplar, Note, Persona
from bot.ports import Personas
from integrations.embeddings import MiniLM
from integrations.postgres import Database, PostgresPersonas
from integrations.postgres.chunks import chunks
from tests.conftest import execute
from tests.fakes.memory import MemoryPersonas, WordVectors

ADA = Persona(
    "ada",
    "Ada Lovelace",
    "Countess",
    "plain",
    (Exemplar("Who are you?", "I write notes."),),
    "bf_emma",
    "",
    "en-GB",
    "I am an AI.",
    "the library",
    ("pay",),
    ("What is the engine?",),
)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
CONSENT = Consent(frozenset({Scope.TEXT, Scope.VOICE}), "public domain", frozenset({"everyone"}), SINCE)


def note(note_id: str, words: str, persona_id: str = "ada") -> Note:
    return Note(note_id, persona_id, note_id.title(), words, "A book", "1843")


ENGINE = note("engine", "The analytical engine weaves algebraic patterns as the loom weaves flowers.")
FAMILY = note("family", "Her father was a poet; she saw him last as an infant.")


@pytest.fixture(params=["memory", "postgres"])
async def personas(request: pytest.FixtureRequest, database: Database) -> Personas:
    if request.param == "memory":
        return MemoryPersonas()
    return PostgresPersonas(database, WordVectors())


async def test_what_is_published_comes_back_whole(personas: Personas) -> None:
    ended = replace(CONSENT, since=SINCE + timedelta(days=1), until=SINCE + timedelta(days=9), revoked_at=SINCE)
    await personas.publish(ADA, [CONSENT, ended], [ENGINE])
    found = await personas.get("ada")
    assert found.persona == ADA
    assert found.consents == (CONSENT, ended)


async def test_publishing_again_replaces(personas: Personas) -> None:
    await personas.publish(ADA, [CONSENT], [ENGINE, FAMILY])
    changed = replace(ENGINE, text="It repeats an operation in a cycle.")
    for _ in range(2):
        await personas.publish(replace(ADA, title="Author"), [], [changed])
    found = await personas.get("ada")
    assert (found.persona.title, found.consents) == ("Author", ())
    assert [each.note for each in await personas.search("ada", "cycle poet flowers", 9)] == [changed]


async def test_a_withdrawn_persona_has_no_consent_in_force_until_it_is_published_again(personas: Personas) -> None:
    long_ago = replace(CONSENT, since=SINCE + timedelta(days=1), revoked_at=SINCE + timedelta(days=2))
    await personas.publish(ADA, [CONSENT, long_ago], [ENGINE])
    await personas.publish(replace(ADA, id="bob"), [CONSENT], [])
    await personas.withdraw("ada")
    found = await personas.get("ada")
    assert not any(each.live(datetime.now(UTC)) for each in found.consents)
    assert found.consents[1] == long_ago
    assert (await personas.get("bob")).consents == (CONSENT,)
    await personas.publish(ADA, [CONSENT], [ENGINE])
    assert (await personas.get("ada")).consents == (CONSENT,)
    with pytest.raises(NotFound, match="nobody"):
        await personas.withdraw("nobody")


async def test_an_unknown_persona_is_not_found(personas: Personas) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await personas.get("nobody")
    assert await personas.search("nobody", "anything", 3) == []
    assert await personas.all() == []


async def test_all_are_listed_by_id(personas: Personas) -> None:
    for persona_id in ("zoe", "ada"):
        await personas.publish(replace(ADA, id=persona_id), [CONSENT], [])
    assert [each.persona.id for each in await personas.all()] == ["ada", "zoe"]


async def test_the_nearest_note_comes_first_and_none_of_somebody_else(personas: Personas) -> None:
    await personas.publish(ADA, [], [FAMILY, ENGINE])
    await personas.publish(replace(ADA, id="bob"), [], [note("engine", "engine algebraic loom flowers", "bob")])
    found = await personas.search("ada", "What does the analytical engine weave on the loom?", 2)
    assert [each.note for each in found] == [ENGINE, FAMILY]
    assert 1 >= found[0].score > found[1].score >= -1
    assert len(await personas.search("ada", "engine", 1)) == 1
    assert await personas.search("ada", "engine", 0) == []


async def test_a_long_note_is_found_once_by_its_best_part(personas: Personas) -> None:
    long = note("long", "Nothing of interest happens here at all. " * 60 + "The zeppelin landed in Lakehurst.")
    await personas.publish(ADA, [], [long, FAMILY])
    found = await personas.search("ada", "Where has the zeppelin landed?", 5)
    assert found[0].note == long
    assert len(found) == 2


@pytest.mark.parametrize(
    "notes", [[ENGINE, ENGINE], [note("x", "y", "bob")], [note("empty", " ")]], ids=["twice", "another's", "empty"]
)
async def test_unfit_notes_are_refused_and_change_nothing(personas: Personas, notes: list[Note]) -> None:
    await personas.publish(ADA, [], [FAMILY])
    with pytest.raises(BadInput):
        await personas.publish(ADA, [], notes)
    assert [each.note for each in await personas.search("ada", "poet", 5)] == [FAMILY]


async def test_many_publish_one_persona_at_once(personas: Personas) -> None:
    await asyncio.gather(*(personas.publish(ADA, [CONSENT], [ENGINE, FAMILY]) for _ in range(6)))
    assert (await personas.get("ada")).consents == (CONSENT,)
    assert len(await personas.search("ada", "engine", 9)) == 2


class Counting(WordVectors):
    """Counts what it is asked to embed."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> Any:
        self.texts += texts
        return super().embed(texts)


async def test_notes_that_did_not_change_are_not_embedded_again(database: Database) -> None:
    embedder = Counting()
    personas = PostgresPersonas(database, embedder)
    await personas.publish(ADA, [], [ENGINE, FAMILY])
    assert len(embedder.texts) == 2
    await personas.publish(ADA, [], [ENGINE, replace(FAMILY, date="1844")])
    assert len(embedder.texts) == 3


async def test_few_notes_are_found_among_very_many_of_others(database_url: str) -> None:
    """Even if the planner takes the index, whose forty nearest of all are none of Ada's."""
    name = make_url(database_url).database
    execute(database_url, f"ALTER DATABASE {name} SET enable_sort = off")
    database = Database(database_url)
    personas = PostgresPersonas(database, WordVectors())
    crowd = [note(f"n{number}", f"the analytical engine number {number}", "bob") for number in range(600)]
    await personas.publish(replace(ADA, id="bob"), [], crowd)
    await personas.publish(ADA, [], [FAMILY, note("other", "Something about horses and weather.")])
    assert len(await personas.search("ada", "the analytical engine number", 2)) == 2
    assert len(await personas.search("bob", "the analytical engine number 77", 5)) == 5
    await database.close()


async def test_the_index_fits_the_search(database: Database) -> None:
    personas = PostgresPersonas(database, WordVectors())
    await personas.publish(ADA, [], [note("one", "a first note")])
    generator = np.random.default_rng(1)
    vectors = ["[" + ",".join(f"{value:.3f}" for value in row) + "]" for row in generator.normal(size=(200, 384))]
    async with database.transaction() as session:
        add = "INSERT INTO note_chunks (persona_id, note_id, position, text, embedding)"
        rows = [{"n": at + 1, "v": vector} for at, vector in enumerate(vectors)]
        await session.execute(text(f"{add} VALUES ('ada', 'one', :n, 'x', :v)"), rows)
    async with database.transaction() as session:
        await session.execute(text("SET LOCAL enable_sort = off"))  # as if comparing them all were dear
        query = "SELECT note_id FROM note_chunks WHERE persona_id = 'ada' ORDER BY embedding <=> :v LIMIT 8"
        plan = (await session.execute(text(f"EXPLAIN {query}"), {"v": vectors[0]})).scalars().all()
    assert any("ix_note_chunks_embedding" in line for line in plan), plan


def test_pieces_are_cut_between_sentences_and_lose_no_word() -> None:
    words = "One two three four five. Six seven eight! Nine ten eleven twelve? " * 30 + "x " * 300
    pieces = chunks(note("title", words))
    assert len(pieces) > 3
    assert all(piece.startswith("Title. ") and len(piece.split()) <= 121 for piece in pieces)
    assert " ".join(piece.removeprefix("Title. ") for piece in pieces).split() == words.split()
    assert pieces[0].endswith((".", "!", "?"))


@pytest.mark.models
async def test_real_meaning_is_found_without_a_shared_word(database: Database, model_store: Any) -> None:
    personas = PostgresPersonas(database, MiniLM(model_store.path("minilm")))
    notes = [
        note("moth", "A dead insect was taped into the logbook after it stopped a relay of the Mark II."),
        note("cobol", "The language was meant to be read by managers, so its statements look like English."),
        note("navy", "She retired from the service as its oldest commissioned officer on active duty."),
    ]
    await personas.publish(ADA, [], notes)
    asked = {"What was the first computer bug?": "moth", "How old was she when she left the military?": "navy"}
    for question, expected in asked.items():
        found = await personas.search("ada", question, 3)
        assert found[0].note.id == expected
        assert found[0].score > found[1].score + 0.05


@pytest.mark.models
async def test_a_text_has_one_vector_whatever_stands_beside_it(model_store: Any) -> None:
    model = MiniLM(model_store.path("minilm"))
    alone = model.embed(["The moth in the relay."])
    beside = model.embed(["A much longer sentence about nothing. " * 200, "The moth in the relay.", ""])
    assert alone.shape == (1, 384) and alone.dtype == np.float32
    assert np.array_equal(alone[0], beside[1])
    assert np.allclose(np.linalg.norm(beside, axis=1), 1, atol=1e-5)
    assert model.embed([]).shape == (0, 384)


def test_a_missing_model_is_a_part_that_failed(tmp_path: Any) -> None:
    with pytest.raises(PartFailed, match="embedding model"):
        MiniLM(tmp_path).embed(["x"])
