"""Server-Sent Events: what happens to one turn, as it happens, resumable where the line broke."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Protocol
from uuid import UUID

from aiohttp import web

from bot.errors import PartFailed, Refused
from integrations.web.guard import decorate
from integrations.web.translate import Json

FIRST_SILENCE = 4.0
HEARTBEAT = 15.0
RETRY_MS = 1_000
_ID = re.compile(r"\d{1,20}(-\d{1,20})?")

log = logging.getLogger(__name__)

Settled = Callable[[], Awaitable[Json | None]]


class Happened(Protocol):
    """One event of a turn. `id` orders it and resumes after it."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...


class Events(Protocol):
    """What happens to turns (integrations.events.TurnEvents)."""

    async def publish(self, turn_id: UUID, kind: str, data: dict[str, Any]) -> object: ...

    def follow(self, turn_id: UUID, after: str = "0") -> AsyncIterator[Happened]: ...


class Following:
    """Serves event streams, and ends them when the server stops (a browser reconnects by itself)."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._open: set[asyncio.Task[Any]] = set()

    async def close(self) -> None:
        """End every open stream."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def serve(self, request: web.Request, turn_id: UUID, settled: Settled) -> web.StreamResponse:
        """Send events until the browser leaves.

        When nothing happens for a while (the stream may have expired while a laptop slept), `settled` is asked for the
        stored exchange, which goes out as an event `settled`; it may come more than once.
        """
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await decorate(response).prepare(request)
        sending = asyncio.create_task(self._send(response, turn_id, resume_point(request), settled))
        self._open.add(sending)
        try:
            await sending
        except (ConnectionResetError, PartFailed, Refused):
            log.info("an event stream broke off; the browser comes back", extra={"turn_id": turn_id})
        except asyncio.CancelledError:
            sending.cancel()
        finally:
            self._open.discard(sending)
        return response

    async def _send(self, response: web.StreamResponse, turn_id: UUID, after: str, settled: Settled) -> None:
        await response.write(f"retry: {RETRY_MS}\n\n".encode())
        async with aclosing(_or_silence(self._events.follow(turn_id, after))) as events:
            async for event in events:
                await response.write(await _frame(event, settled))


async def _frame(event: Happened | None, settled: Settled) -> bytes:
    if event is not None:
        return encode(event.kind, event.data, event.id)
    if stored := await settled():
        return encode("settled", stored)
    return b": still here\n\n"


def encode(kind: str, data: Json, event_id: str | None = None) -> bytes:
    """One event on the wire. JSON has no raw line breaks, so one `data:` line is enough."""
    lines = [f"id: {event_id}"] if event_id else []
    lines += [f"event: {kind}", f"data: {json.dumps(data, ensure_ascii=False)}", "", ""]
    return "\n".join(lines).encode()


def resume_point(request: web.Request) -> str:
    """After which event to go on: what the browser's EventSource says, else the address, else the beginning."""
    asked = request.headers.get("Last-Event-ID") or request.query.get("after") or "0"
    return asked if _ID.fullmatch(asked) else "0"


async def _or_silence(events: AsyncIterator[Happened]) -> AsyncGenerator[Happened | None, None]:
    """The events, and None whenever there was none for a while."""
    patience = FIRST_SILENCE
    following = aiter(events)
    coming: asyncio.Future[Happened] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(following))
            await asyncio.wait({coming}, timeout=patience)
            patience = HEARTBEAT
            if not coming.done():
                yield None
                continue
            try:
                yield coming.result()
            except StopAsyncIteration:
                return
            coming = None
    finally:
        if coming:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        if isinstance(following, AsyncGenerator):
            await following.aclose()
