"""Files by key: one suite, on the fake and on a real folder."""

import asyncio
import errno
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.errors import BadInput, NotFound, PartFailed
from bot.ports import BlobStore
from integrations.blobs import FolderBlobs
from tests.fakes.memory import MemoryBlobs


@pytest.fixture(params=["memory", "folder"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "folder":
        yield FolderBlobs(tmp_path / "blobs")
        return
    memory = MemoryBlobs()
    yield memory
    memory.clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "made.mp4"
    path.write_bytes(b"moving pictures" * 1000)
    return path


async def test_what_was_put_can_be_fetched(blobs: BlobStore, file: Path) -> None:
    await blobs.put("turns/1/answer.mp4", str(file), "video/mp4")
    assert Path(await blobs.fetch("turns/1/answer.mp4")).read_bytes() == file.read_bytes()
    assert file.exists(), "the source stays where it is"


async def test_putting_again_replaces(blobs: BlobStore, file: Path) -> None:
    await blobs.put("a/b.txt", str(file), "text/plain")
    file.write_bytes(b"newer")
    await blobs.put("a/b.txt", str(file), "text/plain")
    assert Path(await blobs.fetch("a/b.txt")).read_bytes() == b"newer"


async def test_what_is_not_there_is_not_found(blobs: BlobStore) -> None:
    with pytest.raises(NotFound):
        await blobs.fetch("turns/1/answer.mp4")
    await blobs.delete("turns/1/")


async def test_deleting_takes_what_is_under_a_key_and_nothing_beside_it(blobs: BlobStore, file: Path) -> None:
    for key in ("turns/1/a.mp4", "turns/1/b.vtt", "turns/12/a.mp4"):
        await blobs.put(key, str(file), "video/mp4")
    await blobs.delete("turns/1")
    for gone in ("turns/1/a.mp4", "turns/1/b.vtt"):
        with pytest.raises(NotFound):
            await blobs.fetch(gone)
    assert await blobs.fetch("turns/12/a.mp4")
    await blobs.delete("turns/12/a.mp4")
    with pytest.raises(NotFound):
        await blobs.fetch("turns/12/a.mp4")


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../up", "a/../../up", "a/..", "nul\x00", "a\\..\\b", ".hidden", "new\nline"]
)
async def test_a_key_that_leads_elsewhere_is_refused(blobs: BlobStore, file: Path, key: str) -> None:
    for call in (blobs.put(key, str(file), "x/y"), blobs.fetch(key), blobs.delete(key)):
        with pytest.raises(BadInput):
            await call


async def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    sizes = (3_000_000, 5_000_000)
    for size in sizes:
        (tmp_path / str(size)).write_bytes(b"x" * size)
    await blobs.put("k/v.bin", str(tmp_path / str(sizes[0])), "x/y")
    writing = [asyncio.create_task(blobs.put("k/v.bin", str(tmp_path / str(sizes[n % 2])), "x/y")) for n in range(8)]
    seen = set()
    while not all(task.done() for task in writing):
        seen.add(len(Path(await blobs.fetch("k/v.bin")).read_bytes()))
        await asyncio.sleep(0)
    await asyncio.gather(*writing)
    assert seen <= set(sizes)
    assert [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == ["v.bin"]


async def test_a_full_disk_is_a_part_that_failed_and_keeps_what_was(
    tmp_path: Path, monkeypatch: Any, file: Path
) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    await blobs.put("k/v.bin", str(file), "x/y")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(PartFailed, match="disk is full") as failure:
        await blobs.put("k/v.bin", str(file), "x/y")
    assert (failure.value.part, failure.value.retryable) == ("store", False)
    assert Path(await blobs.fetch("k/v.bin")).read_bytes() == file.read_bytes()
    assert len([path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]) == 1


async def test_a_source_that_is_missing_is_a_part_that_failed(tmp_path: Path) -> None:
    with pytest.raises(PartFailed):
        await FolderBlobs(tmp_path / "blobs").put("k", str(tmp_path / "nothing"), "x/y")
