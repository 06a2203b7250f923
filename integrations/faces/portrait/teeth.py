"""A person's own upper teeth, lifted from a photo in which they smile."""

from dataclasses import replace

import cv2
import numpy as np

from bot.errors import BadInput
from bot.media import Pixels
from integrations.faces.portrait.landmarks import Points
from integrations.faces.portrait.mesh import INNER_LOWER, INNER_UPPER, Floats
from integrations.faces.portrait.mouth import Look

_PER_WIDTH = 180
_SOFT = 4
"""Resolution of the lifted teeth: pixels per mouth width."""


def lift_teeth(
    smiling: Pixels, points: Points, look: Look, portrait: Pixels, landmarks: Floats, name: str | None
) -> Look:
    """`look` with the teeth of the smiling photo, in the portrait's light.

    `points` are the smile's landmarks. Raises BadInput when the smile shows no teeth and has a `name`; without a name
    (the portrait itself smiles) painted teeth stay.
    """
    patch, inside = _mouth_patch(smiling, points, landmarks)
    enamel = _enamel(patch, inside)
    if float(enamel.sum()) < 0.03 * _PER_WIDTH * _PER_WIDTH:
        if name is None:
            return look
        raise BadInput(f"{name} shows no teeth. Take a smile with parted lips, or leave it out.")
    rows = np.flatnonzero(enamel.sum(1) > 0.15 * enamel.sum(1).max())
    own, box = _placed(patch, enamel, (int(rows[0]), int(rows[-1]) + 1), look)
    return replace(look, own=own, own_box=box)


def _mouth_patch(smiling: Pixels, points: Points, landmarks: Floats) -> tuple[Pixels, Floats]:
    """The mouth's inside, upright, at 180 pixels per resting mouth width; and which pixels lie between the lips."""
    eyes = points[263, :2] - points[33, :2]
    rest = float(np.hypot(*(landmarks[291, :2] - landmarks[61, :2])))
    # A smile widens the mouth; the distance of the eyes does not change, so it gives the scale.
    scale = float(np.hypot(*eyes) / np.hypot(*(landmarks[263, :2] - landmarks[33, :2]))) * rest / _PER_WIDTH
    angle = float(np.arctan2(eyes[1], eyes[0]))
    centre = (points[13, :2] + points[14, :2]) / 2
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    wide, high = round(1.3 * _PER_WIDTH), round(0.7 * _PER_WIDTH)
    matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    matrix[:, 2] = centre - matrix[:, :2] @ [wide / 2, high / 2]
    patch = cv2.warpAffine(smiling, matrix, (wide, high), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    outline = np.concatenate([points[list(INNER_UPPER), :2], points[list(INNER_LOWER), :2][::-1]])
    local = (outline - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    inside = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(inside, [np.round(local).astype(np.int32)], 1)
    return np.asarray(patch, np.uint8), inside.astype(np.float32)


def _enamel(patch: Pixels, inside: Floats) -> Floats:
    """Bright and pale pixels between the lips, 0..1."""
    colour = patch.astype(np.float32)
    light, spread = colour.mean(2), colour.max(2) - colour.min(2)
    within = inside > 0
    if not within.any():
        return np.zeros(inside.shape, np.float32)
    bright = float(np.percentile(light[within], 85))
    pale = spread < 0.36 * np.maximum(colour.max(2), 1)
    found = (within & pale & (light > 0.55 * bright) & (bright > 60)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found)
    if count < 2:
        return np.zeros(inside.shape, np.float32)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return np.asarray(cv2.GaussianBlur((labels == largest).astype(np.float32), (0, 0), 1.2), np.float32)


def _placed(patch: Pixels, enamel: Floats, rows: tuple[int, int], look: Look) -> tuple[Pixels, Floats]:
    """The band of teeth as a picture with cover, lit like the portrait, and where it hangs in the mouth."""
    top, bottom = rows
    thick = enamel.sum(0)
    columns = np.flatnonzero(thick > 0.4 * np.percentile(thick[thick > 1], 75))
    left, right = int(columns[0]), int(columns[-1]) + 1
    band = patch[top:bottom, left:right].astype(np.float32)
    cover = enamel[top:bottom, left:right]
    mean = (band * cover[..., None]).sum((0, 1)) / cover.sum()
    lit = np.clip(band * (0.35 + 0.65 * look.tooth * 0.86 / np.maximum(mean, 1)), 0, 255)
    # Rows hidden by the smiling lip are repeated upwards, so that a raised lip finds teeth there.
    extra = max(0, round(0.22 * _PER_WIDTH) - (bottom - top))
    first = np.maximum(cover.argmax(0), 0)
    lit = np.concatenate([np.repeat(lit[:1], extra, 0), lit])
    cover = np.concatenate([np.repeat(cover[:1], extra, 0), cover])
    for column, row in enumerate(first):
        start = min(int(row) + 2, bottom - top - 1) + extra
        lit[:start, column] = lit[start, column]
        cover[:start, column] = cover[start, column]
    rim = np.minimum(np.arange(cover.shape[1]), np.arange(cover.shape[1])[::-1]) / (0.07 * cover.shape[1])
    cover = cover * np.clip(rim, 0, 1)
    centre = patch.shape[1] / 2
    box = np.array([left - centre, 0, right - centre, 0], np.float32) / _PER_WIDTH
    box[3] = 0.036 + _SOFT / _PER_WIDTH
    box[1] = 0.036 - (bottom - top + extra) / _PER_WIDTH
    # A few empty rows below, so that the edges of the teeth end softly.
    lit = np.concatenate([lit, np.repeat(lit[-1:], _SOFT, 0)])
    soft = cv2.GaussianBlur(np.pad(cover, ((0, _SOFT), (0, 0))), (0, 0), 0.9)
    own = np.dstack([lit, soft * 255])
    return np.asarray(own, np.uint8), np.asarray(box, np.float32)
