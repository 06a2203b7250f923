"""Is everything up? One question to each part, all at once; the answer is kept for a moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import aiohttp

from bot.errors import PartFailed

if TYPE_CHECKING:
    from workers.warming import Warming
    from workers.wiring import Wiring

KEPT = 2.0
PATIENCE = 3.0
WORKERS = ("replies", "clips", "upkeep")

Check = Callable[[], Awaitable[None]]


class Health:
    """Asks the parts of an installation how they are."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._known: dict[str, str] = {}
        self._at = float("-inf")
        self._asking = asyncio.Lock()

    async def report(self) -> dict[str, str]:
        """`ok` or what is wrong, by part."""
        async with self._asking:
            if time.monotonic() - self._at > KEPT:
                results = await asyncio.gather(*(_asked(check) for check in self._checks.values()))
                self._known = dict(zip(self._checks, results, strict=True))
                self._at = time.monotonic()
        return self._known


async def _asked(check: Check) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except TimeoutError:
        return "does not answer"
    except PartFailed as error:
        return error.why
    except Exception as error:  # whatever it is, a health report must say so and not fail
        return type(error).__name__
    return "ok"


def checks(wiring: "Wiring", warming: "Warming", session: aiohttp.ClientSession) -> dict[str, Check]:
    """What an installation consists of."""
    settings = wiring.settings
    workers = _Workers(wiring)

    async def model() -> None:
        await wiring.model.check()
        await warming.check()

    async def speech() -> None:
        async with session.get(f"{settings.speech_url.rstrip('/')}/healthz") as response:
            if response.status >= 500:  # a foreign server may well not know this page
                raise PartFailed("voice", "is loading" if response.status == 503 else f"answers {response.status}")

    async def personas() -> None:
        if not await wiring.personas.all():
            raise PartFailed("store", "no persona is loaded; run `understudy persona load DIR`")

    return {
        "database and personas": personas,
        "queue": wiring.leases.check,
        "model": model,
        "speech": speech,
        **{f"{name} worker": workers.check(name) for name in WORKERS},
    }


class _Workers:
    """One broadcast over the queue serves for all workers."""

    def __init__(self, wiring: "Wiring") -> None:
        self._wiring = wiring
        self._asking: asyncio.Task[set[str]] | None = None

    def check(self, name: str) -> Check:
        async def present() -> None:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(asyncio.to_thread(self._ping))
            if name not in await asyncio.shield(self._asking):
                raise PartFailed("queue", "is not there")

        return present

    def _ping(self) -> set[str]:
        answers = self._wiring.celery.control.ping(timeout=1.0) or []
        return {host.partition("@")[0] for answer in answers for host in answer}
