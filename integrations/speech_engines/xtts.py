"""XTTS v2: speaks with a voice learned from recordings. Opt-in, behind a licence gate.

The weights are under the Coqui Public Model License, which allows no commercial use, neither of the model nor of what
it says. They are yours to bring, as are the packages (`coqui-tts`, `torch`); nothing here fetches either.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from bot.errors import BadInput, NotAllowed, NotFound, PartFailed
from bot.media import SAMPLE_RATE, samples
from integrations.speech_engines.engine import Mark, Piece, VoiceInfo
from integrations.speech_engines.letters import rough_phonemes
from integrations.speech_engines.reading import Clause, Reading, clauses, read

_REFUSAL = (
    "XTTS v2 is under the Coqui Public Model License: no commercial use, of the model or of what it says. "
    "If that is right for you, set UNDERSTUDY_COQUI_LICENCE_ACCEPTED=true; else use the kokoro engine."
)


class XttsEngine:
    """Speaks with cloned voices. `folder` holds config.json, model.pth, vocab.json; `voices` keeps what was learned.

    Times of characters and sounds are spread evenly over each clause: XTTS does not say when it says what.
    """

    name = "xtts-v2"
    title = "XTTS v2"
    languages: Sequence[str] = ("en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar", "hu")
    clones = True

    def __init__(self, folder: Path, voices: Path, *, licence_accepted: bool) -> None:
        """Raises NotAllowed unless the licence was accepted."""
        if not licence_accepted:
            raise NotAllowed(_REFUSAL)
        self._folder = folder
        self._voices = voices
        self._model: Any = None
        self._lock = threading.Lock()  # one utterance at a time: the model keeps its generation state in itself

    def warm(self) -> None:
        with self._lock:
            self._loaded()

    def voices(self) -> Sequence[VoiceInfo]:
        found = sorted(self._voices.glob("*.npz")) if self._voices.is_dir() else []
        return [VoiceInfo(path.stem, _name(path), "Learned from recordings.", category="cloned") for path in found]

    def synthesize(self, text: str, voice: str, language: str, speed: float) -> Iterator[Piece]:
        path = self._path(voice)
        if language.split("-")[0].lower() not in self.languages:
            raise BadInput(f"XTTS does not speak {language!r}.")
        reading = read(text) if language.startswith("en") else Reading(text, text, ((0, 0), (len(text), len(text))))
        cuts = clauses(reading.spoken, reading.solid)
        if not cuts:
            raise BadInput("There is nothing in this text that can be spoken.")
        return self._pieces(path, reading, cuts, language.split("-")[0].lower(), speed)

    def _pieces(self, path: Path, reading: Reading, cuts: list[Clause], language: str, speed: float) -> Iterator[Piece]:
        stored = np.load(path)
        for index, clause in enumerate(cuts):
            said = reading.spoken[clause.start : clause.end]
            first, end = reading.written_span(clause.start, clause.end, last=index == len(cuts) - 1)
            with self._lock:
                sound = self._speak(stored, said, language, speed)
            pcm = np.concatenate([np.clip(sound, -0.98, 0.98), np.zeros(samples(clause.pause), np.float32)])
            written = _even(reading.written[first:end], len(sound), len(pcm))
            spoken = _even(said, len(sound), len(pcm))
            phonemes = rough_phonemes([(mark.character, mark.at, mark.duration) for mark in spoken])
            yield Piece((pcm * 32767).astype("<i2").tobytes(), tuple(phonemes), written, spoken)

    def _speak(self, stored: Any, text: str, language: str, speed: float) -> Any:
        torch: Any = import_module("torch")
        model = self._loaded()
        latent, speaker = (torch.from_numpy(stored[key]).to(model.device) for key in ("latent", "speaker"))
        try:
            result = model.inference(text, language, latent, speaker, speed=speed, enable_text_splitting=False)
        except Exception as error:
            raise PartFailed("voice", f"XTTS failed on a clause of {len(text)} characters: {error}") from error
        return np.asarray(result["wav"], np.float32)

    def _loaded(self) -> Any:
        if self._model is None:
            try:
                torch: Any = import_module("torch")
                configs: Any = import_module("TTS.tts.configs.xtts_config")
                models: Any = import_module("TTS.tts.models.xtts")
            except ImportError as error:
                why = f"XTTS needs the packages coqui-tts and torch; {error.name} is missing"
                raise PartFailed("voice", why) from error
            if not (self._folder / "config.json").is_file():
                raise PartFailed("voice", f"there are no XTTS weights in {self._folder}")
            config = configs.XttsConfig()
            config.load_json(str(self._folder / "config.json"))
            model = models.Xtts.init_from_config(config)
            model.load_checkpoint(config, checkpoint_dir=str(self._folder), eval=True)
            self._model = model.cuda() if torch.cuda.is_available() else model
        return self._model

    def clone(self, name: str, recordings: Sequence[bytes]) -> VoiceInfo:
        import tempfile

        with self._lock, tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{index}.wav" for index in range(len(recordings))]
            for path, recording in zip(paths, recordings, strict=True):
                path.write_bytes(_wav(recording))
            model = self._loaded()
            try:
                latent, speaker = model.get_conditioning_latents(audio_path=[str(path) for path in paths])
            except Exception as error:
                raise BadInput(f"No voice could be learned from these recordings: {error}") from error
        self._voices.mkdir(parents=True, exist_ok=True)
        voice = uuid4().hex[:20]
        np.savez(self._voices / f"{voice}.npz", name=name, latent=latent.cpu().numpy(), speaker=speaker.cpu().numpy())
        return VoiceInfo(voice, name, "Learned from recordings.", category="cloned")

    def forget(self, voice: str) -> None:
        self._path(voice).unlink()

    def _path(self, voice: str) -> Path:
        path = self._voices / f"{voice}.npz"
        if not re.fullmatch(r"[0-9a-f]{20}", voice) or not path.is_file():
            raise NotFound(f"There is no voice {voice!r}.")
        return path


def _even(text: str, sounding: int, length: int) -> tuple[Mark, ...]:
    """Characters spread over the sound; the pause belongs to the last one."""
    edges = [sounding * i // max(len(text), 1) for i in range(len(text))] + [length]
    return tuple(Mark(c, edges[i], edges[i + 1] - edges[i]) for i, c in enumerate(text))


def _name(path: Path) -> str:
    with np.load(path) as stored:
        return str(stored["name"])


def _wav(recording: bytes) -> bytes:
    """Any common sound file as mono wav at 24 kHz, through ffmpeg."""
    import subprocess

    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", "pipe:0", "-t", "60", "-ac", "1"]
    done = subprocess.run(  # noqa: S603 - a fixed command; the recording goes through a pipe
        [*command, "-ar", str(SAMPLE_RATE), "-f", "wav", "pipe:1"], input=recording, capture_output=True, check=False
    )
    if done.returncode or len(done.stdout) < 1000:
        raise BadInput("A recording could not be read. Send wav, mp3, m4a or ogg.")
    return done.stdout
