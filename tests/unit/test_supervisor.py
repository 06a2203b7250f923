"""Real child processes: they crash, they are killed, they hang, and nothing of them stays behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from workers.console import LogFile
from workers.settings import Settings
from workers.supervisor import Child, DoesNotStart, Supervisor
from workers.up import children

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
PARENT = (
    "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(p.pid, flush=True); time.sleep(600)"
)


class Told:
    """Everything the supervisor passed on."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.said: list[tuple[str, str]] = []

    def line(self, name: str, text: str) -> None:
        self.lines.append((name, text))

    def say(self, name: str, text: str) -> None:
        self.said.append((name, text))


def child(name: str, code: str, **environment: str) -> Child:
    return Child(name, (sys.executable, "-c", code), environment)


async def until(true: Callable[[], object]) -> None:
    """Wait for something that must come; the test's own time limit is the only one."""
    while not true():
        await asyncio.sleep(0.02)


@asynccontextmanager
async def running(told: Told, logs: Path, *children: Child, grace: float = 15.0) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(children, logs, told.line, told.say, grace=grace, settled=True)
    stop = asyncio.Event()
    task = asyncio.create_task(supervisor.run(stop))
    yield supervisor
    stop.set()
    await task


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_lines_are_passed_on_and_kept(tmp_path: Path) -> None:
    told = Told()
    code = "import os, sys, time; print(os.environ['WHO'], flush=True); print('oops', file=sys.stderr); time.sleep(600)"
    async with running(told, tmp_path, child("a", code, WHO="me")):
        await until(lambda: len(told.lines) == 2)
    assert sorted(told.lines) == [("a", "me"), ("a", "oops")]
    assert sorted((tmp_path / "a.log").read_text().split()) == ["me", "oops"]


async def test_a_killed_child_is_started_again_with_one_line(tmp_path: Path) -> None:
    told = Told()
    async with running(told, tmp_path, child("a", SLEEPER), child("b", SLEEPER)) as supervisor:
        await until(lambda: len(told.lines) == 2)
        other, victim = supervisor.pids["b"], supervisor.pids["a"]
        os.kill(victim, signal.SIGKILL)
        await until(lambda: told.lines.count(("a", "up")) == 2)
        assert supervisor.pids["a"] != victim
        assert supervisor.pids["b"] == other
    assert len(told.said) == 1
    assert told.said[0][1].startswith("ended (SIGKILL): up. Starting it again in 0.5 s")


async def test_a_nice_child_is_nice(tmp_path: Path) -> None:
    told = Told()
    code = "import os, time; print(os.nice(0), flush=True); time.sleep(600)"
    mine = os.nice(0)
    async with running(told, tmp_path, Child("a", (sys.executable, "-c", code), nice=3)):
        await until(lambda: told.lines)
    assert told.lines == [("a", str(min(mine + 3, 19)))]


async def test_ending_leaves_nobody_behind(tmp_path: Path) -> None:
    told = Told()
    async with running(told, tmp_path, child("a", SLEEPER), child("b", PARENT)) as supervisor:
        await until(lambda: len(told.lines) == 2)
        pids = [*supervisor.pids.values(), int(next(line for name, line in told.lines if name == "b"))]
        assert not any(gone(pid) for pid in pids)
    await until(lambda: all(gone(pid) for pid in pids))
    assert told.said == []


async def test_a_killed_child_takes_its_own_children_with_it(tmp_path: Path) -> None:
    told = Told()
    async with running(told, tmp_path, child("a", PARENT)) as supervisor:
        await until(lambda: told.lines)
        grandchild = int(told.lines[0][1])
        os.kill(supervisor.pids["a"], signal.SIGKILL)
        await until(lambda: gone(grandchild) and len(told.lines) == 2)


async def test_what_does_not_end_is_killed_after_the_grace(tmp_path: Path) -> None:
    told = Told()
    async with running(told, tmp_path, child("a", STUBBORN), grace=0.3) as supervisor:
        await until(lambda: told.lines)
        pid = supervisor.pids["a"]
    assert gone(pid)
    assert told.said == [("a", "did not end in time and was killed")]


async def test_a_higher_tier_ends_when_the_lower_one_has_ended(tmp_path: Path) -> None:
    told = Told()
    code = (
        "import signal, sys, time;"
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep({0}), print('ended', flush=True), sys.exit(0)));"
        "print('up', flush=True); time.sleep(600)"
    )
    server = Child("server", (sys.executable, "-c", code.format(0)), tier=1)
    async with running(told, tmp_path, server, child("worker", code.format(0.5))):
        await until(lambda: len(told.lines) == 2)
    assert told.lines[2:] == [("worker", "ended"), ("server", "ended")]
    assert told.said == []


async def test_a_tier_that_does_not_end_is_killed_before_the_next(tmp_path: Path) -> None:
    told = Told()
    server = Child("server", (sys.executable, "-c", SLEEPER), tier=1)
    async with running(told, tmp_path, server, child("worker", STUBBORN), grace=0.3) as supervisor:
        await until(lambda: len(told.lines) == 2)
        pids = list(supervisor.pids.values())
    assert all(gone(pid) for pid in pids)
    assert ("worker", "did not end in time and was killed") in told.said


def test_what_answers_need_is_ended_after_them(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path)
    first, last = ({each.name for each in children(chosen, chosen) if each.tier == tier} for tier in (0, 1))
    assert (first, last) == ({"gateway", "replies", "clips", "upkeep"}, {"speech", "model"})


async def test_hurry_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    told = Told()
    family = [child("a", STUBBORN), Child("b", (sys.executable, "-c", STUBBORN), tier=1)]
    supervisor = Supervisor(family, tmp_path, told.line, told.say, grace=600)
    stop = asyncio.Event()
    task = asyncio.create_task(supervisor.run(stop))
    await until(lambda: len(told.lines) == 2)
    stop.set()
    await asyncio.sleep(0.05)
    supervisor.hurry()
    await task
    assert supervisor.pids == {}


async def test_a_child_that_never_starts_gives_up_with_its_last_words(tmp_path: Path) -> None:
    told = Told()
    children = [child("bad", "import sys; sys.exit('Port 1 is taken.')"), child("good", SLEEPER)]
    supervisor = Supervisor(children, tmp_path, told.line, told.say)
    with pytest.raises(DoesNotStart, match=r"bad ended \(exit code 1\): Port 1 is taken\. It was tried 3 times"):
        await supervisor.run(asyncio.Event())
    assert supervisor.pids == {}


async def test_once_settled_it_is_tried_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.supervisor.FIRST_PAUSE", 0.01)
    told = Told()
    async with running(told, tmp_path, child("a", "print('once')")):
        await until(lambda: len(told.said) >= 5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
async def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from workers.supervisor import Child, Supervisor
child = Child("a", (sys.executable, "-c", {SLEEPER!r}))
tell = lambda *_: print(*supervisor.pids.values(), flush=True)
supervisor = Supervisor([child], Path({str(tmp_path)!r}), tell, print)
asyncio.run(supervisor.run(asyncio.Event()))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    process.kill()
    await process.wait()
    await until(lambda: gone(pid))


def test_a_log_turns_over(tmp_path: Path) -> None:
    with LogFile(tmp_path / "a.log", limit=20) as log:
        for number in range(10):
            log.write(f"line number {number}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2", "a.log.3"]
    assert (tmp_path / "a.log.1").read_text() == "line number 8\nline number 9\n"
