"""A chat model that says what it was given."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from bot.errors import PartFailed
from bot.personas import Prompt


class ScriptedModel:
    """Says the same pieces to everybody, and remembers what it was asked. `fails_after` pieces it breaks off."""

    def __init__(self, pieces: Sequence[str], *, fails_after: int | None = None) -> None:
        self.pieces = tuple(pieces)
        self.fails_after = fails_after
        self.asked: list[Prompt] = []

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """The pieces, in turn with everybody else's."""
        self.asked.append(prompt)
        for number, piece in enumerate(self.pieces):
            await asyncio.sleep(0)
            if number == self.fails_after:
                raise PartFailed("model", "broke off", retryable=True)
            yield piece
