"""The lobby's routes over real HTTP: who may do what, what every answer carries, what happens to a turn."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio

from bot.consent import Scope
from bot.errors import PartFailed
from bot.messages import Medium
from integrations.web import following
from tests.browser.house import PIECES, House, Script, consent, grace
from tests.fakes.memory import MemoryEvents

WHOLE = "".join(PIECES)


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    found = House(tmp_path)
    await found.furnish()
    await found.open()
    yield found
    await found.leave()


class Visitor:
    """A browser, as far as the routes can tell."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.session = aiohttp.ClientSession(house.url, cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        return await self.session.get(path, headers=headers)

    async def post(self, path: str, sent: Any, **headers: str) -> aiohttp.ClientResponse:
        return await self.session.post(path, json=sent, headers=headers)

    async def ask(self, text: str = "Why?", medium: str = "text") -> str:
        response = await self.post("/api/messages", question(text, medium))
        assert response.status == 202
        return str((await response.json())["turn_id"])

    async def events(self, turn_id: str, last: str = "") -> list[tuple[str, str, Any]]:
        """(id, kind, data) of everything until the stream ends."""
        response = await self.get(f"/api/turns/{turn_id}/events", **({"Last-Event-ID": last} if last else {}))
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        return parsed((await response.read()).decode())

    async def answer(self, medium: str = "text") -> dict[str, Any]:
        """Ask, and wait for all there is."""
        turn_id = await self.ask(medium=medium)
        found = await self.events(turn_id)
        return {"turn": turn_id, **next(data for _, kind, data in found if kind == "final")}


@pytest_asyncio.fixture
async def guests(house: House) -> AsyncIterator[tuple[Visitor, Visitor]]:
    """Two people who know nothing of each other."""
    pair = Visitor(house), Visitor(house)
    for each in pair:
        assert (await each.get("/")).status == 200
        assert (await each.get("/api/me")).status == 200
    yield pair
    for each in pair:
        await each.session.close()


@pytest.fixture
def me(guests: tuple[Visitor, Visitor]) -> Visitor:
    return guests[0]


@pytest.fixture
def other(guests: tuple[Visitor, Visitor]) -> Visitor:
    return guests[1]


def question(text: str = "Why?", medium: str = "text", **more: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "persona": "grace-hopper", "text": text, "medium": medium, **more}


def parsed(wire: str) -> list[tuple[str, str, Any]]:
    found = []
    for block in wire.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and line[0] != ":")
        if "event" in fields:
            found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return found


async def problem(response: aiohttp.ClientResponse) -> tuple[int, str]:
    return response.status, (await response.json())["error"]


# ---- a question becomes an answer


async def test_a_question_is_answered_as_it_is_written(me: Visitor) -> None:
    found = await me.events(await me.ask("What was the moth?"))
    kinds = [kind for _, kind, _ in found]
    assert "".join(data["text"] for _, kind, data in found if kind == "delta") == WHOLE
    assert kinds.index("status") < kinds.index("delta") < kinds.index("final") < kinds.index("done")
    final = next(data for _, kind, data in found if kind == "final")
    assert final["text"] == WHOLE
    assert final["citations"][0]["date"] == "1947-09-09"


async def test_a_stream_goes_on_where_it_broke(me: Visitor) -> None:
    turn_id = await me.ask()
    whole = await me.events(turn_id)
    assert await me.events(turn_id, last=whole[3][0]) == whole[4:]


async def test_a_filmed_answer_can_be_played_in_parts(me: Visitor) -> None:
    found = await me.events(await me.ask(medium="video"))
    clip = next(data for _, kind, data in found if kind == "clip")
    film = await me.get(clip["media"])
    assert (film.status, film.content_type) == (200, "video/mp4")
    whole = await film.read()
    assert whole[4:8] == b"ftyp"
    part = await me.get(clip["media"], Range="bytes=100-199")
    assert (part.status, await part.read()) == (206, whole[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    assert (await me.get(clip["media"], Range="bytes=99999999-")).status == 416
    captions = await me.get(clip["captions"])
    assert captions.content_type == "text/vtt"
    assert (await me.get(clip["poster"])).content_type == "image/jpeg"


async def test_an_answer_can_be_heard_later(me: Visitor) -> None:
    answer = await me.answer()
    before = await me.events(answer["turn"])
    mark = str(uuid4())
    response = await me.post(f"/api/turns/{answer['turn_id']}/again", {"medium": "voice", "mark": mark})
    assert response.status == 202
    assert (await response.json())["turn_id"] == answer["turn"]
    after = await me.events(answer["turn"], last=before[-1][0])
    assert after[0][1:] == ("again", {"medium": "voice", "mark": mark})
    assert [kind for _, kind, _ in after][-2:] == ["clip", "done"]
    assert "reset" not in [kind for _, kind, _ in after], "the words that stand must not be taken away"


async def test_history_holds_what_was_said(me: Visitor, other: Visitor) -> None:
    await me.answer("video")
    shown = await (await me.get("/api/history?persona=grace-hopper")).json()
    assert [each["text"] for each in shown["exchanges"]] == ["Why?"]
    assert shown["exchanges"][0]["answer"]["text"] == WHOLE
    assert shown["exchanges"][0]["clips"][0]["medium"] == "video"
    assert (await (await me.get("/api/history?persona=ada")).json())["exchanges"] == []
    assert (await (await other.get("/api/history?persona=grace-hopper")).json())["exchanges"] == []
    assert (await me.get("/api/history?persona=nobody")).status == 404


async def test_a_question_sent_twice_is_asked_once(me: Visitor, house: House) -> None:
    sent = question()
    first = await (await me.post("/api/messages", sent)).json()
    second = await me.post("/api/messages", sent)
    assert second.status == 202
    assert await second.json() == first
    assert len(house.jobs) == 1


async def test_an_answer_that_was_settled_long_ago_is_told_when_its_events_are_gone(
    me: Visitor, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "FIRST_SILENCE", 0.01)
    answer = await me.answer("voice")
    assert isinstance(house.events, MemoryEvents)
    house.events.events.clear()
    response = await me.get(f"/api/turns/{answer['turn']}/events")
    wire = b""
    while b"event: settled" not in wire or not wire.endswith(b"\n\n"):
        wire += await asyncio.wait_for(response.content.readany(), 10)
    response.close()
    stored = parsed(wire.decode())[0][2]
    assert stored["answer"]["text"] == WHOLE
    assert stored["clips"][0]["medium"] == "voice"


async def test_closing_the_lobby_ends_open_streams(me: Visitor, house: House) -> None:
    house.script = Script(gates={"first": asyncio.Event()})
    response = await me.get(f"/api/turns/{await me.ask()}/events")
    await response.content.readany()
    await house._lobby.close()
    await asyncio.wait_for(response.content.read(), 10)


# ---- preferences, orders, ratings


async def test_what_is_preferred_is_kept(me: Visitor, other: Visitor) -> None:
    changed = await me.session.put("/api/me", json={"medium": "voice", "persona": "ada"})
    assert (await changed.json())["medium"] == "voice"
    mine = await (await me.get("/api/me")).json()
    assert (mine["medium"], mine["persona"], mine["longest"]) == ("voice", "ada", 4_000)
    assert (await (await other.get("/api/me")).json())["medium"] == "text"
    assert (await me.session.put("/api/me", json={"persona": "nobody"})).status == 404
    assert (await me.session.put("/api/me", json={"medium": "smell"})).status == 400


async def test_orders_in_words(me: Visitor) -> None:
    said = await (await me.post("/api/commands", {"text": "reply video"})).json()
    assert said["text"] == "From now on I answer you by video."
    assert (await (await me.get("/api/me")).json())["medium"] == "video"


async def test_a_rating_is_kept_and_taken_back(me: Visitor, house: House) -> None:
    answer = await me.answer()
    for value, kept in ((1, [1]), (-1, [-1]), (0, [])):
        assert (await me.post(f"/api/turns/{answer['turn_id']}/rating", {"value": value})).status == 200
        assert list(house.conversations.ratings.values()) == kept
    assert (await me.post(f"/api/turns/{answer['turn_id']}/rating", {"value": 5})).status == 400


# ---- nobody sees another person's


async def test_another_person_finds_nothing(me: Visitor, other: Visitor) -> None:
    answer = await me.answer("video")
    media = f"/media/turns/{answer['turn_id']}/answer.mp4"
    assert (await me.get(media)).status == 200
    unknown = await problem(await other.get(f"/media/turns/{uuid4()}/answer.mp4"))
    assert await problem(await other.get(media)) == (404, "There is nothing here for you.")
    assert unknown[0] == 404
    assert (await other.get(f"/api/turns/{answer['turn']}/events")).status == 404
    again = {"medium": "voice", "mark": str(uuid4())}
    assert (await other.post(f"/api/turns/{answer['turn_id']}/again", again)).status == 404
    assert (await other.post(f"/api/turns/{answer['turn_id']}/rating", {"value": 1})).status == 404


async def test_without_a_cookie_there_is_only_the_door(house: House, me: Visitor) -> None:
    answer = await me.answer()
    async with aiohttp.ClientSession(house.url, cookie_jar=aiohttp.DummyCookieJar()) as stranger:
        for path in ("/api/history", f"/api/turns/{answer['turn']}/events", f"/media/turns/{uuid4()}/answer.mp4"):
            assert (await stranger.get(path)).status == 401
        assert (await stranger.post("/api/messages", json=question())).status == 401
        assert (await stranger.get("/")).status == 200


async def test_a_link_from_elsewhere_makes_nobody_new(house: House, me: Visitor) -> None:
    """The browser holds a Strict cookie back on the first navigation: the page must not replace it."""
    async with aiohttp.ClientSession(house.url, cookie_jar=aiohttp.DummyCookieJar()) as arriving:
        assert "Set-Cookie" not in (await arriving.get("/")).headers
        assert "Set-Cookie" in (await arriving.get("/api/me")).headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/nothing.js",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2fapp.py",
        "/static/.hidden",
        "/media/turns/../../etc/passwd",
        "/media/turns/%2e%2e%2fsecret/answer.mp4",
        "/personas/..%2f..%2f/portrait.jpg",
        "/personas/nobody/portrait.jpg",
        "/personas/%00/portrait.jpg",
        "/personas/ada%00/portrait.jpg",
        "/api/history?persona=%00",
        "/api/history?persona=..",
        "/api/turns/1/events",
    ],
)
async def test_there_is_no_way_out_of_the_folders(me: Visitor, path: str) -> None:
    async with me.session.get(aiohttp.client.URL(me.house.url + path, encoded=True)) as response:
        assert response.status == 404


async def test_only_the_files_of_an_answer_are_given(me: Visitor) -> None:
    answer = await me.answer("video")
    for name in ("answer.m4a", "secret.txt", "answer.mp4.bak"):
        assert (await me.get(f"/media/turns/{answer['turn_id']}/{name}")).status == 404


# ---- what is refused, and how


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (question(""), 400, "empty"),
        (question(" \n\t "), 400, "empty"),
        (question("x" * 4_001), 413, "4,001 characters"),
        (question(medium="smell"), 400, "text, voice or video"),
        (question(id="7"), 400, "UUID"),
        (question(persona="nobody"), 404, "no persona"),
        (question(persona="ada\x00"), 404, "no persona"),
        ({}, 400, "text"),
    ],
)
async def test_a_question_that_cannot_be_taken(me: Visitor, sent: Any, status: int, words: str) -> None:
    found = await problem(await me.post("/api/messages", sent))
    assert found[0] == status
    assert words in found[1]
    assert me.house.jobs == []


async def test_what_is_no_json(me: Visitor) -> None:
    kind = {"Content-Type": "application/json"}
    for raw in (b"{", b"[]", b"\xff"):
        assert (await me.session.post("/api/messages", data=raw, headers=kind)).status == 400
    big = b'{"text": "' + b"x" * 70_000 + b'"}'
    assert (await me.session.post("/api/messages", data=big, headers=kind)).status == 413
    assert (await me.session.post("/api/messages", data=b"x" * 2_000_000, headers=kind)).status == 413
    assert (await me.session.post("/api/messages", data={"text": "a form"})).status == 415
    plain = {"Content-Type": "text/plain"}
    assert (await me.session.post("/api/messages", data=json.dumps(question()), headers=plain)).status == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_cannot_act_for_a_person(me: Visitor, headers: dict[str, str]) -> None:
    assert (await me.post("/api/messages", question(), **headers)).status == 403
    assert me.house.jobs == []


async def test_the_own_page_can(me: Visitor) -> None:
    headers = {"Origin": me.house.url, "Sec-Fetch-Site": "same-origin"}
    assert (await me.post("/api/messages", question(), **headers)).status == 202


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("[::1]:80", 200),
        ("lobby.example", 200),
        ("lobby.example:443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("127.0.0.1@evil.example", 421),
        ("[", 421),
    ],
)
async def test_a_rebound_name_is_not_ours(me: Visitor, host: str, status: int) -> None:
    assert (await me.get("/api/me", Host=host)).status == status


async def test_a_broken_part_is_told_in_words(me: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise PartFailed("store", "it burnt down")

    monkeypatch.setattr(me.house.conversations, "person", broken)
    status, words = await problem(await me.get("/api/me"))
    assert status == 503
    assert "burnt" not in words
    assert "again in a moment" in words


async def test_nobody_is_shown_who_has_not_agreed(me: Visitor) -> None:
    shown = await (await me.get("/api/me")).json()
    ada = next(each for each in shown["personas"] if each["id"] == "ada")
    assert [each["medium"] for each in ada["media"] if not each["why_not"]] == ["text"]


async def test_consent_that_has_ended_ends_the_showing(house: House, me: Visitor, tmp_path: Path) -> None:
    picture = tmp_path / "portrait.jpg"
    picture.write_bytes(b"\xff\xd8\xff")
    await house.blobs.put("personas/grace-hopper/portrait.jpg", str(picture), "image/jpeg")
    answer = await me.answer("video")
    names = ("answer.mp4", "answer.vtt", "poster.jpg")
    media, portrait = (
        [f"/media/turns/{answer['turn_id']}/{name}" for name in names],
        "/personas/grace-hopper/portrait.jpg",
    )
    assert [(await me.get(path)).status for path in (*media, portrait)] == [200] * 4
    await house.personas.publish(grace(), [consent(Scope.TEXT, Scope.VOICE)], [])
    assert [(await me.get(path)).status for path in media] == [403, 200, 403]
    assert "has not agreed to be shown" in (await problem(await me.get(media[0])))[1]
    assert (await me.get(portrait)).status == 404
    await house.personas.withdraw("grace-hopper")
    assert [(await me.get(path)).status for path in media] == [403] * 3
    shown = (await (await me.get("/api/history?persona=grace-hopper")).json())["exchanges"]
    assert [(each["answer"]["text"], each["clips"]) for each in shown] == [(WHOLE, [])]


# ---- what every answer carries


@pytest.mark.parametrize(
    "path", ["/", "/static/lobby.js", "/api/me", "/api/history", "/api/turns/1/events", "/static/x"]
)
async def test_every_response_is_closed_to_others(me: Visitor, path: str) -> None:
    response = await me.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    expected = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    assert {name: response.headers[name] for name in expected} == expected
    assert "microphone=()" in response.headers["Permissions-Policy"]
    assert response.headers["Cache-Control"] == (
        "no-cache" if response.status == 200 and "api" not in path else "private, no-store"
    )


async def test_what_is_private_is_kept_by_no_cache(me: Visitor) -> None:
    answer = await me.answer("video")
    media = await me.get(f"/media/turns/{answer['turn_id']}/answer.mp4")
    assert media.headers["Cache-Control"] == "private, no-store"
    events = await me.get(f"/api/turns/{answer['turn']}/events")
    assert events.headers["Cache-Control"] == "private, no-store"
    assert events.headers["Content-Security-Policy"]


async def test_the_page_asks_nobody_else_for_anything(me: Visitor) -> None:
    page = await (await me.get("/")).text()
    assert "//" not in page.replace("<!doctype html>", "")
    assert "style=" not in page
    assert "onclick" not in page


async def test_static_files_are_not_sent_twice(me: Visitor) -> None:
    first = await me.get("/static/lobby.css")
    assert first.content_type == "text/css"
    assert (await me.get("/static/lobby.css", **{"If-None-Match": first.headers["ETag"]})).status == 304


async def test_a_medium_that_is_richer_than_agreed_is_not_made(me: Visitor) -> None:
    sent = question(medium="video", persona="ada")
    assert (await me.post("/api/messages", sent)).status == 202
    assert me.house.jobs[0].medium is Medium.TEXT
