"""`understudy up` as a person at a terminal meets it: what it refuses, what it prints, how it ends."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from bot.errors import Busy
from workers.settings import Settings
from workers.up import _check_disk

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A place and ports of its own. Not in pytest's folder: as root, Postgres runs as somebody who may not enter it."""
    with tempfile.TemporaryDirectory(prefix="us-", ignore_cleanup_errors=True) as folder:
        yield os.environ | {
            "UNDERSTUDY_DATA_DIR": f"{folder}/data",
            "UNDERSTUDY_PORT": str(free_port()),
            "UNDERSTUDY_MODEL_PORT": str(free_port()),
            "UNDERSTUDY_SPEECH_PORT": str(free_port()),
        }


def up(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run it to its end; only for what ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", "up", "--lite", *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """The one sentence it ended with."""
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture
def listener() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])


@pytest.mark.parametrize("setting", ["UNDERSTUDY_PORT", "UNDERSTUDY_MODEL_PORT", "UNDERSTUDY_SPEECH_PORT"])
def test_a_taken_port_is_one_sentence(environment: dict[str, str], setting: str, listener: int) -> None:
    sentence = refused(up(environment | {setting: str(listener)}))
    assert f"Port {listener}" in sentence
    assert setting in sentence


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_it_listens_on_this_machine_only(environment: dict[str, str], host: str) -> None:
    assert "no login configured" in refused(up(environment, "--host", host))


def test_a_data_directory_that_cannot_be(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be used" in refused(up(environment | {"UNDERSTUDY_DATA_DIR": str(tmp_path / "file" / "data")}))


def test_a_failed_download(environment: dict[str, str], tmp_path: Path) -> None:
    offline = {
        "UNDERSTUDY_CACHE_DIR": str(tmp_path / "cache"),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
    }
    assert "understudy models fetch --from FOLDER" in refused(up(environment | offline))


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(Busy, match="Only 0 MB are free"):
        _check_disk(Settings(_env_file=None, data_dir=tmp_path))


@pytest.mark.models
def test_personas_that_cannot_be_loaded(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "personas").mkdir()
    sentence = refused(up(environment | {"UNDERSTUDY_PERSONAS_DIR": str(tmp_path / "personas")}))
    assert "There is no persona folder" in sentence


# --- the whole of it ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def started(environment: dict[str, str], output: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`up --lite`, ready; ended as if in a hurry when the test has not done so."""
    with output.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workers.cli", "up", "--lite"), stdout=out, stderr=out, cwd=ROOT, env=environment
        )
    try:
        async with aiohttp.ClientSession() as session:
            await until(lambda: ready(session, environment, process, output))
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.wait()


async def ready(
    session: aiohttp.ClientSession, environment: dict[str, str], process: asyncio.subprocess.Process, output: Path
) -> bool:
    assert process.returncode is None, output.read_text()[-3000:]
    try:
        async with session.get(f"http://127.0.0.1:{environment['UNDERSTUDY_PORT']}/healthz") as answer:
            return answer.status == 200 and "Understudy is ready" in output.read_text()
    except aiohttp.ClientError:
        return False


async def until(true: Callable[[], Any]) -> None:
    """Wait for something that must come; the test's own limit is the only one."""
    while True:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        await asyncio.sleep(0.1)


def family(pid: int) -> dict[str, psutil.Process]:
    """The direct children by the command they run."""
    found = {}
    for child in psutil.Process(pid).children():
        words = child.cmdline()
        if "workers.cli" in words:
            found[" ".join(words[words.index("workers.cli") + 1 :])] = child
    return found


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.mark.models
@pytest.mark.timeout(900)
async def test_everything_starts_heals_and_ends(
    environment: dict[str, str], tmp_path: Path, model_store: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("chat-0.5b", "kokoro", "kokoro-voices", "minilm", "face-detector", "face-mesh", "selfie-segmenter"):
        model_store.path(name)
    output = tmp_path / "output.txt"
    began = time.perf_counter()
    async with started(environment, output) as process:
        first = time.perf_counter() - began
        everybody = family(process.pid)
        assert set(everybody) == {"gateway", "replies", "replies --queue clips", "upkeep", "speech", "model"}
        said = output.read_text()
        assert said.count("http://127.0.0.1:") == 1, "one address, once"
        assert f"http://127.0.0.1:{environment['UNDERSTUDY_PORT']}" in said

        sentence = refused(await asyncio.to_thread(up, environment))
        assert "already running" in sentence
        assert f"http://127.0.0.1:{environment['UNDERSTUDY_PORT']}" in sentence

        everybody["speech"].kill()
        await until(lambda: "ended (SIGKILL)" in output.read_text())
        async with aiohttp.ClientSession() as session:
            await until(lambda: ready(session, environment, process, output))
            await until(lambda: family(process.pid).get("speech", everybody["speech"]).pid != everybody["speech"].pid)

        descendants = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    assert not [each for each in descendants if alive(each)]
    text = output.read_text()
    assert "Traceback" not in text
    assert text.rstrip().endswith("Start again with the same command.")
    assert not re.search(r"CRITICAL|ERROR", text)

    # Again, on the same data; this time it is killed, and nothing of ours outlives it.
    began = time.perf_counter()
    async with started(environment, tmp_path / "again.txt") as process:
        second = time.perf_counter() - began
        everybody = family(process.pid)
        process.kill()
        await process.wait()
        await until(lambda: not [each for each in everybody.values() if alive(each)])

    # And once more: what was left running (the databases) is taken over; when one of them is killed, all begins again.
    third = tmp_path / "third.txt"
    async with started(environment, third) as process:
        running = json.loads((Path(environment["UNDERSTUDY_DATA_DIR"]) / "valkey" / "running.json").read_text())
        os.kill(running["pid"], signal.SIGKILL)
        await until(lambda: third.read_text().count("Understudy is ready") == 2)
        assert "The embedded Valkey ended by itself" in third.read_text()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    with capsys.disabled():
        print(f"\nfirst start {first:.1f} s, second {second:.1f} s")
