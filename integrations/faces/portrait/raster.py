"""The inner loops: which place of the photo each pixel of a frame shows, and the picture that follows."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_FAST: dict[str, Any] = {"cache": True, "nogil": True, "fastmath": True, "boundscheck": False}


@njit(**_FAST)
def trace(points: Any, source: Any, triangles: Any, where: Any) -> None:
    """Fill `where` (float32[h, w, 2]) with source coordinates, triangle by triangle; later ones win.

    `points` float32[n, 2] are the vertices in the frame, `source` float32[n, 2] the same ones in the photo.
    """
    height, width = where.shape[0], where.shape[1]
    for k in range(triangles.shape[0]):
        a, b, c = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        ax, ay, bx, by, cx, cy = points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1e-4:
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


@njit(**_FAST)
def paint(where: Any, source: Any, plate: Any, folds: Any, depth: int, out: Any) -> None:
    """Sample `source` (uint8[H, W, 4], the fourth channel is cover) at `where` over the still `plate`.

    `folds` (uint8[H/2, W/2]) says where the cheek creases; `depth` 0..256 how much it is darkened there.
    """
    high, wide = source.shape[0] - 2, source.shape[1] - 2
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            fx = min(max(where[y, x, 0], np.float32(0)), np.float32(wide))
            fy = min(max(where[y, x, 1], np.float32(0)), np.float32(high))
            ix, iy = int(fx), int(fy)
            u, v = int((fx - ix) * 128), int((fy - iy) * 128)
            w11 = u * v
            w10 = v * 128 - w11
            w01 = u * 128 - w11
            w00 = 16384 - w10 - w01 - w11
            cover = source[iy, ix, 3]
            if cover == 0:
                for c in range(3):
                    out[y, x, c] = plate[y, x, c]
                continue
            dim = 16384
            if depth > 0:
                dim -= (int(folds[iy >> 1, ix >> 1]) * depth) >> 2
            for c in range(3):
                value = (
                    source[iy, ix, c] * w00
                    + source[iy, ix + 1, c] * w01
                    + source[iy + 1, ix, c] * w10
                    + source[iy + 1, ix + 1, c] * w11
                )
                if dim < 16384:
                    value = (value >> 7) * dim >> 7
                if cover < 255:
                    value = (value * cover + plate[y, x, c] * (255 - cover) * 16384) // 255
                out[y, x, c] = (value + 8192) >> 14
