"""What a person at the terminal sees of many processes, and the files in which everything is kept."""

import contextlib
import re
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from rich.console import Console
from rich.text import Text

_COLOURS = ("cyan", "magenta", "green", "blue", "yellow", "bright_cyan", "bright_magenta", "bright_green")
_LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b")
_OURS = re.compile(r"\bINFO workers\.")
_STYLES = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red"}
_LONGEST, _FOLLOWING = 240, 2
"""Characters of a line, and lines after a warning, that the terminal shows; the log files have all."""
_LOG_BYTES, _LOGS_KEPT = 10_000_000, 3


class Terminal:
    """Prints the lines of several processes, each behind its name in its colour."""

    def __init__(self, names: tuple[str, ...], console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._width = max(map(len, names), default=0)
        self._colour = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}
        self._level: dict[str, str] = {}
        self._followed: dict[str, int] = {}
        self.quiet = False
        """Set while everything is being ended: what processes say then is in their logs."""

    def line(self, name: str, line: str) -> None:
        """Show a line when it matters: warnings and worse, our own few INFO lines, the beginning of what follows."""
        found = _LEVEL.search(line[:80])
        if found:
            self._level[name], self._followed[name] = found[1], 0
        else:
            self._followed[name] = self._followed.get(name, 0) + 1
        level = self._level.get(name, "")
        ours = level == "INFO" and found and _OURS.search(line[:80])
        if (level in _STYLES or ours) and line.strip() and not self.quiet and self._followed[name] <= _FOLLOWING:
            self._print(name, line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ...", _STYLES.get(level, ""))

    def say(self, name: str, sentence: str) -> None:
        """What happened to a process."""
        self._print(name, sentence, "bold yellow")

    def plain(self, text: str, style: str = "") -> None:
        """A line of ours."""
        with contextlib.suppress(OSError):
            self._console.print(Text(text, style=style), soft_wrap=True)

    def _print(self, name: str, text: str, style: str) -> None:
        head = Text(f"{name:>{self._width}} | ", style=self._colour.get(name, ""))
        with contextlib.suppress(OSError):  # the terminal was closed; that must not end what runs
            self._console.print(head + Text(text, style=style), soft_wrap=True)


class LogFile:
    """A file that is turned over at 10 MB; three old ones are kept."""

    def __init__(self, path: Path, limit: int = _LOG_BYTES) -> None:
        self.path = path
        self._limit = limit
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("a", encoding="utf-8", buffering=1)

    def write(self, line: str) -> None:
        """Add a line. A full disk must not end the process that is only watching: the line is lost then."""
        try:
            self._file.write(line + "\n")
            if self._file.tell() > self._limit:
                self._turn()
        except OSError:
            return

    def _turn(self) -> None:
        self._file.close()
        for number in range(_LOGS_KEPT, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number}"))
        self._file = self.path.open("a", encoding="utf-8", buffering=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
