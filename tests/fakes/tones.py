"""A speech engine that hums: half a second for every sentence, without any model."""

import re
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np

from bot.errors import NotFound
from bot.media import Phoneme
from integrations.speech_engines import Mark, Piece, VoiceInfo

LENGTH = 12_000


class ToneEngine:
    """Implements Engine. `made` counts pieces; `pace` is how long one takes; it clones, and keeps what it was given."""

    name = "tones"
    title = "Tones"
    languages: Sequence[str] = ("en", "de")
    clones = True

    def __init__(self, pace: float = 0.0) -> None:
        self.pace = pace
        self.made: list[str] = []
        self.recordings: dict[str, Sequence[bytes]] = {}
        self.loaded = threading.Event()
        self.loaded.set()

    def warm(self) -> None:
        self.loaded.wait(10)

    def voices(self) -> Sequence[VoiceInfo]:
        learned = [VoiceInfo(name, name, "Learned.", category="cloned") for name in self.recordings]
        return [VoiceInfo("hum", "Hum", "One tone."), *learned]

    def synthesize(self, text: str, voice: str, language: str, speed: float) -> Iterator[Piece]:
        return self._pieces(re.findall(r"[^.]+\.?\s*", text))

    def _pieces(self, sentences: list[str]) -> Iterator[Piece]:
        for sentence in sentences:
            time.sleep(self.pace)
            self.made.append(sentence)
            wave = np.sin(np.arange(LENGTH) * 2 * np.pi * 440 / 24_000) * 8000
            edges = [LENGTH * i // len(sentence) for i in range(len(sentence) + 1)]
            marks = tuple(Mark(c, a, b - a) for c, a, b in zip(sentence, edges, edges[1:], strict=False))
            phonemes = (Phoneme("a", 0, 9000), Phoneme("", 9000, 3000))
            yield Piece(wave.astype("<i2").tobytes(), phonemes, marks, marks)

    def clone(self, name: str, recordings: Sequence[bytes]) -> VoiceInfo:
        self.recordings[name] = recordings
        return VoiceInfo(name, name, "Learned.", category="cloned")

    def forget(self, voice: str) -> None:
        if voice not in self.recordings:
            raise NotFound("There is no such voice.")
        del self.recordings[voice]
