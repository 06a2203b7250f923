"""Everything that is known about one portrait, in one file."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bot.errors import BadInput
from bot.media import Pixels
from integrations.faces.portrait.eyes import Eye
from integrations.faces.portrait.mesh import Floats
from integrations.faces.portrait.mouth import Look

_FORMAT = 2


@dataclass(frozen=True)
class Enrolled:
    """An enrolled face.

    `source` uint8[1024, 1024, 4] is the doubled photo with the person's cover; `plate` uint8[512, 512, 3] what is
    behind; `folds` uint8[512, 512] where cheeks crease; `parted` uint8[h, w, 3] the doubled photo's mouth without the
    dark line between the lips, at left top `parted_at`. The net's arrays are those of mesh.Mesh and rig.author;
    `upper_lip`, `lower_lip` number the inner contours' vertices; `head` float32[n] is how much a vertex follows the
    head, `breath` how much the breath; `pivot` float32[3] what the head turns about; `mouth` float32[5] is where the
    lips meet in the middle, the mouth's direction and its width; `rest` the weights at rest.
    """

    source: Pixels
    plate: Pixels
    folds: Pixels
    parted: Pixels
    parted_at: NDArray[np.int32]
    points: Floats
    depth: Floats
    triangles: NDArray[np.int32]
    bases: Floats
    upper_lip: NDArray[np.int64]
    lower_lip: NDArray[np.int64]
    head: Floats
    breath: Floats
    pivot: Floats
    mouth: Floats
    landmarks: Floats
    rest: Floats
    right_eye: Eye
    left_eye: Eye
    look: Look

    @property
    def portrait(self) -> Pixels:
        """The picture at rest: uint8[512, 512, 3], BGR."""
        from integrations.faces.portrait.render import REST, Renderer

        return Renderer(self).draw(REST)

    def save(self, path: Path) -> None:
        """Write one .npz."""
        with Path(path).open("wb") as file:
            np.savez_compressed(file, format=np.array(_FORMAT), **_flat(self, ""))

    @classmethod
    def load(cls, path: Path) -> "Enrolled":
        """Read what `save` wrote. Raises BadInput when it is something else."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                if int(stored["format"]) != _FORMAT:
                    raise BadInput(f"{path} was enrolled by another version; enrol the photo again.")
                arrays = {name: stored[name] for name in stored.files}
                parts = {name: _part(kind, name, arrays) for name, kind in _PARTS.items()}
                plain = {each.name: arrays[each.name] for each in fields(cls) if each.name not in _PARTS}
        except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{path} is not an enrolled face; make one with `understudy face enrol`.") from error
        return cls(**plain, **parts)


_PARTS: dict[str, Any] = {"right_eye": Eye, "left_eye": Eye, "look": Look}


def _flat(thing: Any, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in fields(thing):
        value = getattr(thing, each.name)
        found |= _flat(value, each.name + ".") if each.name in _PARTS else {prefix + each.name: np.asarray(value)}
    return found


def _part(kind: Any, name: str, arrays: dict[str, Any]) -> Any:
    values = {each.name: arrays[f"{name}.{each.name}"] for each in fields(kind)}
    return kind(**{key: float(value) if value.ndim == 0 else value for key, value in values.items()})
