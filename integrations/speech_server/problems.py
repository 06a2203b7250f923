"""Errors in the shapes that ElevenLabs' clients expect.

`{"detail": {"status": ..., "message": ...}}`; a malformed request is a 422 whose detail is a list of
`{loc, msg, type}`, as their server sends it.
"""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from bot.errors import Busy, NotAllowed, NotFound, PartFailed, Refused

log = logging.getLogger(__name__)

BEGUN = web.RequestKey("begun", web.StreamResponse)
"""The response of a request once its first bytes are out."""


class Problem(Exception):
    """An answer that is not the one that was hoped for."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message

    def response(self) -> web.Response:
        """As JSON, in ElevenLabs' shape."""
        return web.json_response({"detail": {"status": self.status, "message": self.message}}, status=self.code)


def voice_not_found(voice: str) -> Problem:
    """Their answer to an unknown voice id."""
    return Problem(404, "voice_not_found", f"A voice with the voice_id {voice[:80]} was not found.")


def problem(error: Exception) -> Problem:
    """What an error of ours is called there."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, NotFound):
        return Problem(404, "voice_not_found", str(error))
    if isinstance(error, NotAllowed):
        return Problem(400, "not_supported", str(error))
    if isinstance(error, Busy):
        return Problem(429, "system_busy", str(error))
    if isinstance(error, Refused):
        return Problem(400, "invalid_text", str(error))
    if isinstance(error, PartFailed):
        return Problem(500, "speech_failed", "The speech engine failed. The server's log says why.")
    return Problem(500, "internal_error", "Something went wrong here. The server's log says what.")


@web.middleware
async def shape(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error that a handler raises into a response of the right shape."""
    try:
        return await handler(request)
    except ValidationError as error:
        return malformed([{"loc": ["body", *e["loc"]], "msg": e["msg"], "type": e["type"]} for e in error.errors()])
    except web.HTTPRequestEntityTooLarge:
        return Problem(413, "request_too_large", "This request is larger than this server takes.").response()
    except web.HTTPException as error:
        return web.json_response({"detail": error.reason}, status=error.status)
    except ConnectionResetError:
        raise  # nobody is listening any more
    except Exception as error:
        found = problem(error)
        if found.code >= 500:
            log.exception("a speech request failed")
        if BEGUN in request:  # too late for an error response: break off, so that nobody takes a part for the whole
            if request.transport is not None:
                request.transport.close()
            return request[BEGUN]
        return found.response()


def malformed(details: list[dict[str, object]]) -> web.Response:
    """A request that does not fit its schema."""
    return web.json_response({"detail": details}, status=422)
