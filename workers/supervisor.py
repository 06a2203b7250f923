"""Child processes as one program: started, watched, started again, and ended together."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import UnderstudyError
from workers.console import LogFile

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 60.0
TRIES_AT_START = 3
_LINE_LIMIT = 1 << 20


class DoesNotStart(UnderstudyError):
    """A process ended again and again before everything was up."""


@dataclass(frozen=True, slots=True)
class Child:
    """What to run: `command` with `environment` on top of ours; `nice` above 0 leaves the cores to the others first.

    Who works for others has a higher `tier`: it is ended when all of the lower ones have ended.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    nice: int = 0
    tier: int = 0


@dataclass(slots=True)
class Supervisor:
    """Runs `children`; `tell(name, line)` gets every line they write, `say(name, sentence)` what we do about them.

    Their whole output is also kept in `logs`/NAME.log. `grace` is how many seconds each tier has to end.
    """

    children: Sequence[Child]
    logs: Path
    tell: Callable[[str, str], None]
    say: Callable[[str, str], None]
    grace: float = 15.0
    settled: bool = False
    """Set when everything was up once: from then on a child that ends is started again for ever."""
    pids: dict[str, int] = field(default_factory=dict)
    _ending: bool = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Then end all; raises DoesNotStart when a child gives up before things have settled."""
        watchers = [asyncio.create_task(self._watch(child), name=child.name) for child in self.children]
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({stopping, *watchers}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await self._end(watchers)
        for task in done:
            if task is not stopping:
                task.result()

    async def _watch(self, child: Child) -> None:
        pause, failures = FIRST_PAUSE, 0
        with LogFile(self.logs / f"{child.name}.log") as log:
            while not self._ending:
                began = time.monotonic()
                process, output = await self._start(child)
                reading = asyncio.create_task(self._read(child.name, output, log))
                code = await process.wait()
                _kill_group(process.pid, signal.SIGKILL)  # what it left behind would hold its port or its jobs
                self.pids.pop(child.name, None)
                last = await reading
                if self._ending:
                    return
                if time.monotonic() - began > STEADY_SECONDS:
                    pause, failures = FIRST_PAUSE, 0
                failures += 1
                why = f"ended ({_named(code)})" + (f": {last.rstrip('.')}" if last else "")
                if not self.settled and failures >= TRIES_AT_START:
                    raise DoesNotStart(f"{child.name} {why}. It was tried {failures} times; all it said: {log.path}")
                self.say(child.name, f"{why}. Starting it again in {pause:g} s; all it said: {log.path}")
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _start(self, child: Child) -> tuple[Process, asyncio.StreamReader]:
        # A pipe of our own: asyncio's would make `wait` wait for whatever grandchild still holds the other end.
        ours, theirs = os.pipe()
        output = asyncio.StreamReader(limit=_LINE_LIMIT)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(output), os.fdopen(ours, "rb", 0))
        try:
            process = await asyncio.create_subprocess_exec(
                *child.command,
                env={**os.environ, **child.environment, "PYTHONUNBUFFERED": "1"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                # A group of its own: Ctrl-C in the terminal reaches us only, and we end them in order.
                start_new_session=True,
                preexec_fn=_in_child(os.getpid(), child.nice),
            )
        finally:
            os.close(theirs)
        self.pids[child.name] = process.pid
        return process, output

    async def _read(self, name: str, output: asyncio.StreamReader, log: LogFile) -> str:
        """Pass on what a child writes until everybody has closed its output; the last line that says something."""
        last = ""
        while True:
            try:
                raw = await output.readline()
            except ValueError:  # a line longer than the limit
                continue
            if not raw:
                return last
            line = raw.decode(errors="replace").rstrip()
            log.write(line)
            self.tell(name, line)
            last = line.strip()[:300] or last

    def hurry(self) -> None:
        """Kill what is still there: somebody pressed Ctrl-C twice."""
        for pid in self.pids.values():
            _kill_group(pid, signal.SIGKILL)

    async def _end(self, watchers: Sequence["asyncio.Task[None]"]) -> None:
        """Tier after tier, so that a running answer still has its model and its voice; then whatever is left."""
        self._ending = True
        sleeping = [task for task in watchers if not task.done() and task.get_name() not in self.pids]
        for task in sleeping:
            task.cancel()
        try:
            for tier in sorted({child.tier for child in self.children}):
                await self._end_tier({child.name for child in self.children if child.tier == tier}, watchers)
        finally:
            self._kill(set(self.pids))
            await asyncio.gather(*watchers, return_exceptions=True)

    async def _end_tier(self, names: set[str], watchers: Sequence["asyncio.Task[None]"]) -> None:
        """SIGTERM to each of them, then SIGKILL to what is left of its group after the grace."""
        for name in names & self.pids.keys():
            _signal(self.pids[name], signal.SIGTERM)
        await asyncio.wait([task for task in watchers if task.get_name() in names], timeout=self.grace)
        self._kill(names & self.pids.keys())

    def _kill(self, names: set[str]) -> None:
        for name in names:
            self.say(name, "did not end in time and was killed")
            _kill_group(self.pids.pop(name), signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    """To the process alone: a Celery worker tells its own children, and counts on them until they are done."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _kill_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _named(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def _in_child(parent: int, nice: int) -> Callable[[], None]:
    """What a child does before its program begins.

    Linux tells it when its parent is gone, however that died. Elsewhere a killed parent leaves its children behind.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def begin() -> None:
        if nice:
            os.nice(nice)
        if libc:
            libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:  # it died in between
                os._exit(1)

    return begin
