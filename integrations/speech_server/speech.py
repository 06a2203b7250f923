"""The four routes that speak: whole or streamed, with the times of every character and sound or without."""

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from aiohttp import web

from bot.media import Phoneme
from integrations.speech_engines import Mark, Piece
from integrations.speech_server import timing
from integrations.speech_server.formats import Encoder
from integrations.speech_server.keys import SPEAKING
from integrations.speech_server.problems import BEGUN
from integrations.speech_server.requests import format_of, order_of


async def convert(request: web.Request) -> web.StreamResponse:
    """All the sound at once."""
    wanted = format_of(request)
    sound = bytearray()
    async with Encoder(wanted) as encoder, aclosing(_pieces(request)) as pieces:
        async for piece in pieces:
            sound += await encoder.write(piece.pcm)
        sound += await encoder.finish()
    return web.Response(body=wanted.head(len(sound)) + bytes(sound), content_type=wanted.media_type)


async def stream(request: web.Request) -> web.StreamResponse:
    """The sound as it is made."""
    wanted = format_of(request)
    async with Encoder(wanted) as encoder, aclosing(_pieces(request)) as pieces:
        response: web.StreamResponse | None = None
        async for piece in pieces:
            sound = await encoder.write(piece.pcm)
            if response is None:  # only now: until the first piece is there, an error still is an error response
                response = await _begin(request, wanted.media_type)
                sound = wanted.head(None) + sound
            if sound:
                await response.write(sound)
        rest = await encoder.finish()
        response = response or await _begin(request, wanted.media_type)
        if rest:
            await response.write(rest)
        await response.write_eof()
        return response


async def convert_with_timestamps(request: web.Request) -> web.StreamResponse:
    """One JSON object with all the sound and all the times."""
    wanted = format_of(request)
    sound, pieces = bytearray(), []
    async with Encoder(wanted) as encoder, aclosing(_pieces(request)) as coming:
        async for piece in coming:
            sound += await encoder.write(piece.pcm)
            pieces.append(piece)
        sound += await encoder.finish()
    return web.json_response(_timed(wanted.head(len(sound)) + bytes(sound), pieces, 0))


async def stream_with_timestamps(request: web.Request) -> web.StreamResponse:
    """JSON objects, one a line and one a piece; times count from the start of the whole sound."""
    wanted = format_of(request)
    at = 0
    async with Encoder(wanted) as encoder, aclosing(_pieces(request)) as pieces:
        response: web.StreamResponse | None = None
        async for piece in pieces:
            sound = await encoder.write(piece.pcm)
            if response is None:
                response = await _begin(request, "application/json")
                sound = wanted.head(None) + sound
            await _line(response, _timed(sound, [piece], at))
            at += piece.length
        rest = await encoder.finish()
        response = response or await _begin(request, "application/json")
        if rest:
            await _line(response, _timed(rest, [], at))
        await response.write_eof()
        return response


async def _pieces(request: web.Request) -> AsyncGenerator[Piece]:
    """The request's speech. Stops the work when nobody listens any more."""
    speaking = request.app[SPEAKING]
    order = await order_of(request, speaking.engine)
    async with aclosing(speaking.speak(order)) as pieces:
        async for piece in pieces:
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError("the client has gone")
            yield piece


async def _begin(request: web.Request, media_type: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": media_type, "Cache-Control": "no-store"})
    await response.prepare(request)
    request[BEGUN] = response
    return response


async def _line(response: web.StreamResponse, item: dict[str, object]) -> None:
    await response.write(json.dumps(item).encode() + b"\n")


def _timed(sound: bytes, pieces: list[Piece], at: int) -> dict[str, object]:
    """The object of the timestamp routes. Without a piece (an encoder's last bytes) there is nothing to align."""
    marks: list[Mark] = []
    spoken: list[Mark] = []
    sounds: list[Phoneme] = []
    for piece in pieces:
        marks += (replace(mark, at=mark.at + at) for mark in piece.written)
        spoken += (replace(mark, at=mark.at + at) for mark in piece.spoken)
        sounds += (replace(sound, at=sound.at + at) for sound in piece.phonemes)
        at += piece.length
    return {
        "audio_base64": base64.b64encode(sound).decode(),
        "alignment": timing.alignment(marks) if pieces else None,
        "normalized_alignment": timing.alignment(spoken) if pieces else None,
        "phonemes": timing.phonemes(sounds),
    }
