"""Eyes that blink and look: the lid is skin laid over the eye, the gaze a shift inside the opening.

Both are painted into the doubled photo (1024x1024) before a frame is sampled from it, so head motion carries them.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.media import Pixels
from integrations.faces.portrait.fill import membrane
from integrations.faces.portrait.mesh import Floats
from integrations.faces.portrait.raster import compiled

RIGHT_UPPER, RIGHT_LOWER = (33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_UPPER, LEFT_LOWER = (362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)


@dataclass(frozen=True)
class Eye:
    """One eye in the doubled photo.

    `corner` is the patch's left top; `lid` uint8[h, w, 3] the closed eye; `cover` float32[h, w] where the lid may
    lie; `upper`, `lower` float32[w] the edges of the opening by column (from the patch's top); `inside` float32[w]
    1 between the corners; `lash` the lashes' colour; `iris` centre and radius within the patch.
    """

    corner: NDArray[np.int32]
    lid: Pixels
    cover: Floats
    upper: Floats
    lower: Floats
    inside: Floats
    lash: Floats
    iris: Floats


def make_eye(photo: Pixels, upper: Floats, lower: Floats, iris: tuple[float, float, float], seed: int) -> Eye:
    """Build the closed lid. `photo` is the doubled photo; `upper` and `lower` are contour points in it."""
    wide = float(upper[-1, 0] - upper[0, 0])
    tall = max(float((lower[:, 1] - upper[:, 1]).max()), 0.18 * wide)
    left, top = int(upper[0, 0] - 0.22 * wide), int(min(upper[:, 1].min(), lower[:, 1].min()) - 0.9 * tall)
    right, bottom = int(upper[-1, 0] + 0.22 * wide), int(max(lower[:, 1].max(), upper[:, 1].max()) + 0.8 * tall)
    left, top = max(0, left), max(0, top)
    patch = photo[top:bottom, left:right]
    columns = np.arange(patch.shape[1], dtype=np.float32)
    edge_up = _curve(columns, upper - [left, top])
    edge_low = _curve(columns, lower - [left, top])
    start, end = upper[0, 0] - left, upper[-1, 0] - left
    middle, half = (start + end) / 2, (end - start) / 2
    inside = np.clip((1.02 - np.abs(columns - middle) / half) * 5, 0, 1).astype(np.float32)
    rows = np.arange(patch.shape[0], dtype=np.float32)[:, None]
    reach_up, reach_low = 0.58 * tall, 0.22 * tall
    margin = np.clip((1.1 - np.abs(columns - middle) / half) * 6, 0, 1)
    hole = (rows > edge_up - reach_up * margin - 1) & (rows < edge_low + reach_low * margin + 1) & (margin > 0)
    lid = _lid(patch, hole, edge_up, edge_low, seed)
    cover = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 0.05 * tall + 0.8)
    lash = _lash_colour(patch, edge_up, inside)
    centre = np.array([iris[0] - left, iris[1] - top, iris[2]], np.float32)
    return Eye(np.array([left, top], np.int32), lid, cover, edge_up, edge_low, inside, lash, centre)


def _curve(columns: Floats, points: Any) -> Floats:
    order = np.argsort(points[:, 0])
    line = np.interp(columns, points[order, 0], points[order, 1]).astype(np.float32)
    smooth: Floats = cv2.GaussianBlur(line[:, None], (1, 9), 2.0)[:, 0]
    return smooth


def _lid(patch: Pixels, hole: NDArray[np.bool_], upper: Floats, lower: Floats, seed: int) -> Pixels:
    """Skin over the hole: colour spread in from its rim, the bulge of the eyeball, a little grain."""
    soft = cv2.GaussianBlur(patch, (0, 0), 1.5).astype(np.float64)
    skin = membrane(soft, hole)
    # The hole's own rim lies in the shadow of lashes and brow bone; the lid itself catches light like the skin around.
    around = soft[~hole]
    lit = around[around.sum(1) >= np.percentile(around.sum(1), 30)].mean(0) * 0.98
    inward = np.clip(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3) / (0.16 * hole.shape[0]), 0, 1)
    skin += (0.6 * inward)[..., None] * (lit - skin)
    rows = np.arange(patch.shape[0])[:, None]
    across = np.clip((rows - upper) / np.maximum(lower - upper, 2), -0.8, 1.4)
    bulge = 1 + 0.04 * np.exp(-(((across - 0.35) / 0.35) ** 2)) - 0.08 * np.exp(-(((across - 1.0) / 0.16) ** 2))
    bulge -= 0.05 * np.exp(-(((across + 0.30) / 0.16) ** 2))
    bulge = 1 + (bulge - 1) * cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 3)
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, patch.shape[:2]), (0, 0), 1.1)
    grain = (patch.astype(np.float32) - cv2.GaussianBlur(patch, (0, 0), 1.5)).mean(2)
    quiet = float(np.median(np.abs(grain[~hole]))) if (~hole).any() else 0.0
    noise = noise * min(1.6 * quiet, 2.4) / max(float(noise.std()), 1e-6)
    shaded = skin * bulge[..., None] + noise[..., None] * hole[..., None]
    return np.asarray(np.clip(np.where(hole[..., None], shaded, patch), 0, 255), np.uint8)


def _lash_colour(patch: Pixels, upper: Floats, inside: Floats) -> Floats:
    """The darkest tenth along the upper edge."""
    columns = np.flatnonzero(inside > 0.5)
    rows = np.clip(upper[columns].astype(int)[:, None] + np.arange(-3, 5), 0, patch.shape[0] - 1)
    pixels = patch[rows, columns[:, None]].reshape(-1, 3).astype(np.float32)
    dark = pixels[pixels.sum(1) <= np.percentile(pixels.sum(1), 10)]
    return np.asarray(dark.mean(0), np.float32)


@compiled
def paint_eye(
    photo: Any,
    target: Any,
    left: int,
    top: int,
    lid: Any,
    cover: Any,
    upper: Any,
    lower: Any,
    inside: Any,
    lash: Any,
    shut: float,
    gaze_x: float,
    gaze_y: float,
) -> None:
    """Paint one eye into `target` (uint8[1024, 1024, 4]) from the untouched `photo`; `shut` 0..1, gaze in pixels."""
    height, width = cover.shape
    for x in range(width):
        opening = max(lower[x] - upper[x], 1.0)
        edge = upper[x] + 0.98 * opening * shut
        onset = min(1.0, shut * 5.0)
        thick = 1.6 + 0.09 * opening
        for y in range(height):
            rim = min(y - upper[x], lower[x] - y)
            give = min(max(rim / (0.28 * opening + 1.0), 0.0), 1.0) * inside[x]
            fx, fy = left + x - gaze_x * give, top + y - gaze_y * give
            ix, iy = int(fx), int(fy)
            u, v = fx - ix, fy - iy
            over = min(max((edge + 1.0 - y) * 0.6, 0.0), 1.0) * cover[y, x] * onset
            far = (y - edge) / thick
            if y < edge:
                far *= 1.8
            uneven = 0.92 + 0.08 * np.sin(x * 0.9 + np.sin(x * 0.37) * 3.0)
            dark = 0.55 * uneven * np.exp(-far * far) * min(1.0, shut * 3.0) * inside[x] * inside[x]
            shade = 1.0 - 0.35 * shut * np.exp(-(y - edge) / (0.25 * opening + 1.0)) * give if y > edge else 1.0
            for c in range(3):
                value = (photo[iy, ix, c] * (1 - u) + photo[iy, ix + 1, c] * u) * (1 - v) + (
                    photo[iy + 1, ix, c] * (1 - u) + photo[iy + 1, ix + 1, c] * u
                ) * v
                value = value * shade * (1 - over) + lid[y, x, c] * over
                target[top + y, left + x, c] = np.uint8(value * (1 - dark) + lash[c] * dark + 0.5)
