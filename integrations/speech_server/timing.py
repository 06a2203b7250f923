"""Times in the words of the API."""

from collections.abc import Sequence

from bot.media import Phoneme, seconds
from integrations.speech_engines import Mark


def alignment(marks: Sequence[Mark]) -> dict[str, list[str] | list[float]]:
    """Characters in seconds."""
    return {
        "characters": [mark.character for mark in marks],
        "character_start_times_seconds": [_time(mark.at) for mark in marks],
        "character_end_times_seconds": [_time(mark.at + mark.duration) for mark in marks],
    }


def phonemes(sounds: Sequence[Phoneme]) -> list[dict[str, str | float]]:
    """Our own addition. Seconds, with enough digits that `round(24000 * start)` is the exact sample."""
    return [{"symbol": sound.symbol, "start": _time(sound.at), "duration": _time(sound.duration)} for sound in sounds]


def socket_alignment(marks: Sequence[Mark]) -> dict[str, list[str] | list[int]]:
    """The WebSocket's form: milliseconds from the start of the piece."""
    starts = [_milliseconds(mark.at) for mark in marks]
    ends = [_milliseconds(mark.at + mark.duration) for mark in marks]
    return {
        "chars": [mark.character for mark in marks],
        "charStartTimesMs": starts,
        "charDurationsMs": [end - start for start, end in zip(starts, ends, strict=True)],
    }


def _time(samples: int) -> float:
    return round(seconds(samples), 6)


def _milliseconds(samples: int) -> int:
    return round(1000 * seconds(samples))
