"""Files by key in a folder: `bot.ports.BlobStore`."""

import asyncio
import errno
import os
import shutil
from pathlib import Path, PurePosixPath
from uuid import uuid4

from bot.errors import BadInput, NotFound, PartFailed

_COMING = ".coming"
_FULL = (errno.ENOSPC, errno.EDQUOT)


class FolderBlobs:
    """Implements `bot.ports.BlobStore` in one folder; a key `a/b.mp4` is the file `a/b.mp4` in it.

    A key that could lead out of the folder raises BadInput. The media type stands in the name, so it is not kept.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    async def put(self, key: str, path: str, media_type: str) -> None:
        """Store the file whole or not at all. Raises PartFailed("store"), e.g. when the disk is full."""
        target = self._file(key)
        await asyncio.to_thread(self._copy, Path(path), target)

    async def fetch(self, key: str) -> str:
        """The path of the file. Raises NotFound."""
        target = self._file(key)
        if not await asyncio.to_thread(target.is_file):
            raise NotFound(f"There is no file “{key}”.")
        return str(target)

    async def delete(self, prefix: str) -> None:
        """Forget the file of this key, or every file under it; nothing there is no error."""
        await asyncio.to_thread(self._remove, self._file(prefix.rstrip("/")))

    def _file(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        unfit = not parts or key.startswith("/") or "\\" in key or any(ord(each) < 32 for each in key)
        if unfit or len(key) > 500 or any(part.startswith(".") for part in parts):
            raise BadInput(f"“{key[:80]!r}” cannot be the key of a file.")
        return self._root.joinpath(*parts)

    def _copy(self, source: Path, target: Path) -> None:
        coming = self._root / _COMING / uuid4().hex
        try:
            coming.parent.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as given, coming.open("xb") as taken:
                shutil.copyfileobj(given, taken, 1 << 20)
                taken.flush()
                os.fsync(taken.fileno())
            coming.replace(target)
        except OSError as error:
            why = "the disk is full" if error.errno in _FULL else f"the file could not be stored ({error.strerror})"
            raise PartFailed("store", why, retryable=error.errno not in _FULL) from error
        finally:
            coming.unlink(missing_ok=True)

    def _remove(self, target: Path) -> None:
        try:
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)
        except FileNotFoundError:
            return
        except OSError as error:
            raise PartFailed("store", f"the file could not be removed ({error.strerror})", retryable=True) from error
