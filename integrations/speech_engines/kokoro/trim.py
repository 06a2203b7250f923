"""From what the network gives to what is heard: no padding, an even level, a pause at the end, all of it timed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.media import Phoneme, samples
from integrations.speech_engines.kokoro.model import Sound, Utterance
from integrations.speech_engines.kokoro.symbols import SILENT, STRESS, ipa

_HOP = 120  # 5 ms
_QUIET = 10 ** (-50 / 20)
_BEFORE, _AFTER = samples(0.025), samples(0.045)
_FADE = samples(0.006)
_CEILING = 0.89


@dataclass(frozen=True, slots=True)
class Trimmed:
    """`bounds` are the symbols' edges on the clock of `pcm`; `phonemes` cover it from the first sample to the last."""

    pcm: bytes
    bounds: NDArray[np.int64]
    phonemes: tuple[Phoneme, ...]

    @classmethod
    def silence(cls, pause: float) -> "Trimmed":
        """A pause where there is nothing to say."""
        length = samples(pause)
        return cls(bytes(2 * length), np.zeros(1, np.int64), (Phoneme("", 0, length),))


def trim(utterance: Utterance, symbols: str, gain: float, pause: float) -> Trimmed:
    """Cut the silence around the words, bring them to the common loudness (`gain`, dB), add `pause` seconds."""
    loud = _loud(utterance.sound)
    start, end = _ends(loud, len(utterance.sound))
    sound = _levelled(utterance.sound[start:end], gain)
    silence = max(samples(pause) - _AFTER, 0)
    pcm = np.concatenate([sound, np.zeros(silence, np.float32)])
    bounds = np.clip(utterance.bounds - start, 0, end - start)
    first, last = max(_BEFORE - _HOP, 0), end - start - _AFTER
    bounds = np.clip(bounds, min(first, max(last, 0)), max(last, 0))
    spans = _sounds(symbols, bounds, loud[start // _HOP :])
    return Trimmed((pcm * 32767).astype("<i2").tobytes(), bounds, _whole(spans, len(pcm)))


def _loud(sound: Sound) -> NDArray[np.bool_]:
    """For every 5 ms, whether there is anything to hear."""
    hops = -(-len(sound) // _HOP)
    padded = np.zeros(hops * _HOP, np.float32)
    padded[: len(sound)] = sound
    level: NDArray[np.float32] = np.sqrt((padded.reshape(hops, _HOP) ** 2).mean(axis=1))
    return level > _QUIET


def _ends(loud: NDArray[np.bool_], length: int) -> tuple[int, int]:
    """First and last sample to keep: a little before the first sound, a little after the last. Whole hops."""
    heard = np.flatnonzero(loud)
    if not len(heard):
        return 0, min(length, _AFTER + _BEFORE)
    return max(int(heard[0]) * _HOP - _BEFORE, 0), min(int(heard[-1] + 1) * _HOP + _AFTER, length)


def _levelled(sound: Sound, gain: float) -> Sound:
    """The gain, peaks rounded off instead of clipped, and short fades, so that pieces join without a click."""
    levelled = sound * np.float32(10 ** (gain / 20))
    over = np.abs(levelled) > 0.7
    room = _CEILING - 0.7
    levelled[over] = np.sign(levelled[over]) * (0.7 + room * np.tanh((np.abs(levelled[over]) - 0.7) / room))
    ramp = np.linspace(0, 1, min(_FADE, len(levelled)), dtype=np.float32)
    levelled[: len(ramp)] *= ramp
    levelled[len(levelled) - len(ramp) :] *= ramp[::-1]
    return levelled


def _sounds(symbols: str, bounds: NDArray[np.int64], loud: NDArray[np.bool_]) -> list[tuple[str, int, int]]:
    """(IPA, start, end) of every sound; "" where nothing is heard.

    A stress mark belongs to the vowel after it. Between two words there is mostly no silence: then the time of the
    space belongs to the sound before it. A sound before a pause ends where it stops being heard.
    """
    spans: list[tuple[str, int, int]] = []
    stressed: int | None = None
    for index, symbol in enumerate(symbols):
        start, end = int(bounds[index]), int(bounds[index + 1])
        if symbol in STRESS:
            stressed = start if stressed is None else stressed
            continue
        start, stressed = (start if stressed is None else stressed), None
        heard = loud[start // _HOP : -(-end // _HOP)]
        if symbol not in SILENT:
            rest = index + 1 == len(symbols) or symbols[index + 1] in SILENT
            stop = _until_quiet(start, end, heard) if rest else end
            spans += [(ipa(symbol), start, stop), ("", stop, end)]
        elif spans and heard.any():
            spans.append((next((s for s, a, b in reversed(spans) if s), ""), start, end))
        else:
            spans.append(("", start, end))
    return spans


def _until_quiet(start: int, end: int, heard: NDArray[np.bool_]) -> int:
    """Where a sound before a pause stops, when at least 60 ms of its time are silent."""
    last = np.flatnonzero(heard)
    stop = start // _HOP * _HOP + (int(last[-1]) + 1) * _HOP if len(last) else start + _HOP
    return stop if start < stop and end - stop >= samples(0.06) else end


def _whole(spans: list[tuple[str, int, int]], length: int) -> tuple[Phoneme, ...]:
    """Neighbours of one kind joined, gaps filled with silence, from 0 to `length` exactly."""
    phonemes: list[Phoneme] = []
    at = 0
    for symbol, start, end in [*spans, ("", length, length)]:
        if start > at:
            _append(phonemes, "", at, start)
        _append(phonemes, symbol, max(start, at), end)
        at = max(at, end)
    return tuple(phonemes)


def _append(phonemes: list[Phoneme], symbol: str, start: int, end: int) -> None:
    if end <= start:
        return
    previous = phonemes[-1] if phonemes else None
    if previous and previous.at + previous.duration == start and previous.symbol == symbol:
        phonemes[-1] = Phoneme(symbol, previous.at, previous.duration + end - start)
    else:
        phonemes.append(Phoneme(symbol, start, end - start))
