"""Lips and sound agree in the finished file, measured by instruments that did not make it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from scipy.signal import correlate

from bot.media import SAMPLE_RATE, AudioChunk, Phoneme, VideoFrame
from bot.messages import Medium
from bot.perform import Cast, perform
from bot.personas import Persona
from bot.script import Script
from integrations.blobs import FolderBlobs
from integrations.clips import ClipRecorder
from integrations.elevenlabs import ElevenLabsVoice
from integrations.faces.portrait import PortraitFace, enrol
from tests.scenario.conftest import Running
from tests.scenario.hearing import pictures, sound
from tests.scenario.lips import apertures, expected, offset_ms

pytestmark = [pytest.mark.models, pytest.mark.timeout(300)]

TEXT = "People remember my papa by far the best. A bottle of apple pop. Mama baked bread above the barn all summer."


class Noting:
    """A recording that also keeps the sound and the phonemes that went into it."""

    def __init__(self, recording: Any) -> None:
        self.recording = recording
        self.pcm = b""
        self.phonemes: list[Phoneme] = []

    async def write(self, item: AudioChunk | VideoFrame) -> None:
        if isinstance(item, AudioChunk):
            self.pcm += item.pcm
            self.phonemes += item.phonemes
        await self.recording.write(item)

    async def clear(self) -> None:
        await self.recording.clear()

    async def finish(self) -> None:
        await self.recording.finish()


@pytest.fixture(scope="module")
async def take(understudy: Running, model_store: Any, tmp_path_factory: Any) -> AsyncIterator[tuple[Noting, bytes]]:
    blobs = FolderBlobs(tmp_path_factory.mktemp("blobs"))
    face = PortraitFace(enrol(model_store.path("grace-hopper-portrait"), None, model_store))
    voice = ElevenLabsVoice(f"http://127.0.0.1:{understudy.env['UNDERSTUDY_SPEECH_PORT']}", "")
    persona = Persona("g", "Grace", "", "", (), "af_kore", "", "en", "AI", "")
    recording = ClipRecorder(blobs).open(uuid4(), Medium.VIDEO, persona)
    noting = Noting(recording)
    await perform(aiter(Script.of(TEXT)), Cast(persona, voice, face), noting)
    clip = await recording.keep()
    yield noting, Path(await blobs.fetch(clip.media_key)).read_bytes()
    await recording.discard()
    await voice.close()


async def test_lips_move_with_the_sounds_they_make(take: tuple[Noting, bytes]) -> None:
    noting, media = take
    lips = apertures(pictures(media))
    wanted = expected(noting.phonemes, len(lips))
    assert abs(offset_ms(lips, wanted)) <= 40


async def test_the_measure_sees_a_shifted_sound(take: tuple[Noting, bytes]) -> None:
    noting, media = take
    lips = apertures(pictures(media))
    late = [Phoneme(p.symbol, p.at + SAMPLE_RATE * 120 // 1000, p.duration) for p in noting.phonemes]
    shift = offset_ms(lips, expected(noting.phonemes, len(lips))) - offset_ms(lips, expected(late, len(lips)))
    assert 80 <= shift <= 160


async def test_the_sound_in_the_file_is_where_it_was_when_it_was_spoken(take: tuple[Noting, bytes]) -> None:
    noting, media = take
    spoken = np.frombuffer(noting.pcm, "<i2").astype(float)
    heard = sound(media, SAMPLE_RATE).astype(float)
    both = min(len(spoken), len(heard))
    lag = int(np.argmax(correlate(heard[:both], spoken[:both], "full", "fft"))) - (both - 1)
    assert abs(lag) / SAMPLE_RATE <= 0.02
