"""One expression in, one picture out."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from bot.media import Pixels
from integrations.faces.portrait.enrolled import Enrolled
from integrations.faces.portrait.eyes import Eye, paint_eye
from integrations.faces.portrait.mesh import SIDE, Floats
from integrations.faces.portrait.mouth import paint_mouth
from integrations.faces.portrait.raster import compose, draw_seam, trace
from integrations.faces.portrait.rig import JAW_DROP, Base


@dataclass(frozen=True)
class Expression:
    """What the face does in one frame.

    `weights` holds one weight per rig base; `tongue` 0..1; `blink` 0..1; `gaze` is the irises' shift and `shift` the
    head's, in pixels; `turn` is yaw, pitch and roll in degrees; `breath` 0..1.
    """

    weights: Floats = field(default_factory=lambda: np.zeros(len(Base), np.float32))
    tongue: float = 0.0
    blink: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift: tuple[float, float] = (0.0, 0.0)
    breath: float = 0.0


REST = Expression()
_NO_SECOND_MAP: Any = None
_SEAM = np.array([0.40, 0.38, 0.54], np.float32)
"""The line between closed lips is darker and redder than they are."""


class Renderer:
    """Draws one enrolled face. Holds its own buffers: one to a thread."""

    def __init__(self, enrolled: Enrolled) -> None:
        self._face = enrolled
        self._photo = enrolled.source
        self._painted = enrolled.source.copy()
        self._source = np.asarray(enrolled.points * np.float32(2) + np.float32(0.5), np.float32)
        self._where = np.zeros((SIDE, SIDE, 2), np.float32)
        self._eyes = (0.0, 0.0, 0.0)
        self._open_by = 0
        self._open = bool(enrolled.rest[Base.CLOSE] > 0)
        # The seam's dark line is a fiftieth of the mouth wide; towards the corners the lips leave no room to roll.
        along = np.linspace(-1, 1, len(enrolled.upper_lip))[:, None]
        room = np.ones_like(along) if self._open else np.clip(1.15 - 1.3 * along**4, 0, 1) * 0.6
        self._roll = (0.034 * enrolled.mouth[4] * room).astype(np.float32)
        self._bases = enrolled.bases.reshape(len(Base), -1)

    def draw(self, expression: Expression) -> Pixels:
        """A new uint8[512, 512, 3], BGR."""
        face = self._face
        self._paint_eyes(expression)
        weights = np.maximum(expression.weights, 0) + face.rest
        points = face.points + (weights @ self._bases).reshape(-1, 2)
        upper, lower = points[face.upper_lip], points[face.lower_lip]
        crossed = lower[:, 1] < upper[:, 1]
        if crossed.any():
            met = (lower[crossed] + upper[crossed]) / 2
            points[face.upper_lip[crossed]] = met
            points[face.lower_lip[crossed]] = met
        self._part_lips(float((lower[:, 1] - upper[:, 1]).max()))
        points = _posed(points, face.depth, face.head, face.pivot, expression)
        points[:, 1] -= face.breath * np.float32(1.3 * expression.breath)
        trace(points.astype(np.float32), self._unrolled(upper, lower), face.triangles, self._where)
        out = np.empty((SIDE, SIDE, 3), np.uint8)
        crease = max(float(weights[Base.SMILE]) + 0.5 * float(weights[Base.WIDE]), 0.0)
        person = cv2.remap(
            self._painted, self._where, _NO_SECOND_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        compose(person, self._where, face.plate, face.folds, int(min(crease, 1.2) * 46), out)
        if self._open:
            draw_seam(out, points[face.upper_lip], points[face.lower_lip], face.look.lip * _SEAM, 0.8)
        jaw = float(weights[Base.JAW]) * JAW_DROP * float(face.mouth[4])
        paint_mouth(
            out, self._mouth_frame(expression), points[face.upper_lip], points[face.lower_lip],
            float(face.mouth[4]), jaw, expression.tongue, min(float(weights[Base.ROUND]), 1.0), face.look,
        )  # fmt: skip
        return out

    def _unrolled(self, upper: Floats, lower: Floats) -> Floats:
        """Source coordinates with the dark seam rolled inward as the lips part, so that no line is left on either."""
        face = self._face
        part = np.clip((lower[:, 1] - upper[:, 1]) / (0.06 * face.mouth[4]), 0, 1)[:, None]
        part = np.maximum(part, 0.7 if self._open else 0.0) * self._roll
        source = self._source.copy()
        down = np.array([-face.mouth[3], face.mouth[2]], np.float32)
        source[face.lower_lip[1:-1]] += (2 * part * down)[1:-1]
        source[face.upper_lip[1:-1]] -= (1.2 * part * down)[1:-1]
        return source

    def _mouth_frame(self, expression: Expression) -> Floats:
        """Origin and axes of the skull's mouth in the picture; a little behind the lips, so that it shifts less."""
        x, y, ax, ay, width = self._face.mouth
        corners = np.array([[x, y], [x + ax * 50, y + ay * 50], [x - ay * 50, y + ax * 50]], np.float32)
        near = self._face.depth[self._face.upper_lip].mean() + 0.1 * width
        moved = _posed(corners, np.full(3, near, np.float32), np.ones(3, np.float32), self._face.pivot, expression)
        return np.stack([moved[0], (moved[1] - moved[0]) / 50, (moved[2] - moved[0]) / 50]).astype(np.float32)

    def _part_lips(self, gap: float) -> None:
        """Fade the line between the lips out of the photo as they part."""
        face = self._face
        share = round(32 * min(max(gap / (0.06 * float(face.mouth[4])), 0.0), 1.0))
        if share == self._open_by or self._open:
            return
        self._open_by = share
        left, top = face.parted_at
        window = (slice(top, top + face.parted.shape[0]), slice(left, left + face.parted.shape[1]), slice(0, 3))
        self._painted[window] = cv2.addWeighted(self._photo[window], 1 - share / 32, face.parted, share / 32, 0)

    def _paint_eyes(self, expression: Expression) -> None:
        wanted = (round(expression.blink, 3), round(expression.gaze[0], 2), round(expression.gaze[1], 2))
        if wanted == self._eyes:
            return
        self._eyes = wanted
        for eye in (self._face.right_eye, self._face.left_eye):
            _paint(eye, self._photo, self._painted, *wanted)


def _paint(eye: Eye, photo: Pixels, painted: Pixels, shut: float, across: float, down: float) -> None:
    paint_eye(
        photo, painted, int(eye.corner[0]), int(eye.corner[1]), eye.lid, eye.cover, eye.upper, eye.lower, eye.inside,
        eye.lash, shut, across * 2, down * 2,
    )  # fmt: skip


def _posed(points: Floats, depth: Floats, weight: Floats, pivot: Floats, expression: Expression) -> Floats:
    """Turn about the pivot (yaw, pitch, roll; no perspective) by each vertex's weight."""
    yaw, pitch, roll = np.radians(expression.turn)
    x, y, z = points[:, 0] - pivot[0], points[:, 1] - pivot[1], depth - pivot[2]
    x, z = x * np.cos(yaw) - z * np.sin(yaw), x * np.sin(yaw) + z * np.cos(yaw)
    y = y * np.cos(pitch) - z * np.sin(pitch)
    x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
    turned = np.stack([x + pivot[0] + expression.shift[0], y + pivot[1] + expression.shift[1]], 1)
    return np.asarray(points + weight[:, None] * (turned - points), np.float32)
