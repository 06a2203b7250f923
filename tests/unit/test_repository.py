"""The repository itself: nothing heavy, nothing private, no link that leads nowhere, files of a readable size."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from integrations import persona_folder
from workers.settings_page import page

ROOT = Path(__file__).parents[2]
LARGEST = 1_000_000
LONG = 350
MOST_LONG = 2
PICTURES = {".png", ".jpg", ".ico", ".woff2"}
WEIGHTS = {".onnx", ".gguf", ".tflite", ".safetensors", ".pt", ".pth", ".npz", ".dat", ".whl", ".mp4", ".wav"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that is committed or about to be."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    paths = (ROOT / name for name in listing.stdout.decode().split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def texts() -> list[tuple[str, str]]:
    """Name and text of every file that is text."""
    read = [path for path in files() if path.suffix not in PICTURES]
    return [(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in read]


def test_no_file_is_large() -> None:
    assert {str(path): path.stat().st_size for path in files() if path.stat().st_size > LARGEST} == {}


def test_no_weights_and_no_recordings() -> None:
    assert [str(path) for path in files() if path.suffix in WEIGHTS] == []


def test_the_only_pictures_of_faces_are_of_nobody() -> None:
    """A photograph would be a picture of somebody: only what is rendered, drawn or a screenshot may be here."""
    rendered = {"personas/jory-halvander/portrait.jpg", "personas/jory-halvander/smile.jpg"}
    assert {str(path.relative_to(ROOT)) for path in files() if path.suffix == ".jpg"} <= rendered


def test_nothing_names_the_place_where_it_was_made() -> None:
    """No path of somebody's machine, no index that only somebody's network has."""
    private = re.compile(
        r"(?<![\w.$}/])/(?:home|root|Users|work|workspace|mnt)/\w"
        r"|://[\w.-]*(?:artifactory|nexus|pypi|registry|mirror|proxy)[\w.-]*[:/]"
        r"|^\s*(?:--)?(?:extra-)?(?:index-url|find-links)\b"
        r"|\b(?:10|192\.168)\.\d{1,3}\.\d{1,3}\.\d{1,3}\b",
        re.MULTILINE,
    )
    found = {
        f"{name}: {match.group()!r}"
        for name, text in texts()
        if name != "tests/unit/test_repository.py"
        for match in private.finditer(text)
        if match.group() not in ALLOWED.get(name, set())
    }
    assert found == set()


ALLOWED = {"docker-compose.yml": {"/root/."}, "tests/contract/test_speech_server.py": {"/home/m"}}
"""A path inside somebody else's image; a made-up one that must not come out in an error."""


def test_no_secret_is_committed() -> None:
    secret = re.compile(
        r"xox[bp]-\d{8,}|xapp-\d-[A-Z0-9]{8,}|sk-[A-Za-z0-9]{20,}|ghp_\w{20,}|-----BEGIN \w+ PRIVATE KEY"
    )
    assert [name for name, text in texts() if secret.search(text)] == []


def links() -> list[tuple[str, str]]:
    """Page and target of every link of the Markdown pages that leads into the repository."""
    pages = [(name, text) for name, text in texts() if name.endswith(".md")]
    return [
        (name, target)
        for name, text in pages
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        if not target.startswith(("http://", "https://", "mailto:"))
    ]


@pytest.mark.parametrize(("name", "target"), links(), ids=str)
def test_every_link_leads_somewhere(name: str, target: str) -> None:
    path, _, heading = target.partition("#")
    page_ = (ROOT / name).parent / path if path else ROOT / name
    assert page_.exists(), f"{name} links to {target}"
    if heading:
        assert heading in {anchor(line) for line in page_.read_text().splitlines() if line.startswith("#")}


def anchor(heading: str) -> str:
    """What a heading is called in a link, as the usual Markdown viewers make it."""
    plain = re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower())
    return plain.replace(" ", "-")


def test_what_pages_call_a_file_is_there() -> None:
    """Paths in backticks, as in `workers/settings.py`, exist."""
    there = {str(path.relative_to(ROOT)) for path in files()}
    folders = {str(parent) for path in there for parent in Path(path).parents}
    named = {
        f"{name}: {path}"
        for name, text in texts()
        if name.endswith(".md") and not name.startswith("docs/adr/")
        for path in re.findall(r"`((?:bot|integrations|workers|migrations|tests|benchmarks|docs)/[\w./-]+)`", text)
        if path.rstrip("/") not in there | folders and not any(each in there for each in (f"{path}.py", f"{path}.md"))
    }
    assert named == set()


def test_files_of_code_are_short_enough_to_read() -> None:
    code = {name: text.count("\n") for name, text in texts() if name.endswith((".py", ".js", ".css"))}
    long = {name: lines for name, lines in code.items() if lines > LONG and not name.startswith("tests/")}
    assert len(long) <= MOST_LONG, f"more than {MOST_LONG} files have over {LONG} lines: {long}"
    assert {name: lines for name, lines in code.items() if lines >= 2 * LONG} == {}


def test_the_page_of_settings_is_the_one_that_the_settings_make() -> None:
    made = "python -m workers.settings_page > docs/settings.md"
    assert (ROOT / "docs/settings.md").read_text() == page(), f"make it anew: {made}"


def test_every_setting_says_what_it_is() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| `UNDERSTUDY_")]
    assert [row[0] for row in rows if not row[-1].strip(" |")] == []


@pytest.mark.parametrize("folder", persona_folder.folders(ROOT / "personas"), ids=lambda folder: folder.name)
def test_every_persona_can_be_loaded(folder: Path) -> None:
    assert persona_folder.read(folder).persona.id == folder.name


def test_the_second_persona_shares_nothing_with_the_first() -> None:
    first, second = (persona_folder.read(ROOT / "personas" / name) for name in ("grace-hopper", "jory-halvander"))
    for key in ("id", "name", "title", "style", "voice", "face", "disclosure", "ask_instead"):
        assert getattr(first.persona, key) != getattr(second.persona, key), key
    assert len(second.notes) >= 14
    assert not {note.text for note in first.notes} & {note.text for note in second.notes}


def test_ci_runs_what_the_readme_says() -> None:
    script = (ROOT / ".ci/run").read_text()
    called = re.findall(r'^"\$\{clean\[@\]\}" (make \w+)', script, re.MULTILINE)
    assert called == ["make setup", "make check", "make test"]
    assert all(re.search(rf"^\s+{call}\b", (ROOT / "README.md").read_text(), re.MULTILINE) for call in called[1:])
    assert subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=False).returncode == 0
