"""When a mouth is open, by dlib's 68 landmarks: a detector that knows nothing of how the face was drawn.

Its models are for research only; they measure here and are never shipped.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import dlib
import face_recognition_models
import numpy as np
from numpy.typing import NDArray

from bot.media import SAMPLES_PER_FRAME, Phoneme

OPEN = {"a": 1.0, "ɑ": 1.0, "æ": 1.0, "ʌ": 0.7, "ɐ": 0.7, "ɔ": 0.8, "A": 0.7, "I": 0.9, "W": 0.9, "Y": 0.7, "O": 0.6}
OPEN |= {
    "ɛ": 0.7,
    "e": 0.6,
    "ɪ": 0.4,
    "i": 0.35,
    "ə": 0.4,
    "ɜ": 0.5,
    "ɚ": 0.5,
    "u": 0.25,
    "ʊ": 0.35,
    "h": 0.5,
    "o": 0.6,
}
OPEN |= {"m": 0.0, "b": 0.0, "p": 0.0, "f": 0.1, "v": 0.1, "": 0.05}
BETWEEN = 0.3
FINE = 8  # steps a frame
FARTHEST = 5  # frames


@cache
def _instruments() -> tuple[Any, Any]:
    predictor = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())
    return dlib.get_frontal_face_detector(), predictor


def apertures(frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """How far the inner lips are apart in each frame, as a share of the mouth's width."""
    detector, predictor = _instruments()
    found = []
    for frame in frames:
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        boxes = detector(grey, 0)
        assert len(boxes) == 1, "one face in every frame"
        points = predictor(grey, boxes[0]).parts()
        gap = np.mean([points[low].y - points[high].y for high, low in ((61, 67), (62, 66), (63, 65))])
        found.append(gap / (points[64].x - points[60].x))
    return np.array(found)


def expected(phonemes: Sequence[Phoneme], frames: int) -> NDArray[np.float64]:
    """How open a mouth would be that says these sounds, at FINE steps a frame, a little smoothed."""
    step = SAMPLES_PER_FRAME // FINE
    curve = np.full(frames * FINE, OPEN[""])
    for phoneme in phonemes:
        begin, end = phoneme.at // step, (phoneme.at + phoneme.duration) // step
        curve[begin:end] = OPEN.get(phoneme.symbol, BETWEEN)
    window = np.hanning(2 * FINE + 1)
    return np.convolve(curve, window / window.sum(), "same")


def offset_ms(measured: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    """How much later the lips move than the sound, in milliseconds (negative: earlier)."""
    middles = np.arange(len(measured)) * FINE + FINE // 2
    lags = range(-FARTHEST * FINE, FARTHEST * FINE + 1)
    inside = middles[FARTHEST : len(middles) - FARTHEST]
    lips = measured[FARTHEST : len(measured) - FARTHEST]
    likeness = [np.corrcoef(lips, wanted[np.clip(inside - lag, 0, len(wanted) - 1)])[0, 1] for lag in lags]
    return lags[int(np.argmax(likeness))] * 40 / FINE
