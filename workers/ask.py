"""`understudy ask`: one question from the shell, through the same queue and workers as everywhere else."""

import asyncio
import getpass
import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from bot.errors import Refused
from workers.settings import settings

if TYPE_CHECKING:
    from bot.messages import Inbound
    from workers.wiring import Wiring

SUFFIXES = {"voice": ".m4a", "video": ".mp4"}


@click.command("ask")
@click.argument("question")
@click.option("--medium", type=click.Choice(["text", "voice", "video"]), default="text", show_default=True)
@click.option("--with", "persona", default=None, metavar="PERSONA", help="Whom to ask; by default whoever you chose.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the recording goes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--as", "name", default=None, metavar="NAME", help="Who asks; each name has conversations of its own.")
def main(question: str, medium: str, persona: str | None, out: Path | None, as_json: bool, name: str | None) -> None:
    """Ask the avatar QUESTION and wait for its answer."""
    if out is None and medium in SUFFIXES:
        out = Path(f"answer{SUFFIXES[medium]}")
    if out is not None:
        _check_target(out, medium)
    asking = _Asking(quiet=as_json)
    ended = asyncio.run(asking.run(_inbound(question, medium, persona, name or getpass.getuser()), out))
    if as_json:
        click.echo(json.dumps(ended, ensure_ascii=False, indent=2))
    if ended["failed"]:
        sys.exit(1)


def _check_target(out: Path, medium: str) -> None:
    if medium == "text":
        raise Refused("--out is for a recording; add --medium voice or --medium video.")
    if not out.resolve().parent.is_dir():
        raise Refused(f"There is no folder {out.resolve().parent} to put the recording in.")


def _inbound(question: str, medium: str, persona: str | None, name: str) -> "Inbound":
    from bot.messages import Address, Author, Inbound, Medium

    author = Author("shell", "local", name, name)
    address = Address("shell", "local", name, "main")
    return Inbound(uuid4().hex, address, author, question, datetime.now(UTC), persona, Medium(medium))


class _Asking:
    """Prints what happens while it happens."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._answer: dict[str, Any] = {}
        self._clip: dict[str, Any] | None = None
        self._streamed = ""

    async def run(self, inbound: "Inbound", out: Path | None) -> dict[str, Any]:
        from workers.wiring import Wiring

        wiring = Wiring(settings())
        try:
            turn = await wiring.receive.message(inbound)
            assert turn, "a fresh event id"
            async with asyncio.timeout(wiring.settings.reply_seconds + 30):
                async for event in wiring.events.follow(turn.id):
                    self._take(event.kind, event.data)
            if self._clip and out:
                await self._save(wiring, out)
        except TimeoutError:
            raise Refused("No answer came in time. `understudy doctor` says what is missing.") from None
        finally:
            await wiring.close()
        return self._answer | {"clip": self._clip, "failed": self._answer.get("failed", not self._answer)}

    def _take(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "delta":
            self._streamed += data["text"]
            self._print(data["text"], end="")
        elif kind == "reset":
            self._streamed = ""
            self._print("\n")
        elif kind == "status" and data["stage"] in ("speaking", "filming"):
            self._progress(data)
        elif kind == "final":
            self._final(data)
        elif kind == "clip":
            self._clip = data
        elif kind == "say":
            self._print(data["text"])

    def _final(self, answer: dict[str, Any]) -> None:
        if not self._answer or answer["text"] != self._answer["text"]:
            replaced = answer["text"] if answer["text"] != self._streamed else ""
            self._print(f"\n{replaced}" if self._streamed and replaced else replaced)
            for citation in answer["citations"]:
                self._print(f"  [{citation['title']}, {citation['source']}]", dim=True)
            self._print(f"  {answer['disclosure']}", dim=True)
        if answer["notice"]:
            self._print(f"  {answer['notice']}", dim=True)
        self._answer = answer

    def _progress(self, data: dict[str, Any]) -> None:
        if not self._quiet and sys.stderr.isatty():
            click.echo(f"\r  {data['stage']} {data.get('progress') or 0:4.0%} ", nl=False, err=True)

    def _print(self, text: str, *, end: str = "\n", dim: bool = False) -> None:
        if not self._quiet:
            click.echo(click.style(text, dim=True) if dim else text, nl=end == "\n")

    async def _save(self, wiring: "Wiring", out: Path) -> None:
        assert self._clip
        key = f"turns/{self._answer['turn_id']}/answer{SUFFIXES[self._clip['medium']]}"
        path = await wiring.blobs.fetch(key)
        await asyncio.to_thread(shutil.copyfile, path, out)
        self._clip = self._clip | {"file": str(out)}
        self._print(f"\n{out}  ({self._clip['duration']:.1f} s)")
