"""The embedded servers: what was stored survives, whatever became of the process that started them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError

from bot.errors import Busy, PartFailed
from workers.embedded import running_postgres, running_valkey, start_postgres, start_valkey

STARTER = """
import os, signal, sys
from pathlib import Path
from workers.embedded import start_postgres, start_valkey
folder = Path(sys.argv[1])
postgres, valkey = start_postgres(folder), start_valkey(folder)
print(postgres.pid, valkey.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="understudy-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def orphans(folder: Path) -> list[int]:
    """Start both servers in a process that is then killed."""
    done = subprocess.run(
        [sys.executable, "-c", STARTER, str(folder)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == -9, done.stderr
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize("name", ["plain", "a b, ü '\" % quoted", "long-" * 30], ids=["plain", "odd", "long"])
def test_a_second_start_keeps_what_the_first_stored(folder: Path, name: str) -> None:
    with start_postgres(folder / name) as postgres, start_valkey(folder / name) as valkey:
        query(postgres.url, "CREATE TABLE kept (n int); ")
        Redis.from_url(valkey.url).set("kept", "yes")
        assert (running_postgres(folder / name), running_valkey(folder / name)) == (postgres.url, valkey.url)
    assert not postgres.running()
    assert not valkey.running()
    assert (running_postgres(folder / name), running_valkey(folder / name)) == (None, None)
    with start_postgres(folder / name) as again, start_valkey(folder / name) as valkey_again:
        assert query(again.url, "SELECT count(*) FROM kept") == [(0,)]
        assert Redis.from_url(valkey_again.url).get("kept") == b"yes"
        assert valkey_again.url == valkey.url


def test_servers_whose_starter_was_killed_are_taken_over(folder: Path) -> None:
    pids = orphans(folder)
    with start_postgres(folder) as postgres, start_valkey(folder) as valkey:
        assert [postgres.pid, valkey.pid] == pids
        assert query(postgres.url, "SELECT 1") == [(1,)]
        assert Redis.from_url(valkey.url).ping()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_servers_that_were_killed_themselves_recover(folder: Path) -> None:
    with start_postgres(folder) as postgres, start_valkey(folder) as valkey:
        query(postgres.url, "CREATE TABLE kept (n int)")
    pids = orphans(folder)
    for pid in pids:
        psutil.Process(pid).kill()
    with start_postgres(folder) as postgres, start_valkey(folder) as valkey:
        assert query(postgres.url, "SELECT count(*) FROM kept") == [(0,)]
        assert Redis.from_url(valkey.url).ping()
        assert postgres.pid not in pids


def test_a_pid_file_whose_number_belongs_to_somebody_else_now_does_not_stop_us(folder: Path) -> None:
    with start_postgres(folder) as postgres, start_valkey(folder):
        pass
    pid_file = folder / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1\n5432\n{pid_file.parent}\n\n 1 1\nready\n")
    (folder / "valkey" / "running.json").write_text(f'{{"pid": {os.getpid()}, "port": 1}}')
    with start_postgres(folder) as postgres, start_valkey(folder) as valkey:
        assert query(postgres.url, "SELECT 1") == [(1,)]
        assert Redis.from_url(valkey.url).ping()


def test_a_setup_that_was_interrupted_is_done_again(folder: Path) -> None:
    (folder / "postgres" / "data.new").mkdir(parents=True)
    (folder / "postgres" / "data.new" / "PG_VERSION").write_text("18\n")
    with start_postgres(folder, durable=False) as postgres:
        assert query(postgres.url, "SELECT 1") == [(1,)]


def test_one_process_at_a_time_owns_a_folder(folder: Path) -> None:
    with start_valkey(folder), pytest.raises(Busy, match="already running"):
        start_valkey(folder)
    with start_valkey(folder):
        pass


def test_nobody_without_the_password_reads_the_queue(folder: Path) -> None:
    with start_valkey(folder) as valkey:
        port = valkey.url.rpartition(":")[2].partition("/")[0]
        with pytest.raises(RedisError, match="authenticated"):
            Redis.from_url(f"redis://127.0.0.1:{port}/0").ping()
        password = (folder / "valkey" / "password").stat()
        assert password.st_mode & 0o077 == 0
        assert valkey.url.split(":")[2].split("@")[0] not in " ".join(psutil.Process(valkey.pid).cmdline())


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with start_postgres(folder, durable=False):
        pass
    (folder / "postgres" / "data" / "postgresql.conf").write_text("no_such_option = 1\n")
    with pytest.raises(PartFailed, match="no_such_option"):
        start_postgres(folder)
    (folder / "valkey").write_text("a file where a folder should be")
    with pytest.raises(PartFailed, match="cannot make"):
        start_valkey(folder)
