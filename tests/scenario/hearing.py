"""What somebody hears and sees in a recording, by instruments that did not make it."""

import io
import re
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray


def sound(media: bytes, rate: int) -> NDArray[np.float32]:
    """The sound track, mono, at `rate`."""
    with av.open(io.BytesIO(media)) as container:
        resampler = av.AudioResampler("flt", "mono", rate)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def pictures(media: bytes) -> list[NDArray[np.uint8]]:
    """Every picture, BGR."""
    with av.open(io.BytesIO(media)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


@cache
def _whisper(folder: Path) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)


def heard(media: bytes, whisper: Path) -> str:
    """The words of the sound track, as Whisper understands them."""
    segments, _ = _whisper(whisper).transcribe(sound(media, 16_000), language="en", beam_size=5)
    return " ".join(segment.text.strip() for segment in segments)


def likeness(said: str, heard_: str) -> float:
    """The share of the words of three letters and more that were said and also heard."""
    wanted = _words(said)
    there = _words(heard_)
    return len(wanted & there) / max(1, len(wanted))


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower().replace("’", "").replace("'", "")) if len(word) >= 3}
