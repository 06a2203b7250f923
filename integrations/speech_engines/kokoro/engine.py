"""Kokoro as a speech engine: read, cut into clauses, pronounce, speak, trim, and say when everything sounds."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bot.errors import BadInput, NotAllowed, NotFound
from integrations.speech_engines.engine import Mark, Piece, VoiceInfo
from integrations.speech_engines.kokoro.model import KokoroModel
from integrations.speech_engines.kokoro.phonemes import Pronounced, pronounce
from integrations.speech_engines.kokoro.trim import Trimmed, trim
from integrations.speech_engines.kokoro.voices import VOICES
from integrations.speech_engines.reading import Clause, Reading, clauses, read


class KokoroEngine:
    """Speaks English with the voices that come with the model. Loads on first use, or in `warm`."""

    name = "kokoro-82m"
    title = "Kokoro 82M"
    languages: Sequence[str] = ("en",)
    clones = False

    def __init__(self, model: Path, voices: Path, *, threads: int = 2) -> None:
        """`model` is the ONNX file, `voices` the folder of `<voice>.bin`; `threads` work on one clause at once."""
        self._paths = (model, voices)
        self._threads = threads
        self._model: KokoroModel | None = None
        self._lock = threading.Lock()

    def warm(self) -> None:
        for _ in self.synthesize("Ready.", "af_heart", "en", 1.0):
            pass

    def voices(self) -> Sequence[VoiceInfo]:
        return [voice.info for voice in VOICES.values() if (self._paths[1] / f"{voice.info.id}.bin").is_file()]

    def synthesize(self, text: str, voice: str, language: str, speed: float) -> Iterator[Piece]:
        if voice not in VOICES:
            raise NotFound(f"There is no voice {voice!r}.")
        if language.split("-")[0].lower() not in self.languages:
            raise BadInput(f"Kokoro speaks English only here; {language!r} was asked for.")
        reading = read(text)
        cuts = clauses(reading.spoken, reading.solid)
        if not cuts:
            raise BadInput("There is nothing in this text that can be spoken.")
        return self._pieces(reading, cuts, voice, speed)

    def _pieces(self, reading: Reading, cuts: list[Clause], voice: str, speed: float) -> Iterator[Piece]:
        model = self._loaded()
        for index, clause in enumerate(cuts):
            words = pronounce(reading.spoken[clause.start : clause.end])
            if words.symbols:
                utterance = model.speak(words.symbols, voice, speed)
                sound = trim(utterance, words.symbols, VOICES[voice].gain, clause.pause / speed)
            else:
                sound = Trimmed.silence(clause.pause)
            yield _piece(reading, clause, words, sound, last=index == len(cuts) - 1)

    def _loaded(self) -> KokoroModel:
        with self._lock:
            if self._model is None:
                self._model = KokoroModel(*self._paths, threads=self._threads)
            return self._model

    def clone(self, name: str, recordings: Sequence[bytes]) -> VoiceInfo:
        raise NotAllowed("Kokoro cannot learn a voice from recordings; it speaks with its own voices only.")

    def forget(self, voice: str) -> None:
        if voice not in VOICES:
            raise NotFound(f"There is no voice {voice!r}.")
        raise NotAllowed(f"The voice {voice} is part of the model and cannot be removed.")


def _piece(reading: Reading, clause: Clause, words: Pronounced, sound: Trimmed, *, last: bool) -> Piece:
    """Put the text on the sound's clock: letters to symbols to samples, each step even between its knots."""
    length = len(sound.pcm) // 2
    offsets = np.arange(clause.end - clause.start + 1)
    if words.symbols:
        knots = np.array(words.knots)
        symbols = np.interp(offsets, knots[:, 0], knots[:, 1])
        times = np.interp(symbols, np.arange(len(sound.bounds)), sound.bounds)
    else:
        times = np.zeros(len(offsets))
    times[0], times[-1] = 0, length
    times = np.maximum.accumulate(np.rint(times)).astype(int)
    spoken = tuple(
        Mark(character, int(times[i]), int(times[i + 1] - times[i]))
        for i, character in enumerate(reading.spoken[clause.start : clause.end])
    )
    first, end = reading.written_span(clause.start, clause.end, last=last)
    places = reading.spoken_between(first, end) - clause.start
    edges = np.rint(np.interp(places, offsets, times)).astype(int)
    if len(edges):
        edges[0], edges[-1] = 0, length
    written = tuple(
        Mark(character, int(edges[i]), int(edges[i + 1] - edges[i]))
        for i, character in enumerate(reading.written[first:end])
    )
    return Piece(sound.pcm, sound.phonemes, written, spoken)
