"""The mark that is burnt into every picture: this is AI-generated."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.media import Pixels

_PNG = Path(__file__).with_name("ai_generated.png")
_MARGIN = 12
_HEIGHT = 22 / 512  # of the picture's height


@cache
def _overlay(height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The label's colour, already weighted, and what it lets through, for a picture of this height."""
    image = cv2.imread(str(_PNG), cv2.IMREAD_UNCHANGED)
    assert image is not None, "the label is part of the package"
    scale = max(0.75, height * _HEIGHT / image.shape[0])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    alpha = image[:, :, 3:].astype(np.float32) / 255
    return (image[:, :, :3] * alpha).astype(np.float32), (1 - alpha).astype(np.float32)


def burn(pixels: Pixels) -> Pixels:
    """A copy of the picture (uint8[h, w, 3]) with the label in its lower left corner."""
    colour, through = _overlay(pixels.shape[0])
    height, width = colour.shape[:2]
    bottom = pixels.shape[0] - _MARGIN
    marked = pixels.copy()
    spot = marked[bottom - height : bottom, _MARGIN : _MARGIN + width]
    spot[:] = np.rint(colour[:, : spot.shape[1]] + spot * through[:, : spot.shape[1]])
    return marked
