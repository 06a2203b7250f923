"""Voice over an ElevenLabs-compatible server: our own speech server, or theirs."""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import aiohttp

from bot.errors import PartFailed
from bot.media import Phoneme, SpeechChunk, Word, samples
from integrations.speech_engines.letters import rough_phonemes

_SHORTEST, _USUAL = samples(0.2), samples(0.32)
_RETRYABLE = frozenset({408, 409, 425, 429})
_LONGEST_LINE = 64 * 1024 * 1024
_CODE = re.compile(r"[a-z_]{1,40}")


class ElevenLabsVoice:
    """Implements bot.ports.Voice. Make it once a process; it keeps its connections until `close`."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        model: str = "eleven_flash_v2_5",
        speed: float = 1.0,
        patience: float = 60.0,
    ) -> None:
        """`base_url` is without `/v1`. `patience` is how many seconds the server may be silent."""
        self._base_url = base_url.rstrip("/").removesuffix("/v1")
        self._headers = {"xi-api-key": key} if key else {}
        self._model = model
        self._speed = speed
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=patience)
        self._session: aiohttp.ClientSession | None = None

    async def speak(self, text: str, voice: str, language: str) -> AsyncIterator[SpeechChunk]:
        """Chunks of 0.2 to 0.5 s as they come. A text without a letter or a digit gives nothing.

        Raises PartFailed("voice"), retryable when the same request may succeed later.
        """
        if not any(character.isalnum() for character in text):
            return
        track = _Track()
        try:
            async for item in self._items(text, voice, language):
                track.add(item)
                for chunk in track.chunks(final=False):
                    yield chunk
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
            why = f"the speech server at {self._base_url} did not answer ({type(error).__name__})"
            raise PartFailed("voice", why, retryable=True) from error
        for chunk in track.chunks(final=True):
            yield chunk
        if not track.sent:
            raise PartFailed("voice", "the speech server sent no sound", retryable=True)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session:
            await self._session.close()

    async def _items(self, text: str, voice: str, language: str) -> AsyncIterator[dict[str, Any]]:
        """The JSON objects of the stream, one a line."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=self._headers)
        url = f"{self._base_url}/v1/text-to-speech/{voice}/stream/with-timestamps"
        body: dict[str, Any] = {"text": text, "model_id": self._model, "language_code": language.split("-")[0].lower()}
        if self._speed != 1.0:
            body["voice_settings"] = {"speed": self._speed}
        async with self._session.post(url, params={"output_format": "pcm_24000"}, json=body) as response:
            if response.status != 200:
                raise await _refusal(response)
            rest = b""
            async for data in response.content.iter_any():
                *lines, rest = (rest + data).split(b"\n")
                for line in filter(None, map(bytes.strip, lines)):
                    yield _parsed(line)
                if len(rest) > _LONGEST_LINE:
                    raise PartFailed("voice", "the speech server sent a line without an end")
            if rest.strip():
                yield _parsed(rest)


@dataclass
class _Track:
    """One utterance as it comes in. All times are samples from its first."""

    sent: int = 0
    _pcm: bytearray = field(default_factory=bytearray)
    _received: int = 0  # bytes
    _sounds: list[Phoneme] = field(default_factory=list)
    _words: list[Word] = field(default_factory=list)
    _letters: list[tuple[str, int, int]] = field(default_factory=list)  # of the word that has not ended yet
    _aligned: int = 0

    def add(self, item: dict[str, Any]) -> None:
        """One object of the stream."""
        before = self._received // 2
        try:
            sound = base64.b64decode(item.get("audio_base64") or "")
            letters = _letters(item.get("alignment"))
            given = [
                Phoneme(str(p["symbol"]), samples(p["start"]), samples(p["duration"]))
                for p in item.get("phonemes") or ()
            ]
        except (binascii.Error, KeyError, TypeError, ValueError) as error:
            raise PartFailed("voice", f"the speech server's answer cannot be read ({type(error).__name__})") from error
        self._pcm += sound
        self._received += len(sound)
        if letters and letters[0][1] < self._aligned - samples(0.05) and before:
            letters = [(letter, at + before, length) for letter, at, length in letters]  # counted from this chunk
        if letters:
            self._aligned = letters[-1][1] + letters[-1][2]
        self._sounds += given or rough_phonemes(letters)
        self._spell(letters)

    def chunks(self, *, final: bool) -> list[SpeechChunk]:
        """What can go out now, in even parts.

        Samples may be cut in two between objects: an odd byte waits. So does the sound of a word that has not ended.
        """
        ready = len(self._pcm) // 2
        if final:
            self._spell([(" ", self._aligned, 0)])
        elif self._letters:
            ready = min(ready, self._letters[0][1] - self.sent)
        if ready <= 0 or (ready < _SHORTEST and not final):
            return []
        count = max(round(ready / _USUAL), 1)
        edges = [ready * i // count for i in range(count + 1)]
        return [self._chunk(end - start, last=final and end == ready) for start, end in pairwise(edges)]

    def _chunk(self, length: int, *, last: bool) -> SpeechChunk:
        pcm = bytes(self._pcm[: 2 * length])
        del self._pcm[: 2 * length]
        self.sent += length
        sounds = [each for each in self._sounds if last or each.at < self.sent]
        words = [each for each in self._words if last or each.at < self.sent]
        del self._sounds[: len(sounds)], self._words[: len(words)]
        return SpeechChunk(pcm, tuple(sounds), tuple(words))

    def _spell(self, letters: list[tuple[str, int, int]]) -> None:
        """Letters to words; a word is over when a space comes. A lone dash or quotation mark joins the word before."""
        for letter in letters:
            if not letter[0].isspace():
                self._letters.append(letter)
            elif self._letters:
                self._end_word()

    def _end_word(self) -> None:
        text = "".join(letter for letter, _, _ in self._letters)
        voiced = [(at, length) for letter, at, length in self._letters if letter.isalnum()]
        if voiced:
            start = voiced[0][0]
            self._words.append(Word(text, start, max(voiced[-1][0] + voiced[-1][1] - start, 1)))
        elif self._words:
            last = self._words[-1]
            self._words[-1] = Word(f"{last.text} {text}", last.at, last.duration)
        self._letters = []


def _letters(alignment: dict[str, Any] | None) -> list[tuple[str, int, int]]:
    """(character, at, duration) in samples."""
    if not alignment:
        return []
    starts = [samples(each) for each in alignment["character_start_times_seconds"]]
    ends = [samples(each) for each in alignment["character_end_times_seconds"]]
    return [(c, a, max(b - a, 0)) for c, a, b in zip(alignment["characters"], starts, ends, strict=True)]


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except ValueError as error:
        raise PartFailed("voice", "the speech server's answer is not JSON") from error
    if not isinstance(item, dict):
        raise PartFailed("voice", "the speech server's answer is not an object")
    return item


async def _refusal(response: aiohttp.ClientResponse) -> PartFailed:
    """The status and their code alone: this is logged, and a sentence of theirs may quote what was to be spoken."""
    code: object = ""
    with suppress(ValueError, KeyError, TypeError, aiohttp.ClientError):
        code = json.loads(await response.text())["detail"]["status"]
    said = f", {code}" if isinstance(code, str) and _CODE.fullmatch(code) else ""
    retryable = response.status in _RETRYABLE or response.status >= 500
    return PartFailed("voice", f"the speech server refused ({response.status}{said})", retryable=retryable)
