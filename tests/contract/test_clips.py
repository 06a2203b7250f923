"""A recording is decoded by an independent library and measured."""

from pathlib import Path
from uuid import uuid4

import av
import cv2
import numpy as np
import pytest

from bot.errors import PartFailed
from bot.media import SAMPLE_RATE, SAMPLES_PER_FRAME, AudioChunk, VideoFrame, Word
from bot.messages import Clip, Medium
from bot.personas import Persona
from integrations.clips import ClipRecorder
from integrations.clips.recorder import ClipRecording

SECONDS = 3
PERSONA = Persona("ada", "Ada", "Countess", "", (), "v", "", "en", "This is an AI.", "nobody")


class Folder:
    """The smallest blob store: names to paths."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def put(self, key: str, path: str, media_type: str) -> None:
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(path).read_bytes())

    async def fetch(self, key: str) -> str:
        return str(self.root / key)

    async def delete(self, prefix: str) -> None:
        raise NotImplementedError


def tone(level: float) -> bytes:
    time = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    return (np.sin(2 * np.pi * 440 * time) * level * 32767).astype("<i2").tobytes()


async def record(recording: ClipRecording, level: float = 0.05) -> None:
    """Three seconds: a quiet tone, a picture that brightens, four words."""
    pcm = tone(level)
    words = tuple(Word(f"word{i}.", i * 18_000, 15_000) for i in range(4))
    await recording.write(AudioChunk(pcm, 0, (), words))
    if recording._medium is Medium.VIDEO:
        for i in range(SECONDS * 25):
            pixels = np.full((512, 512, 3), 40 + 2 * i, np.uint8)
            await recording.write(VideoFrame(pixels, i * SAMPLES_PER_FRAME))
    await recording.finish()


@pytest.fixture
async def blobs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


async def kept(blobs: Folder, medium: Medium, level: float = 0.05) -> Clip:
    recording = ClipRecorder(blobs).open(uuid4(), medium, PERSONA)
    await record(recording, level)
    clip = await recording.keep()
    await recording.discard()
    return clip


async def test_a_video_has_pictures_sound_captions_and_says_what_it_is(blobs: Folder) -> None:
    clip = await kept(blobs, Medium.VIDEO)
    with av.open(await blobs.fetch(clip.media_key)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height, video.average_rate) == ("h264", 512, 512, 25)
        assert audio.codec_context.name == "aac"
        assert [s.type for s in container.streams] == ["video", "audio", "subtitle"]
        assert abs(float(video.duration * video.time_base) - SECONDS) < 0.05
        assert "AI-generated" in container.metadata["comment"]
        assert "AI avatar" in container.metadata["title"]
    assert clip.duration == pytest.approx(SECONDS)
    assert (clip.width, clip.height) == (512, 512)


async def test_it_starts_while_it_loads(blobs: Folder) -> None:
    clip = await kept(blobs, Medium.VIDEO)
    data = Path(await blobs.fetch(clip.media_key)).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


async def test_every_picture_is_marked_from_the_first(blobs: Folder) -> None:
    clip = await kept(blobs, Medium.VIDEO)
    with av.open(await blobs.fetch(clip.media_key)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(frames) == SECONDS * 25
    for frame in (frames[0], frames[-1]):
        corner, plain = frame[480:500, 12:130], frame[200:220, 200:320]
        assert np.ptp(corner.astype(int)) > 60, "white letters on a dark pill"
        assert np.ptp(plain.astype(int)) < 12
    poster = cv2.imread(await blobs.fetch(clip.poster_key or ""))
    assert poster is not None and poster.shape == (512, 512, 3)


async def test_captions_follow_the_words(blobs: Folder) -> None:
    clip = await kept(blobs, Medium.VIDEO)
    text = Path(await blobs.fetch(clip.captions_key or "")).read_text()
    assert text.startswith("WEBVTT")
    assert "word0." in text and "word3." in text
    assert text.index("00:00:00.000 -->") < text.index("word0.")


@pytest.mark.parametrize("level", [0.01, 0.5])
async def test_quiet_and_loud_speech_come_out_at_one_level(blobs: Folder, level: float) -> None:
    clip = await kept(blobs, Medium.VOICE, level)
    assert clip.media_key.endswith("answer.m4a") and clip.poster_key is None
    with av.open(await blobs.fetch(clip.media_key)) as container:
        sound = np.concatenate([f.to_ndarray().mean(0) for f in container.decode(audio=0)])
    middle = sound[len(sound) // 4 : -len(sound) // 4]
    rms = 20 * np.log10(np.sqrt(np.mean(middle**2)))
    assert -22 < rms < -12


async def test_silence_is_not_amplified(blobs: Folder) -> None:
    clip = await kept(blobs, Medium.VOICE, 0.0)
    with av.open(await blobs.fetch(clip.media_key)) as container:
        sound = np.concatenate([f.to_ndarray().mean(0) for f in container.decode(audio=0)])
    assert np.abs(sound).max() < 0.001


async def test_clear_forgets_what_was_written(blobs: Folder) -> None:
    recording = ClipRecorder(blobs).open(uuid4(), Medium.VIDEO, PERSONA)
    await recording.write(VideoFrame(np.zeros((512, 512, 3), np.uint8), 0))
    await recording.write(AudioChunk(tone(0.1), 0, (), (Word("old", 0, 100),)))
    await recording.clear()
    await record(recording)
    clip = await recording.keep()
    await recording.discard()
    assert clip.duration == pytest.approx(SECONDS)
    assert "old" not in Path(await blobs.fetch(clip.captions_key or "")).read_text()


async def test_a_dead_encoder_is_a_failed_part(blobs: Folder) -> None:
    recording = ClipRecorder(blobs).open(uuid4(), Medium.VIDEO, PERSONA)
    frame = VideoFrame(np.zeros((512, 512, 3), np.uint8), 0)
    await recording.write(frame)
    await recording._pictures.kill()
    with pytest.raises(PartFailed) as failed:
        for _ in range(20):
            await recording.write(frame)
    assert failed.value.part == "clip"
    await recording.discard()


async def test_discard_leaves_nothing_behind(blobs: Folder) -> None:
    recording = ClipRecorder(blobs).open(uuid4(), Medium.VIDEO, PERSONA)
    folder = recording._folder
    await recording.write(VideoFrame(np.zeros((512, 512, 3), np.uint8), 0))
    await recording.discard()
    assert not folder.exists()
