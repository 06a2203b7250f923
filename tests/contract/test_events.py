"""What happens to a turn: one suite, on the fake and on Valkey."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from bot.errors import Busy, PartFailed
from integrations.events import TurnEvents
from tests.fakes.memory import MemoryEvents


@pytest.fixture(params=["memory", "valkey"])
async def events(request: pytest.FixtureRequest, valkey_url: str) -> AsyncIterator[Any]:
    found = MemoryEvents() if request.param == "memory" else TurnEvents(valkey_url)
    yield found
    await found.close()


async def kinds(events: Any, turn: Any, after: str = "0") -> list[str]:
    return [event.kind async for event in events.follow(turn, after)]


async def test_events_come_in_order_and_end_with_done(events: Any) -> None:
    turn = uuid4()
    await events.publish(turn, "status", {"stage": "thinking", "progress": None})
    await events.publish(turn, "delta", {"text": "Ünï ☃"})
    await events.publish(turn, "done", {})
    found = [event async for event in events.follow(turn)]
    assert [(event.kind, event.data) for event in found] == [
        ("status", {"stage": "thinking", "progress": None}),
        ("delta", {"text": "Ünï ☃"}),
        ("done", {}),
    ]


async def test_a_follower_gets_what_happens_later(events: Any) -> None:
    turn = uuid4()
    following = asyncio.create_task(kinds(events, turn))
    await asyncio.sleep(0.05)
    for kind in ("status", "delta", "done"):
        await events.publish(turn, kind, {})
        await asyncio.sleep(0.01)
    assert await asyncio.wait_for(following, 10) == ["status", "delta", "done"]


async def test_who_comes_back_goes_on_where_they_were(events: Any) -> None:
    turn = uuid4()
    await events.publish(turn, "status", {})
    seen = await events.publish(turn, "delta", {"text": "a"})
    await events.publish(turn, "delta", {"text": "b"})
    await events.publish(turn, "done", {})
    assert [event.data async for event in events.follow(turn, seen)] == [{"text": "b"}, {}]


async def test_a_second_run_of_the_same_turn_is_seen_too(events: Any) -> None:
    turn = uuid4()
    await events.publish(turn, "final", {})
    first = await events.publish(turn, "done", {})
    following = asyncio.create_task(kinds(events, turn, first))
    await asyncio.sleep(0.02)
    await events.publish(turn, "clip", {})
    await events.publish(turn, "done", {})
    assert await asyncio.wait_for(following, 10) == ["clip", "done"]
    assert await kinds(events, turn) == ["final", "done", "clip", "done"]


async def test_turns_do_not_mix(events: Any) -> None:
    one, two = uuid4(), uuid4()
    await events.publish(one, "delta", {"text": "private"})
    await events.publish(two, "done", {})
    assert await kinds(events, two) == ["done"]


async def test_thirty_followers_at_once_all_see_everything(events: Any) -> None:
    turn = uuid4()
    following = [asyncio.create_task(kinds(events, turn)) for _ in range(30)]
    await asyncio.sleep(0.1)
    for kind in ["delta"] * 20 + ["done"]:
        await events.publish(turn, kind, {})
    assert await asyncio.wait_for(asyncio.gather(*following), 20) == [["delta"] * 20 + ["done"]] * 30


@pytest.mark.parametrize("after", ["", "$", "nonsense", "1-2-3", "٣", "9" * 60])
async def test_an_id_that_is_none_of_ours_starts_anew(valkey_url: str, after: str) -> None:
    events, turn = TurnEvents(valkey_url), uuid4()
    await events.publish(turn, "done", {})
    assert await asyncio.wait_for(kinds(events, turn, after), 10) == ["done"]
    await events.close()


async def test_a_stream_is_forgotten_after_an_hour(valkey_url: str) -> None:
    events, turn = TurnEvents(valkey_url), uuid4()
    await events.publish(turn, "done", {})
    async with Redis.from_url(valkey_url) as client:
        assert 3500 < await client.ttl(f"understudy:turn:{turn}") <= 3600
    await events.close()


async def test_one_follower_too_many_is_told_so_and_publishing_goes_on(valkey_url: str) -> None:
    events, turn = TurnEvents(valkey_url, followers=2), uuid4()
    following = [asyncio.create_task(kinds(events, turn)) for _ in range(2)]
    await asyncio.sleep(0.1)
    with pytest.raises(Busy):
        await kinds(events, turn)
    await events.publish(turn, "done", {})
    assert await asyncio.wait_for(asyncio.gather(*following), 10) == [["done"], ["done"]]
    assert await kinds(events, turn) == ["done"], "their places are free again"
    await events.close()


async def test_a_cancelled_follower_gives_its_place_back(valkey_url: str) -> None:
    events, turn = TurnEvents(valkey_url, followers=1), uuid4()
    for _ in range(3):
        following = asyncio.create_task(kinds(events, turn))
        await asyncio.sleep(0.05)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    await events.publish(turn, "done", {})
    assert await asyncio.wait_for(kinds(events, turn), 10) == ["done"]
    await events.close()


async def test_a_store_that_is_down_is_a_part_that_failed() -> None:
    events = TurnEvents("redis://127.0.0.1:1/0")
    with pytest.raises(PartFailed) as failure:
        await events.publish(uuid4(), "done", {})
    assert (failure.value.part, failure.value.retryable) == ("queue", True)
    with pytest.raises(PartFailed):
        await kinds(events, uuid4())
    await events.close()
