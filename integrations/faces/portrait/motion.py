"""What a living face does besides speaking: blinks, glances, sways, breathes, nods with the voice.

Everything is a function of time and a seed, made of hashed noise at uneven intervals, so nothing repeats on a cycle
and any moment can be asked for without the ones before it. Time is in seconds since the face was made.
"""

from dataclasses import dataclass

import numpy as np

_BLINK = 0.26


@dataclass(frozen=True)
class Manner:
    """The involuntary part of an expression; units as in render.Expression."""

    blink: float
    gaze: tuple[float, float]
    turn: tuple[float, float, float]
    shift: tuple[float, float]
    breath: float
    brow: float
    smile: float


class Motion:
    """One face's manner."""

    def __init__(self, seed: int) -> None:
        self._seed = seed & 0xFFFFFFFF

    def at(self, time: float, *, talking: float = 0.0, stress: float = 0.0, thinking: float = 0.0) -> Manner:
        """The manner at a time. `talking` 0..1 livens it, `stress` 0..1 nods, `thinking` 0..1 looks away."""
        lively = 0.75 + 0.45 * talking
        yaw = lively * (1.1 * self._sway(1, time, 2.9) + 0.5 * self._sway(2, time, 1.1) * talking)
        pitch = lively * (0.7 * self._sway(3, time, 2.3) + 0.4 * self._sway(4, time, 0.9) * talking) + 1.5 * stress
        roll = lively * 0.8 * self._sway(5, time, 3.7)
        glance = self._glance(time, thinking)
        shift = (0.8 * self._sway(8, time, 4.1) * lively, 0.5 * self._sway(9, time, 3.3) * lively)
        breath = 0.5 - 0.5 * np.cos(self._breath_phase(time))
        brow = max(0.0, 0.35 * self._sway(10, time, 2.7)) * talking + 0.5 * stress
        smile = 0.06 + 0.06 * self._sway(11, time, 5.3) + 0.02 * (1 - talking)
        return Manner(
            self.blink(time), glance, (float(yaw), float(pitch), float(roll)), shift, float(breath), float(brow),
            max(0.0, float(smile)),
        )  # fmt: skip

    def blink(self, time: float) -> float:
        """How far the lids are closed, 0..1. One blink every two to six seconds, now and then a double one."""
        closed = 0.0
        for number in range(max(0, int(time / 3.7) - 1), int(time / 3.7) + 2):
            start = 3.7 * number + 0.6 + 2.4 * self._hash(20, number)
            closed = max(closed, _lid(time - start))
            if self._hash(21, number) > 0.85:
                closed = max(closed, _lid(time - start - 0.38))
        return closed

    def _glance(self, time: float, thinking: float) -> tuple[float, float]:
        """Mostly at the viewer with tiny jumps; sometimes away for a moment, more often when thinking."""
        number, inside = self._slot(30, time, 1.1)
        to = self._target(number, thinking)
        since = self._target(number - 1, thinking)
        part = min(inside / 0.05, 1.0)
        part = part * part * (3 - 2 * part)
        return (since[0] + (to[0] - since[0]) * part, since[1] + (to[1] - since[1]) * part)

    def _target(self, number: int, thinking: float) -> tuple[float, float]:
        away = self._hash(31, number) > 0.93 - 0.6 * thinking
        reach = 1.9 if away else 0.35
        return (reach * (2 * self._hash(32, number) - 1), 0.55 * reach * (2 * self._hash(33, number) - 1.3 * away))

    def _breath_phase(self, time: float) -> float:
        return 2 * np.pi * (time / 3.9 + 0.35 * self._sway(40, time, 9.7))

    def _slot(self, stream: int, time: float, step: float) -> tuple[int, float]:
        """Which uneven interval a time lies in, and how far into it."""
        number = int(np.floor(time / step))
        begin = step * (number + 0.8 * self._hash(stream, number))
        if time < begin:
            number -= 1
            begin = step * (number + 0.8 * self._hash(stream, number))
        return number, time - begin

    def _sway(self, stream: int, time: float, step: float) -> float:
        """Smooth noise, about -1..1: two uneven octaves of hashed values joined by smooth curves."""
        return 0.72 * self._noise(stream, time / step) + 0.28 * self._noise(stream + 500, time / step * 2.37 + 0.5)

    def _noise(self, stream: int, x: float) -> float:
        number = int(np.floor(x))
        part = x - number
        values = [2 * self._hash(stream, number + step) - 1 for step in (-1, 0, 1, 2)]
        a, b, c, d = values
        return float(b + 0.5 * part * (c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a))))

    def _hash(self, stream: int, number: int) -> float:
        """A number in 0..1 that depends on the seed, the stream and the position only."""
        value = (self._seed * 0x9E3779B1 + stream * 0x85EBCA6B + number * 0xC2B2AE35) & 0xFFFFFFFF
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            value = ((value ^ (value >> shift)) * factor) & 0xFFFFFFFF
        return (value ^ (value >> 16)) / 0xFFFFFFFF


def _lid(since: float) -> float:
    """One blink: shuts in 80 ms, rests, opens in 140 ms."""
    if not 0 < since < _BLINK:
        return 0.0
    part = since / 0.08 if since < 0.08 else 1.0 if since < 0.12 else (_BLINK - since) / 0.14
    part = min(part, 1.0)
    return part * part * (3 - 2 * part)
