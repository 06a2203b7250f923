"""A contact sheet: what the face does with each viseme, lids and head, and the mouth four times enlarged."""

from typing import Any

import cv2
import numpy as np

from bot.media import Pixels
from integrations.faces.portrait.enrolled import Enrolled
from integrations.faces.portrait.face import express
from integrations.faces.portrait.mesh import SIDE
from integrations.faces.portrait.motion import Motion
from integrations.faces.portrait.render import REST, Expression, Renderer
from integrations.faces.portrait.visemes import VISEMES, Channel, Segment, shape

_CELL = 256
_ENLARGED = 4
_COLUMNS = 5


def contact_sheet(enrolled: Enrolled) -> Pixels:
    """All visemes, a blink, a glance and two head turns as whole pictures; below, the same mouths enlarged."""
    renderer = Renderer(enrolled)
    poses = {name: spoken(name) for name in VISEMES}
    poses |= {
        "half blink": Expression(blink=0.5),
        "blink": Expression(blink=1.0),
        "glance": Expression(gaze=(2.0, -0.6)),
        "turned": Expression(turn=(5.0, 0.0, 1.5)),
        "nod": Expression(turn=(-2.0, 4.0, -1.0)),
    }
    pictures = {name: renderer.draw(pose) for name, pose in poses.items()}
    whole = [_labelled(cv2.resize(each, (_CELL, _CELL), interpolation=cv2.INTER_AREA), name)
             for name, each in pictures.items()]  # fmt: skip
    mouths = [_labelled(_mouth(pictures[name], enrolled), name) for name in VISEMES]
    lids = [_labelled(_eyes(pictures[name], enrolled), name) for name in ("sil", "half blink", "blink", "glance")]
    bands = [_grid(whole, 2 * _COLUMNS), _grid(mouths, _COLUMNS), _grid(lids, 2)]
    width = max(band.shape[1] for band in bands)
    return np.concatenate([cv2.copyMakeBorder(b, 0, 8, 0, width - b.shape[1], cv2.BORDER_CONSTANT) for b in bands])


def spoken(viseme: str) -> Expression:
    """The face in the middle of a long viseme, otherwise still."""
    channels = shape([Segment(viseme, 0, 4800)], 2400)
    pose = express(Motion(0), 0.0, channels, 1.0, 0.0, 0.0)
    return Expression(pose.weights, float(channels[Channel.TONGUE]), gaze=REST.gaze)


def _mouth(picture: Pixels, enrolled: Enrolled) -> Pixels:
    x, y, width = enrolled.mouth[0], enrolled.mouth[1], enrolled.mouth[4]
    return _cut(picture, x - 0.8 * width, y - 0.5 * width, 1.6 * width, 1.2 * width)


def _eyes(picture: Pixels, enrolled: Enrolled) -> Pixels:
    right, left = enrolled.landmarks[33, :2], enrolled.landmarks[263, :2]
    wide = float(left[0] - right[0])
    return _cut(picture, right[0] - 0.3 * wide, (right[1] + left[1]) / 2 - 0.35 * wide, 1.6 * wide, 0.65 * wide)


def _cut(picture: Pixels, left: float, top: float, width: float, height: float) -> Pixels:
    x, y = int(np.clip(left, 0, SIDE - 8)), int(np.clip(top, 0, SIDE - 8))
    part = picture[y : y + int(height), x : x + int(width)]
    return np.asarray(cv2.resize(part, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC), np.uint8)


def _labelled(picture: Any, name: str) -> Pixels:
    for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(picture, name, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, thick, cv2.LINE_AA)
    return np.asarray(picture, np.uint8)


def _grid(cells: list[Pixels], columns: int) -> Pixels:
    blank = np.zeros_like(cells[0])
    cells = cells + [blank] * (-len(cells) % columns)
    return np.concatenate([np.concatenate(cells[at : at + columns], 1) for at in range(0, len(cells), columns)])
