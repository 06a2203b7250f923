"""Where a face is in a photo: detector, 468-point mesh, irises and silhouette, run from .tflite files.

The files are those of MediaPipe 0.10.21 (Apache-2.0). Pictures are uint8[h, w, 3] in BGR order, points in pixels.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from bot.media import Pixels

Points = NDArray[np.float32]

EYE_CORNERS = (33, 263)
_DETECTOR_SIZE, _MESH_SIZE, _IRIS_SIZE, _SEGMENT_SIZE = 128, 192, 64, 256


class Models(Protocol):
    """Where the model files are: `integrations.models.ModelStore`, or anything with the same method."""

    def path(self, name: str) -> Path: ...


@dataclass(frozen=True)
class FoundFace:
    """One detection: the box (left, top, width, height) and both eyes, in pixels."""

    score: float
    box: tuple[float, float, float, float]
    right_eye: tuple[float, float]
    left_eye: tuple[float, float]


class _Net:
    """One .tflite network; loading costs a few milliseconds."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._net: Any = Interpreter(str(path), num_threads=1)
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._outputs = {each["name"]: each["index"] for each in self._net.get_output_details()}

    def __call__(self, picture: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        self._net.set_tensor(self._input, np.ascontiguousarray(picture[None], np.float32))
        self._net.invoke()
        return {name: self._net.get_tensor(index)[0].copy() for name, index in self._outputs.items()}


class Landmarker:
    """All four networks over one photo."""

    def __init__(self, models: Models) -> None:
        self._detector = _Net(models.path("face-detector"))
        self._mesh = _Net(models.path("face-mesh"))
        self._iris = _Net(models.path("iris"))
        self._segmenter = _Net(models.path("selfie-segmenter"))

    def faces(self, picture: Pixels, threshold: float = 0.5) -> list[FoundFace]:
        """Every face, surest first. Looks at the whole picture and at overlapping quarters, for small faces."""
        height, width = picture.shape[:2]
        found = self._detect(picture, threshold)
        for top in (0, height // 3):
            for left in (0, width // 3):
                part = picture[top : top + height * 2 // 3, left : left + width * 2 // 3]
                found += [_shifted(face, left, top) for face in self._detect(part, max(threshold, 0.7))]
        return _distinct(found)

    def _detect(self, picture: Pixels, threshold: float) -> list[FoundFace]:
        height, width = picture.shape[:2]
        side = max(height, width)
        square = cv2.copyMakeBorder(picture, 0, side - height, 0, side - width, cv2.BORDER_CONSTANT)
        small = cv2.cvtColor(cv2.resize(square, (_DETECTOR_SIZE,) * 2, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        out = self._detector(small.astype(np.float32) / 127.5 - 1)
        scores = 1 / (1 + np.exp(-np.clip(out["classificators"][:, 0], -60, 60)))
        regressors = out["regressors"] / _DETECTOR_SIZE
        anchors = _anchors()
        found = []
        for index in np.flatnonzero(scores > threshold):
            points = (regressors[index].reshape(8, 2) + anchors[index]) * side
            size = regressors[index, 2:4] * side
            box = (points[0] - size / 2).tolist() + size.tolist()
            found.append(FoundFace(float(scores[index]), tuple(box), tuple(points[2]), tuple(points[3])))
        return found

    def mesh(self, picture: Pixels, face: FoundFace) -> tuple[Points, float]:
        """468 points (x, y, z; z in pixels too, smaller is nearer) and how surely this is a face, 0..1."""
        center = np.array([face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2])
        to_left = np.subtract(face.left_eye, face.right_eye)
        side, angle = 1.5 * max(face.box[2:]), np.arctan2(to_left[1], to_left[0])
        points, score = self._mesh_in(picture, center, side, angle)
        for _ in range(2):
            low, high = points[:, :2].min(0), points[:, :2].max(0)
            to_left = points[EYE_CORNERS[1], :2] - points[EYE_CORNERS[0], :2]
            side, angle = 1.5 * float((high - low).max()), np.arctan2(to_left[1], to_left[0])
            points, score = self._mesh_in(picture, (low + high) / 2, side, angle)
        return points, score

    def _mesh_in(self, picture: Pixels, center: NDArray[Any], side: float, angle: float) -> tuple[Points, float]:
        crop, back = _upright(picture, center, side, angle, _MESH_SIZE)
        out = self._mesh(crop)
        raw = out["conv2d_21"].reshape(-1, 3)
        points = np.column_stack([raw[:, :2] @ back[:, :2].T + back[:, 2], raw[:, 2] * side / _MESH_SIZE])
        return points.astype(np.float32), float(1 / (1 + np.exp(-out["conv2d_31"].reshape(-1)[0])))

    def iris(self, picture: Pixels, outer: Points, inner: Points) -> tuple[float, float, float]:
        """Centre x, y and radius of the iris between two eye corners."""
        side = 2.3 * float(np.hypot(*(outer - inner)))
        low_x = min(outer, inner, key=lambda point: float(point[0]))
        high_x = max(outer, inner, key=lambda point: float(point[0]))
        angle = float(np.arctan2(high_x[1] - low_x[1], high_x[0] - low_x[0]))
        crop, back = _upright(picture, (outer + inner) / 2, side, angle, _IRIS_SIZE)
        raw = self._iris(crop)["output_iris"].reshape(5, 3)[:, :2]
        points = raw @ back[:, :2].T + back[:, 2]
        radius = float(np.hypot(*(points[1:] - points[0]).T).mean())
        return float(points[0, 0]), float(points[0, 1]), radius

    def silhouette(self, picture: Pixels) -> NDArray[np.float32]:
        """How much each pixel is a person, 0..1, at the picture's size."""
        small = cv2.cvtColor(cv2.resize(picture, (_SEGMENT_SIZE,) * 2, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        mask = self._segmenter(small.astype(np.float32) / 255)["activation_10"][..., 0]
        full = cv2.resize(mask, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_CUBIC)
        return np.clip(full, 0, 1).astype(np.float32)


def turn(points: Points) -> float:
    """How far the head is turned aside, in degrees (0 is frontal), from the mesh's own depth."""
    across = points[454] - points[234]
    return float(np.degrees(np.arctan2(across[2], across[0])))


def _anchors() -> NDArray[np.float64]:
    """Cell centres of the short-range detector: two to a cell of 16x16, six to a cell of 8x8."""
    rows = []
    for cells, each in ((16, 2), (8, 6)):
        y, x = np.mgrid[0:cells, 0:cells]
        centers = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) / cells
        rows.append(np.repeat(centers, each, axis=0))
    return np.concatenate(rows)


def _upright(
    picture: Pixels, center: NDArray[Any], side: float, angle: float, size: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """A square cut out, turned upright, RGB 0..1; and the 2x3 matrix from it back to the picture."""
    cos, sin, scale = np.cos(angle), np.sin(angle), side / size
    back = np.array([[cos * scale, -sin * scale, 0.0], [sin * scale, cos * scale, 0.0]])
    back[:, 2] = np.asarray(center, np.float64) - back[:, :2] @ np.array([size / 2, size / 2])
    cut = cv2.warpAffine(picture, back, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(cv2.cvtColor(cut, cv2.COLOR_BGR2RGB), np.float32) / np.float32(255), back


def _shifted(face: FoundFace, left: float, top: float) -> FoundFace:
    def moved(point: tuple[float, float]) -> tuple[float, float]:
        return (point[0] + left, point[1] + top)

    box = (face.box[0] + left, face.box[1] + top, face.box[2], face.box[3])
    return FoundFace(face.score, box, moved(face.right_eye), moved(face.left_eye))


def _distinct(found: list[FoundFace]) -> list[FoundFace]:
    """One per face: of those that overlap, the surest."""
    kept: list[FoundFace] = []
    for face in sorted(found, key=lambda each: -each.score):
        if all(_overlap(face.box, other.box) < 0.2 for other in kept):
            kept.append(face)
    return kept


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """The shared area over the smaller box's area."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, wide) * max(0.0, high) / max(1e-6, min(a[2] * a[3], b[2] * b[3]))
