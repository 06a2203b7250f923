"""What runs in our process is what docs/licences.md says, and nothing with a licence that we have not weighed."""

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from integrations.models import CATALOGUE

ROOT = Path(__file__).parents[2]
WITHOUT_DUTIES = {"MIT", "BSD", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "PSF-2.0", "Zlib", "CC0-1.0"}
WEIGHED = {
    "certifi": "MPL-2.0",
    "tqdm": "MPL-2.0",
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "llvmlite": "Apache-2.0 WITH LLVM-exception",
}
"""Licences with a duty, each allowed for one library only; NOTICE says what the duty is and how it is met."""
SPELT = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "mit license": "MIT",
    "osi approved": "",
    "bsd license": "BSD",
    "new bsd": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "python software foundation license": "PSF-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
}


@cache
def running() -> dict[str, str]:
    """Every library that Understudy needs here to run, directly or not: its name and its licences, joined by AND."""
    found: dict[str, str] = {}
    waiting = [("understudy", frozenset[str]())]
    while waiting:
        name, extras = waiting.pop()
        for line in requires(name) or []:
            requirement = Requirement(line)
            environments = [{"extra": extra} for extra in extras or {""}]
            if requirement.marker and not any(requirement.marker.evaluate(each) for each in environments):
                continue
            needed = canonicalize_name(requirement.name)
            if needed not in found or requirement.extras:
                try:
                    found[needed] = licence(needed)
                except PackageNotFoundError:
                    pytest.fail(f"{needed}, which {name} needs, is not installed")
                waiting.append((needed, frozenset(requirement.extras)))
    return dict(sorted(found.items()))


def licence(name: str) -> str:
    """The licences that a library's metadata state, in SPDX's spelling, joined by AND or OR as they are."""
    metadata = distribution(name).metadata
    expression = metadata.get("License-Expression")
    if expression:
        return expression
    entries = [line.rpartition("::")[2].strip() for line in metadata.get_all("Classifier") or []]
    stated = [each for each in entries if each.lower() in SPELT]
    if not stated:
        stated = [metadata.get("License") or ""]
    spelt = [SPELT.get(each.lower(), each) for each in stated]
    return " AND ".join(each for each in spelt if each) or "none stated"


def parts(expression: str) -> list[set[str]]:
    """The licences of which all must be kept; each a set of which one may be chosen."""
    return [{each.strip("() ") for each in re.split(r"\s+OR\s+", part)} for part in re.split(r"\s+AND\s+", expression)]


def test_only_stated_licences_run_in_our_process() -> None:
    wrong = {
        name: stated
        for name, stated in running().items()
        if not all(choice & (WITHOUT_DUTIES | {WEIGHED.get(name, "MIT")}) for choice in parts(stated))
    }
    assert not wrong, "weigh these licences, then write them down here and in NOTICE"


def test_no_strong_copyleft_and_nothing_non_commercial() -> None:
    forbidden = re.compile(r"\b(?:A?GPL|SSPL|CC-BY-NC|CPML|Commons-Clause|BUSL)")
    assert not {name: stated for name, stated in running().items() if forbidden.search(stated)}


def test_the_ones_with_a_duty_stand_in_the_notice() -> None:
    notice = (ROOT / "NOTICE").read_text()
    assert [name for name in WEIGHED if name not in running()] == [], "no longer needed: take it out"
    assert [name for name in WEIGHED if not re.search(rf"\b{name}\b", notice)] == []


def test_the_page_lists_every_library_with_its_licence() -> None:
    page = (ROOT / "docs/licences.md").read_text()
    missing = [row for row in (f"| {name} | {stated} |" for name, stated in running().items()) if row not in page]
    assert not missing, "add these rows to docs/licences.md:\n" + "\n".join(missing)


@pytest.mark.parametrize("model", CATALOGUE.values(), ids=lambda model: model.name)
def test_every_model_that_is_fetched_stands_in_the_notice(model: object) -> None:
    name, stated = model.name, model.licence  # type: ignore[attr-defined]
    rows = [
        line
        for line in (ROOT / "NOTICE").read_text().splitlines()
        if re.search(rf"(^|\s){re.escape(name)}(\s|$)", line)
    ]
    assert rows, f"{name} is not named"
    assert any(stated in row for row in rows), f"{name} stands there without {stated!r}"
