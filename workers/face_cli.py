"""`understudy face`: from a photo to an enrolled face."""

from pathlib import Path

import click

_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)


@click.group("face")
def main() -> None:
    """The faces that speak."""


@main.command()
@click.argument("photo", type=_EXISTING)
@click.option("--smile", type=_EXISTING, help="A second photo that shows the person's teeth.")
@click.option("--out", type=_NEW, default=Path("face.npz"), show_default=True, help="Where the face is written.")
@click.option("--sheet", type=_NEW, help="Also draw a contact sheet to look at, as PNG or JPEG.")
def enrol(photo: Path, smile: Path | None, out: Path, sheet: Path | None) -> None:
    """Enrol the one person in PHOTO: frontal, mouth closed, head and shoulders."""
    import cv2

    from bot.errors import BadInput
    from integrations.faces.portrait import contact_sheet
    from integrations.faces.portrait import enrol as enrol_photo
    from integrations.models import ModelStore
    from workers.settings import settings

    enrolled = enrol_photo(photo, smile, ModelStore(settings().cache_dir))
    out.parent.mkdir(parents=True, exist_ok=True)
    enrolled.save(out)
    click.echo(f"Enrolled {photo.name} as {out}.")
    if sheet:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        try:
            written = cv2.imwrite(str(sheet), contact_sheet(enrolled))
        except cv2.error:
            written = False
        if not written:
            raise BadInput(f"{sheet}: cannot be written; give a name that ends in .png or .jpg.")
        click.echo(f"Look at {sheet}.")
