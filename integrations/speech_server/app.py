"""The application: routes, the key, health."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from hmac import compare_digest
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from integrations.speech_engines import Engine
from integrations.speech_server import catalogue, speech
from integrations.speech_server.keys import API_KEY, SPEAKING, WARMING
from integrations.speech_server.problems import Problem, shape
from integrations.speech_server.socket import stream_input
from integrations.speech_server.speaking import Speaking

log = logging.getLogger(__name__)

_LARGEST_BODY = 1024 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def make_app(engine: Engine, api_key: str, *, workers: int = 2, most_requests: int = 64) -> web.Application:
    """An application that speaks with `engine`.

    `api_key` "" lets every program of this machine in, but no web page. `workers` clauses are made at once; with more
    than `most_requests` open, the next is refused with 429. GET /healthz says 503 until the engine is warm.
    """
    app = web.Application(middlewares=[shape, _programs_only, _authorise], client_max_size=_LARGEST_BODY)
    app[SPEAKING] = Speaking(engine, workers, most_requests)
    app[API_KEY] = api_key
    app.cleanup_ctx.append(_running)
    app.add_routes(
        [
            web.get("/healthz", _health),
            web.post("/v1/text-to-speech/{voice}", speech.convert),
            web.post("/v1/text-to-speech/{voice}/stream", speech.stream),
            web.post("/v1/text-to-speech/{voice}/with-timestamps", speech.convert_with_timestamps),
            web.post("/v1/text-to-speech/{voice}/stream/with-timestamps", speech.stream_with_timestamps),
            web.get("/v1/text-to-speech/{voice}/stream-input", stream_input),
            web.get("/v1/voices", catalogue.voices),
            web.get("/v2/voices", catalogue.search),
            web.post("/v1/voices/add", catalogue.add),
            web.get("/v1/voices/settings/default", catalogue.settings),
            web.get("/v1/voices/{voice}", catalogue.voice),
            web.get("/v1/voices/{voice}/settings", catalogue.settings),
            web.delete("/v1/voices/{voice}", catalogue.delete),
            web.get("/v1/models", catalogue.models),
            web.get("/v1/user", catalogue.user),
            web.get("/v1/user/subscription", catalogue.subscription),
        ]
    )
    return app


@web.middleware
async def _programs_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No web page may use this server through somebody's browser, on a WebSocket either.

    A browser says where a page comes from; a page whose DNS name was turned to this machine still calls it by its name.
    """
    if "Origin" in request.headers:
        raise Problem(403, "origin_not_allowed", "This server speaks for programs, not for web pages.")
    if not request.app[API_KEY] and _hostname(request.host) not in _LOOPBACK:
        raise Problem(403, "host_not_allowed", "Without a key this server answers at 127.0.0.1 and localhost only.")
    return await handler(request)


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


@web.middleware
async def _authorise(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every route but health needs the key. A WebSocket may bring it in its first message and checks by itself."""
    key = request.app[API_KEY]
    if not key or request.path == "/healthz" or request.path.endswith("/stream-input"):
        return await handler(request)
    given = request.headers.get("xi-api-key")
    if given is None:
        raise Problem(401, "needs_authorization", "No xi-api-key header was received; please send one.")
    if not compare_digest(given.encode(), key.encode()):
        raise Problem(401, "invalid_api_key", "Invalid API key")
    return await handler(request)


async def _health(request: web.Request) -> web.Response:
    warming = request.app[WARMING]
    if not warming.done():
        return web.json_response({"status": "loading"}, status=503)
    if warming.cancelled() or warming.exception():
        return web.json_response({"status": "failed"}, status=503)
    return web.json_response({"status": "ok", "engine": request.app[SPEAKING].engine.name})


async def _running(app: web.Application) -> AsyncIterator[None]:
    app[WARMING] = asyncio.create_task(app[SPEAKING].warm())
    yield
    app[WARMING].cancel()
    with suppress(BaseException):
        await app[WARMING]
    app[SPEAKING].close()
