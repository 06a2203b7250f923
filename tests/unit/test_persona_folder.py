"""A persona folder is read whole, or every mistake in it is named."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.consent import Scope
from bot.errors import BadInput
from integrations.persona_folder import folders, read
from workers.persona_cli import main

PERSONAS = Path(__file__).parents[2] / "personas"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of Grace Hopper's folder that may be spoilt."""
    return Path(shutil.copytree(PERSONAS / "grace-hopper", tmp_path / "grace"))


def spoil(path: Path, old: str, new: str) -> None:
    """Replace something that is there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_grace_hopper_is_what_she_is_announced_as() -> None:
    found = read(PERSONAS / "grace-hopper")
    assert len(found.notes) >= 36
    assert all(60 <= len(note.text.split()) <= 130 for note in found.notes)
    assert all(note.source and note.date and note.persona_id == found.persona.id for note in found.notes)
    assert found.consents[0].scopes == {Scope.TEXT, Scope.VOICE, Scope.FACE}
    assert found.consents[0].since == datetime(2026, 11, 1, tzinfo=UTC)
    assert found.portrait is not None and found.portrait.model == "grace-hopper-portrait"
    assert "AI" in found.persona.disclosure and "historical" in found.persona.disclosure


@pytest.mark.parametrize("path", folders(PERSONAS), ids=lambda path: path.name)
def test_every_persona_of_the_repository_can_be_loaded(path: Path) -> None:
    assert read(path).persona.id == path.name


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("persona.toml", 'name = "Grace Hopper"', "", "persona.toml: name: this key is missing"),
        ("persona.toml", 'name = "Grace', 'nmae = "Grace', "persona.toml: nmae: there is no such key"),
        ("persona.toml", 'name = "Grace Hopper"', "name = 7", "name: expected text in quotation marks, found 7"),
        ("persona.toml", 'name = "Grace Hopper"', "name = Grace", "this is not TOML"),
        ("persona.toml", 'id = "grace-hopper"', 'id = "Grace H"', "persona.toml: id: 'Grace H' does not have the form"),
        ("persona.toml", "AI avatar: a historical", "A historical", "disclosure: must say that this is an AI"),
        ("persona.toml", 'model = "grace', 'photo = "grace', "face.photo: there is no file"),
        ("persona.toml", 'model = "grace-hopper-portrait"', "", "face: give either photo"),
        ("persona.toml", "greeting = [", "hail = [", "phrases: 'hail' is none of greeting"),
        ("persona.toml", "Ask {ask}.", "Ask {boss}.", "braces"),
        ("consent.toml", '"voice"', '"song"', "consent.toml: consents[0].scopes: 'song' is none of text, voice"),
        ("consent.toml", '"everyone"', '"all"', "consents[0].audience: 'all' has none of the forms everyone"),
        ("consent.toml", "2026-11-01", '"soon"', "consents[0].since: expected a date"),
        (
            "consent.toml",
            "since = 2026-11-01",
            "since = 2026-11-01\nuntil = 2026-10-01",
            "until must be later than since",
        ),
        ("notes/the-moth.md", "source:", "from:", "the-moth.md: source: this key is missing"),
        ("notes/the-moth.md", "1947-09-09", "1947-13-09", "the-moth.md: date: '1947-13-09' is no date"),
        ("notes/the-moth.md", "---", "", "the-moth.md: must begin with ---"),
    ],
)
def test_a_mistake_is_named_by_file_and_key(folder: Path, file: str, old: str, new: str, said: str) -> None:
    spoil(folder / file, old, new)
    with pytest.raises(BadInput) as error:
        read(folder)
    assert said in str(error.value)
    assert file.rsplit("/", maxsplit=1)[-1] in str(error.value)


def test_every_mistake_is_named_at_once(folder: Path) -> None:
    spoil(folder / "persona.toml", 'voice = "af_kore"', "")
    spoil(folder / "notes" / "cobol.md", "date: 1959", "date: then")
    (folder / "consent.toml").unlink()
    with pytest.raises(BadInput) as error:
        read(folder)
    assert len(str(error.value).splitlines()) == 3


def test_a_photo_outside_the_folder_is_refused(folder: Path) -> None:
    (folder.parent / "other.jpg").write_bytes(b"x")
    spoil(folder / "persona.toml", 'model = "grace-hopper-portrait"', 'photo = "../other.jpg"')
    with pytest.raises(BadInput, match=r"face\.photo"):
        read(folder)


def test_no_folder_and_no_notes(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        read(tmp_path / "nobody")
    shutil.rmtree(folder / "notes")
    with pytest.raises(BadInput, match="at least one note"):
        read(folder)


def test_times_of_consent_are_read_with_their_zone(folder: Path) -> None:
    spoil(folder / "consent.toml", "2026-11-01", "2026-11-01T09:00:00+02:00\nuntil = 2027-01-01")
    consent = read(folder).consents[0]
    assert consent.since == datetime(2026, 11, 1, 7, tzinfo=UTC) and consent.until == datetime(2027, 1, 1, tzinfo=UTC)


def test_check_says_what_is_right_and_what_is_wrong(folder: Path) -> None:
    right = CliRunner().invoke(main, ["check", str(folder)])
    assert right.exit_code == 0 and "notes with source and date" in right.output
    spoil(folder / "persona.toml", 'title = "', 'titel = "')
    wrong = CliRunner().invoke(main, ["check", str(folder)])
    assert wrong.exit_code == 1
    assert "titel: there is no such key" in wrong.output and "title: this key is missing" in wrong.output
