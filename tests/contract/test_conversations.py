"""History: one suite, on the fake and on Postgres."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from bot.errors import BadInput, NotFound, PartFailed
from bot.messages import Address, Author, Citation, Clip, Inbound, Medium, Role, Turn, TurnState
from bot.personas import Persona
from bot.ports import Conversations
from integrations.postgres import Database, PostgresConversations, PostgresPersonas
from tests.conftest import execute
from tests.fakes.memory import MemoryConversations, MemoryPersonas, WordVectors

ANN = Author("slack", "T1", "U1", "Ann")
BEN = Author("slack", "T1", "U2", "Ben")
HERE = Address("slack", "T1", "C1", "1.1")
CITED = Citation("compiler", "The compiler", "Oral history", "1980", "It ran.")
ADA = Persona("ada", "Ada", "Countess", "plain", (), "v", "", "en", "An AI.", "the library")


@pytest.fixture(params=["memory", "postgres"])
async def talks(request: pytest.FixtureRequest, database: Database) -> Conversations:
    personas: Any = MemoryPersonas()
    talks: Conversations = MemoryConversations(personas=personas)
    if request.param == "postgres":
        personas, talks = PostgresPersonas(database, WordVectors()), PostgresConversations(database)
    for persona_id in ("ada", "bob"):
        await personas.publish(replace(ADA, id=persona_id), [], [])
    return talks


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=3)


def inbound(text: str = "Who?", author: Author = ANN, at: Address = HERE, event: str | None = None) -> Inbound:
    return Inbound(event or uuid4().hex, at, author, text, datetime.now(UTC))


async def ask(talks: Conversations, text: str = "Who?", **given: Any) -> Turn:
    turn = await talks.accept(inbound(text, **given), "ada", Medium.TEXT, soon())
    assert turn is not None
    return turn


async def exchange(talks: Conversations, text: str, *, failed: bool = False, **given: Any) -> tuple[Turn, Turn]:
    question = await ask(talks, text, **given)
    answer = await talks.begin(question.id)
    return question, await talks.settle(answer.id, f"Re: {text}", [CITED], failed=failed)


async def test_a_question_is_stored_with_its_person_and_place(talks: Conversations) -> None:
    question = await talks.accept(inbound("Who are you?"), "ada", Medium.VOICE, soon())
    assert question is not None
    turn, conversation = await talks.turn(question.id)
    assert turn == question
    assert (turn.role, turn.text, turn.state, turn.medium) == (
        Role.PERSON,
        "Who are you?",
        TurnState.ASKED,
        Medium.VOICE,
    )
    assert (conversation.persona_id, conversation.address, conversation.person.author) == ("ada", HERE, ANN)
    assert turn.created_at.utcoffset() == timedelta(0)


async def test_an_event_counts_once_even_when_twenty_bring_it(talks: Conversations) -> None:
    message = inbound("Once")
    turns = await asyncio.gather(*(talks.accept(message, "ada", Medium.TEXT, soon()) for _ in range(20)))
    assert len([turn for turn in turns if turn]) == 1
    assert [turn.text for turn in await talks.recent(ANN, "ada", HERE, 50)] == ["Once"]


async def test_the_same_event_id_of_another_tenant_is_another_event(talks: Conversations) -> None:
    there = Address("slack", "T2", "C1", "1.1")
    await ask(talks, event="E1")
    assert await talks.accept(inbound(at=there, event="E1"), "ada", Medium.TEXT, soon())


async def test_an_unknown_persona_is_not_found_and_leaves_nothing(talks: Conversations) -> None:
    message = inbound()
    with pytest.raises(NotFound):
        await talks.accept(message, "nobody", Medium.TEXT, soon())
    assert await talks.accept(message, "ada", Medium.TEXT, soon()), "the refused event was not used up"


async def test_text_that_a_database_cannot_keep_is_cleaned(talks: Conversations) -> None:
    question = await ask(talks, "nul \x00 and half a pair \ud83d.")
    answer = await talks.begin(question.id)
    await talks.settle(answer.id, "so \x00", [])
    assert (await talks.turn(question.id))[0].text.startswith("nul ")


async def test_a_person_is_one_however_many_come_at_once(talks: Conversations) -> None:
    people = await asyncio.gather(*(talks.person(ANN) for _ in range(10)))
    assert len({person.id for person in people}) == 1
    assert (await talks.person(BEN)).id != people[0].id


async def test_a_name_is_kept_up_to_date_and_never_lost(talks: Conversations) -> None:
    await talks.person(ANN)
    assert (await talks.person(Author("slack", "T1", "U1"))).author.name == "Ann"
    assert (await talks.person(Author("slack", "T1", "U1", "Ann Lee"))).author.name == "Ann Lee"


async def test_preferences_change_one_at_a_time(talks: Conversations) -> None:
    fresh = await talks.person(ANN)
    assert (fresh.medium, fresh.persona_id) == (Medium.TEXT, None)
    await talks.prefer(ANN, medium=Medium.VIDEO)
    both = await talks.prefer(ANN, persona_id="bob")
    assert (both.medium, both.persona_id) == (Medium.VIDEO, "bob")
    assert (await talks.person(BEN)).medium is Medium.TEXT
    with pytest.raises(NotFound):
        await talks.prefer(ANN, persona_id="nobody")


async def test_there_is_one_answer_however_many_begin_it(talks: Conversations) -> None:
    question = await ask(talks)
    assert await talks.answer_to(question.id) is None
    answers = await asyncio.gather(*(talks.begin(question.id) for _ in range(20)))
    assert len({answer.id for answer in answers}) == 1
    assert answers[0].reply_to == question.id
    assert answers[0].state is TurnState.ANSWERING
    assert (await talks.turn(question.id))[0].state is TurnState.ANSWERING
    assert (await talks.answer_to(question.id)) == answers[0]


async def test_settling_is_final(talks: Conversations) -> None:
    question = await ask(talks)
    answer = await talks.begin(question.id)
    first = await talks.settle(answer.id, "Yes.", [CITED])
    second = await talks.settle(answer.id, "No!", [], failed=True)
    assert first == second == (await talks.begin(question.id))
    assert (first.text, first.citations, first.state) == ("Yes.", (CITED,), TurnState.ANSWERED)
    assert (await talks.turn(question.id))[0].state is TurnState.ANSWERED


async def test_the_first_of_many_settlers_wins(talks: Conversations) -> None:
    answer = await talks.begin((await ask(talks)).id)
    settled = await asyncio.gather(*(talks.settle(answer.id, f"{n}", []) for n in range(10)))
    assert len({turn.text for turn in settled}) == 1


async def test_a_failure_marks_question_and_answer(talks: Conversations) -> None:
    question, answer = await exchange(talks, "Hm?", failed=True)
    assert answer.state is TurnState.FAILED
    assert (await talks.turn(question.id))[0].state is TurnState.FAILED


async def test_where_it_was_posted_is_kept(talks: Conversations) -> None:
    answer = await talks.begin((await ask(talks)).id)
    await talks.posted(answer.id, "171.002")
    assert (await talks.turn(answer.id))[0].posted_ref == "171.002"


@pytest.mark.parametrize("call", ["turn", "begin", "posted", "settle", "add_clip", "rate"])
async def test_what_does_not_exist_is_not_found(talks: Conversations, call: str) -> None:
    nothing = uuid4()
    calls = {
        "turn": lambda: talks.turn(nothing),
        "begin": lambda: talks.begin(nothing),
        "posted": lambda: talks.posted(nothing, "x"),
        "settle": lambda: talks.settle(nothing, "x", []),
        "add_clip": lambda: talks.add_clip(clip(nothing, Medium.VOICE)),
        "rate": lambda: talks.rate(nothing, ANN, 1),
    }
    with pytest.raises(NotFound):
        await calls[call]()
    assert await talks.answer_to(nothing) is None
    assert await talks.clips(nothing) == []


async def test_an_answer_is_no_question(talks: Conversations) -> None:
    question = await ask(talks)
    answer = await talks.begin(question.id)
    with pytest.raises(NotFound):
        await talks.begin(answer.id)
    with pytest.raises(NotFound):
        await talks.settle(question.id, "x", [])


async def test_history_is_whole_exchanges_before_the_question(talks: Conversations) -> None:
    first = await exchange(talks, "one")
    await exchange(talks, "lost", failed=True)
    second = await exchange(talks, "two")
    await ask(talks, "still waiting")
    now = await ask(talks, "and when was that?")
    await exchange(talks, "later")
    place = now.conversation_id
    texts = [turn.text for turn in await talks.history(place, now.id, 10)]
    assert texts == ["one", "Re: one", "two", "Re: two"]
    assert [turn.text for turn in await talks.history(place, now.id, 3)] == ["two", "Re: two"]
    assert await talks.history(place, now.id, 1) == []
    assert [turn.id for turn in await talks.history(place, second[1].id, 10)] == [turn.id for turn in first]


async def test_history_never_crosses_a_person_a_place_or_a_persona(talks: Conversations) -> None:
    await exchange(talks, "mine")
    await exchange(talks, "Ben's", author=BEN)
    await exchange(talks, "elsewhere", at=Address("slack", "T1", "C1", "2.2"))
    bob = await talks.accept(inbound("to Bob"), "bob", Medium.TEXT, soon())
    assert bob
    now = await ask(talks, "now")
    assert [turn.text for turn in await talks.history(now.conversation_id, now.id, 20)] == ["mine", "Re: mine"]
    bens = await ask(talks, "Ben now", author=BEN)
    assert await talks.history(now.conversation_id, bens.id, 20) == [], "another conversation's turn opens nothing"


async def test_recent_is_this_persons_in_this_place(talks: Conversations) -> None:
    await exchange(talks, "mine")
    await exchange(talks, "Ben's", author=BEN)
    waiting = await ask(talks, "waiting")
    await exchange(talks, "third")
    await talks.begin(waiting.id)
    recent = await talks.recent(ANN, "ada", HERE, 20)
    assert [turn.text for turn in recent] == ["mine", "Re: mine", "waiting", "", "third", "Re: third"]
    assert [turn.text for turn in await talks.recent(ANN, "ada", HERE, 2)] == ["third", "Re: third"]
    assert await talks.recent(ANN, "bob", HERE, 20) == []
    assert await talks.recent(Author("web", "T1", "U1"), "ada", HERE, 20) == []


def clip(answer_id: UUID, medium: Medium, duration: float = 2.5) -> Clip:
    key = f"turns/{answer_id}/answer"
    if medium is Medium.VOICE:
        return Clip(answer_id, medium, f"{key}.m4a", "audio/mp4", duration)
    return Clip(answer_id, medium, f"{key}.mp4", "video/mp4", duration, f"{key}.vtt", f"{key}.jpg", 512, 512)


async def test_clips_are_one_per_medium_plain_first(talks: Conversations) -> None:
    _, answer = await exchange(talks, "Say it")
    await talks.add_clip(clip(answer.id, Medium.VIDEO))
    await talks.add_clip(clip(answer.id, Medium.VOICE))
    await talks.add_clip(clip(answer.id, Medium.VOICE, duration=3.0))
    assert await talks.clips(answer.id) == [clip(answer.id, Medium.VOICE, 3.0), clip(answer.id, Medium.VIDEO)]


async def test_only_who_was_answered_may_rate(talks: Conversations) -> None:
    question, answer = await exchange(talks, "Good?")
    for value in (1, 1, -1, 0, 0):
        await talks.rate(answer.id, ANN, value)
    with pytest.raises(NotFound):
        await talks.rate(answer.id, BEN, 1)
    with pytest.raises(NotFound):
        await talks.rate(question.id, ANN, 1)
    with pytest.raises(BadInput):
        await talks.rate(answer.id, ANN, 2)


def later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


async def test_stranded_are_the_unsettled_whose_time_runs(talks: Conversations) -> None:
    asked = await ask(talks, "asked")
    begun = await ask(talks, "begun")
    await talks.begin(begun.id)
    await exchange(talks, "settled")
    past = datetime.now(UTC) - timedelta(minutes=1)
    late = await talks.accept(inbound("late"), "ada", Medium.VIDEO, past)
    assert late
    assert await talks.stranded(past, 10) == [], "they are not old enough"
    jobs = await talks.stranded(later(), 10)
    assert [job.turn_id for job in jobs] == [asked.id, begun.id]
    assert all(job.medium is Medium.TEXT and job.deadline > datetime.now(UTC) for job in jobs)
    overdue = await talks.overdue(datetime.now(UTC), 10)
    assert [(job.turn_id, job.medium) for job in overdue] == [(late.id, Medium.VIDEO)]


async def test_a_stranded_question_is_handed_to_one(talks: Conversations) -> None:
    turns = [await ask(talks, str(number)) for number in range(4)]
    moment = datetime.now(UTC)
    found = await asyncio.gather(*(talks.stranded(moment, 10) for _ in range(4)))
    handed = [job.turn_id for jobs in found for job in jobs]
    assert sorted(handed) == sorted(turn.id for turn in turns)
    assert len(await talks.stranded(later(), 2)) == 2


async def test_a_database_that_is_down_is_a_part_that_failed() -> None:
    database = Database("postgresql://postgres@127.0.0.1:1/nothing")
    with pytest.raises(PartFailed) as failure:
        await PostgresConversations(database).person(ANN)
    assert (failure.value.part, failure.value.retryable) == ("store", True)
    await database.close()


async def test_connections_that_were_cut_are_replaced(database: Database, database_url: str) -> None:
    talks = PostgresConversations(database)
    before = await talks.person(ANN)
    execute(
        database_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    assert await talks.person(ANN) == before
