"""Who is at the browser: a random id in a signed cookie. Nothing else is known, and nothing else is stored there."""

import base64
import hashlib
import hmac
import secrets

from aiohttp import web

from bot.messages import Author

COOKIE = "understudy"
ONE_YEAR = 365 * 24 * 3600
SURFACE, TENANT = "web", "local"


class Sessions:
    """Makes and checks the cookie. `secret` signs it; `secure` when people reach the page over https."""

    def __init__(self, secret: bytes, *, secure: bool) -> None:
        if len(secret) < 16:
            raise ValueError("the secret that signs cookies needs at least 16 bytes")
        self._key = hmac.digest(secret, b"understudy lobby session", hashlib.sha256)
        self._secure = secure

    def author(self, request: web.Request) -> Author | None:
        """The person of this browser; None without a cookie, or when its signature is not ours."""
        person_id, _, signature = request.cookies.get(COOKIE, "").partition(".")
        if not person_id or not hmac.compare_digest(signature.encode(), self._sign(person_id).encode()):
            return None
        return Author(SURFACE, TENANT, person_id)

    def new(self) -> Author:
        """Somebody who comes for the first time."""
        return Author(SURFACE, TENANT, secrets.token_urlsafe(18))

    def remember(self, response: web.StreamResponse, author: Author) -> None:
        """Write the cookie: not for scripts, not for other sites."""
        response.set_cookie(
            COOKIE,
            f"{author.external_id}.{self._sign(author.external_id)}",
            max_age=ONE_YEAR,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=self._secure,
        )

    def _sign(self, person_id: str) -> str:
        digest = hmac.digest(self._key, person_id.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
