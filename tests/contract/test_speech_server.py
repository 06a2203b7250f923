"""The speech server's API over real HTTP: formats, errors, limits, fairness, and clients that hang up.

The engine here hums, so that nothing of this needs a model; test_voice.py speaks with the real one.
"""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator

import aiohttp
import av
import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from integrations.speech_server import make_app
from integrations.speech_server.formats import FORMATS
from integrations.speech_server.requests import LONGEST_TEXT
from tests.fakes.tones import LENGTH, ToneEngine

KEY = "a key of letters"
HEADERS = {"xi-api-key": KEY}
SPEECH = "/v1/text-to-speech/hum"
Client = TestClient[web.Request, web.Application]


@pytest.fixture
def engine() -> ToneEngine:
    return ToneEngine()


@pytest_asyncio.fixture
async def client(engine: ToneEngine) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(engine, KEY, workers=1, most_requests=8)), headers=HEADERS) as client:
        yield client


async def detail(response: aiohttp.ClientResponse) -> tuple[int, str]:
    body = await response.json()
    assert set(body) == {"detail"}
    assert set(body["detail"]) == {"status", "message"}
    assert body["detail"]["message"].endswith((".", "key"))
    return response.status, body["detail"]["status"]


def decoded(sound: bytes, name: str) -> tuple[int, np.ndarray]:
    """(rate, samples) of what a client received."""
    raw = {"pcm": "s16le", "ulaw": "mulaw", "alaw": "alaw"}.get(name.split("_")[0])
    options = {"sample_rate": name.split("_")[1], "ch_layout": "mono"} if raw else {}
    with av.open(io.BytesIO(sound), format=raw, options=options) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("flt", "mono")
        frames = [out for frame in container.decode(stream) for out in resampler.resample(frame)]
        return stream.rate, np.concatenate([frame.to_ndarray()[0] for frame in frames])


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("route", ["", "/stream"])
async def test_every_format_decodes_to_the_same_tone(client: Client, name: str, route: str) -> None:
    response = await client.post(f"{SPEECH}{route}?output_format={name}", json={"text": "One. Two. Three."})
    assert response.status == 200, await response.text()
    rate, wave = decoded(await response.read(), name)
    assert rate == int(name.split("_")[1])
    assert len(wave) / rate == pytest.approx(1.5, abs=0.12)
    middle = wave[rate // 2 : rate // 2 + rate // 2]
    peak = np.fft.rfftfreq(len(middle), 1 / rate)[np.abs(np.fft.rfft(middle)).argmax()]
    assert peak == pytest.approx(440, abs=4)
    assert np.sqrt((middle**2).mean()) == pytest.approx(8000 / 32768 / np.sqrt(2), rel=0.1)


async def test_a_whole_wav_says_its_length(client: Client) -> None:
    response = await client.post(f"{SPEECH}?output_format=wav_16000", json={"text": "One."})
    sound = await response.read()
    assert int.from_bytes(sound[40:44], "little") == len(sound) - 44
    assert int.from_bytes(sound[4:8], "little") == len(sound) - 8


@pytest.mark.parametrize("name", ["mp3_44100_128", "pcm_24000", "opus_48000_64"])
async def test_times_come_with_the_sound(client: Client, name: str) -> None:
    text = "One. Two."
    whole = await (await client.post(f"{SPEECH}/with-timestamps?output_format={name}", json={"text": text})).json()
    response = await client.post(f"{SPEECH}/stream/with-timestamps?output_format={name}", json={"text": text})
    lines = [json.loads(line) for line in (await response.text()).splitlines()]
    aligned = [line for line in lines if line["alignment"]]
    for key in ("characters", "character_start_times_seconds", "character_end_times_seconds"):
        for kind in ("alignment", "normalized_alignment"):
            assert whole[kind][key] == [value for line in aligned for value in line[kind][key]]
    assert "".join(whole["alignment"]["characters"]) == text
    assert whole["alignment"]["character_end_times_seconds"][-1] == 1.0
    assert whole["phonemes"] == [sound for line in lines for sound in line["phonemes"]]
    assert sum(round(24_000 * sound["duration"]) for sound in whole["phonemes"]) == 2 * LENGTH
    streamed = b"".join(base64.b64decode(line["audio_base64"]) for line in lines)
    for sound in (streamed, base64.b64decode(whole["audio_base64"])):
        rate, wave = decoded(sound, name)
        assert len(wave) / rate == pytest.approx(1.0, abs=0.12)


async def test_the_first_clause_goes_out_before_the_last_is_made() -> None:
    engine = ToneEngine(pace=0.3)
    async with TestClient(TestServer(make_app(engine, KEY)), headers=HEADERS) as client:
        response = await client.post(
            f"{SPEECH}/stream?output_format=pcm_24000", json={"text": "One. Two. Three. Four."}
        )
        await response.content.readexactly(2 * LENGTH)
        assert len(engine.made) < 4
        assert len(await response.read()) == 3 * 2 * LENGTH


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"text": "   "}, (400, "input_text_empty")),
        ({"text": "a" * (LONGEST_TEXT + 1)}, (400, "max_character_limit_exceeded")),
        ({"model_id": "gpt"}, (400, "model_not_found")),
        ({"language_code": "fr"}, (400, "unsupported_language")),
        ({"voice_settings": {"speed": 3}}, (400, "invalid_voice_settings")),
    ],
)
@pytest.mark.parametrize("route", ["", "/stream", "/with-timestamps", "/stream/with-timestamps"])
async def test_refusals_say_what_is_wrong(
    client: Client, route: str, change: dict[str, object], expected: tuple[int, str]
) -> None:
    assert await detail(await client.post(SPEECH + route, json={"text": "One.", **change})) == expected


async def test_other_refusals(client: Client) -> None:
    one = {"text": "One."}
    assert await detail(await client.post("/v1/text-to-speech/nobody", json=one)) == (404, "voice_not_found")
    assert await detail(await client.get("/v1/voices/nobody")) == (404, "voice_not_found")
    assert await detail(await client.delete("/v1/voices/nobody")) == (404, "voice_not_found")
    assert await detail(await client.post(f"{SPEECH}?output_format=mp4", json=one)) == (400, "invalid_output_format")
    assert await detail(await client.post(SPEECH, data=b"x" * 2_000_000)) == (413, "request_too_large")
    assert (await client.get("/v1/nothing")).status == 404


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"text": 5}', b"{}", b'{"text": "a", "voice_settings": "fast"}', b"\xff\xfe"]
)
async def test_a_malformed_body_is_a_422_that_names_the_place(client: Client, body: bytes) -> None:
    response = await client.post(SPEECH, data=body, headers={"Content-Type": "application/json"})
    assert response.status == 422
    assert [set(each) for each in (await response.json())["detail"]] == [{"loc", "msg", "type"}]


@pytest.mark.parametrize("path", ["/v1/voices", "/v2/voices", "/v1/models", "/v1/user"])
async def test_nothing_without_the_key(client: Client, path: str) -> None:
    async with aiohttp.ClientSession() as stranger:
        url = client.make_url(path)
        assert await detail(await stranger.get(url)) == (401, "needs_authorization")
        assert await detail(await stranger.get(url, headers={"xi-api-key": "other"})) == (401, "invalid_api_key")
    assert (await client.get(path)).status == 200


@pytest.mark.parametrize("key", [KEY, ""])
@pytest.mark.parametrize("origin", ["https://example.org", "http://127.0.0.1:8080", "null"])
async def test_no_web_page_may_use_it(key: str, origin: str) -> None:
    headers = {"xi-api-key": key, "Origin": origin}
    async with TestClient(TestServer(make_app(ToneEngine(), key)), headers=headers) as client:
        refused = (403, "origin_not_allowed")
        assert await detail(await client.post(SPEECH, json={"text": "One."})) == refused
        assert await detail(await client.get("/v1/voices")) == refused
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await client.ws_connect(SOCKET)
        assert refusal.value.status == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8090", 200),
        ("localhost", 200),
        ("[::1]:8090", 200),
        ("rebound.example:8090", 403),
        ("127.0.0.1.rebound.example", 403),
        ("[", 403),
    ],
)
async def test_without_a_key_it_answers_to_loopback_names_only(host: str, status: int) -> None:
    async with TestClient(TestServer(make_app(ToneEngine(), "")), headers={"Host": host}) as client:
        response = await client.get("/v1/voices")
        assert response.status == status
        if status == 403:
            assert await detail(response) == (403, "host_not_allowed")
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await client.ws_connect(SOCKET)
    async with TestClient(TestServer(make_app(ToneEngine(), KEY)), headers={"Host": host, **HEADERS}) as client:
        assert (await client.get("/v1/voices")).status == 200, "with a key a proxy may pass on any name"


async def test_healthz_waits_for_the_engine_and_needs_no_key() -> None:
    engine = ToneEngine()
    engine.loaded.clear()
    async with TestClient(TestServer(make_app(engine, KEY))) as client:
        assert (await client.get("/healthz")).status == 503
        engine.loaded.set()
        async with asyncio.timeout(10):
            while (await client.get("/healthz")).status != 200:
                await asyncio.sleep(0.02)


async def test_an_engine_that_cannot_load_is_not_healthy() -> None:
    class Broken(ToneEngine):
        def warm(self) -> None:
            raise RuntimeError("no weights")

    async with TestClient(TestServer(make_app(Broken(), KEY))) as client:
        async with asyncio.timeout(10):
            while (await (response := await client.get("/healthz")).json())["status"] == "loading":
                await asyncio.sleep(0.02)
        assert response.status == 503


async def test_work_stops_when_the_client_goes() -> None:
    engine = ToneEngine(pace=0.1)
    async with TestClient(TestServer(make_app(engine, KEY)), headers=HEADERS) as client:
        response = await client.post(f"{SPEECH}/stream?output_format=pcm_24000", json={"text": "One. " * 200})
        await response.content.readexactly(100)
        response.close()
        await asyncio.sleep(1)
        made = len(engine.made)
        await asyncio.sleep(0.5)
        assert len(engine.made) == made < 30


async def test_a_long_text_does_not_hold_up_a_short_one() -> None:
    engine = ToneEngine(pace=0.05)
    async with TestClient(TestServer(make_app(engine, KEY, workers=1)), headers=HEADERS) as client:
        long = asyncio.create_task(client.post(f"{SPEECH}?output_format=pcm_24000", json={"text": "Long. " * 60}))
        while not engine.made:
            await asyncio.sleep(0.01)
        response = await client.post(f"{SPEECH}?output_format=pcm_24000", json={"text": "Short."})
        assert len(await response.read()) == 2 * LENGTH
        assert not long.done()
        assert len(await (await long).read()) == 60 * 2 * LENGTH


async def test_more_requests_than_there_is_room_for_are_refused() -> None:
    engine = ToneEngine(pace=0.1)
    async with TestClient(TestServer(make_app(engine, KEY, most_requests=2)), headers=HEADERS) as client:
        answers = await asyncio.gather(*(client.post(SPEECH, json={"text": "One. Two."}) for _ in range(5)))
        assert sorted(answer.status for answer in answers) == [200, 200, 429, 429, 429]
        assert await detail(next(answer for answer in answers if answer.status == 429)) == (429, "system_busy")
        assert (await client.post(SPEECH, json={"text": "One."})).status == 200


async def test_a_failing_engine_is_a_500_without_its_secrets() -> None:
    class Failing(ToneEngine):
        def synthesize(self, text, voice, language, speed):  # type: ignore[no-untyped-def]
            raise RuntimeError("/home/me/weights are corrupt")

    async with TestClient(TestServer(make_app(Failing(), KEY)), headers=HEADERS) as client:
        response = await client.post(SPEECH, json={"text": "One."})
        assert "weights" not in await response.text()
        assert await detail(response) == (500, "internal_error")


async def test_a_voice_is_learned_listed_used_and_forgotten(client: Client, engine: ToneEngine) -> None:
    form = aiohttp.FormData()
    form.add_field("name", "grace")
    form.add_field("files", b"RIFF one", filename="one.wav")
    form.add_field("files", b"RIFF two", filename="two.wav")
    response = await client.post("/v1/voices/add", data=form)
    assert await response.json() == {"voice_id": "grace", "requires_verification": False}
    assert engine.recordings == {"grace": [b"RIFF one", b"RIFF two"]}
    assert (await (await client.get("/v1/voices/grace")).json())["category"] == "cloned"
    assert (await client.post("/v1/text-to-speech/grace", json={"text": "One."})).status == 200
    assert (await client.delete("/v1/voices/grace")).status == 200
    assert (await client.get("/v1/voices/grace")).status == 404
    empty = aiohttp.FormData({"name": "x"}, default_to_multipart=True)
    assert (await client.post("/v1/voices/add", data=empty)).status == 422


async def test_search_finds_and_pages(client: Client, engine: ToneEngine) -> None:
    engine.recordings |= {f"voice {n}": [] for n in range(5)}
    first = await (await client.get("/v2/voices?category=cloned&page_size=3&sort=name")).json()
    rest = await (
        await client.get(f"/v2/voices?category=cloned&page_size=3&sort=name&next_page_token={first['next_page_token']}")
    ).json()
    assert (first["has_more"], rest["has_more"], first["total_count"]) == (True, False, 5)
    assert [v["name"] for v in first["voices"] + rest["voices"]] == [f"voice {n}" for n in range(5)]
    found = await (await client.get("/v2/voices?search=one+TONE")).json()
    assert [voice["voice_id"] for voice in found["voices"]] == ["hum"]
    assert (await client.get("/v2/voices?page_size=many")).status == 422


SOCKET = f"{SPEECH}/stream-input?output_format=pcm_24000"


async def test_socket_speaks_while_text_still_comes(client: Client) -> None:
    async with client.ws_connect(SOCKET) as socket:
        await socket.send_json({"text": " ", "voice_settings": {"stability": 0.5}})
        await socket.send_json({"text": "One is a sent"})
        await socket.send_json({"text": "ence. And "})
        first = await socket.receive_json(timeout=10)
        assert "".join(first["alignment"]["chars"]).strip() == "One is a sentence."
        assert sum(first["alignment"]["charDurationsMs"]) == 500
        assert first["alignment"]["charStartTimesMs"][0] == 0
        assert len(base64.b64decode(first["audio"])) == 2 * LENGTH
        assert sum(sound["duration"] for sound in first["phonemes"]) == 0.5
        await socket.send_json({"text": "another ", "flush": True})
        assert "".join((await socket.receive_json(timeout=10))["alignment"]["chars"]).strip() == "And another"
        await socket.send_json({"text": "The end"})
        await socket.send_json({"text": ""})
        assert "".join((await socket.receive_json(timeout=10))["alignment"]["chars"]) == "The end"
        assert (await socket.receive_json(timeout=10))["isFinal"] is True
        await socket.receive(timeout=10)
        assert socket.close_code == 1000


@pytest.mark.parametrize(
    ("path", "messages", "error"),
    [
        ("/v1/text-to-speech/nobody/stream-input", [{"text": " "}], "voice_not_found"),
        (f"{SPEECH}/stream-input?output_format=mp4", [{"text": " "}], "invalid_output_format"),
        (SOCKET, [{"text": " ", "voice_settings": {"speed": 9}}], "invalid_voice_settings"),
        (SOCKET, [{"text": " "}, "not json"], "invalid_message"),
        (SOCKET, [{"text": " "}, {"text": "a" * 30_000}, {"text": "a" * 30_000}], "max_character_limit_exceeded"),
        (f"{SOCKET}&inactivity_timeout=1", [{"text": " "}], "input_timeout_exceeded"),
    ],
)
async def test_socket_refuses_in_words_and_with_a_code(
    client: Client, path: str, messages: list[object], error: str
) -> None:
    async with client.ws_connect(path) as socket:
        for message in messages:
            await socket.send_str(message if isinstance(message, str) else json.dumps(message))
        said = await socket.receive_json(timeout=10)
        assert said["error"] == error
        assert said["message"]
        await socket.receive(timeout=10)
        assert socket.close_code == said["code"] == 1008


async def test_socket_takes_the_key_from_the_header_or_the_first_message(client: Client) -> None:
    async with aiohttp.ClientSession() as stranger:
        async with stranger.ws_connect(client.make_url(SOCKET)) as socket:
            await socket.send_json({"text": " "})
            assert (await socket.receive_json(timeout=10))["error"] == "invalid_api_key"
        async with stranger.ws_connect(client.make_url(SOCKET)) as socket:
            await socket.send_json({"text": " ", "xi_api_key": KEY})
            await socket.send_json({"text": ""})
            assert (await socket.receive_json(timeout=10))["isFinal"] is True


async def test_socket_stops_working_when_the_client_goes() -> None:
    engine = ToneEngine(pace=0.1)
    async with TestClient(TestServer(make_app(engine, KEY)), headers=HEADERS) as client:
        async with client.ws_connect(SOCKET) as socket:
            await socket.send_json({"text": " "})
            await socket.send_json({"text": "One. " * 100})
            await socket.receive_json(timeout=10)
        await asyncio.sleep(0.6)
        made = len(engine.made)
        await asyncio.sleep(0.5)
        assert len(engine.made) == made < 30
