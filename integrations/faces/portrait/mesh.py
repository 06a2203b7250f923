"""The net over a portrait: lips in rings, the rest of the face, then a coarse grid out to the picture's rim.

All coordinates are portrait pixels (512x512), x to the right and y down. Upper and lower lip touch along the seam
without sharing vertices, so that they can part.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from bot.media import Pixels

Floats = NDArray[np.float32]

SIDE = 512
LIP_POINTS = 25
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_BETWEEN = [12, 38, 41, 42, 72, 73, 74, 183, 184, 76, 62, 268, 271, 272, 302, 303, 304, 407, 408, 306, 292, 11]
_BETWEEN += [15, 16, 85, 86, 89, 90, 77, 96, 180, 179, 315, 316, 319, 320, 307, 325, 403, 404, 57, 287]
_LIP_LANDMARKS = frozenset((*OUTER_UPPER, *OUTER_LOWER, *INNER_UPPER, *INNER_LOWER, *_BETWEEN))
_GRID_STEP = 20
_OVERSCAN = 18
_CLOSED_GAP = 0.07


@dataclass(frozen=True)
class Lips:
    """Lip contours from the person's right corner to the left: float[25, 2] each, and the mouth's frame."""

    outer_upper: Floats
    inner_upper: Floats
    inner_lower: Floats
    outer_lower: Floats

    @property
    def width(self) -> float:
        """From outer corner to outer corner."""
        return float(np.hypot(*(self.outer_upper[-1] - self.outer_upper[0])))

    @property
    def across(self) -> Floats:
        """Unit vector from corner to corner."""
        line: Floats = self.outer_upper[-1] - self.outer_upper[0]
        return line / np.float32(self.width)

    @property
    def center(self) -> Floats:
        """The middle between the inner contours."""
        return np.asarray((self.inner_upper.mean(0) + self.inner_lower.mean(0)) / 2, np.float32)

    @property
    def gap(self) -> float:
        """The greatest distance between the inner contours."""
        return float(np.hypot(*(self.inner_lower - self.inner_upper).T).max())


@dataclass(frozen=True)
class Mesh:
    """Vertices with depth (smaller is nearer), triangles, and which vertex is what.

    `ring` is 0 off the lips, 1..3 outer, middle and inner upper lip, 4..6 inner, middle and outer lower lip;
    `along` is the place on the lip from -1 to 1. `landmark` is the landmark's number or -1.
    """

    points: Floats
    depth: Floats
    triangles: NDArray[np.int32]
    ring: NDArray[np.int8]
    along: Floats
    landmark: NDArray[np.int16]

    def lip(self, ring: int) -> NDArray[np.int64]:
        """Vertex numbers of one lip ring, from the person's right to the left."""
        found = np.flatnonzero(self.ring == ring)
        return found[np.argsort(self.along[found], kind="stable")]


def find_lips(landmarks: Floats, portrait: Pixels) -> Lips:
    """The lip contours, smoothed; on a closed mouth the seam is laid into the dark line between the lips."""
    contours = [_resampled(landmarks[list(ids), :2]) for ids in (OUTER_UPPER, INNER_UPPER, INNER_LOWER, OUTER_LOWER)]
    outer_upper, inner_upper, inner_lower, outer_lower = contours
    lips = Lips(outer_upper, inner_upper, inner_lower, outer_lower)
    # Closed lips touch almost out to the outer corners; parted ones end where the landmarks say.
    outward = 0.7 if lips.gap <= _CLOSED_GAP * lips.width else 0.2
    for end in (0, -1):
        corner = (1 - outward) * inner_upper[end] + outward * outer_upper[end]
        shift = corner - inner_upper[end]
        fade = np.abs(np.linspace(-1, 1, LIP_POINTS)) ** 3
        near = (np.arange(LIP_POINTS) < LIP_POINTS // 2) == (end == 0)
        for contour in (inner_upper, inner_lower):
            contour += (fade * near)[:, None] * shift
    if lips.gap > _CLOSED_GAP * lips.width:
        return lips
    seam = _dark_line(lips, portrait)
    return Lips(outer_upper, seam, seam.copy(), outer_lower)


def _dark_line(lips: Lips, portrait: Pixels) -> Floats:
    """The darkest smooth path between the corners, near the landmarks' idea of the seam."""
    middle = (lips.inner_upper + lips.inner_lower) / 2
    normal = np.array([-lips.across[1], lips.across[0]])
    reach = max(3, round(0.055 * lips.width))
    offsets = np.arange(-reach, reach + 0.01, 0.5)
    gray = cv2.GaussianBlur(cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY), (0, 0), 0.8).astype(np.float32)
    at = middle[:, None] + offsets[None, :, None] * normal
    cost = cv2.remap(gray, at[..., 0].astype(np.float32), at[..., 1].astype(np.float32), cv2.INTER_LINEAR)
    cost = cost - cost.min(1, keepdims=True) + 0.12 * offsets**2
    total, came = cost[0] + 4 * offsets**2, []
    for column in cost[1:]:
        step = total[None, :] + 6.0 * (offsets[:, None] - offsets[None, :]) ** 2
        came.append(step.argmin(1))
        total = column + step.min(1)
    index = int((total + 4 * offsets**2).argmin())
    path = [index]
    for back in reversed(came):
        index = int(back[index])
        path.append(index)
    chosen = offsets[path[::-1]].astype(np.float32)
    smooth = cv2.GaussianBlur(chosen[:, None], (1, 5), 1.0)[:, 0]
    return np.asarray(middle + smooth[:, None] * normal, np.float32)


def _resampled(points: Floats) -> Floats:
    """The same line through 25 points at equal steps across, smooth."""
    from scipy.interpolate import PchipInterpolator

    steps = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    where = -np.cos(np.linspace(0, np.pi, LIP_POINTS)) * 0.35 + np.linspace(-1, 1, LIP_POINTS) * 0.65
    line = PchipInterpolator(steps / steps[-1] * 2 - 1, points)(where)
    line[1:-1] = 0.25 * line[:-2] + 0.5 * line[1:-1] + 0.25 * line[2:]
    return np.asarray(line, np.float32)


def build(landmarks: Floats, lips: Lips) -> Mesh:
    """The net: about 1,300 vertices and 2,500 triangles."""
    points, ring, along = _lip_vertices(lips)
    kept = _face_vertices(landmarks, points)
    number = np.concatenate([np.full(len(points), -1), kept]).astype(np.int16)
    points = np.concatenate([points, landmarks[kept, :2]])
    grid = _grid_vertices(landmarks, points)
    points = np.concatenate([points, grid]).astype(np.float32)
    pad = len(points) - len(ring)
    ring = np.concatenate([ring, np.zeros(pad, np.int8)])
    along = np.concatenate([along, np.zeros(pad, np.float32)])
    number = np.concatenate([number, np.full(len(grid), -1, np.int16)])
    parted = _parted(points, ring, lips)
    triangles = Delaunay(parted).simplices.astype(np.int32)
    mesh = Mesh(points, np.zeros(len(points), np.float32), triangles, ring, along, number)
    return Mesh(points, _depth(mesh, landmarks), _ordered(triangles, mesh, parted), ring, along, number)


def _lip_vertices(lips: Lips) -> tuple[Floats, NDArray[np.int8], Floats]:
    t = np.linspace(-1, 1, LIP_POINTS).astype(np.float32)
    middle_upper = np.asarray((lips.outer_upper + lips.inner_upper) / 2, np.float32)
    middle_lower = np.asarray((lips.outer_lower + lips.inner_lower) / 2, np.float32)
    inner = slice(1, -1)
    rings: list[tuple[Floats, int, slice]] = [
        (lips.outer_upper, 1, slice(0, None)),
        (middle_upper, 2, inner),
        (lips.inner_upper, 3, slice(0, None)),
        (lips.inner_lower, 4, inner),
        (middle_lower, 5, inner),
        (lips.outer_lower, 6, inner),
    ]
    points = np.concatenate([line[part] for line, _, part in rings])
    along = [t[part] for _, _, part in rings]
    ring = [np.full(len(each), number, np.int8) for each, (_, number, _) in zip(along, rings, strict=True)]
    return points, np.concatenate(ring), np.concatenate(along)


def _face_vertices(landmarks: Floats, lip_points: Floats) -> NDArray[np.int64]:
    tree = cKDTree(lip_points)
    far = np.asarray(tree.query(landmarks[:, :2])[0] > 4)
    inside = np.asarray(((landmarks[:, :2] > 2) & (landmarks[:, :2] < SIDE - 3)).all(1))
    wanted = np.array([number for number in range(468) if number not in _LIP_LANDMARKS])
    wanted = wanted[far[wanted] & inside[wanted]]
    chosen: list[int] = []
    for number in wanted:
        if not chosen or np.hypot(*(landmarks[chosen, :2] - landmarks[number, :2]).T).min() > 3:
            chosen.append(int(number))
    return np.array(chosen)


def _grid_vertices(landmarks: Floats, points: Floats) -> Floats:
    hull = cv2.convexHull(np.ascontiguousarray(landmarks[:, :2], np.float32))
    # The net reaches beyond the rim, so that a moving head or a breath never uncovers a bare edge.
    steps = np.linspace(-_OVERSCAN, SIDE - 1 + _OVERSCAN, round((SIDE + 2 * _OVERSCAN) / _GRID_STEP) + 1)
    grid = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2).astype(np.float32)
    outside = np.array([cv2.pointPolygonTest(hull, (float(x), float(y)), True) < -8 for x, y in grid], bool)
    clear = cKDTree(points).query(grid)[0] > 9
    return np.asarray(grid[outside & clear], np.float32)


def _parted(points: Floats, ring: NDArray[np.int8], lips: Lips) -> Floats:
    """The same vertices with the mouth open, so that the triangulation never crosses the seam."""
    along = (points - lips.center) @ lips.across / (lips.width / 2)
    seam = np.interp(along, np.linspace(-1, 1, LIP_POINTS), (lips.inner_upper[:, 1] + lips.inner_lower[:, 1]) / 2)
    below = (ring >= 4) | ((ring == 0) & (points[:, 1] > seam))
    half = 0.5 * float((lips.inner_upper[-1] - lips.inner_upper[0]) @ lips.across) / (lips.width / 2)
    drop = 0.35 * lips.width * np.clip(1 - (along / max(half, 0.1)) ** 2, 0, None) ** 0.6
    drop = np.where((ring == 4) & (drop < 0.5), 0.5, drop)
    return np.asarray(points + np.where(below, drop, 0)[:, None] * [0, 1], np.float32)


def _ordered(triangles: NDArray[np.int32], mesh: Mesh, parted: Floats) -> NDArray[np.int32]:
    """Triangles in the order in which they are drawn, all turned the same way round.

    Those between the lips come first, then what surrounds the face, then the face: a falling chin slides over the
    throat and collar. A triangle that is turned over by it lies underneath and is not drawn at all.
    """
    a, b, c = (parted[triangles[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    triangles = np.where(area[:, None] < 0, triangles[:, [0, 2, 1]], triangles)
    rings = mesh.ring[triangles]
    hole = ((rings == 3) | (rings == 4)).all(1)
    around = ((rings == 0) & (mesh.landmark[triangles] < 0)).any(1)
    order = np.select([hole, around], [0, 1], 2)
    return np.ascontiguousarray(triangles[np.argsort(order, kind="stable")], np.int32)


def _depth(mesh: Mesh, landmarks: Floats) -> Floats:
    """Depth of every vertex: the landmarks' own, spread smoothly; the far field lies as deep as the ears."""
    own = landmarks[:, 2] - landmarks[:, 2].mean()
    tree = cKDTree(landmarks[:, :2])
    distance, near = tree.query(mesh.points, k=4)
    weight = 1 / (distance + 1)
    depth = (own[near] * weight).sum(1) / weight.sum(1)
    back = float(np.percentile(own, 95))
    fade = np.clip(distance[:, 0] / 70, 0, 1)
    return np.asarray(depth * (1 - fade) + back * fade, np.float32)
