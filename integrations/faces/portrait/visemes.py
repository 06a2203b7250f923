"""From sounds to mouth shapes: IPA to the 15 Oculus visemes to eight channels, each sound pulling on its neighbours.

Every sound has a target and a strength for each channel. A channel's value is the mean of the targets, weighted by
strength and by how near in time each sound is: an open vowel is rounded by a coming OO, lips that nobody needs
keep the shape that a neighbour needs. Closures (P B M) and lip to teeth (F V) are then enforced outright.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from bot.media import SAMPLE_RATE, Phoneme, samples

LOOK_AHEAD = samples(0.10)
"""A frame is shaped by sounds that begin up to this much later."""
_FADE = samples(0.12)
"""How long a sound still pulls after its end."""
_INSIDE = samples(0.03)
"""How far inside its own bounds a sound reaches its full pull."""
_REST = 0.06
"""How strongly the mouth wants to rest; felt only where no sound is near."""


class Channel(IntEnum):
    """What a viseme sets, each 0..1."""

    JAW = 0
    WIDE = 1
    ROUND = 2
    UPPER = 3
    LOWER = 4
    PRESS = 5
    TEETH = 6
    TONGUE = 7


@dataclass(frozen=True, slots=True)
class Viseme:
    """Targets and strengths, one for each channel, in the order of Channel."""

    target: tuple[float, ...]
    strength: tuple[float, ...]


_FREE, _SOME, _FIRM = 0.25, 0.6, 1.0


def _viseme(
    jaw: float, wide: float, rounded: float, upper: float, lower: float, press: float = 0.0, teeth: float = 0.0,
    tongue: float = 0.0, *, open_: float = _FIRM, lips: float = _FIRM,
) -> Viseme:  # fmt: skip
    """`open_` is how firmly jaw and lip heights are held, `lips` how firmly width and rounding are."""
    return Viseme(
        (jaw, wide, rounded, upper, lower, press, teeth, tongue),
        (open_, lips, lips, open_, open_, 1.0, 1.0, 0.9),
    )


VISEMES: dict[str, Viseme] = {
    "sil": _viseme(0.0, 0.0, 0.0, 0.0, 0.0, open_=0.5, lips=0.3),
    "PP": _viseme(0.02, 0.0, 0.0, 0.0, 0.0, press=0.9, open_=1.4, lips=_FREE),
    "FF": _viseme(0.05, 0.10, 0.0, 0.0, 0.0, teeth=1.0, open_=1.2, lips=_FREE),
    "TH": _viseme(0.28, 0.10, 0.0, 0.30, 0.42, tongue=1.0, open_=1.5, lips=_FREE),
    "DD": _viseme(0.16, 0.15, 0.0, 0.22, 0.28, tongue=0.7, open_=1.3, lips=_FREE),
    "kk": _viseme(0.22, 0.12, 0.0, 0.15, 0.18, tongue=0.15, open_=0.8, lips=_FREE),
    "CH": _viseme(0.12, 0.0, 0.55, 0.35, 0.45, tongue=0.2, open_=1.6, lips=1.0),
    "SS": _viseme(0.07, 0.45, 0.0, 0.35, 0.50, tongue=0.15, open_=1.8, lips=_SOME),
    "nn": _viseme(0.23, 0.15, 0.0, 0.25, 0.22, tongue=0.8, open_=1.2, lips=_FREE),
    "RR": _viseme(0.17, 0.0, 0.42, 0.12, 0.22, tongue=0.25, open_=1.2, lips=0.9),
    "aa": _viseme(0.72, 0.15, 0.0, 0.32, 0.25),
    "E": _viseme(0.42, 0.50, 0.0, 0.32, 0.32),
    "I": _viseme(0.20, 0.85, 0.0, 0.32, 0.42),
    "O": _viseme(0.50, 0.0, 0.65, 0.08, 0.12),
    "U": _viseme(0.20, 0.0, 1.0, 0.0, 0.08),
}

_SOUNDS = {
    "PP": "pbm", "FF": "fvɱ", "TH": "θð", "DD": "tdɾʔʈɖ", "kk": "kɡgŋxhɣqcɟɦʕ", "CH": "ʃʒʧʤɕʑ", "SS": "szʦʣ",
    "nn": "nlɫɲɳʎ", "RR": "ɹrɻʁɚɝɜ", "aa": "aɑæʌɐäɶ", "E": "eɛəᵊɘɞᵻ", "I": "iɪɨyjʏ", "O": "oɔɒɤø", "U": "uʊwɯʉɥ",
}  # fmt: skip
_OF: dict[str, str] = {sound: name for name, sounds in _SOUNDS.items() for sound in sounds}
_GLIDES = {"A": "eɪ", "I": "aɪ", "O": "oʊ", "W": "aʊ", "Y": "ɔɪ", "Q": "əʊ", "T": "ɾ"}
_MARKS = frozenset("ˈˌːˑʰʲʷˠˤ̩̯̃͡‿-'")
_PAUSES = frozenset(' .,;:!?—–…"“”()|')


@dataclass(frozen=True, slots=True)
class Segment:
    """One mouth shape and when it holds, on the turn's clock."""

    viseme: str
    start: int
    end: int


def segments(phonemes: Sequence[Phoneme]) -> list[Segment]:
    """Mouth shapes of the sounds; a diphthong is two. An unknown sound is a slightly open mouth."""
    found: list[Segment] = []
    for phoneme in phonemes:
        names = _names(phoneme.symbol)
        start, end = phoneme.at, phoneme.at + max(phoneme.duration, 1)
        cut = start + (end - start) * 55 // 100 if len(names) > 1 else end
        found.append(Segment(names[0], start, cut))
        if len(names) > 1:
            found.append(Segment(names[-1], cut, end))
    return found


def _names(symbol: str) -> list[str]:
    spelled = "".join(_GLIDES.get(letter, letter) for letter in symbol if letter not in _MARKS)
    letters = [letter for letter in spelled if letter not in _PAUSES]
    if not letters:
        return ["sil"]
    return [_OF.get(letter, "E") for letter in letters]


def shape(known: Sequence[Segment], at: int) -> NDArray[np.float32]:
    """The eight channels at a time, float32[8]; rests where nothing is said."""
    pull = np.full(len(Channel), _REST)
    value = np.zeros(len(Channel))
    closed = lip_to_teeth = 0.0
    for segment in known:
        near = _nearness(segment, at)
        if near <= 0:
            continue
        viseme = VISEMES[segment.viseme]
        weight = near * np.asarray(viseme.strength)
        pull += weight
        value += weight * np.asarray(viseme.target)
        if segment.viseme == "PP":
            closed = max(closed, _hold(segment, at))
        elif segment.viseme == "FF":
            lip_to_teeth = max(lip_to_teeth, _hold(segment, at))
    value /= pull
    value[Channel.PRESS] = max(value[Channel.PRESS] * 0.3, closed)
    value[Channel.TEETH] = lip_to_teeth
    parts = [Channel.JAW, Channel.UPPER, Channel.LOWER]
    value[parts] *= 1 - max(closed, 0.85 * lip_to_teeth)
    value[Channel.ROUND] *= 1 - 0.55 * max(closed, lip_to_teeth)
    value[Channel.PRESS] *= 0.9 * (1 - lip_to_teeth)
    return value.astype(np.float32)


def _nearness(segment: Segment, at: int) -> float:
    """1 well inside the sound, falling to 0 at the look-ahead before it and at the fade after it."""
    before, after = segment.start - at, at - segment.end
    outside, reach = (before, LOOK_AHEAD) if before > after else (after, _FADE)
    away = (outside + _INSIDE) / (reach + _INSIDE)
    return 0.0 if away >= 1 else 1.0 if away <= 0 else float(0.5 + 0.5 * np.cos(np.pi * away)) ** 2.2


def _hold(segment: Segment, at: int) -> float:
    """How far a closure is enforced: full during the sound (at least two frames long), with quick flanks."""
    middle, half = (segment.start + segment.end) / 2, max((segment.end - segment.start) / 2, 0.026 * SAMPLE_RATE)
    outside = abs(at - middle) - half
    return float(np.clip(1 - outside / (0.042 * SAMPLE_RATE), 0, 1))
