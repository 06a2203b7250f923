"""Finds the enrolled face of a persona in the blob store."""

import asyncio
from pathlib import Path

from bot.errors import BadInput, NotFound, PartFailed
from bot.personas import Persona
from bot.ports import BlobStore, Face
from integrations.faces.portrait import Enrolled, PortraitFace


class Gallery:
    """Implements bot.ports.Faces over `personas/<id>/face.npz`. Keeps what it has loaded until the file changes."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._loaded: dict[str, tuple[float, Enrolled]] = {}

    async def of(self, persona: Persona, seed: int) -> Face:
        """A face that moves; the seed decides when it blinks. Raises PartFailed("face")."""
        try:
            path = Path(await self._blobs.fetch(f"personas/{persona.id}/face.npz"))
            return PortraitFace(await asyncio.to_thread(self._enrolled, persona.id, path), seed=seed)
        except (NotFound, BadInput, OSError, ValueError) as error:
            raise PartFailed("face", f"{persona.id} has no usable enrolled face") from error

    def _enrolled(self, persona_id: str, path: Path) -> Enrolled:
        changed = path.stat().st_mtime
        known = self._loaded.get(persona_id)
        if known is None or known[0] != changed:
            known = self._loaded[persona_id] = (changed, Enrolled.load(path))
        return known[1]
