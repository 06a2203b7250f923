"""The threads in which the engine works, shared fairly between requests."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from bot.errors import Busy
from integrations.speech_engines import Engine, Piece

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be spoken, and how."""

    text: str
    voice: str
    language: str
    speed: float


class Speaking:
    """Runs the engine clause by clause. Each clause is one job in a queue that is served in order, so that a long
    text does not hold up a short one: between two of its clauses every other request gets its turn."""

    def __init__(self, engine: Engine, workers: int, most: int) -> None:
        """`workers` clauses are made at once; with more than `most` requests open, the next is refused."""
        self.engine = engine
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="speech")
        self._open = 0
        self._most = most

    async def warm(self) -> None:
        """Load the engine. Raises what it raises."""
        await self._do(self.engine.warm)

    async def speak(self, order: Order) -> AsyncGenerator[Piece]:
        """The pieces as they are made. Raises the engine's errors, and Busy, before the first one.

        Closing the iterator stops the work after the clause that is being made.
        """
        if self._open >= self._most:
            raise Busy("Too many requests are being spoken at once. Try again in a moment.")
        self._open += 1
        try:
            pieces = await self._do(
                lambda: self.engine.synthesize(order.text, order.voice, order.language, order.speed)
            )
            while (piece := await self._do(lambda: next(pieces, None))) is not None:
                yield piece
        finally:
            self._open -= 1

    async def run(self, work: Callable[[], T]) -> T:
        """Anything else the engine does, in the same threads."""
        return await self._do(work)

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Take no more work; what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)
