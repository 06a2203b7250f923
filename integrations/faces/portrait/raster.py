"""The inner loops: which place of the photo each pixel of a frame shows, and the picture that follows."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

_Loop = TypeVar("_Loop", bound=Callable[..., Any])


def compiled(loop: _Loop) -> _Loop:
    """Compile a loop to machine code at its first call, kept on disk; it runs without the interpreter's lock."""
    return cast(_Loop, njit(cache=True, nogil=True, fastmath=True, boundscheck=False)(loop))


@compiled
def trace(points: Any, source: Any, triangles: Any, where: Any) -> None:
    """Fill `where` (float32[h, w, 2]) with source coordinates, triangle by triangle; later ones win.

    Triangles that are turned over lie behind others and are left out.

    `points` float32[n, 2] are the vertices in the frame, `source` float32[n, 2] the same ones in the photo.
    """
    height, width = where.shape[0], where.shape[1]
    for k in range(triangles.shape[0]):
        a, b, c = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        ax, ay, bx, by, cx, cy = points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if area < 1e-4:
            continue
        top = max(0, int(np.ceil(min(ay, by, cy) - 1e-3)))
        bottom = min(height - 1, int(np.floor(max(ay, by, cy) + 1e-3)))
        one = np.float32(1.0 / area)
        dub, duc = (cy - ay) * one, -(by - ay) * one
        sx = (source[b, 0] - source[a, 0]) * dub + (source[c, 0] - source[a, 0]) * duc
        sy = (source[b, 1] - source[a, 1]) * dub + (source[c, 1] - source[a, 1]) * duc
        dvb, dvc = -(cx - ax) * one, (bx - ax) * one
        tx = (source[b, 0] - source[a, 0]) * dvb + (source[c, 0] - source[a, 0]) * dvc
        ty = (source[b, 1] - source[a, 1]) * dvb + (source[c, 1] - source[a, 1]) * dvc
        for y in range(top, bottom + 1):
            low, high = np.float32(1e9), np.float32(-1e9)
            for edge in range(3):
                if edge == 0:
                    x0, y0, x1, y1 = ax, ay, bx, by
                elif edge == 1:
                    x0, y0, x1, y1 = bx, by, cx, cy
                else:
                    x0, y0, x1, y1 = cx, cy, ax, ay
                if abs(y1 - y0) < 1e-6:
                    if abs(y - y0) < 2e-3:
                        low, high = min(low, x0, x1), max(high, x0, x1)
                    continue
                part = (y - y0) / (y1 - y0)
                if -1e-3 <= part <= 1.001:
                    x = x0 + (x1 - x0) * part
                    low, high = min(low, x), max(high, x)
            left, right = max(0, int(np.ceil(low - 2e-3))), min(width - 1, int(np.floor(high + 2e-3)))
            px = source[a, 0] + (left - ax) * sx + (y - ay) * tx
            py = source[a, 1] + (left - ax) * sy + (y - ay) * ty
            for x in range(left, right + 1):
                where[y, x, 0] = px
                where[y, x, 1] = py
                px += sx
                py += sy


@compiled
def compose(person: Any, where: Any, plate: Any, folds: Any, depth: int, out: Any) -> None:
    """Lay `person` (uint8[h, w, 4], the fourth channel is cover) over the still `plate`, into `out`.

    `folds` (uint8[H, W], half the photo's size) says where the cheek creases; `depth` 0..256 how much it is darkened.
    """
    high, wide = folds.shape[0] - 1, folds.shape[1] - 1
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            cover = int(person[y, x, 3])
            if cover == 255:
                for c in range(3):
                    out[y, x, c] = person[y, x, c]
            elif cover == 0:
                for c in range(3):
                    out[y, x, c] = plate[y, x, c]
            else:
                for c in range(3):
                    out[y, x, c] = (person[y, x, c] * cover + plate[y, x, c] * (255 - cover) + 127) // 255
        if depth > 0:
            for x in range(out.shape[1]):
                fx = min(max(int(where[y, x, 0] * np.float32(0.5)), 0), wide)
                fy = min(max(int(where[y, x, 1] * np.float32(0.5)), 0), high)
                fold = int(folds[fy, fx])
                if fold > 0:
                    dim = 65536 - fold * depth
                    for c in range(3):
                        out[y, x, c] = (out[y, x, c] * dim) >> 16


@compiled
def draw_seam(out: Any, upper: Any, lower: Any, colour: Any, strength: float) -> None:
    """A soft dark line where the lips (float32[n, 2] contours) touch; it fades as they part and towards the corners."""
    last = upper.shape[0] - 1
    for k in range(last):
        left, right = upper[k, 0], upper[k + 1, 0]
        for x in range(int(np.ceil(left)), int(np.ceil(right))):
            part = (x - left) / (right - left)
            high = upper[k, 1] * (1 - part) + upper[k + 1, 1] * part
            low = lower[k, 1] * (1 - part) + lower[k + 1, 1] * part
            along = (k + part) / last * 2 - 1
            shown = strength * (1 - along**6) * max(0.0, 1 - (low - high) / 3.0)
            middle = (high + low) / 2
            for y in range(int(middle) - 2, int(middle) + 4):
                if 0 <= y < out.shape[0] and 0 <= x < out.shape[1]:
                    mix = shown * np.exp(-(((y - middle) / 1.1) ** 2))
                    for c in range(3):
                        out[y, x, c] = np.uint8(out[y, x, c] * (1 - mix) + colour[c] * mix + 0.5)
