"""What every request must pass and every response carries: host, origin, headers, errors in words."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from aiohttp import web

from bot.errors import BadInput, Busy, ConsentDenied, NotAllowed, NotFound, PartFailed, Refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LARGEST_BODY = 64 * 1024
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "X-Frame-Options": "DENY",
}
PRIVATE = "private, no-store"

log = logging.getLogger(__name__)


class TooLong(BadInput):
    """More than can be read."""


class NoSession(Refused):
    """The browser has no cookie of ours yet."""


STATUS: Mapping[type[Exception], int] = {
    TooLong: 413,
    NoSession: 401,
    ConsentDenied: 403,
    NotAllowed: 404,  # whoever asks for what is another person's learns nothing, not even that it exists
    NotFound: 404,
    BadInput: 400,
    Busy: 503,
    Refused: 400,
}
NOT_HERE = "There is nothing here for you."


class Guard:
    """Wraps handlers. `public_url` is how people reach the page; its host is welcome beside loopback."""

    def __init__(self, public_url: str) -> None:
        self._hosts = LOOPBACK | ({_hostname(urlsplit(public_url).netloc)} - {""})

    def __call__(self, handler: Handler) -> Handler:
        """The same handler behind the checks; what it raises becomes a sentence."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            return decorate(await self._answer(handler, request))

        return guarded

    async def _answer(self, handler: Handler, request: web.Request) -> web.StreamResponse:
        try:
            if refusal := self._refusal(request):
                return refusal
            return await handler(request)
        except Refused as refused:
            status = next(code for kind, code in STATUS.items() if isinstance(refused, kind))
            return problem(status, NOT_HERE if isinstance(refused, NotAllowed) else str(refused))
        except web.HTTPRequestEntityTooLarge:
            return problem(413, "That is more than I can read at once.")
        except PartFailed as failed:
            log.warning("a part that the lobby needs failed", extra={"part": failed.part})
            return problem(503, "I cannot reach a part that I need just now. Please try again in a moment.")

    def _refusal(self, request: web.Request) -> web.Response | None:
        """A name that is not ours may be a rebound DNS name; another site's page may not act for the person."""
        if _hostname(request.host) not in self._hosts:
            return problem(421, "This address is not one that Understudy answers at.")
        if request.method in ("GET", "HEAD"):
            return None
        if not _same_origin(request):
            return problem(403, "This request came from another site, so I did not carry it out.")
        if request.content_type != "application/json":
            return problem(415, "Send this as application/json.")
        if (request.content_length or 0) > LARGEST_BODY:
            return problem(413, "That is more than I can read at once.")
        return None


def problem(status: int, sentence: str) -> web.Response:
    """An error in words."""
    return web.json_response({"error": sentence}, status=status)


def decorate(response: web.StreamResponse) -> web.StreamResponse:
    """Add the headers that every response carries; private unless the handler said otherwise."""
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", PRIVATE)
    return response


def _same_origin(request: web.Request) -> bool:
    """Every browser says where a change comes from; a program that is no browser says nothing and carries no cookie."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
