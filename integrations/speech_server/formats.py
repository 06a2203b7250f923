"""Every `output_format` of the API, made from the engine's s16le mono 24 kHz."""

import asyncio
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from bot.errors import PartFailed
from bot.media import SAMPLE_RATE

_RATES = (8000, 16000, 22050, 24000, 32000, 44100, 48000)
_BITRATES = (32, 64, 96, 128, 192)
_UNKNOWN_LENGTH = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Format:
    """One output format: its media type, and ffmpeg's arguments to make it (none: the engine's own sound)."""

    name: str
    media_type: str
    rate: int
    arguments: tuple[str, ...]

    def head(self, length: int | None) -> bytes:
        """What stands before the sound: for wav its header, with `length` bytes of sound or of unknown length."""
        if not self.name.startswith("wav_"):
            return b""
        size = _UNKNOWN_LENGTH if length is None else length
        riff = _UNKNOWN_LENGTH if length is None else length + 36
        shape = struct.pack("<IHHIIHH", 16, 1, 1, self.rate, self.rate * 2, 2, 16)
        return b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + shape + b"data" + struct.pack("<I", size)


def _raw(rate: int) -> tuple[str, ...]:
    return () if rate == SAMPLE_RATE else ("-f", "s16le", "-ar", str(rate))


def _mp3(rate: int, bitrate: int) -> Format:
    arguments = (
        "-c:a",
        "libmp3lame",
        "-ar",
        str(rate),
        "-b:a",
        f"{bitrate}k",
        "-write_xing",
        "0",
        "-id3v2_version",
        "0",
    )
    return Format(f"mp3_{rate}_{bitrate}", "audio/mpeg", rate, (*arguments, "-f", "mp3"))


def _opus(bitrate: int) -> Format:
    arguments = ("-c:a", "libopus", "-ar", "48000", "-b:a", f"{bitrate}k", "-page_duration", "100000", "-f", "ogg")
    return Format(f"opus_48000_{bitrate}", "audio/ogg", 48000, arguments)


def _every() -> list[Format]:
    return [
        *(_mp3(44100, bitrate) for bitrate in _BITRATES),
        _mp3(22050, 32),
        _mp3(24000, 48),
        *(Format(f"pcm_{rate}", "audio/pcm", rate, _raw(rate)) for rate in _RATES),
        *(Format(f"wav_{rate}", "audio/wav", rate, _raw(rate)) for rate in _RATES),
        Format("ulaw_8000", "audio/basic", 8000, ("-f", "mulaw", "-ar", "8000")),
        Format("alaw_8000", "audio/x-alaw-basic", 8000, ("-f", "alaw", "-ar", "8000")),
        *(_opus(bitrate) for bitrate in _BITRATES),
    ]


FORMATS: dict[str, Format] = {each.name: each for each in _every()}
DEFAULT = "mp3_44100_128"


class Encoder:
    """Turns the engine's sound into one format as it comes. Use as `async with`; leaving it ends the subprocess."""

    def __init__(self, wanted: Format) -> None:
        self._wanted = wanted
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = bytearray()
        self._fresh = asyncio.Event()

    async def __aenter__(self) -> "Encoder":
        if self._wanted.arguments:
            self._process = await asyncio.create_subprocess_exec(
                *_command(self._wanted.arguments), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
            self._reader = asyncio.create_task(self._read(self._process))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reader:
            self._reader.cancel()
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def write(self, pcm: bytes) -> bytes:
        """Feed sound in; what is ready comes out. An encoder holds some back until `finish`."""
        if self._process is None:
            return pcm
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(pcm)
            await stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise PartFailed("voice", "ffmpeg ended while it was encoding speech") from error
        await self._settle()
        return self._take()

    async def finish(self) -> bytes:
        """No more sound comes; the rest comes out."""
        if self._process is None or self._reader is None:
            return b""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._reader
        if await self._process.wait():
            raise PartFailed("voice", f"ffmpeg could not encode {self._wanted.name}")
        return self._take()

    async def _settle(self) -> None:
        """Wait until what the encoder makes of the last sound has come: nothing new for 20 ms, or 0.3 s at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                while True:
                    self._fresh.clear()
                    await asyncio.wait_for(self._fresh.wait(), 0.02 if self._ready else 0.3)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while data := await process.stdout.read(65536):
            self._ready += data
            self._fresh.set()

    def _take(self) -> bytes:
        data, self._ready = bytes(self._ready), bytearray()
        return data


def _command(arguments: Sequence[str]) -> list[str]:
    import imageio_ffmpeg

    source = ("-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-probesize", "32", "-i", "pipe:0")
    executable = str(imageio_ffmpeg.get_ffmpeg_exe())
    return [executable, "-loglevel", "error", *source, *arguments, "-flush_packets", "1", "pipe:1"]
