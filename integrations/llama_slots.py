"""The prompt caches of the embedded model server, kept on disk: read once, there at every start, in every slot.

Source: llama.cpp's server, POST /slots/{id}?action=save|restore (755 tokens of the 0.5B model: 9 MB, 5 ms).
"""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp

from bot.personas import Prompt

Read = Callable[[Prompt, int | None], Awaitable[None]]
PATIENCE = 30.0

log = logging.getLogger(__name__)


class LlamaSlots:
    """Warms the server at `base_url` (.../v1). `read` has it read a prompt into one slot, the slow way."""

    def __init__(self, base_url: str, key: str, read: Read) -> None:
        self._url = base_url.rstrip("/").removesuffix("/v1") + "/slots"
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._read = read

    async def warm(self, prompts: Sequence[Prompt]) -> None:
        """Give each slot one of the prompts, in turn, so that each persona is warm in as many as possible.

        A server without slots (vLLM shares one cache among all) reads each prompt once.
        """
        timeout = aiohttp.ClientTimeout(PATIENCE)
        async with aiohttp.ClientSession(headers=self._headers, timeout=timeout) as session:
            slots = await self._slots(session)
            for number in range(max(slots, len(prompts)) if prompts else 0):
                prompt, slot = prompts[number % len(prompts)], number % slots if slots else None
                if slot is None or not await self._asked(session, slot, "restore", prompt):
                    await self._read(prompt, slot)
                    if slot is not None:
                        await self._asked(session, slot, "save", prompt)

    async def _slots(self, session: aiohttp.ClientSession) -> int:
        try:
            async with session.get(self._url) as response:
                found: Any = await response.json() if response.status == 200 else []
                return len(found) if isinstance(found, list) else 0
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return 0

    async def _asked(self, session: aiohttp.ClientSession, slot: int, action: str, prompt: Prompt) -> bool:
        try:
            url, body = f"{self._url}/{slot}", {"filename": _name(prompt)}
            async with session.post(url, params={"action": action}, json=body) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            log.warning("a slot's cache was not kept", extra={"slot": slot, "action": action})
            return False


def _name(prompt: Prompt) -> str:
    words = json.dumps([(message.role, message.content) for message in prompt.messages])
    return hashlib.sha256(words.encode()).hexdigest()[:32] + ".bin"
