"""The fixed beginning of every persona's prompt, read into the model server's caches before anybody asks."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bot.errors import PartFailed, UnderstudyError
from bot.personas import Prompt, prefix

if TYPE_CHECKING:
    from workers.wiring import Wiring

PAUSE = 1.0
TRIES = 300

log = logging.getLogger(__name__)


class Warming:
    """Warms in the background; `check` is a part of the health report until it is done."""

    def __init__(self, wiring: "Wiring") -> None:
        self._wiring = wiring
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Warm for as long as the block lasts."""
        self._task = asyncio.create_task(self._warm())
        try:
            yield
        finally:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def check(self) -> None:
        """Raises PartFailed("model") while the first answer would have to wait."""
        if self._task is not None and not self._task.done():
            raise PartFailed("model", "reads what the personas are like")

    async def _warm(self) -> None:
        """One gateway at a time; what was read before is only taken from disk."""
        wiring = self._wiring
        try:
            async with wiring.leases.hold("warming") as ours:
                prompts = [prefix(published.persona) for published in await wiring.personas.all()]
                if ours and prompts and await self._reachable():
                    await self._read(prompts)
                    log.info("the model is warm", extra={"personas": len(prompts)})
        except UnderstudyError:
            log.exception("the model could not be warmed; first answers will be slower")

    async def _read(self, prompts: list[Prompt]) -> None:
        from integrations.llama_slots import LlamaSlots

        settings, model = self._wiring.settings, self._wiring.model
        await LlamaSlots(settings.model_url, settings.model_key.get_secret_value(), model.read).warm(prompts)

    async def _reachable(self) -> bool:
        for _ in range(TRIES):
            with contextlib.suppress(PartFailed):
                await self._wiring.model.check()
                return True
            await asyncio.sleep(PAUSE)
        return False
