"""What happens to a turn, as a stream that a browser can follow and take up again: Valkey (or Redis) streams."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from bot.errors import Busy, PartFailed

KEEP_SECONDS = 3600
MAX_EVENTS = 5000
BLOCK_SECONDS = 5
LAST = "done"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a turn. `id` orders events; a follower who gives it back goes on after it."""

    id: str
    kind: str
    data: dict[str, Any]


class TurnEvents:
    """The events of all turns on one Redis or Valkey. One per process and event loop.

    A stream ends with an event of kind `done` and is forgotten an hour after its last event. Every follower holds a
    connection of its own; beyond `followers` of them a new one is told Busy. Raises PartFailed("queue").
    """

    def __init__(self, queue_url: str, *, followers: int = 500) -> None:
        self._writing = Redis.from_pool(_pool(queue_url, 10, socket_timeout=5))
        self._reading = Redis.from_pool(_pool(queue_url, followers + 10, socket_timeout=BLOCK_SECONDS + 5))
        self._free = asyncio.Semaphore(followers)

    async def publish(self, turn_id: UUID, kind: str, data: dict[str, Any]) -> str:
        """Add an event; returns its id."""
        key = _key(turn_id)
        async with _translated():
            pipe = self._writing.pipeline(transaction=True)
            pipe.xadd(key, {"kind": kind, "data": json.dumps(data)}, maxlen=MAX_EVENTS, approximate=True)
            pipe.expire(key, KEEP_SECONDS)
            return _text((await pipe.execute())[0])

    async def follow(self, turn_id: UUID, after: str = "0") -> AsyncIterator[Event]:
        """The events after that id, those of the past first, then as they happen; ends after the last `done`.

        `after` "0" is everything from the start; an id that is none of ours is taken as that. Whoever has seen a
        `done` and comes back with its id waits for what happens next (the same answer, asked for in a richer medium).
        """
        if self._free.locked():
            raise Busy("Too many people are watching at this moment. Please try again.")
        key, last, done = _key(turn_id), after if _valid(after) else "0", False
        async with self._free:
            while True:
                events = await self._read(key, last, wait=not done)
                if done and not events:
                    return
                for event in events:
                    last, done = event.id, event.kind == LAST
                    yield event

    async def _read(self, key: str, after: str, wait: bool) -> list[Event]:
        async with _translated():
            found = await self._reading.xread({key: after}, count=100, block=BLOCK_SECONDS * 1000 if wait else None)
        return _events(found)

    async def close(self) -> None:
        """Give back every connection."""
        await self._writing.aclose(close_connection_pool=True)
        await self._reading.aclose(close_connection_pool=True)


def _pool(url: str, connections: int, socket_timeout: float) -> BlockingConnectionPool:
    return BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=5,
        socket_timeout=socket_timeout,
        socket_connect_timeout=3,
        socket_keepalive=True,
        health_check_interval=25,
    )


def _key(turn_id: UUID) -> str:
    return f"understudy:turn:{turn_id}"


def _valid(event_id: str) -> bool:
    head, _, tail = event_id.partition("-")
    return (
        len(event_id) <= 40 and head.isascii() and head.isdigit() and (not tail or (tail.isascii() and tail.isdigit()))
    )


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _events(found: Any) -> list[Event]:
    streams = found.items() if isinstance(found, dict) else found or []
    return [_event(event_id, fields) for _, entries in streams for event_id, fields in _flat(entries)]


def _flat(entries: Any) -> Any:
    """RESP3 wraps the entries of one stream in one more list."""
    return entries[0] if entries and entries[0] and isinstance(entries[0], list) else entries


def _event(event_id: bytes | str, fields: dict[bytes | str, bytes | str]) -> Event:
    known = {_text(key): _text(value) for key, value in fields.items()}
    return Event(_text(event_id), known["kind"], json.loads(known["data"]))


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise PartFailed("queue", "the event store did not answer", retryable=True) from error
