"""ffmpeg, in a process of its own: frames to H.264 while they come, then one quick pass that adds the sound.

The command lines are written with ffmpeg-python; the binary is the one that imageio-ffmpeg carries, or the system's.
"""

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import Any

import ffmpeg
import imageio_ffmpeg

from bot.errors import PartFailed
from bot.media import FRAME_RATE, SAMPLE_RATE, Pixels

LOUDNESS = {"I": -16, "TP": -1.5, "LRA": 11}  # EBU R 128, at the level of podcasts
QUIETEST = -69.0
_ISO_639_2 = {
    **{"de": "deu", "en": "eng", "es": "spa", "fr": "fra", "hi": "hin"},
    **{"it": "ita", "ja": "jpn", "nl": "nld", "pt": "por", "zh": "zho"},
}


class PictureEncoder:
    """Frames into an H.264 file. `write` waits while the encoder is behind."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: asyncio.subprocess.Process | None = None

    async def write(self, pixels: Pixels) -> None:
        """Encode one frame (BGR)."""
        if self._process is None:
            self._process = await _start(self._command(*pixels.shape[:2]), feed=True)
        assert self._process.stdin
        try:
            self._process.stdin.write(pixels.tobytes())
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise PartFailed("clip", await _complaint(self._process)) from None

    def _command(self, height: int, width: int) -> Any:
        frames = ffmpeg.input("pipe:0", format="rawvideo", pix_fmt="bgr24", s=f"{width}x{height}", r=FRAME_RATE)
        return frames.output(
            str(self._path), vcodec="libx264", preset="veryfast", crf=20, pix_fmt="yuv420p", g=2 * FRAME_RATE
        )

    async def close(self) -> None:
        """Finish the file."""
        if self._process:
            assert self._process.stdin
            self._process.stdin.close()
            await _done(self._process)

    async def kill(self) -> None:
        """Give up the file."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


async def mux(
    target: Path, sound: Path, picture: Path | None, captions: Path | None, tags: dict[str, str], language: str
) -> None:
    """Put sound (s16le mono 24 kHz), pictures and captions into one MP4 that starts while it loads.

    `language` is a BCP 47 tag.
    """
    audio = _pcm(sound)
    if measured := await _loudness(sound):
        audio = audio.filter("loudnorm", **LOUDNESS, **measured, linear="true")
    streams = [audio]
    options: dict[str, Any] = {"acodec": "aac", "audio_bitrate": "96k", "ar": 48_000}
    if picture:
        streams.insert(0, ffmpeg.input(str(picture)).video)
        options["vcodec"] = "copy"
    if captions:
        streams.append(ffmpeg.input(str(captions))["s"])
        options |= {"scodec": "mov_text", "metadata:s:s:0": f"language={_ISO_639_2.get(language[:2], 'und')}"}
    options |= {f"metadata:g:{i}": f"{name}={value}" for i, (name, value) in enumerate(tags.items())}
    output = ffmpeg.output(*streams, str(target), movflags="+faststart", format="mp4", **options)
    await _done(await _start(output))


async def _loudness(sound: Path) -> dict[str, float]:
    """What loudnorm's first pass measured; empty for silence."""
    sink = _pcm(sound).filter("loudnorm", **LOUDNESS, print_format="json").output("-", format="null")
    process = await _start(sink, loglevel="info")
    told = await _done(process)
    found = re.search(r"\{[^{}]*\}", told)
    figures = json.loads(found.group()) if found else {}
    if not figures or float(figures["input_i"]) < QUIETEST:
        return {}
    return {f"measured_{name}": float(figures[f"input_{name}"]) for name in ("i", "tp", "lra", "thresh")} | {
        "offset": float(figures["target_offset"])
    }


def _pcm(path: Path) -> Any:
    return ffmpeg.input(str(path), format="s16le", ar=SAMPLE_RATE, ac=1)


async def _start(output: Any, *, feed: bool = False, loglevel: str = "error") -> asyncio.subprocess.Process:
    command = ffmpeg.compile(
        output.global_args("-hide_banner", "-nostats", "-loglevel", loglevel),
        cmd=imageio_ffmpeg.get_ffmpeg_exe(),
        overwrite_output=True,
    )
    stdin = asyncio.subprocess.PIPE if feed else asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        *command, stdin=stdin, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )


async def _done(process: asyncio.subprocess.Process) -> str:
    told = await _complaint(process)
    if process.returncode:
        raise PartFailed("clip", told or f"ffmpeg ended with {process.returncode}")
    return told


async def _complaint(process: asyncio.subprocess.Process) -> str:
    assert process.stderr
    told = (await process.stderr.read()).decode(errors="replace")
    await process.wait()
    return told.strip()
