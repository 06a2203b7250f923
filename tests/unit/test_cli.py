"""The command itself: fast, lazy, and one sentence when something cannot be done."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from workers.cli import COMMANDS, main

HEAVY = ("numpy", "aiohttp", "celery", "sqlalchemy", "onnxruntime", "cv2", "numba", "slack_bolt", "openai", "rich")


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd or Path(__file__).parents[2],
        env={**os.environ, **environment},
        check=False,
    )


def test_help_imports_nothing_heavy() -> None:
    code = "import sys\ntry:\n from workers.cli import main; main(['--help'])\nexcept SystemExit: pass\n"
    code += f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    assert isinstance(getattr(importlib.import_module(module), attribute), click.Command)
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert "Usage: understudy" in capsys.readouterr().out


def test_a_refusal_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    done = run("models", "path", "nonsense")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("understudy: There is no model called nonsense")


def test_wrong_usage_is_exit_code_2() -> None:
    done = run("nonsense")
    assert done.returncode == 2
    assert "No such command 'nonsense'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named() -> None:
    done = run("models", "list", UNDERSTUDY_PORT="many")
    assert done.returncode == 1
    assert done.stderr.startswith("UNDERSTUDY_PORT: ")
    assert done.stderr.count("\n") == 1


def test_version() -> None:
    assert run("--version").stdout.startswith("understudy 0.")


def test_doctor_works_where_nothing_is_set_up(tmp_path: Path) -> None:
    done = run(
        "doctor",
        cwd=tmp_path,
        UNDERSTUDY_CACHE_DIR=str(tmp_path / "cache"),
        UNDERSTUDY_DATA_DIR=str(tmp_path / "data"),
        UNDERSTUDY_MODEL_URL="http://127.0.0.1:9/v1",
        COLUMNS="200",
    )
    assert done.returncode == 1
    assert "understudy models fetch kokoro" in done.stdout
    assert "127.0.0.1:9 does not answer" in done.stdout
    assert "model chat" not in done.stdout, "a model server elsewhere needs no weights here"
    assert not list(tmp_path.iterdir()), "looking changes nothing"
