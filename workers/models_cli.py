"""`understudy models`: list and fetch the model files; the progress bar that `up` shows too."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workers.settings import settings

if TYPE_CHECKING:
    from integrations.models import ModelStore


@click.group("models")
def main() -> None:
    """Model files: what there is, what is here, and how to get it."""


@main.command("list")
def listing() -> None:
    """Every model with its licence, size and whether it is here."""
    from rich.console import Console
    from rich.table import Table

    from integrations.models import CATALOGUE

    store = _store()
    table = Table(box=None, pad_edge=False)
    for column in ("name", "what", "licence"):
        table.add_column(column, overflow="fold")
    table.add_column("MB", justify="right")
    table.add_column("here")
    for model in CATALOGUE.values():
        here = "no" if store.missing([model.name]) else "yes"
        table.add_row(model.name, model.title, model.licence, f"{model.size / 1e6:,.1f}", here)
    Console().print(table)


@main.command("fetch")
@click.argument("names", nargs=-1)
@click.option("--lite", is_flag=True, help="With the 0.5B chat model instead of the 1.5B one.")
@click.option("--all", "everything", is_flag=True, help="Everything in the catalogue, the tests' models too.")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="A folder with files that you already have, under any name; they are taken when their hash is right.",
)
def fetch(names: tuple[str, ...], lite: bool, everything: bool, source: Path | None) -> None:
    """Fetch NAMES, or all that `understudy up` needs."""
    from integrations.models import CATALOGUE, needed

    chosen = settings()
    wanted = names or (tuple(CATALOGUE) if everything else needed(lite=lite or chosen.model_lite))
    store = _store()
    fetch_with_progress(store, wanted, source)
    click.echo(f"{len(wanted)} model{'s are' if len(wanted) > 1 else ' is'} in {chosen.cache_dir / 'models'}.")


@main.command("path")
@click.argument("name")
def path(name: str) -> None:
    """Where a model lies."""
    click.echo(_store().path(name))


def fetch_with_progress(store: "ModelStore", names: Sequence[str], source: Path | None = None) -> None:
    """Fetch what is missing under a bar on the terminal; a line every ten percent where there is none."""
    if not store.missing(names):
        return
    if not sys.stdout.isatty():
        store.fetch(names, _Lines(), source)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("Fetching models", total=None)

        def report(what: str, done: int, total: int) -> None:
            bar.update(task, description=f"Fetching {what}", completed=done, total=total)

        store.fetch(names, report, source)


class _Lines:
    """Progress for a log: a line every ten percent."""

    def __init__(self) -> None:
        self._said = -1

    def __call__(self, what: str, done: int, total: int) -> None:
        tenth = done * 10 // total if total else 10
        if tenth > self._said:
            self._said = tenth
            click.echo(f"Fetching models: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB ({what})")


def _store() -> "ModelStore":
    from integrations.models import ModelStore

    return ModelStore(settings().cache_dir)
