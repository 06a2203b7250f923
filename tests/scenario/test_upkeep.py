"""What a crash leaves behind: a question that never reached the queue, and one whose time ran out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bot.consent import Consent, Scope
from bot.messages import Address, Author, Inbound, Medium, TurnState
from bot.personas import Persona
from workers.settings import Settings
from workers.upkeep import sweep
from workers.wiring import Wiring

PERSONA = Persona("ada", "Ada", "Countess", "", (), "v", "", "en", "This is an AI.", "nobody")


@pytest.fixture
async def wiring(database_url: str, valkey_url: str, tmp_path: Path, model_store: Any) -> Any:
    model_store.path("minilm")
    found = Wiring(Settings(_env_file=None, database_url=database_url, queue_url=valkey_url, data_dir=tmp_path))
    given = Consent(frozenset({Scope.TEXT}), "asked", frozenset({"everyone"}), datetime(2020, 1, 1, tzinfo=UTC))
    await found.personas.publish(PERSONA, [given], [])
    yield found
    found.celery.control.purge()
    await found.close()


async def asked(wiring: Wiring, left: timedelta, surface: str = "shell") -> Any:
    """A question that was stored and then forgotten."""
    author = Author(surface, "local", "u1")
    inbound = Inbound(uuid4().hex, Address(surface, "local", "u1", "main"), author, "Hm?", wiring.clock.now())
    return await wiring.conversations.accept(inbound, "ada", Medium.TEXT, wiring.clock.now() + left)


class Later:
    """A clock that is ahead."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.mark.models
async def test_a_stranded_question_reaches_the_queue_once(wiring: Wiring) -> None:
    await asked(wiring, timedelta(minutes=10))
    assert await sweep(wiring) == (0, 0), "it may only be waiting"
    wiring.clock = Later(timedelta(minutes=2))  # type: ignore[assignment]
    assert await sweep(wiring) == (1, 0)


@pytest.mark.models
async def test_a_question_out_of_time_gets_one_apology(wiring: Wiring) -> None:
    question = await asked(wiring, timedelta(seconds=-1))
    assert await sweep(wiring) == (0, 1)
    answer = await wiring.conversations.answer_to(question.id)
    assert answer and answer.state is TurnState.FAILED and "too long" in answer.text
    kinds = [event.kind async for event in wiring.events.follow(question.id)]
    assert kinds.count("final") == 1 and kinds[-1] == "done"
    assert await sweep(wiring) == (0, 0)


@pytest.mark.models
async def test_one_that_cannot_be_reached_does_not_keep_others_from_their_apology(wiring: Wiring) -> None:
    lost = await asked(wiring, timedelta(seconds=-5), "a surface that is no longer configured")
    question = await asked(wiring, timedelta(seconds=-1))
    assert await sweep(wiring) == (0, 1)
    for each in (lost, question):
        answer = await wiring.conversations.answer_to(each.id)
        assert answer and answer.state is TurnState.FAILED
    assert await sweep(wiring) == (0, 0)
