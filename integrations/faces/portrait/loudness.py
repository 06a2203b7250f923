"""How loud the voice is around a moment, as the mouth needs it."""

import numpy as np
from numpy.typing import NDArray

from bot.media import SAMPLES_PER_FRAME

_USUAL = 0.07
"""The level (root mean square, full scale 1) at which the mouth opens as drawn."""


class Loudness:
    """Levels per frame of a growing sound."""

    def __init__(self) -> None:
        self._left = np.zeros(0, np.float32)
        self._levels: list[float] = []

    def hear(self, pcm: bytes) -> None:
        """Take in the next samples (s16le)."""
        heard = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / 32768
        sound = np.concatenate([self._left, heard])
        whole = len(sound) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME
        frames = sound[:whole].reshape(-1, SAMPLES_PER_FRAME)
        self._levels += np.sqrt((frames**2).mean(1)).tolist()
        self._left = sound[whole:]

    def opening(self, frame: int) -> float:
        """How much wider (above 1) or narrower than usual the mouth opens at a frame."""
        near = self._around(frame, 2)
        return float(np.clip((near.max() / _USUAL) ** 0.32, 0.72, 1.3)) if near.size and near.max() > 0.004 else 0.8

    def stress(self, frame: int) -> float:
        """0..1: how far this moment stands out over the second around it."""
        wide, near = self._around(frame, 12), self._around(frame, 1)
        if wide.size < 4 or near.size == 0 or wide.max() < 0.02:
            return 0.0
        return float(np.clip((near.mean() / (wide.mean() + 1e-6) - 1.15) / 1.1, 0, 1))

    def _around(self, frame: int, reach: int) -> NDArray[np.float64]:
        # Never beyond the look-ahead, so that the result does not hang on how the sound was cut into chunks.
        return np.asarray(self._levels[max(0, frame - reach) : frame + min(reach, 2) + 1])
