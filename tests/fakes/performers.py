"""A voice, a face and a sink that are plain enough to reason about; time costs nothing unless a test says so."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from bot.errors import PartFailed
from bot.media import SAMPLES_PER_FRAME, AudioChunk, Phoneme, SpeechChunk, VideoFrame, Word
from bot.messages import Clip, Medium
from bot.personas import Persona
from bot.ports import Face

PERSONA = Persona("ada", "Ada", "Countess", "", (), "v", "", "en", "This is an AI.", "the archive")


class PlainVoice:
    """Ten samples a character, in two chunks; `fails_at` names a word it stumbles over."""

    def __init__(self, *, fails_at: str = "", pause: float = 0.0) -> None:
        self.fails_at = fails_at
        self.pause = pause
        self.spoken: list[str] = []

    async def speak(self, text: str, voice: str, language: str) -> AsyncIterator[SpeechChunk]:
        if self.fails_at and self.fails_at in text:
            raise PartFailed("voice", "stumbled")
        self.spoken.append(text)
        half = len(text) * 5
        for i in range(2):
            await asyncio.sleep(self.pause)
            at = i * half
            yield SpeechChunk(bytes(2 * half), (Phoneme("a", at, half),), (Word(text, at, half),) if i == 0 else ())


class PlainFace:
    """A black frame for every 960 samples of speech."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    async def animate(self, speech: AsyncIterator[AudioChunk]) -> AsyncIterator[AudioChunk | VideoFrame]:
        at = 0
        async for chunk in speech:
            if self.fails:
                raise PartFailed("face", "mask slipped")
            yield chunk
            while at < chunk.end:
                yield VideoFrame(np.zeros((2, 2, 3), np.uint8), at)
                at += SAMPLES_PER_FRAME

    async def idle(self) -> AsyncIterator[VideoFrame]:
        while True:
            yield VideoFrame(np.zeros((2, 2, 3), np.uint8), 0)


class PlainFaces:
    def __init__(self, face: Face | None) -> None:
        self.face = face

    async def of(self, persona: Persona, seed: int) -> Face:
        if self.face is None:
            raise PartFailed("face", "nobody is enrolled")
        return self.face


class PlainRecorder:
    """Recordings that live in memory. `fails` makes every recording of that medium fail at the end."""

    def __init__(self, *, fails: Medium | None = None) -> None:
        self.fails = fails
        self.opened: list[PlainRecording] = []

    def open(self, answer_id, medium: Medium, persona: Persona) -> "PlainRecording":  # type: ignore[no-untyped-def]
        self.opened.append(PlainRecording(answer_id, medium, fails=medium is self.fails))
        return self.opened[-1]


class PlainRecording:
    def __init__(self, answer_id=None, medium: Medium = Medium.VIDEO, *, fails: bool = False) -> None:  # type: ignore[no-untyped-def]
        self.answer_id = answer_id
        self.medium = medium
        self.fails = fails
        self.items: list[AudioChunk | VideoFrame] = []
        self.finished = self.kept = self.discarded = False

    @property
    def words(self) -> str:
        return " ".join(w.text for item in self.items if isinstance(item, AudioChunk) for w in item.words)

    async def write(self, item: AudioChunk | VideoFrame) -> None:
        self.items.append(item)

    async def clear(self) -> None:
        self.items.clear()

    async def finish(self) -> None:
        if self.fails:
            raise PartFailed("clip", "the encoder died")
        self.finished = True

    async def keep(self) -> Clip:
        assert self.finished
        self.kept = True
        return Clip(self.answer_id, self.medium, f"turns/{self.answer_id}/a", "video/mp4", 1.0)

    async def discard(self) -> None:
        self.discarded = True
