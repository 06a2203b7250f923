"""A persona as a folder: persona.toml, consent.toml, notes/*.md and its photos. See docs/personas.md."""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.consent import Consent, Scope
from bot.errors import BadInput
from bot.personas import Exemplar, Note, Persona, Phrase
from bot.routing import OWN_WORDS, fill

Shape = TypeVar("Shape", bound=BaseModel)
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_AUDIENCE = re.compile(r"everyone|surface:[^\s/:]+|tenant:[^\s/:]+|person:[^\s/]+/[^\s/]+/[^\s/]+")
_DAY = r"\d{4}(?:-\d{2}(?:-\d{2})?)?"
_DATE = re.compile(rf"{_DAY}|\d{{4}}-\d{{4}}")
_LONGEST_NOTE = 4_000


@dataclass(frozen=True, slots=True)
class Portrait:
    """Where the face comes from: `photo` in the folder, or the model file called `model`; `smile` shows teeth."""

    photo: Path | None
    model: str
    smile: Path | None


@dataclass(frozen=True, slots=True)
class PersonaFolder:
    """A folder, read and checked."""

    persona: Persona
    consents: tuple[Consent, ...]
    notes: tuple[Note, ...]
    portrait: Portrait | None


def _instant(value: object) -> datetime:
    """A day begins at midnight UTC; a time without a zone is UTC."""
    if not isinstance(value, date):
        raise ValueError(f"expected a date without quotation marks, as in 2026-11-01, found {value!r}")
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_Moment = Annotated[datetime, BeforeValidator(_instant)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Face(_Strict):
    photo: Text | None = None
    model: Text | None = None
    smile: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "_Face":
        if (self.photo is None) == (self.model is None):
            raise ValueError("give either photo (a file in this folder) or model (a file of the model store)")
        return self


class _Exemplar(_Strict):
    question: Text
    answer: Text
    note: str = ""


class _Persona(_Strict):
    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=60)]
    name: Text
    title: Text
    style: Text
    voice: Text
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$")]
    disclosure: Text
    ask_instead: Text
    exemplars: Annotated[list[_Exemplar], Field(max_length=8)] = []
    limits: list[Text] = []
    suggestions: Annotated[list[Text], Field(max_length=8)] = []
    phrases: dict[str, Annotated[list[Text], Field(min_length=1)]] = {}
    face: _Face | None = None

    @field_validator("phrases")
    @classmethod
    def _can_be_said(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for kind, texts in value.items():
            if kind not in OWN_WORDS:
                raise ValueError(f"{kind!r} is none of {', '.join(OWN_WORDS)}")
            for text in texts:
                try:
                    fill(text, Persona("", "", "", "", (), "", "", "", "", ""), "")
                except (KeyError, IndexError, ValueError):
                    raise ValueError(f"{text!r} has braces around something else than {{ask}}, {{name}}") from None
        return value

    @field_validator("disclosure")
    @classmethod
    def _says_ai(cls, value: str) -> str:
        if not re.search(r"\bAI\b|artificial", value):
            raise ValueError("must say that this is an AI")
        return value


class _Consent(_Strict):
    basis: Text
    scopes: Annotated[list[str], Field(min_length=1)]
    audience: Annotated[list[str], Field(min_length=1)]
    since: _Moment
    until: _Moment | None = None
    revoked_at: _Moment | None = None

    @field_validator("scopes")
    @classmethod
    def _known_scopes(cls, value: list[str]) -> list[str]:
        for scope in value:
            if scope not in list(Scope):
                raise ValueError(f"{scope!r} is none of {', '.join(Scope)}")
        return value

    @field_validator("audience")
    @classmethod
    def _known_forms(cls, value: list[str]) -> list[str]:
        for entry in value:
            if not _AUDIENCE.fullmatch(entry):
                raise ValueError(
                    f"{entry!r} has none of the forms everyone, surface:slack, tenant:T0123, person:slack/T0123/U0456"
                )
        return value

    @model_validator(mode="after")
    def _in_order(self) -> "_Consent":
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be later than since")
        return self

    def consent(self) -> Consent:
        return Consent(
            frozenset(Scope(scope) for scope in self.scopes),
            self.basis,
            frozenset(self.audience),
            self.since,
            self.until,
            self.revoked_at,
        )


class _Consents(_Strict):
    consents: list[_Consent] = []


class _NoteHead(_Strict):
    title: Text
    source: Text
    date: Text

    @field_validator("date")
    @classmethod
    def _is_date(cls, value: str) -> str:
        if not _DATE.fullmatch(value) or not _possible(value):
            raise ValueError(f"{value!r} is no date: write 1947, 1947-09, 1947-09-09 or 1943-1966")
        return value


def read(folder: Path) -> PersonaFolder:
    """Read and check a persona folder. Raises BadInput; its sentences, one a line, name file, key and what would do."""
    problems: list[str] = []
    if not folder.is_dir():
        raise BadInput(f"{folder}: there is no such folder.")
    about = _toml(folder / "persona.toml", _Persona, problems)
    consents = _toml(folder / "consent.toml", _Consents, problems)
    notes = list(_notes(folder, about.id if about else "", problems))
    portrait = _portrait(folder, about.face, problems) if about else None
    if about is None or consents is None or problems:
        raise BadInput("\n".join(problems))
    return PersonaFolder(_persona(about), tuple(each.consent() for each in consents.consents), tuple(notes), portrait)


def folders(root: Path) -> list[Path]:
    """The persona folders in `root`, by name: those that hold a persona.toml."""
    return sorted(path.parent for path in root.glob("*/persona.toml"))


def face_key(persona_id: str) -> str:
    """Where the enrolled face of a persona is kept among the blobs."""
    return f"personas/{persona_id}/face.npz"


def portrait_key(persona_id: str) -> str:
    """Where the picture of a persona is kept among the blobs."""
    return f"personas/{persona_id}/portrait.jpg"


def _persona(about: _Persona) -> Persona:
    return Persona(
        id=about.id,
        name=about.name,
        title=about.title,
        style=" ".join(about.style.split()),
        exemplars=tuple(
            Exemplar(each.question, " ".join(each.answer.split()), " ".join(each.note.split()))
            for each in about.exemplars
        ),
        voice=about.voice,
        face=face_key(about.id) if about.face else "",
        language=about.language,
        disclosure=" ".join(about.disclosure.split()),
        ask_instead=about.ask_instead,
        limits=tuple(about.limits),
        suggestions=tuple(about.suggestions),
        phrases=tuple(Phrase(kind, " ".join(text.split())) for kind, texts in about.phrases.items() for text in texts),
    )


def _toml(path: Path, shape: type[Shape], problems: list[str]) -> Shape | None:
    text = _text(path, problems)
    if text is None:
        return None
    try:
        return shape.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path}: this is not TOML: {error}")
    except ValidationError as error:
        problems += _sentences(path, error)
    return None


def _text(path: Path, problems: list[str]) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.append(f"{path}: this file is missing.")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: this file cannot be read as UTF-8 text ({error.__class__.__name__}).")
    return None


def _sentences(path: Path, error: ValidationError) -> Iterator[str]:
    """Pydantic's findings as sentences: file, key, what was expected."""
    for found in error.errors():
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in found["loc"]).lstrip(".")
        say = _EXPECTED.get(found["type"])
        expected = say(dict(found)) if say else found["msg"].removeprefix("Value error, ")
        yield f"{path}: {key + ': ' if key else ''}{expected}."


_EXPECTED: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda e: "this key is missing",
    "extra_forbidden": lambda e: "there is no such key",
    "string_type": lambda e: f"expected text in quotation marks, found {e['input']!r}",
    "list_type": lambda e: f'expected a list, as in ["a", "b"], found {e["input"]!r}',
    "string_too_short": lambda e: "must not be empty",
    "too_short": lambda e: "must name at least one",
    "too_long": lambda e: f"at most {e['ctx']['max_length']} are allowed",
    "string_pattern_mismatch": lambda e: f"{e['input']!r} does not have the form {e['ctx']['pattern']}",
}


def _notes(folder: Path, persona_id: str, problems: list[str]) -> Iterator[Note]:
    paths = sorted((folder / "notes").glob("*.md"))
    if not paths:
        problems.append(f"{folder / 'notes'}: at least one note (a .md file) is needed; a persona says nothing else.")
    for path in paths:
        note = _note(path, persona_id, problems)
        if note is not None:
            yield note


def _note(path: Path, persona_id: str, problems: list[str]) -> Note | None:
    text = _text(path, problems)
    if text is None:
        return None
    parts = re.match(r"---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|$)(.*)", text.lstrip("\ufeff"), re.DOTALL)
    if parts is None:
        problems.append(f"{path}: must begin with --- and lines title:, source:, date:, then --- and the text.")
        return None
    try:
        head = _NoteHead.model_validate(_head(parts.group(1)))
    except ValidationError as error:
        problems += _sentences(path, error)
        return None
    body = parts.group(2).strip()
    if not body or len(body) > _LONGEST_NOTE:
        problems.append(f"{path}: the text must have 1 to {_LONGEST_NOTE:,} characters; it has {len(body):,}.")
        return None
    paragraphs = "\n\n".join(" ".join(each.split()) for each in re.split(r"\n\s*\n", body))
    return Note(path.stem, persona_id, head.title, paragraphs, head.source, head.date)


def _head(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip().strip("\"'") if _wrapped(value) else value.strip() for key, _, value in pairs}


def _wrapped(value: str) -> bool:
    value = value.strip()
    return len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" and value[0] not in value[1:-1]


def _portrait(folder: Path, face: _Face | None, problems: list[str]) -> Portrait | None:
    if face is None:
        return None
    files: dict[str, Path | None] = {}
    for key, name in (("photo", face.photo), ("smile", face.smile)):
        path = folder / name if name else None
        files[key] = path
        if path and (not path.is_file() or folder.resolve() not in path.resolve().parents):
            problems.append(f"{folder / 'persona.toml'}: face.{key}: there is no file {name!r} in this folder.")
    return Portrait(files["photo"], face.model or "", files["smile"])


def _possible(value: str) -> bool:
    """Whether such a day exists, and a range does not run backwards."""
    if re.fullmatch(r"\d{4}-\d{4}", value):
        return value[:4] <= value[5:]
    try:
        date.fromisoformat((value + "-01-01")[:10] if len(value) == 4 else (value + "-01")[:10])
    except ValueError:
        return False
    return True
