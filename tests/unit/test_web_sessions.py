"""The cookie names one person, and only we can write it."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.messages import Author
from integrations.web.sessions import COOKIE, Sessions

SECRET = b"0123456789abcdef"


def cookie_of(sessions: Sessions, author: Author) -> tuple[str, str]:
    response = web.Response()
    sessions.remember(response, author)
    morsel = response.cookies[COOKIE]
    return morsel.value, morsel.OutputString()


def with_cookie(value: str) -> web.Request:
    return make_mocked_request("GET", "/", headers={"Cookie": f"{COOKIE}={value}"})


def test_a_person_is_known_again() -> None:
    sessions = Sessions(SECRET, secure=False)
    author = sessions.new()
    value, line = cookie_of(sessions, author)
    assert sessions.author(with_cookie(value)) == author
    assert "HttpOnly" in line
    assert "SameSite=Strict" in line
    assert "Secure" not in line
    assert "Secure" in cookie_of(Sessions(SECRET, secure=True), author)[1]


def test_nobody_is_two_people() -> None:
    sessions = Sessions(SECRET, secure=False)
    assert len({sessions.new().external_id for _ in range(100)}) == 100


def test_what_we_did_not_sign_is_nobody() -> None:
    sessions = Sessions(SECRET, secure=False)
    value, _ = cookie_of(sessions, sessions.new())
    person, _, signature = value.partition(".")
    other, _ = cookie_of(Sessions(b"another secret, as long", secure=False), sessions.new())
    for wrong in ("", ".", person, f"{person}.", f"x{person}.{signature}", f"{person}.{signature[:-2]}", other, "é.é"):
        assert sessions.author(with_cookie(wrong)) is None
    assert sessions.author(make_mocked_request("GET", "/")) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Sessions(b"short", secure=False)
