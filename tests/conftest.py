"""What every test may ask for: a Postgres, a Valkey and the models, all started or fetched here and nowhere else."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy.engine import make_url

from integrations.postgres import Database
from workers.embedded import start_postgres, start_valkey
from workers.migrations_cli import upgrade
from workers.settings import Settings

TEMPLATE = "understudy_template"


@pytest.fixture(scope="session")
def server_dir() -> Iterator[Path]:
    """A folder with a short name for this session's servers."""
    folder = Path(tempfile.mkdtemp(prefix="understudy-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(server_dir: Path) -> Iterator[str]:
    """A Postgres that lives as long as the session; its database is empty. Most tests want `database`."""
    with start_postgres(server_dir, durable=False) as server:
        yield server.url


@pytest.fixture(scope="session")
def valkey_url(server_dir: Path) -> Iterator[str]:
    """A Valkey that lives as long as the session. Use keys and queues of your own."""
    with start_valkey(server_dir) as server:
        yield server.url


@pytest.fixture(scope="session")
def _template(postgres_url: str) -> str:
    """The name of a migrated database of which every test gets a copy."""
    execute(postgres_url, f"CREATE DATABASE {TEMPLATE}")
    upgrade(named(postgres_url, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(postgres_url: str, _template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database, for a test that starts processes."""
    name = f"test_{uuid4().hex}"
    execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {_template}")
    yield named(postgres_url, name)
    execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh, migrated database."""
    found = Database(database_url)
    yield found
    await found.close()


@pytest.fixture(scope="session")
def model_store() -> Any:
    """The ModelStore of the user's cache; `.path(name)` fetches what is missing, once."""
    from integrations.models import ModelStore

    class Fetching(ModelStore):
        def path(self, name: str) -> Path:
            if self.missing([name]):
                self.fetch([name])
            return super().path(name)

    return Fetching(Settings(_env_file=None).cache_dir)


def named(url: str, name: str) -> str:
    """The same server, another database."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def execute(url: str, statement: str) -> None:
    """Run one statement outside any transaction."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement.encode())
