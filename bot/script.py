"""The words of one answer while they are being written."""

import asyncio
from collections.abc import AsyncIterator


class Script:
    """Written once, readable from the start by any number of readers, each at its own pace."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._closed = False
        self._grown = asyncio.Event()

    @classmethod
    def of(cls, text: str) -> "Script":
        """A finished script."""
        script = cls()
        script.add(text)
        script.close()
        return script

    @property
    def text(self) -> str:
        """Everything written so far."""
        return "".join(self._pieces)

    def add(self, piece: str) -> None:
        """Write on."""
        self._pieces.append(piece)
        self._wake()

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[str]:
        read = 0
        while True:
            while read < len(self._pieces):
                read += 1
                yield self._pieces[read - 1]
            if self._closed:
                return
            await self._grown.wait()
