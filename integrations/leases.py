"""Short claims on a name, kept in Valkey, so that two workers never do the same thing at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

from bot.errors import PartFailed

LASTS = 30.0
RENEWED_EVERY = 10.0


class Leases:
    """Claims that a crashed holder loses within half a minute."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url)

    @contextlib.asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        """Whether the name is ours for the length of the block. Raises PartFailed("queue")."""
        lock = self._redis.lock(f"understudy:lease:{name}", timeout=LASTS, blocking=False)
        try:
            ours = await lock.acquire()
        except RedisError as error:
            raise PartFailed("queue", type(error).__name__, retryable=True) from error
        renewing = asyncio.create_task(_renew(lock)) if ours else None
        try:
            yield ours
        finally:
            if renewing:
                renewing.cancel()
                with contextlib.suppress(LockError, RedisError):
                    await lock.release()

    async def check(self) -> None:
        """Raises PartFailed("queue") unless the server answers."""
        try:
            await self._redis.ping()
        except RedisError as error:
            raise PartFailed("queue", type(error).__name__, retryable=True) from error

    async def close(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()


async def _renew(lock: Lock) -> None:
    while True:
        await asyncio.sleep(RENEWED_EVERY)
        with contextlib.suppress(LockError, RedisError):
            await lock.extend(LASTS, replace_ttl=True)
