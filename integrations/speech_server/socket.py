"""WebSocket `stream-input`: text comes in pieces as it is written, sound goes out as soon as there is a clause."""

import asyncio
import base64
import logging
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from hmac import compare_digest

from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import BaseModel, ConfigDict, ValidationError

from integrations.speech_engines import Piece
from integrations.speech_server import timing
from integrations.speech_server.formats import Encoder, Format
from integrations.speech_server.keys import API_KEY, SPEAKING
from integrations.speech_server.problems import Problem, problem
from integrations.speech_server.requests import (
    LONGEST_TEXT,
    VoiceSettings,
    check_model,
    check_voice,
    format_of,
    language_of,
    speed_of,
)
from integrations.speech_server.speaking import Order

log = logging.getLogger(__name__)

_SENTENCE = re.compile(r".*[.!?…][\"'”’)\]]*\s", re.DOTALL)
_CLAUSE = re.compile(r".*?[,;:—][\"'”’)\]]*\s", re.DOTALL)
_FIRST_CLAUSE = 24


class _Message(BaseModel):
    """What a client sends. `text` "" ends the input."""

    model_config = ConfigDict(extra="ignore")

    text: str = ""
    flush: bool = False
    voice_settings: VoiceSettings | None = None
    xi_api_key: str | None = None


class _Buffer:
    """Collects text until there is something that can be spoken naturally."""

    def __init__(self) -> None:
        self._text = ""
        self._first = True
        self.received = 0

    def add(self, text: str, *, flush: bool) -> str:
        """The text that should be spoken now, or ""."""
        self._text += text
        self.received += len(text)
        end = len(self._text) if flush else self._ripe()
        ready, self._text = self._text[:end], self._text[end:]
        self._first = self._first and not ready.strip()
        return ready if any(c.isalnum() for c in ready) else ""

    def _ripe(self) -> int:
        """Whole sentences; and, once, a first clause, so that sound comes early."""
        if found := _SENTENCE.match(self._text):
            return found.end()
        if self._first and len(self._text) >= _FIRST_CLAUSE and (found := _CLAUSE.match(self._text)):
            return found.end() if len(found[0].split()) >= 2 else 0
        return 0


async def stream_input(request: web.Request) -> web.WebSocketResponse:
    """One conversation: settings, text, text, ..., "" from the client; sound from here; closed with 1000."""
    socket = web.WebSocketResponse(max_msg_size=512 * 1024, heartbeat=30)
    await socket.prepare(request)
    try:
        await _converse(request, socket)
        await socket.close()
    except Exception as error:
        cause = _cause(error)
        if not isinstance(cause, ConnectionResetError):
            await _refuse(socket, cause)
    return socket


def _cause(error: Exception) -> Exception:
    """The first error in a group: the one that ended the others."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def _converse(request: web.Request, socket: web.WebSocketResponse) -> None:
    engine = request.app[SPEAKING].engine
    first = await _receive(socket, request)
    _authorise(request, first)
    wanted, voice = format_of(request), request.match_info["voice"]
    check_voice(engine, voice)
    check_model(engine, request.query.get("model_id"))
    language = language_of(engine, request.query.get("language_code"))
    speed = speed_of(first.voice_settings)
    texts: asyncio.Queue[str | None] = asyncio.Queue(maxsize=64)

    async def orders() -> AsyncIterator[Order]:
        while (text := await texts.get()) is not None:
            yield Order(text, voice, language, speed)

    async with asyncio.TaskGroup() as group:
        speaker = group.create_task(_speak(request, socket, orders(), wanted))
        await _listen(request, socket, first, texts, speaker)


async def _listen(
    request: web.Request,
    socket: web.WebSocketResponse,
    message: _Message,
    texts: asyncio.Queue[str | None],
    speaker: asyncio.Task[None],
) -> None:
    """Take the client's text until it ends. A client that hangs up stops the speech as well."""
    buffer = _Buffer()
    try:
        while message.text:
            ready = buffer.add(message.text, flush=message.flush)
            if buffer.received > LONGEST_TEXT:
                raise Problem(400, "max_character_limit_exceeded", f"More than {LONGEST_TEXT:,} characters were sent.")
            if ready:
                await texts.put(ready)
            message = await _receive(socket, request)
    except ConnectionResetError:
        speaker.cancel()
        raise
    if rest := buffer.add("", flush=True):
        await texts.put(rest)
    await texts.put(None)


async def _receive(socket: web.WebSocketResponse, request: web.Request) -> _Message:
    try:
        patience = min(max(float(request.query.get("inactivity_timeout", 20)), 1), 180)
    except ValueError:
        patience = 20.0
    try:
        message = await socket.receive(timeout=patience)
    except TimeoutError:
        text = f"No text came for {patience:g} seconds. Send a space now and then to keep the connection."
        raise Problem(408, "input_timeout_exceeded", text) from None
    if message.type is not WSMsgType.TEXT:
        raise ConnectionResetError("the client has gone")
    return _Message.model_validate_json(message.data)


def _authorise(request: web.Request, first: _Message) -> None:
    """The key may come with the first message, as there: not every WebSocket client can set headers."""
    key = request.app[API_KEY]
    given = request.headers.get("xi-api-key") or first.xi_api_key or request.query.get("xi-api-key") or ""
    if key and not compare_digest(given.encode(), key.encode()):
        raise Problem(401, "invalid_api_key", "Invalid API key")


async def _speak(
    request: web.Request, socket: web.WebSocketResponse, orders: AsyncIterator[Order], wanted: Format
) -> None:
    speaking = request.app[SPEAKING]
    head = wanted.head(None)
    async with Encoder(wanted) as encoder:
        async for order in orders:
            async with aclosing(speaking.speak(order)) as pieces:
                async for piece in pieces:
                    sound, head = head + await encoder.write(piece.pcm), b""
                    await socket.send_json(_sounding(sound, piece))
        if rest := await encoder.finish():
            await socket.send_json(_sounding(rest, None))
    await socket.send_json({"audio": None, "isFinal": True, "normalizedAlignment": None, "alignment": None})


def _sounding(sound: bytes, piece: Piece | None) -> dict[str, object]:
    return {
        "audio": base64.b64encode(sound).decode(),
        "isFinal": None,
        "normalizedAlignment": timing.socket_alignment(piece.spoken) if piece else None,
        "alignment": timing.socket_alignment(piece.written) if piece else None,
        "phonemes": timing.phonemes(piece.phonemes) if piece else [],
    }


async def _refuse(socket: web.WebSocketResponse, error: Exception) -> None:
    """Their way of failing on a socket: one JSON message, then a close code that is not 1000."""
    if isinstance(error, ValidationError):
        error = Problem(400, "invalid_message", "A message was not the JSON that is expected here.")
    found = problem(error)
    if found.code >= 500:
        log.error("a speech socket failed", exc_info=error)
    code = WSCloseCode.INTERNAL_ERROR if found.code >= 500 else WSCloseCode.POLICY_VIOLATION
    with suppress(ConnectionResetError):
        await socket.send_json({"message": found.message, "error": found.status, "code": int(code)})
        await socket.close(code=code, message=found.status.encode())
