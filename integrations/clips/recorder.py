"""A sink that becomes a file: sound and pictures are written as they come, and encoded while the rest is still made."""

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import cv2

from bot.errors import PartFailed
from bot.media import FRAME_RATE, AudioChunk, Pixels, VideoFrame, Word, seconds
from bot.messages import Clip, Medium
from bot.personas import Persona
from bot.ports import BlobStore
from integrations.clips.captions import cues, webvtt
from integrations.clips.encoder import PictureEncoder, mux
from integrations.clips.label import burn

POSTER_QUALITY = 88
TYPES = {Medium.VOICE: ("answer.m4a", "audio/mp4"), Medium.VIDEO: ("answer.mp4", "video/mp4")}


class ClipRecorder:
    """Opens recordings and keeps them in a blob store."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def open(self, answer_id: UUID, medium: Medium, persona: Persona) -> "ClipRecording":
        """A recording in a folder of its own."""
        return ClipRecording(self._blobs, answer_id, medium, persona)


class ClipRecording:
    """H.264 and AAC in an MP4 with captions and a poster for VIDEO, AAC in an M4A for VOICE."""

    def __init__(self, blobs: BlobStore, answer_id: UUID, medium: Medium, persona: Persona) -> None:
        self._blobs = blobs
        self._answer_id = answer_id
        self._medium = medium
        self._persona = persona
        self._file, self._type = TYPES[medium]
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="understudy-clip-"))
            self._begin()
        except OSError as error:
            raise PartFailed("clip", f"there is no room to record: {error.strerror}") from error

    def _begin(self) -> None:
        self._sound: BinaryIO = (self._folder / "sound.pcm").open("wb")
        self._pictures = PictureEncoder(self._folder / "picture.mp4")
        self._words: list[Word] = []
        self._poster: Pixels | None = None
        self._frames = self._samples = 0

    async def write(self, item: AudioChunk | VideoFrame) -> None:
        """Sound goes to disk, pictures to the encoder."""
        if isinstance(item, VideoFrame):
            marked = burn(item.pixels)
            if self._poster is None:
                self._poster = marked
            self._frames += 1
            await self._pictures.write(marked)
            return
        try:
            self._sound.write(item.pcm)
        except OSError as error:
            raise PartFailed("clip", f"the sound could not be written: {error.strerror}") from error
        self._words.extend(item.words)
        self._samples = item.end

    async def clear(self) -> None:
        """Begin anew: nobody has seen it yet."""
        await self._pictures.kill()
        self._sound.close()
        self._begin()

    async def finish(self) -> None:
        """Close the pictures, level the sound, and join them."""
        every = cues(self._words)
        captions = self._folder / "answer.vtt"
        try:
            self._sound.close()
            await asyncio.to_thread(captions.write_text, webvtt(every), "utf-8")
        except OSError as error:  # a full disk may show only here
            raise PartFailed("clip", f"the sound could not be written: {error.strerror}") from error
        await self._pictures.close()
        await mux(
            self._folder / self._file,
            self._folder / "sound.pcm",
            self._folder / "picture.mp4" if self._frames else None,
            captions if self._frames and every else None,
            self._tags(),
            self._persona.language,
        )
        if self._poster is not None:
            await asyncio.to_thread(self._write_poster, self._poster)

    def _write_poster(self, picture: Pixels) -> None:
        quality = [cv2.IMWRITE_JPEG_QUALITY, POSTER_QUALITY]
        if not cv2.imwrite(str(self._folder / "poster.jpg"), picture, quality):
            raise PartFailed("clip", "the poster could not be written")

    def _tags(self) -> dict[str, str]:
        who = self._persona.name
        return {
            "title": f"{who}, an AI avatar",
            "artist": f"AI avatar of {who}",
            "comment": f"AI-generated. {self._persona.disclosure}",
        }

    async def keep(self) -> Clip:
        """Store the files and describe them."""
        video = self._medium is Medium.VIDEO
        media = await self._put(self._file, self._type)
        captions = await self._put("answer.vtt", "text/vtt")
        poster = await self._put("poster.jpg", "image/jpeg") if video else None
        height, width = self._poster.shape[:2] if self._poster is not None else (0, 0)
        duration = max(seconds(self._samples), self._frames / FRAME_RATE)
        return Clip(self._answer_id, self._medium, media, self._type, duration, captions, poster, width, height)

    async def _put(self, name: str, media_type: str) -> str:
        key = f"turns/{self._answer_id}/{name}"
        await self._blobs.put(key, str(self._folder / name), media_type)
        return key

    async def discard(self) -> None:
        """Stop the encoder and remove the scratch folder; what was kept stays kept."""
        await self._pictures.kill()
        with contextlib.suppress(OSError):
            self._sound.close()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
