"""What the two embedded servers have in common: who owns the directory, how one ends, what it said last."""

import atexit
import fcntl
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

from bot.errors import Busy, PartFailed

START_SECONDS = 60.0
LOG_LIMIT = 10_000_000


@dataclass(slots=True)
class EmbeddedServer:
    """A running server. `url` is what its clients take; `stop` ends it cleanly and may be called twice."""

    url: str
    pid: int
    log: Path
    _stop_signals: tuple[signal.Signals, ...]
    _lock: IO[str]
    _owner: int = field(default_factory=os.getpid)
    _stopped: bool = False

    def __post_init__(self) -> None:
        atexit.register(self.stop)

    def running(self) -> bool:
        """Whether the process is still there."""
        return not self._stopped and alive(self.pid)

    def stop(self) -> None:
        """End the server, gently first. Does nothing in a process that was forked from the one that started it."""
        if self._stopped or os.getpid() != self._owner:
            return
        self._stopped = True
        atexit.unregister(self.stop)
        end(self.pid, self._stop_signals)
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def home_of(data_dir: Path, name: str) -> Path:
    home = data_dir.resolve() / name
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PartFailed("store", f"cannot make {home}: {error.strerror}") from error
    return home


def own(home: Path) -> IO[str]:
    """An advisory lock that the kernel drops when we die, however we die."""
    lock = (home / "owner.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Busy(
            f"Another Understudy is already running on {home.parent}. Stop it, or set another DATA_DIR."
        ) from None
    return lock


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(pid: int, signals: tuple[signal.Signals, ...]) -> None:
    try:
        process = psutil.Process(pid)
        for each in signals:
            process.send_signal(each)
            try:
                process.wait(20)
                return
            except psutil.TimeoutExpired:
                continue
        process.kill()
        process.wait(5)
    except psutil.NoSuchProcess:
        return


def log_file(log: Path) -> IO[bytes]:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    return log.open("ab")


def last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    telling = [line for line in lines[-5:] if any(word in line for word in ("FATAL", "PANIC", "LOG", "No space"))]
    return " / ".join(telling or lines[-1:] or ["it said nothing"])
