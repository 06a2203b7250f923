"""What is seen between parted lips: a warm cavity, tongue, lower teeth that ride on the jaw, upper teeth that do not.

The mouth's own frame: origin at the resting seam, u to the picture's right, v down, in pixels, carried by the head.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from bot.media import Pixels
from integrations.faces.portrait.mesh import Floats, Lips
from integrations.faces.portrait.raster import compiled

_UPPER_MM = (0.0, 8.4, 15.0, 21.2, 25.4, 28.8, 31.5)
_LOWER_MM = (0.0, 5.3, 10.9, 16.8, 21.4, 25.4, 28.5)
_MOUTH_MM = 51.0
"""A resting mouth is about this wide; tooth widths are those of an adult, foreshortened to the sides."""


@dataclass(frozen=True)
class Look:
    """Colours under this photo's light (BGR, 0..255) and how the light falls off across the mouth.

    `own` is uint8[h, w, 4], the person's own upper teeth lifted from a smile (may be 0 x 0 x 4); `own_box` float32[4]
    is where it lies in the mouth's frame, in mouth widths (left, top, right, bottom).
    """

    tooth: Floats
    flesh: Floats
    lip: Floats
    slope: float
    own: Pixels
    own_box: Floats


def look_of(portrait: Pixels, landmarks: Floats, lips: Lips, sclera: Floats) -> Look:
    """Read the light off the photo: the whites of the eyes, the cheeks and the lips."""
    right, left = _patch(portrait, landmarks[50]), _patch(portrait, landmarks[280])
    skin = (right + left) / 2
    lip = _lip_colour(portrait, lips)
    chroma = float(np.clip((lip.max() - lip.min()) / max(float(lip.max()), 1.0) / 0.22, 0, 1))
    # Enamel is about as bright as lit skin, brighter than dark skin, and takes a part of the light's warmth.
    ivory = np.array([0.84, 0.97, 1.07])
    tint = np.clip(sclera / max(float(sclera.mean()), 1.0), 0.85, 1.15)
    warmth = np.clip(skin / max(float(skin.mean()), 1.0), 0.6, 1.4)
    tone = _toned(0.6 * ivory + 0.15 * ivory * tint + 0.25 * ivory * warmth, chroma)
    glow = float(np.clip(max(0.98 * skin.max(), 1.1 * sclera.max()), 0.45 * skin.max() + 92, 236))
    tooth = glow * tone / tone.max()
    exposure = float(np.clip(skin.mean() / 150, 0.5, 1.2))
    red = 0.65 * np.array([0.78, 0.72, 1.50]) + 0.35 * lip / max(float(lip.mean()), 1.0)
    flesh = exposure * 118 * _toned(red, chroma)
    slope = float(np.clip(np.log(max(float(left.mean()), 1.0) / max(float(right.mean()), 1.0)), -0.6, 0.6))
    nothing = np.zeros((0, 0, 4), np.uint8)
    return Look(tooth.astype(np.float32), flesh.astype(np.float32), lip, slope * 0.5, nothing, np.zeros(4, np.float32))


def _toned(colour: Any, chroma: float) -> Any:
    """Less colour for a photo that has little: black-and-white portraits get grey mouths."""
    return colour.mean() + (colour - colour.mean()) * (0.05 + 0.95 * chroma)


def _patch(portrait: Pixels, at: Floats) -> Floats:
    x, y = int(at[0]), int(at[1])
    return np.asarray(np.median(portrait[y - 8 : y + 9, x - 8 : x + 9].reshape(-1, 3), axis=0), np.float32)


def _lip_colour(portrait: Pixels, lips: Lips) -> Floats:
    mask = np.zeros(portrait.shape[:2], np.uint8)
    outline = np.concatenate([lips.inner_lower[3:-3], lips.outer_lower[3:-3][::-1]])
    cv2.fillPoly(mask, [outline.astype(np.int32)], 255)
    return np.asarray(np.median(portrait[mask > 0], axis=0) if mask.any() else [110, 110, 160], np.float32)


def paint_mouth(
    out: Pixels,
    frame: Floats,
    upper: Floats,
    lower: Floats,
    width: float,
    jaw: float,
    tongue: float,
    cave: float,
    look: Look,
) -> None:
    """Paint the inside of the mouth into `out`, in place.

    `frame` float32[3, 2] is origin, u axis and v axis in the picture; `upper` and `lower` float32[25, 2] the inner lip
    contours in the picture; `width` the resting mouth's width; `jaw` the teeth's drop in pixels; `tongue` 0..1 raised;
    `cave` 0..1 how far protruded lips keep the light out.
    """
    turn = np.linalg.inv(np.stack([frame[1], frame[2]], 1)).astype(np.float32)
    top, low = (upper - frame[0]) @ turn.T, (lower - frame[0]) @ turn.T
    if float((low[:, 1] - top[:, 1]).max()) < 0.6:
        return
    start, end = float(min(top[0, 0], low[0, 0])), float(max(top[-1, 0], low[-1, 0]))
    steps = np.linspace(start, end, 160)
    ceiling = np.interp(steps, np.maximum.accumulate(top[:, 0]), top[:, 1]).astype(np.float32)
    floor = np.interp(steps, np.maximum.accumulate(low[:, 0]), low[:, 1]).astype(np.float32)
    rim = np.concatenate([upper, lower])
    left, high = np.floor(rim.min(0) - 3).astype(int)
    right, bottom = np.ceil(rim.max(0) + 3).astype(int)
    box = (max(0, left), max(0, high), min(out.shape[1] - 1, right), min(out.shape[0] - 1, bottom))
    _paint(
        out, *box, frame[0].astype(np.float32), turn, start, end, ceiling, floor, float(width), float(jaw),
        float(tongue), float(cave), look.tooth, look.flesh, look.lip, look.slope, look.own, look.own_box, _UPPER,
        _LOWER,
    )  # fmt: skip


_UPPER = np.array(_UPPER_MM, np.float32) / np.float32(_MOUTH_MM)
_LOWER = np.array(_LOWER_MM, np.float32) / np.float32(_MOUTH_MM)


@compiled
def _ramp(value: float) -> float:
    clipped = min(max(value, 0.0), 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)


@compiled
def _tooth(u: float, bounds: Any) -> tuple[float, float, int]:
    """Where in its tooth a point lies: -1..1 from side to side, the tooth's width, and which tooth from the middle."""
    away = abs(u)
    for k in range(bounds.shape[0] - 1):
        if away < bounds[k + 1]:
            wide = bounds[k + 1] - bounds[k]
            return (away - bounds[k]) / wide * 2.0 - 1.0, wide, k
    return 1.0, 0.05, bounds.shape[0] - 1


@compiled
def _paint(
    out: Any, left: int, high: int, right: int, bottom: int, origin: Any, turn: Any, start: float, end: float,
    ceiling: Any, floor: Any, width: float, jaw: float, tongue: float, cave: float, tooth: Any, flesh: Any, lip: Any,
    slope: float, own: Any, own_box: Any, upper_teeth: Any, lower_teeth: Any,
) -> None:  # fmt: skip
    colour = np.empty(3, np.float32)
    span = end - start
    step = max(span / (ceiling.shape[0] - 1), np.float32(1e-3))
    dark = np.empty(3, np.float32)
    for c in range(3):
        dark[c] = lip[c] * (0.66, 0.62, 1.0)[c]
    middle = ceiling.shape[0] // 2
    gap = floor[middle] - ceiling[middle]
    for y in range(high, bottom + 1):
        for x in range(left, right + 1):
            dx, dy = x - origin[0], y - origin[1]
            u, v = turn[0, 0] * dx + turn[0, 1] * dy, turn[1, 0] * dx + turn[1, 1] * dy
            place = (u - start) / span * (ceiling.shape[0] - 1)
            if place < 0.0 or place >= ceiling.shape[0] - 1:
                continue
            k = int(place)
            part = place - k
            top = ceiling[k] * (1 - part) + ceiling[k + 1] * part
            low = floor[k] * (1 - part) + floor[k + 1] * part
            if v <= top - 0.5 or v >= low + 0.5:
                continue
            below, above = v - top, low - v
            tall = low - top
            # Distances are measured square to the edge, so that steep edges near the corners are as soft as level ones.
            rise, fall = (ceiling[k + 1] - ceiling[k]) / step, (floor[k + 1] - floor[k]) / step
            over, under = below / np.sqrt(1.0 + rise * rise), above / np.sqrt(1.0 + fall * fall)
            cover = min(_ramp((over + 0.5) / 1.6), _ramp((under + 0.5) / 1.8)) * _ramp(tall / 2.2)
            un, vn = u / width, v / width
            side = min(abs(un) / 0.5, 1.0)
            light = np.exp(slope * un) * (1.0 - 0.25 * side * side) * (1.0 - 0.38 * cave)
            # The cavity: flesh that darkens towards the throat, warm at its walls.
            depth = _ramp(below / (0.10 * width)) * _ramp(above / (0.16 * width)) * (1.0 - 0.6 * side * side)
            warm = 0.50 - 0.28 * depth
            for c in range(3):
                colour[c] = flesh[c] * warm * light * (0.80, 0.74, 1.16)[c]
            # The tongue lies in the lower jaw; raised it fills the mouth up to the teeth.
            rest = jaw * 0.50 / width - 0.005
            crest = rest * (1.0 - tongue) + 0.024 * tongue
            crest += (0.55 - 0.15 * tongue) * un * un + 0.010 * np.exp(-((un / 0.02) ** 2)) * (1.0 - tongue)
            body = _ramp((vn - crest) * width / 2.4) * _ramp((0.36 - abs(un)) * 12.0)
            inward = min(max((vn - crest) / 0.16, 0.0), 1.0)
            glow = 0.50 + 0.52 * np.exp(-(((inward - 0.5) / 0.38) ** 2))
            glow *= 0.72 + 0.28 * max(tongue, _ramp(gap / (0.28 * width)))
            glow += (0.98 - glow) * 0.85 * tongue
            for c in range(3):
                colour[c] = colour[c] * (1 - body) + flesh[c] * glow * light * body
            # Lower teeth.
            s, wide, which = _tooth(un, lower_teeth)
            edge = jaw * 0.94 / width - 0.012 + 0.16 * un * un + 0.010 * s * s * s * s
            solid = _ramp((vn - edge) * width / 1.5 + 0.5) * _ramp((0.40 - abs(un)) * 9.0)
            if tongue > 0.6:
                solid *= 1.0 - 0.85 * _ramp((0.17 - abs(un)) * 14.0) * (tongue - 0.6) / 0.4
            groove = (1.0 - abs(s)) * wide * width * 0.5
            shade = 0.74 * (1.0 - 0.75 * side * side) - 0.15 * np.exp(-((groove / 0.9) ** 2))
            shade *= 1.0 - 0.35 * _ramp((vn - edge - 0.05) / 0.10)
            shade *= 0.62 + 0.38 * _ramp(below / (0.09 * width))
            for c in range(3):
                colour[c] = colour[c] * (1 - solid) + tooth[c] * shade * light * solid
            # Upper teeth: lowest in the middle, each with a rounded edge, shaded by the lip and towards the cheeks.
            s, wide, which = _tooth(un, upper_teeth)
            short = 0.010 if which == 1 else (0.004 if which == 2 else 0.0)
            edge = 0.034 - 0.20 * un * un - short - 0.014 * s * s * s * s
            solid = _ramp((edge - vn) * width / 1.6 + 0.5) * _ramp((0.44 - abs(un)) * 9.0)
            groove = (1.0 - abs(s)) * wide * width * 0.5
            shade = (1.0 - 0.72 * side * side) * (1.0 - 0.05 * s * s) - 0.13 * np.exp(-((groove / 0.9) ** 2))
            shade *= 0.93 + 0.07 * _ramp((edge - vn) / 0.05)
            dim = 0.82 + 0.18 * _ramp(below / (0.055 * width))
            if own.shape[0] > 1:
                px = (un - own_box[0]) / (own_box[2] - own_box[0]) * (own.shape[1] - 1)
                py = (vn - own_box[1]) / (own_box[3] - own_box[1]) * (own.shape[0] - 1)
                if 0 <= px < own.shape[1] - 1 and 0 <= py < own.shape[0] - 1:
                    ix, iy = int(px), int(py)
                    fx, fy = px - ix, py - iy
                    w00, w01, w10, w11 = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
                    real = (
                        own[iy, ix, 3] * w00 + own[iy, ix + 1, 3] * w01 + own[iy + 1, ix, 3] * w10
                        + own[iy + 1, ix + 1, 3] * w11
                    ) / 255.0  # fmt: skip
                    for c in range(3):
                        value = (
                            own[iy, ix, c] * w00 + own[iy, ix + 1, c] * w01 + own[iy + 1, ix, c] * w10
                            + own[iy + 1, ix + 1, c] * w11
                        )  # fmt: skip
                        colour[c] = colour[c] * (1 - real) + value * dim * real
                    # Painted teeth carry on where the lifted ones fade out to the sides.
                    solid *= 1.0 - min(1.0, min(px, own.shape[1] - 1 - px) / (0.07 * own.shape[1]))
            for c in range(3):
                colour[c] = colour[c] * (1 - solid) + tooth[c] * shade * dim * light * solid
            # Where lips roll inward they are wet and in their own shadow.
            roll = 0.85 * np.exp(-above / (0.020 * width)) * _ramp(1.4 - side)
            shadow = 0.44 * np.exp(-below / (0.022 * width))
            corner = _ramp((side - 0.55) / 0.4) * 0.75
            for c in range(3):
                value = colour[c] * (1 - shadow) + dark[c] * 0.36 * shadow
                value = value * (1 - roll) + dark[c] * 0.72 * roll
                value = value * (1 - corner) + dark[c] * 0.54 * corner
                out[y, x, c] = np.uint8(min(max(out[y, x, c] * (1 - cover) + value * cover + 0.5, 0.0), 255.0))
