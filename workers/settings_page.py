"""Writes docs/settings.md from the settings: `python -m workers.settings_page > docs/settings.md`."""

import sys
import typing
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from workers.settings import Settings

HEAD = """\
# Settings

Each setting is an environment variable, or a line of a file `.env` in the folder where Understudy is started; the
environment wins. Nothing needs to be set for `make run`. A value that cannot be used ends the program at its start with
a sentence that names the variable. Secrets are never logged.

Every outside address is a setting, so that each can be another machine: set `UNDERSTUDY_DATABASE_URL`,
`UNDERSTUDY_QUEUE_URL`, `UNDERSTUDY_MODEL_URL` or `UNDERSTUDY_SPEECH_URL`, and `understudy up` does not start that
server.

This page is generated: `python -m workers.settings_page > docs/settings.md`.

| variable | kind | default | what it says |
|---|---|---|---|
"""


def page() -> str:
    """The page, as it should stand in docs/settings.md."""
    return HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`UNDERSTUDY_{name.upper()}`", _kind(field.annotation), _default(field), field.description or "")
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def _kind(annotation: typing.Any) -> str:
    """What a person would call this type."""
    choices = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return "one of " + ", ".join(f"`{choice}`" for choice in choices)
    plain = next((choice for choice in choices if choice is not type(None)), annotation)
    return {str: "text", int: "number", bool: "`true` or `false`", Path: "path", SecretStr: "secret"}[plain]


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "`~/.cache/understudy`"
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if value is None or value == "":
        return "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    sys.stdout.write(page())
