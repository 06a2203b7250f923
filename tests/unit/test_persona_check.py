"""`understudy persona check` finds what would fail later: a voice and a model file that do not exist."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from workers.persona_cli import main

GRACE = Path(__file__).parents[2] / "personas" / "grace-hopper"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GRACE, tmp_path / "grace-hopper"))


def spoil(folder: Path, old: str, new: str) -> None:
    toml = folder / "persona.toml"
    text = toml.read_text()
    assert old in text
    toml.write_text(text.replace(old, new))


def test_a_face_from_a_model_file_that_is_not_there(folder: Path) -> None:
    spoil(folder, "grace-hopper-portrait", "nobody-portrait")
    result = CliRunner().invoke(main, ["check", str(folder)])
    assert result.exit_code == 1 and "nobody-portrait" in result.output


@pytest.mark.models
def test_a_voice_that_is_not_there(folder: Path, model_store: Any) -> None:
    model_store.path("kokoro-voices")
    spoil(folder, "af_kore", "af_nobody")
    result = CliRunner().invoke(main, ["check", str(folder)])
    assert result.exit_code == 1 and "af_nobody" in result.output and "af_kore" in result.output


def test_the_folder_as_it_is(folder: Path) -> None:
    assert CliRunner().invoke(main, ["check", str(folder)]).exit_code == 0
