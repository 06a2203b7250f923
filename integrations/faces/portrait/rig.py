"""How the net moves: linear bases, authored in the mouth's own measure and spread over the face by a harmonic solve."""

from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu

from integrations.faces.portrait.mesh import Floats, Lips, Mesh

Vectors = NDArray[np.float64]


class Base(IntEnum):
    """The bases, in the order of the rig's first axis. Blinks and gaze are painted, not moved: see eyes.py."""

    JAW = 0
    WIDE = 1
    ROUND = 2
    UPPER = 3
    LOWER = 4
    PRESS = 5
    TEETH = 6
    SMILE = 7
    FROWN = 8
    BROW = 9
    CLOSE = 10


JAW_DROP = 0.34
"""How far the lower lip falls at JAW 1, in mouth widths."""

_JAW_LINE = {152: 1.0, 148: 0.98, 377: 0.98, 176: 0.95, 400: 0.95, 149: 0.88, 378: 0.88, 150: 0.78, 379: 0.78}
_JAW_LINE |= {136: 0.62, 365: 0.62, 172: 0.44, 397: 0.44, 58: 0.2, 288: 0.2, 132: 0.03, 361: 0.03, 93: 0, 323: 0}
_CHIN = (18, 200, 199, 175, 83, 313, 201, 421, 208, 428, 171, 396, 182, 406)
_CHIN_SHARE = {18: 0.99, 83: 0.97, 313: 0.97, 182: 0.93, 406: 0.93}
_CHIN_FOLLOWS = 0.82
"""The chin falls less than the lip: a part of the opening is the lip's own."""
_BROWS = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285)
_NOSE_TIP, _CHIN_TIP, _TOP = 4, 152, 10


def author(mesh: Mesh, lips: Lips, landmarks: Floats, *, glasses: bool) -> Floats:
    """The bases, float32[11, vertices, 2], in portrait pixels at weight 1. Brows hardly move behind `glasses`."""
    down = np.array([-lips.across[1], lips.across[0]])
    frame = np.stack([lips.across, down])
    held = _held(mesh, landmarks)
    solve = _Spread(mesh)
    bases = np.zeros((len(Base), len(mesh.points), 2))
    for base in Base:
        if base is Base.BROW:
            bases[base] = _brows(mesh, landmarks, solve, 0.004 if glasses else 0.022)
            continue
        local = _lip_moves(base, mesh, lips)
        known = held | (mesh.ring > 0)
        if base is Base.JAW or (base is Base.CLOSE and lips.gap > 0):
            known = known | _jaw_moves(mesh, local, JAW_DROP * lips.width if base is Base.JAW else -0.3 * lips.gap)
        bases[base] = solve(known, local @ frame)
    return bases.astype(np.float32)


def _lip_moves(base: Base, mesh: Mesh, lips: Lips) -> Vectors:
    """Displacement (across, down) of the lip vertices in pixels; zero elsewhere."""
    t, ring, width = mesh.along.astype(np.float64), mesh.ring, lips.width
    size = np.abs(t)
    arch, plateau = np.clip(1 - t**2, 0, 1) ** 0.7, 1 - size**4
    upper, lower = (ring >= 1) & (ring <= 3), ring >= 4
    outer = np.select([ring == 1, ring == 2, ring == 5, ring == 6], [1.0, 0.5, 0.5, 1.0], 0.0)
    zero = np.zeros_like(t)
    across, down = zero, zero
    if base is Base.JAW:
        corner = 0.28
        down = JAW_DROP * np.where(lower, corner + (1 - corner) * arch, corner * size**4)
        across = -0.055 * t * size
    elif base is Base.WIDE:
        across = 0.10 * t * (0.4 + 0.6 * size)
        down = -0.012 * size**2 + outer * arch * np.where(upper, 0.012, -0.018)
    elif base is Base.ROUND:
        across = -0.20 * t * (0.75 + 0.25 * size)
        down = arch * np.where(upper, -0.022 - 0.012 * outer, 0.035 + 0.02 * outer)
    elif base is Base.UPPER:
        down = np.where(upper, -(0.085 - 0.02 * outer) * plateau, zero)
    elif base is Base.LOWER:
        down = np.where(lower, (0.11 - 0.02 * outer) * plateau, zero)
    elif base is Base.PRESS:
        down = outer * arch * np.where(upper, 0.032, -0.045)
        across = 0.012 * t
    elif base is Base.TEETH:
        down = np.where(upper, -(0.085 - 0.025 * outer) * plateau, -(0.005 + 0.035 * outer) * arch)
        across = 0.02 * t
    elif base is Base.SMILE:
        across, down = 0.075 * t * size, -0.06 * size**2 + 0.012 * arch
    elif base is Base.FROWN:
        across, down = -0.02 * t * size, 0.045 * size**3
    moved = np.stack([across, down], 1) * width
    if base is Base.CLOSE:
        moved = _closing(mesh, lips)
    return np.where((ring > 0)[:, None], moved, 0.0)


def _closing(mesh: Mesh, lips: Lips) -> Vectors:
    """What brings parted lips together: the lower lip does the greater share."""
    gap = np.hypot(*(lips.inner_lower - lips.inner_upper).T)
    here = np.interp(mesh.along, np.linspace(-1, 1, len(gap)), gap)
    share = np.select([mesh.ring == ring for ring in range(1, 7)], [0.25, 0.35, 0.42, -0.58, -0.5, -0.42], 0.0)
    return np.stack([np.zeros_like(here), here * share], 1)


def _jaw_moves(mesh: Mesh, local: Vectors, drop: float) -> NDArray[np.bool_]:
    """Write the jaw's own displacement into `local`; returns which vertices it fixed."""
    known = np.zeros(len(mesh.points), bool)
    shares = dict.fromkeys(_CHIN, 1.0) | _CHIN_SHARE | _JAW_LINE
    for number, share in shares.items():
        for vertex in np.flatnonzero(mesh.landmark == number):
            local[vertex] = (0.0, drop * share * _CHIN_FOLLOWS)
            known[vertex] = True
    return known


def _brows(mesh: Mesh, landmarks: Floats, solve: "_Spread", lift: float) -> Vectors:
    """Both brows up by `lift` of the face's height; lids and hairline stay."""
    height = float(landmarks[_CHIN_TIP, 1] - landmarks[_TOP, 1])
    moved = np.zeros((len(mesh.points), 2))
    brows = np.isin(mesh.landmark, _BROWS)
    moved[brows, 1] = -lift * height
    eyes = float(landmarks[[159, 386], 1].mean())
    rest = (mesh.points[:, 1] > eyes - 0.035 * height) | (mesh.points[:, 1] < landmarks[_TOP, 1] + 0.02 * height)
    outside = (mesh.points[:, 0] < landmarks[:, 0].min() - 8) | (mesh.points[:, 0] > landmarks[:, 0].max() + 8)
    moved[(rest | outside)] = 0
    return solve(brows | rest | outside, moved)


def _held(mesh: Mesh, landmarks: Floats) -> NDArray[np.bool_]:
    """Vertices that speech never moves: from the nose up, and all that is neither face nor throat (hair, collar)."""
    height = float(landmarks[_CHIN_TIP, 1] - landmarks[_TOP, 1])
    y = mesh.points[:, 1]
    above = y < landmarks[_NOSE_TIP, 1] + 0.055 * height
    hull = cv2.convexHull(np.ascontiguousarray(landmarks[:, :2], np.float32))
    away = -np.array([cv2.pointPolygonTest(hull, (float(a), float(b)), True) for a, b in mesh.points])
    throat = (y > landmarks[[61, 291], 1].mean()) & (away < 0.16 * height)
    off_face = (mesh.ring == 0) & (mesh.landmark < 0) & ~throat
    below = y > landmarks[_CHIN_TIP, 1] + 0.17 * height
    ears = np.isin(mesh.landmark, (93, 234, 127, 177, 137, 323, 454, 356, 401, 366))
    nose = np.isin(mesh.landmark, (2, 94, 97, 326, 98, 327, 164, 64, 294, 240, 460))
    return np.asarray(above | off_face | below | ears | (nose & (mesh.ring == 0)), bool)


class _Spread:
    """Smooth extension of known displacements over the net (graph Laplacian, weights one over distance)."""

    def __init__(self, mesh: Mesh) -> None:
        rings = mesh.ring[mesh.triangles]
        skin = mesh.triangles[~((rings == 3) | (rings == 4)).all(1)]
        edges = np.concatenate([skin[:, [0, 1]], skin[:, [1, 2]], skin[:, [2, 0]]])
        edges = np.unique(np.sort(edges, axis=1), axis=0)
        weight = 1 / (np.hypot(*(mesh.points[edges[:, 0]] - mesh.points[edges[:, 1]]).T) + 1)
        size = len(mesh.points)
        half = coo_matrix((weight, (edges[:, 0], edges[:, 1])), (size, size))
        near = (half + half.T).tocsr()
        self._laplacian = (diags(np.asarray(near.sum(1)).ravel()) - near).tocsr()

    def __call__(self, known: NDArray[np.bool_], moved: Vectors) -> Vectors:
        free = ~known
        result = np.where(known[:, None], moved, 0.0)
        if free.any():
            inner = self._laplacian[free][:, free] + 1e-9 * diags(np.ones(int(free.sum())))
            result[free] = splu(inner.tocsc()).solve(-(self._laplacian[free][:, known] @ moved[known]))
        return result
