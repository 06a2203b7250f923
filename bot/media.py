"""Sound and pictures inside a turn, all on one clock.

`at` is a count of samples at 24 kHz since the turn's first sample. 25 fps is 960 samples a frame, 30 fps is 800.
Nothing else keeps time.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 24_000
FRAME_RATE = 25
SAMPLES_PER_FRAME = SAMPLE_RATE // FRAME_RATE

Pixels = NDArray[np.uint8]


def seconds(samples: int) -> float:
    """A time on the clock, in seconds."""
    return samples / SAMPLE_RATE


def samples(duration: float) -> int:
    """A duration in seconds, on the clock (nearest sample)."""
    return round(duration * SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One sound of speech: an IPA symbol (stress marks stripped; "" is silence) and when it sounds."""

    symbol: str
    at: int
    duration: int


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word as it is written in the text, and when it sounds."""

    text: str
    at: int
    duration: int


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A piece of one utterance, as a Voice gives it: times count from the utterance's first sample.

    `pcm` is s16le mono at 24 kHz. `phonemes` and `words` are those that begin within the chunk.
    """

    pcm: bytes
    phonemes: tuple[Phoneme, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def length(self) -> int:
        """Samples in this chunk."""
        return len(self.pcm) // 2


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A SpeechChunk stamped on the turn's clock; phoneme and word times are on the same clock."""

    pcm: bytes
    at: int
    phonemes: tuple[Phoneme, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def end(self) -> int:
        """The first sample after this chunk."""
        return self.at + len(self.pcm) // 2


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One picture: `pixels` is uint8[h, w, 3] in BGR order, shown from `at` on."""

    pixels: Pixels
    at: int


def stamp(chunk: SpeechChunk, origin: int, at: int) -> AudioChunk:
    """Put a chunk on the turn's clock.

    `origin` is where the utterance began, `at` where this chunk begins (both on the turn's clock).
    """

    def moved(item: Any) -> Any:
        return type(item)(item.symbol if isinstance(item, Phoneme) else item.text, item.at + origin, item.duration)

    return AudioChunk(chunk.pcm, at, tuple(map(moved, chunk.phonemes)), tuple(map(moved, chunk.words)))
