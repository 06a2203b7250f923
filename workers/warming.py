"""The fixed beginning of every persona's prompt, read into the model server's caches before anybody asks."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from bot.errors import PartFailed, UnderstudyError
from bot.personas import Prompt, prefix

if TYPE_CHECKING:
    from workers.wiring import Wiring

PAUSE = 2.0
TRIES = 150

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def warming(wiring: "Wiring") -> AsyncIterator[None]:
    """Warm in the background for as long as the block lasts."""
    task = asyncio.create_task(_warm(wiring))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _warm(wiring: "Wiring") -> None:
    """One persona after the other, then the slots that are left; once however many gateways start."""
    try:
        if not await wiring.leases.once("warming", 60):
            return
        prompts = [prefix(published.persona) for published in await wiring.personas.all()]
        if prompts and await _reachable(wiring, prompts[0]):
            await wiring.model.warm(prompts, wiring.settings.model_slots)
            log.info("the model is warm", extra={"personas": len(prompts)})
    except UnderstudyError:
        log.exception("the model could not be warmed; first answers will be slower")


async def _reachable(wiring: "Wiring", prompt: Prompt) -> bool:
    for _ in range(TRIES):
        try:
            async with aclosing(wiring.model.stream(prompt)) as pieces:  # type: ignore[type-var]
                async for _piece in pieces:
                    break
            return True
        except PartFailed as error:
            if not error.retryable:
                raise
        await asyncio.sleep(PAUSE)
    return False
