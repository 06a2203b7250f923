"""The neural network: phoneme symbols in; sound, and how long each symbol lasts, out."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import NotFound, PartFailed
from integrations.speech_engines.kokoro.symbols import LONGEST, NUMBERS

Sound = NDArray[np.float32]

SAMPLES_PER_FRAME = 600
"""The model counts durations in frames of 25 ms."""

LEAD = 1350
"""Sound comes this many samples (56 ms) before the model's durations say it does.

Measured: energy against vowels and stops, and hiss above 4 kHz against s and sh, over five voices and two speeds,
agree on 50 to 65 ms, the same at the beginning and at the end of a sentence.
"""

_DURATIONS = b"/encoder/Clip_output_0"


@dataclass(frozen=True, slots=True)
class Utterance:
    """`sound` is mono at 24 kHz, -1..1. Symbol i sounds from sample `bounds[i]` up to `bounds[i + 1]`."""

    sound: Sound
    bounds: NDArray[np.int64]


class KokoroModel:
    """The ONNX file and its voices. Loading takes a second; `speak` may be called from several threads."""

    def __init__(self, model: Path, voices: Path, threads: int) -> None:
        self._voices = voices
        self._styles: dict[str, Sound] = {}
        self._lock = threading.Lock()
        self._session = _open(model, threads)

    def speak(self, symbols: str, voice: str, speed: float) -> Utterance:
        """Every symbol must be one of NUMBERS, at most LONGEST of them. Raises PartFailed("voice")."""
        style = self._style(voice)[min(len(symbols), LONGEST) - 1][None]
        tokens = np.array([[0, *(NUMBERS[symbol] for symbol in symbols), 0]], dtype=np.int64)
        feed = {"tokens": tokens, "style": style, "speed": np.array([speed], np.float32)}
        try:
            sound, frames = self._session.run(["audio", _DURATIONS.decode()], feed)
        except Exception as error:
            raise PartFailed("voice", f"the speech model failed on {len(symbols)} symbols: {error}") from error
        ends = np.cumsum(frames.ravel().astype(np.int64)) * SAMPLES_PER_FRAME
        return Utterance(sound.astype(np.float32), np.clip(ends[:-1] - LEAD, 0, len(sound)))

    def _style(self, voice: str) -> Sound:
        with self._lock:
            if voice not in self._styles:
                path = self._voices / f"{voice}.bin"
                if not path.is_file():
                    raise NotFound(f"There is no file for the voice {voice}. Run `understudy models fetch`.")
                self._styles[voice] = np.fromfile(path, np.float32).reshape(LONGEST, 256)
            return self._styles[voice]


def _open(model: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait for work by spinning would take the processor from the renderer and the chat model.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        model.read_bytes() + _duration_output(), options, providers=["CPUExecutionProvider"]
    )


def _duration_output() -> bytes:
    """What makes the model give its durations too, to be appended to the ONNX file.

    An ONNX file is one protobuf message, and a message that is followed by another of its type is merged with it:
    this one says `graph { output { name: "/encoder/Clip_output_0" type { tensor_type { elem_type: FLOAT } } } }`.
    """
    output = _field(1, _DURATIONS) + _field(2, _field(1, b"\x08\x01"))
    return _field(7, _field(12, output))


def _field(number: int, body: bytes) -> bytes:
    return bytes([number << 3 | 2, len(body)]) + body  # both fit one byte here
