"""ChatSurface over turn events: what a worker does is published, and whoever follows the turn (page, shell) shows it.

Kinds: `status` {stage, progress}, `reset` {}, `delta` {text}, `final` {an answer}, `clip` {a recording}, `say` {text},
`done` {}. After `final` the words stand; a recording may follow; `done` comes last.
"""

import logging
from typing import Any, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from bot.errors import PartFailed
from bot.messages import Address, Answer, Author, Clip
from bot.ports import Stage
from integrations.web.translate import answer_json, clip_json

log = logging.getLogger(__name__)


class Publishes(Protocol):
    """Where events go (integrations.events.TurnEvents)."""

    async def publish(self, turn_id: UUID, kind: str, data: dict[str, Any]) -> object: ...


class EventSurface:
    """Publishes everything that happens to a turn under the question's id."""

    def __init__(self, events: Publishes) -> None:
        self._events = events

    async def status(self, address: Address, turn_id: UUID, stage: Stage, progress: float | None = None) -> None:
        """See ChatSurface. A lost status is only a lost status."""
        try:
            if stage == "done":
                await self._events.publish(turn_id, "done", {})
            else:
                await self._events.publish(turn_id, "status", {"stage": stage, "progress": progress})
        except PartFailed:
            log.warning("a status was lost", extra={"turn_id": turn_id, "stage": stage})

    async def stream(self, address: Address, turn_id: UUID, author: Author, ref: str | None) -> "EventStream":
        """The answer to the question `turn_id`; with a `ref` there was an attempt before."""
        return EventStream(self._events, turn_id, begun=ref is not None)

    async def show(self, address: Address, clip: Clip, answer: Answer) -> None:
        """Publish a recording beside its answer."""
        await self._events.publish(answer.question_id, "clip", clip_json(clip))

    async def say(self, address: Address, author: Author, text: str) -> str:
        """A sentence outside any turn: published under an id made from the address."""
        room = uuid5(NAMESPACE_URL, "/".join((address.surface, address.tenant, address.channel, address.thread)))
        await self._events.publish(room, "say", {"text": text})
        return str(room)


class EventStream:
    """One answer being written. Nothing is replaced before new words come: reopening an answer to film it keeps it."""

    def __init__(self, events: Publishes, turn_id: UUID, *, begun: bool) -> None:
        self._events = events
        self._turn_id = turn_id
        self._stale = begun

    @property
    def ref(self) -> str:
        """The question's id: there is one answer to follow per question."""
        return str(self._turn_id)

    async def append(self, text: str) -> None:
        """Publish words; the first words of a second attempt replace those of the first."""
        if self._stale:
            self._stale = False
            await self._events.publish(self._turn_id, "reset", {})
        await self._events.publish(self._turn_id, "delta", {"text": text})

    async def finish(self, answer: Answer) -> None:
        """Publish the final form, which replaces what was streamed."""
        await self._events.publish(self._turn_id, "final", answer_json(answer))
