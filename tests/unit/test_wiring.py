"""What wiring works out itself: addresses, and the key that signs cookies; and whom the guard lets in by it."""

import stat
from pathlib import Path

import pytest

from integrations.web.guard import LOOPBACK, Guard
from workers.settings import Settings
from workers.wiring import kept_secret, located


def test_an_ipv6_host_stands_in_brackets() -> None:
    def url(host: str) -> str:
        return located(Settings(_env_file=None, database_url="x", queue_url="x", host=host, public_url="")).public_url

    assert url("::1") == "http://[::1]:8088"
    assert url("127.0.0.1") == "http://127.0.0.1:8088"


@pytest.mark.parametrize("public", ["", "lobby.example", "http://:8088", "http://::1:8088", "http://[::1]:8088"])
def test_no_name_is_never_a_welcome_one(public: str) -> None:
    assert Guard(public)._hosts == LOOPBACK
    assert Guard("https://lobby.example")._hosts == LOOPBACK | {"lobby.example"}


def test_a_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret"
    made = kept_secret(path)
    assert len(made) > 30
    assert kept_secret(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_an_empty_secret_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch()
    assert len(kept_secret(path)) > 30


def test_a_crash_while_it_is_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="full"):
        kept_secret(tmp_path / "secret")
    assert not list(tmp_path.iterdir())
