"""The connection to Postgres, and the one place that turns its hiccups into the core's errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bot.errors import PartFailed


class Database:
    """A pool of connections to one Postgres. Make one per process and event loop, after any fork.

    `url` is of the form postgresql+psycopg://... (plain postgresql:// is taken too). Nothing is opened before the
    first use. Sources: SQLAlchemy's asyncio engine over psycopg 3.
    """

    def __init__(self, url: str, *, pool: int = 10) -> None:
        self.url = with_driver(url)
        self._engine = create_async_engine(
            self.url,
            pool_size=pool,
            max_overflow=pool,
            pool_timeout=10,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 5,
                "application_name": "understudy",
                "options": "-c timezone=UTC -c statement_timeout=30s -c lock_timeout=10s"
                " -c idle_in_transaction_session_timeout=60s",
            },
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One unit of work: committed at the end, rolled back on any error. Raises PartFailed("store")."""
        try:
            async with self._sessions.begin() as session:
                yield session
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise PartFailed("store", "the database did not answer", retryable=True) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise PartFailed("store", "the database went away", retryable=True) from error
            raise

    async def close(self) -> None:
        """Give back every connection."""
        await self._engine.dispose()


def with_driver(url: str) -> str:
    """The URL with the driver that we use, whatever way it was written."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else url
