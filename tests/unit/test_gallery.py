"""A face that cannot be used is a failed part, so that the voice goes out instead."""

from pathlib import Path

import pytest

from bot.errors import PartFailed
from bot.personas import Persona
from integrations.blobs import FolderBlobs
from integrations.faces.gallery import Gallery

PERSONA = Persona("ada", "Ada", "Countess", "", (), "v", "", "en", "This is an AI.", "nobody")


@pytest.mark.parametrize("content", [None, b"", b"not a face"])
async def test_a_missing_or_broken_face_is_a_failed_part(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "personas" / "ada").mkdir(parents=True)
        (tmp_path / "personas" / "ada" / "face.npz").write_bytes(content)
    with pytest.raises(PartFailed) as failed:
        await Gallery(FolderBlobs(tmp_path)).of(PERSONA, seed=0)
    assert failed.value.part == "face"
