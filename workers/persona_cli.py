"""`understudy persona`: check a persona folder, load it, withdraw it, list what is loaded."""

import asyncio
import hashlib
import tempfile
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.errors import BadInput, NotFound
from integrations import persona_folder
from integrations.persona_folder import PersonaFolder
from workers.settings import Settings, settings

if TYPE_CHECKING:
    from workers.wiring import Wiring

NPZ, JPEG, PLAIN = "application/octet-stream", "image/jpeg", "text/plain"


@click.group("persona")
def main() -> None:
    """Check and load personas: folders with persona.toml, consent.toml and notes."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def check(folder: Path) -> None:
    """Say what is right and what is wrong with a persona folder. Exits 1 when it cannot be loaded."""
    try:
        found = persona_folder.read(folder)
        _check_names(found)
    except BadInput as error:
        for problem in str(error).splitlines():
            click.echo(f"{click.style('wrong', fg='red')}  {problem}")
        raise SystemExit(1) from None
    for line in _summary(found):
        click.echo(f"{click.style('right', fg='green')}  {line}")
    for line in _advice(found, datetime.now(UTC)):
        click.echo(f"{click.style('note', fg='yellow')}   {line}")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def load(folder: Path) -> None:
    """Publish a persona folder: who it is, its consents, its notes, its face."""
    found = persona_folder.read(folder)
    asyncio.run(_with_wiring(settings(), lambda wiring: _load(found, wiring)))
    click.echo(f"{found.persona.name} is loaded: {len(found.notes)} notes, {_face_line(found)}.")


@main.command("list")
def list_() -> None:
    """Say which personas are loaded, and what may be asked of them."""
    asyncio.run(_with_wiring(settings(), _list))


@main.command()
@click.argument("persona_id", metavar="ID")
def withdraw(persona_id: str) -> None:
    """Revoke every consent of a loaded persona: from now on it says and shows nothing."""
    asyncio.run(_with_wiring(settings(), lambda wiring: wiring.personas.withdraw(persona_id)))
    click.echo(f"{persona_id} is withdrawn. Take its folder away too, or it is loaded again at the next start.")


async def load_all(chosen: Settings) -> list[str]:
    """Publish every folder in `personas_dir`; the ids. What did not change costs almost nothing.

    Raises BadInput when a folder cannot be used, NotFound when there is none.
    """
    folders = persona_folder.folders(chosen.personas_dir)
    if not folders:
        raise NotFound(f"There is no persona folder in {chosen.personas_dir}. Set UNDERSTUDY_PERSONAS_DIR.")
    found = [persona_folder.read(folder) for folder in folders]
    if chosen.default_persona not in {each.persona.id for each in found}:
        known = ", ".join(each.persona.id for each in found)
        raise BadInput(f"UNDERSTUDY_DEFAULT_PERSONA: there is no persona {chosen.default_persona!r} among {known}.")

    async def every(wiring: "Wiring") -> None:
        for each in found:
            await _load(each, wiring)

    await _with_wiring(chosen, every)
    return [each.persona.id for each in found]


async def _with_wiring(chosen: Settings, work: "Callable[[Wiring], Coroutine[Any, Any, None]]") -> None:
    from workers.wiring import Wiring

    wiring = Wiring(chosen)
    try:
        await work(wiring)
    finally:
        await wiring.close()


async def _load(found: PersonaFolder, wiring: "Wiring") -> None:
    """The face first: a persona that is published can be filmed."""
    await _keep_face(found, wiring)
    await wiring.personas.publish(found.persona, found.consents, found.notes)


async def _keep_face(found: PersonaFolder, wiring: "Wiring") -> None:
    """Enrol the portrait into the blob store, unless the same photos were enrolled by the same code before."""
    persona_id, portrait = found.persona.id, found.portrait
    if portrait is None:
        await wiring.blobs.delete(f"personas/{persona_id}")
        return
    photo = portrait.photo or wiring.models.path(portrait.model)
    mark = _mark(photo, portrait.smile)
    if await _kept(persona_id, wiring) == mark:
        return
    with tempfile.TemporaryDirectory() as scratch:
        face, picture, note = (Path(scratch) / name for name in ("face.npz", "portrait.jpg", "enrolled.txt"))
        await asyncio.to_thread(_enrol, photo, portrait.smile, wiring.models, face, picture)
        note.write_text(mark)
        await wiring.blobs.put(persona_folder.face_key(persona_id), str(face), NPZ)
        await wiring.blobs.put(persona_folder.portrait_key(persona_id), str(picture), JPEG)
        await wiring.blobs.put(_mark_key(persona_id), str(note), PLAIN)


def _enrol(photo: Path, smile: Path | None, models: Any, face: Path, picture: Path) -> None:
    import cv2

    from integrations.faces.portrait.enrol import enrol

    enrolled = enrol(photo, smile, models)
    enrolled.save(face)
    cv2.imwrite(str(picture), enrolled.portrait, [cv2.IMWRITE_JPEG_QUALITY, 92])


async def _kept(persona_id: str, wiring: "Wiring") -> str:
    """What the kept face was enrolled from; "" when there is none."""
    try:
        for key in (persona_folder.face_key(persona_id), persona_folder.portrait_key(persona_id)):
            await wiring.blobs.fetch(key)
        mark = Path(await wiring.blobs.fetch(_mark_key(persona_id)))
        return await asyncio.to_thread(mark.read_text)
    except NotFound:
        return ""


def _mark_key(persona_id: str) -> str:
    return f"personas/{persona_id}/enrolled.txt"


def _mark(photo: Path, smile: Path | None) -> str:
    """A hash of the photos and of the code that enrols them."""
    code = sorted((Path(persona_folder.__file__).parent / "faces" / "portrait").glob("*.py"))
    digest = hashlib.sha256()
    for path in [photo, *([smile] if smile else []), *code]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


async def _list(wiring: "Wiring") -> None:
    from bot.consent import Scope

    for published in await wiring.personas.all():
        live = [each for each in published.consents if each.live(wiring.clock.now())]
        scopes = [scope.value for scope in Scope if any(scope in each.scopes for each in live)]
        persona = published.persona
        click.echo(f"{persona.id}: {persona.name}, {persona.title}. Consent in force: {', '.join(scopes) or 'none'}.")


def _summary(found: PersonaFolder) -> list[str]:
    persona = found.persona
    words = sum(len(note.text.split()) for note in found.notes)
    return [
        f"{persona.name}, {persona.title} ({persona.id}, {persona.language}, voice {persona.voice})",
        f"{len(found.notes)} notes with source and date, {words:,} words",
        f"{len(persona.exemplars)} exemplary exchanges, {len(persona.suggestions)} suggestions",
        *(
            f"consent for {', '.join(sorted(each.scopes))}, given to {', '.join(sorted(each.audience))}: {each.basis}"
            for each in found.consents
        ),
        _face_line(found),
    ]


def _face_line(found: PersonaFolder) -> str:
    if found.portrait is None:
        return "no face: it cannot be filmed"
    source = found.portrait.photo.name if found.portrait.photo else f"the model file {found.portrait.model}"
    return f"a face from {source}" + (f" and {found.portrait.smile.name}" if found.portrait.smile else "")


def _check_names(found: PersonaFolder) -> None:
    """Whether the model file and the voice that a folder names exist. Raises BadInput.

    Voices are known when our own speech server is the one that speaks and its voices were fetched.
    """
    from integrations.models import CATALOGUE, ModelStore

    problems = []
    if found.portrait and not found.portrait.photo and found.portrait.model not in CATALOGUE:
        problems.append(
            f"persona.toml: face.model: there is no model file {found.portrait.model!r}; name a photo instead"
        )
    store, persona = ModelStore(settings().cache_dir), found.persona
    ours = not settings().speech_url and settings().speech_engine == "kokoro"
    if ours and not store.missing(["kokoro-voices"]):
        voices = sorted(path.stem for path in store.path("kokoro-voices").glob("*.bin"))
        if persona.voice not in voices:
            problems.append(f"persona.toml: voice: there is no voice {persona.voice!r} among {', '.join(voices)}")
    if problems:
        raise BadInput("\n".join(problems))


def _advice(found: PersonaFolder, now: datetime) -> list[str]:
    """What would load but is perhaps not what was meant."""
    lines = []
    if not any(each.live(now) for each in found.consents):
        lines.append("no consent is in force, so this persona will not answer anybody")
    if not any(exemplar.note for exemplar in found.persona.exemplars):
        lines.append("no exemplary exchange has a note: one that shows how an answer is drawn from a note helps most")
    if len(found.persona.exemplars) < 3:
        lines.append("three to five exemplary exchanges make the manner much steadier")
    lines += [
        f"notes/{note.id}.md has {len(note.text.split())} words; 60 to 130 are found and quoted best"
        for note in found.notes
        if len(note.text.split()) > 160
    ]
    return lines
