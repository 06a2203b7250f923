"""An observer that had no part in making the face: dlib's landmarks and face embedding. For measuring only."""

from functools import cached_property

import cv2
import dlib
import face_recognition_models as files
import numpy as np

from bot.media import SAMPLES_PER_FRAME, Phoneme


class Observer:
    """Looks at BGR pictures."""

    @cached_property
    def _finder(self):
        return dlib.get_frontal_face_detector()

    @cached_property
    def _predictor(self):
        return dlib.shape_predictor(files.pose_predictor_model_location())

    @cached_property
    def _encoder(self):
        return dlib.face_recognition_model_v1(files.face_recognition_model_location())

    def box(self, picture):
        """The one face."""
        found = self._finder(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), 0)
        assert len(found) == 1, f"{len(found)} faces"
        return found[0]

    def points(self, picture, box):
        """68 landmarks, float[68, 2]."""
        shape = self._predictor(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), box)
        return np.array([(point.x, point.y) for point in shape.parts()], float)

    def embedding(self, picture):
        """128 numbers; two pictures of one person are less than 0.6 apart."""
        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        return np.array(self._encoder.compute_face_descriptor(rgb, self._predictor(rgb, self.box(picture))))


def aperture(points):
    """The opening between the inner lips, in mouth widths."""
    gaps = [np.hypot(*(points[low] - points[high])) for high, low in ((61, 67), (62, 66), (63, 65))]
    return float(np.mean(gaps) / np.hypot(*(points[45] - points[36]))) * 1.8


def mouth_width(points):
    """Corner to corner, over the distance of the outer eye corners."""
    return float(np.hypot(*(points[54] - points[48])) / np.hypot(*(points[45] - points[36])))


def lid_gap(points):
    """How far the eyes are open: height over width, both eyes."""
    gaps = []
    for outer, inner, tops, lows in ((36, 39, (37, 38), (41, 40)), (42, 45, (43, 44), (47, 46))):
        tall = np.mean([np.hypot(*(points[a] - points[b])) for a, b in zip(tops, lows, strict=True)])
        gaps.append(tall / np.hypot(*(points[inner] - points[outer])))
    return float(np.mean(gaps))


OPEN = {"ɑ": 1.0, "æ": 0.9, "ʌ": 0.8, "ɛ": 0.6, "o": 0.6, "i": 0.3, "u": 0.15}
"""How open a mouth is for each vowel; every consonant used here is nearly shut."""


def expected_opening(phonemes, frames):
    """What a mouth does, from the sounds alone, one value a frame (at its middle)."""
    fine = 240
    curve = np.zeros(frames * SAMPLES_PER_FRAME // fine + 1)
    for phoneme in phonemes:
        curve[phoneme.at // fine : (phoneme.at + phoneme.duration) // fine] = OPEN.get(phoneme.symbol, 0.0)
    smooth = cv2.GaussianBlur(curve[None].astype(np.float32), (0, 0), 4.0)[0]
    middles = (np.arange(frames) * SAMPLES_PER_FRAME + SAMPLES_PER_FRAME // 2) // fine
    return smooth[middles]


def lag(seen, expected):
    """By how many seconds the seen series runs behind the expected one (peak of their correlation)."""
    a, b = seen - seen.mean(), expected - expected.mean()
    shifts = np.arange(-8, 9)
    scores = []
    for shift in shifts:
        left, right = (a[shift:], b[: len(b) - shift]) if shift >= 0 else (a[:shift], b[-shift:])
        scores.append(np.corrcoef(left, right)[0, 1])
    best = int(np.argmax(scores))
    peak = float(shifts[best])
    if 0 < best < len(shifts) - 1:
        low, mid, high = scores[best - 1 : best + 2]
        peak += 0.5 * (low - high) / (low - 2 * mid + high)
    return peak * 0.04, float(scores[best])


def syllables(seed, count=24, consonants="pbmtdnsfk"):
    """A made-up utterance of consonant and vowel, as phonemes on the clock; no two lengths alike."""
    rng = np.random.default_rng(seed)
    at, phonemes = 2400, []
    for _ in range(count):
        for symbol, length in (
            (rng.choice(list(consonants)), rng.integers(1500, 2300)),
            (rng.choice(list(OPEN)), rng.integers(2200, 4600)),
        ):
            phonemes.append(Phoneme(str(symbol), at, int(length)))
            at += int(length)
    return phonemes, at + 2400
