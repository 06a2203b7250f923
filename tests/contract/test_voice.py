"""The Voice port on everything that implements it, and the whole chain on the real model.

A fake, our client over our server with an engine that hums, over a foreign server that knows no phonemes and cuts
samples in two, and over the speech process as it is run, with the real Kokoro. Whisper listens.
"""

import asyncio
import base64
import io
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from elevenlabs.client import AsyncElevenLabs, ElevenLabs
from elevenlabs.core.api_error import ApiError
from scipy.signal import butter, resample_poly, sosfiltfilt

from bot.errors import PartFailed
from bot.media import SAMPLE_RATE, SpeechChunk, seconds
from bot.ports import Voice
from integrations.elevenlabs import ElevenLabsVoice
from integrations.speech_server import make_app
from tests.fakes.performers import PlainVoice
from tests.fakes.tones import ToneEngine
from tests.scenario.hearing import heard, sound

KEY = "a key of letters"
TEXT = "Hello there, I was born on December 9, 1906. What would you like to know?"


@dataclass(frozen=True)
class Spoken:
    """Everything one utterance gave."""

    chunks: list[SpeechChunk]

    @property
    def length(self) -> int:
        return sum(chunk.length for chunk in self.chunks)

    @property
    def pcm(self) -> bytes:
        return b"".join(chunk.pcm for chunk in self.chunks)

    @property
    def wave(self) -> np.ndarray:
        return np.frombuffer(self.pcm, "<i2").astype(np.float32) / 32768


async def spoken(voice: Voice, text: str, name: str = "hum", language: str = "en-US") -> Spoken:
    return Spoken([chunk async for chunk in voice.speak(text, name, language)])


# --- the port's suite -------------------------------------------------------------------------------------------------


async def foreign(request: web.Request) -> web.StreamResponse:
    """Another's server: no phonemes, sound in odd pieces, times of some pieces counted from the piece."""
    text = (await request.json())["text"]
    pcm = np.arange(2400 * len(text), dtype="<i2").tobytes()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    half = len(text) // 2
    parts = [(text[:half], pcm[: 4800 * half + 1], 0.0), (text[half:], pcm[4800 * half + 1 :], 0.0)]
    for part, data, origin in parts:
        starts = [origin + 0.1 * i for i in range(len(part))]
        alignment = {
            "characters": list(part),
            "character_start_times_seconds": starts,
            "character_end_times_seconds": [start + 0.1 for start in starts],
        }
        line = json.dumps({"audio_base64": base64.b64encode(data).decode(), "alignment": alignment}) + "\n\n"
        for at in range(0, len(line), 5000):
            await response.write(line[at : at + 5000].encode())
    await response.write(json.dumps({"audio_base64": "", "alignment": None}).encode())
    return response


@pytest_asyncio.fixture(params=["fake", "ours", "foreign"])
async def voice(request: pytest.FixtureRequest) -> AsyncIterator[Voice]:
    if request.param == "fake":
        yield PlainVoice()
        return
    app = make_app(ToneEngine(), KEY) if request.param == "ours" else web.Application()
    if request.param == "foreign":
        app.router.add_post("/v1/text-to-speech/{voice}/stream/with-timestamps", foreign)
    async with TestServer(app) as server:
        client = ElevenLabsVoice(str(server.make_url("/")), KEY)
        yield client
        await client.close()


async def test_sound_comes_in_chunks_of_whole_samples(voice: Voice) -> None:
    said = await spoken(voice, TEXT)
    assert said.length > 0
    assert all(len(chunk.pcm) % 2 == 0 and chunk.pcm for chunk in said.chunks)


async def test_words_and_phonemes_lie_within_the_utterance_in_order(voice: Voice) -> None:
    said = await spoken(voice, TEXT)
    for items in ([p for c in said.chunks for p in c.phonemes], [w for c in said.chunks for w in c.words]):
        assert items
        assert [item.at for item in items] == sorted(item.at for item in items)
        assert all(item.duration > 0 and item.at >= 0 and item.at + item.duration <= said.length for item in items)


async def test_the_words_are_those_of_the_text(voice: Voice) -> None:
    said = await spoken(voice, TEXT)
    assert " ".join(word.text for chunk in said.chunks for word in chunk.words) == TEXT


# --- our client -------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(params=["ours", "foreign"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[ElevenLabsVoice]:
    app = make_app(ToneEngine(), KEY) if request.param == "ours" else web.Application()
    if request.param == "foreign":
        app.router.add_post("/v1/text-to-speech/{voice}/stream/with-timestamps", foreign)
    async with TestServer(app) as server:
        found = ElevenLabsVoice(str(server.make_url("/v1")), KEY)
        yield found
        await found.close()


async def test_every_chunk_carries_what_begins_in_it(client: ElevenLabsVoice) -> None:
    said = await spoken(client, "One is here. Two is there. Three is gone.")
    at = 0
    for chunk in said.chunks:
        assert seconds(chunk.length) <= 0.5
        assert seconds(chunk.length) >= 0.15 or chunk is said.chunks[-1]
        assert all(at <= item.at < at + chunk.length for item in (*chunk.phonemes, *chunk.words))
        at += chunk.length


async def test_a_foreign_server_moves_the_mouth_too() -> None:
    app = web.Application()
    app.router.add_post("/v1/text-to-speech/{voice}/stream/with-timestamps", foreign)
    async with TestServer(app) as server:
        client = ElevenLabsVoice(str(server.make_url("/")), "")
        said = await spoken(client, "Ship on time")
        await client.close()
    assert [p.symbol for c in said.chunks for p in c.phonemes] == ["ʃ", "ɪ", "p", "", "ɑ", "n", "", "t", "ɪ", "m", "ɛ"]
    assert said.pcm == np.arange(2400 * len("Ship on time"), dtype="<i2").tobytes()
    assert [(w.text, w.at) for c in said.chunks for w in c.words] == [("Ship", 0), ("on", 12_000), ("time", 19_200)]


async def test_a_text_without_words_is_silence(client: ElevenLabsVoice) -> None:
    assert (await spoken(client, "... 👋 —")).chunks == []


@pytest.mark.parametrize(
    ("name", "language", "key", "retryable", "why"),
    [
        ("nobody", "en", KEY, False, "404"),
        ("hum", "fr", KEY, False, "400"),
        ("hum", "en", "wrong", False, "401"),
    ],
)
async def test_refusals_become_part_failed(name: str, language: str, key: str, retryable: bool, why: str) -> None:
    async with TestServer(make_app(ToneEngine(), KEY)) as server:
        client = ElevenLabsVoice(str(server.make_url("/")), key)
        with pytest.raises(PartFailed) as failure:
            await spoken(client, "Hello.", name, language)
        await client.close()
    assert (failure.value.part, failure.value.retryable) == ("voice", retryable)
    assert why in failure.value.why


@pytest.mark.parametrize(
    "detail",
    [
        [{"loc": ["body", "text"], "msg": "too private", "input": "a secret"}],
        {"status": "A secret", "message": "a secret"},
        {"status": "invalid_text", "message": "a secret"},
        "a secret",
        None,
    ],
)
async def test_a_refusal_repeats_nobodys_words(detail: object) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"detail": detail}, status=422)

    app = web.Application()
    app.router.add_post("/v1/text-to-speech/{voice}/stream/with-timestamps", refuse)
    async with TestServer(app) as server:
        client = ElevenLabsVoice(str(server.make_url("/")), "")
        with pytest.raises(PartFailed) as failure:
            await spoken(client, "a secret")
        await client.close()
    code = ", invalid_text" if isinstance(detail, dict) and detail["status"] == "invalid_text" else ""
    assert failure.value.why == f"the speech server refused (422{code})"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_busy_or_broken_server_may_be_asked_again(status: int) -> None:
    async def busy(request: web.Request) -> web.Response:
        return web.json_response({"detail": {"status": "system_busy", "message": "Later."}}, status=status)

    app = web.Application()
    app.router.add_post("/v1/text-to-speech/{voice}/stream/with-timestamps", busy)
    async with TestServer(app) as server:
        client = ElevenLabsVoice(str(server.make_url("/")), "")
        with pytest.raises(PartFailed, match="system_busy") as failure:
            await spoken(client, "Hello.")
        await client.close()
    assert failure.value.retryable


async def test_nobody_there_may_be_asked_again() -> None:
    client = ElevenLabsVoice("http://127.0.0.1:9", "")
    with pytest.raises(PartFailed) as failure:
        await spoken(client, "Hello.")
    await client.close()
    assert failure.value.retryable


@pytest.mark.parametrize("body", [b"<html>", b'{"audio_base64": "a"}', b"[1]", b'{"phonemes": [{}]}', b""])
async def test_nonsense_is_part_failed(body: bytes) -> None:
    async def nonsense(request: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    app.router.add_post("/v1/text-to-speech/{voice}/stream/with-timestamps", nonsense)
    async with TestServer(app) as server:
        client = ElevenLabsVoice(str(server.make_url("/")), "")
        with pytest.raises(PartFailed):
            await spoken(client, "Hello.")
        await client.close()


async def test_a_server_that_breaks_off_is_part_failed() -> None:
    class Breaking(ToneEngine):
        def _pieces(self, sentences: list[str]) -> Iterator[Any]:
            yield from super()._pieces(sentences[:1])
            raise RuntimeError("broke")

    async with TestServer(make_app(Breaking(), "")) as server:
        client = ElevenLabsVoice(str(server.make_url("/")), "")
        stream = client.speak("One. Two.", "hum", "en")
        assert (await anext(stream)).length
        with pytest.raises(PartFailed) as failure:
            _ = [chunk async for chunk in stream]
        await client.close()
    assert failure.value.retryable


async def test_nobody_listening_stops_the_work() -> None:
    engine = ToneEngine(pace=0.1)
    async with TestServer(make_app(engine, "")) as server:
        client = ElevenLabsVoice(str(server.make_url("/")), "")
        stream = client.speak("One. " * 100, "hum", "en")
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0.6)
        made = len(engine.made)
        await asyncio.sleep(0.5)
        assert len(engine.made) == made < 30
        await client.close()


# --- the speech process with the real model ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Process:
    url: str
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="session")
def speech(model_store: Any) -> Iterator[Process]:
    """`understudy speech`, as it is run."""
    for name in ("kokoro", "kokoro-voices"):
        cache = model_store.path(name)
    while cache.name != "models":
        cache = cache.parent
    port = _free_port()
    environment = {**os.environ, "UNDERSTUDY_SPEECH_KEY": KEY, "UNDERSTUDY_CACHE_DIR": str(cache.parent)}
    command = [sys.executable, "-m", "workers.cli", "speech", "--port", str(port)]
    process = subprocess.Popen(command, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        _until_healthy(url, process)
        yield Process(url, process)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        assert process.poll() is None, "the speech process has ended"
        try:
            with urllib.request.urlopen(f"{url}/healthz") as response:
                assert response.status == 200
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the speech process did not become healthy")


@pytest.fixture
def sdk(speech: Process) -> ElevenLabs:
    """The official client, as everybody installs it."""
    return ElevenLabs(api_key=KEY, base_url=speech.url)


@pytest.fixture(scope="session")
def tls(speech: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The speech process behind TLS, because the SDK speaks to WebSockets over TLS only: (address, authority)."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    bundle = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    front = _Front(speech.url, context)
    front.start()
    yield f"https://127.0.0.1:{front.port}", bundle
    front.stop()


class _Front:
    """Passes bytes on, in a thread with a loop of its own."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        import threading

        self._target = int(url.rsplit(":", 1)[1])
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def start(self) -> None:
        self._thread.start()
        serving = asyncio.start_server(self._pass, "127.0.0.1", 0, ssl=self._context)
        server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)
        self.port = server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, back = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(self._pump(reader, back), self._pump(onward, writer), return_exceptions=True)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.close()


GRACE, JORY = "af_kore", "am_michael"


@pytest.mark.models
class TestSdk:
    """Every call of the official SDK that the API table names, unmodified."""

    def test_voices(self, sdk: ElevenLabs) -> None:
        voices = {voice.voice_id: voice for voice in sdk.voices.get_all().voices}
        assert {GRACE, JORY, "af_heart"} <= set(voices)
        assert voices[JORY].name == "Michael"
        assert sdk.voices.get(GRACE).labels["gender"] == "female"
        found = sdk.voices.search(search="british female", page_size=2)
        assert len(found.voices) == 2
        assert found.has_more
        assert found.total_count == 4
        assert sdk.voices.settings.get(GRACE).speed == 1.0
        assert sdk.voices.settings.get_default().stability == 0.5

    def test_stock_voices_cannot_be_deleted_nor_learned(self, sdk: ElevenLabs) -> None:
        with pytest.raises(ApiError) as refusal:
            sdk.voices.delete(GRACE)
        assert (refusal.value.status_code, refusal.value.body["detail"]["status"]) == (400, "voice_can_not_be_deleted")
        with pytest.raises(ApiError) as refusal:
            sdk.voices.ivc.create(name="Me", files=[io.BytesIO(b"RIFF" + bytes(1000))])
        assert refusal.value.body["detail"]["status"] == "can_not_use_instant_voice_cloning"

    def test_models_and_user(self, sdk: ElevenLabs) -> None:
        (model,) = sdk.models.list()
        assert (model.model_id, model.can_do_text_to_speech) == ("kokoro-82m", True)
        assert [language.language_id for language in model.languages] == ["en"]
        assert sdk.user.get().subscription.can_use_instant_voice_cloning is False

    def test_convert(self, sdk: ElevenLabs, model_store: Any) -> None:
        mp3 = b"".join(sdk.text_to_speech.convert(GRACE, text="The meeting is at 3:45 PM."))
        assert words(heard(mp3, model_store.path("whisper-base"))) == words("The meeting is at 3:45 p.m.")

    def test_stream(self, sdk: ElevenLabs) -> None:
        pieces = list(sdk.text_to_speech.stream(GRACE, text=TEXT, output_format="pcm_16000", model_id="kokoro-82m"))
        assert sum(map(len, pieces)) > 16_000 * 2 * 3

    def test_timestamps(self, sdk: ElevenLabs) -> None:
        answer = sdk.text_to_speech.convert_with_timestamps(GRACE, text=TEXT, output_format="pcm_24000")
        length = len(base64.b64decode(answer.audio_base_64)) / 2 / SAMPLE_RATE
        assert "".join(answer.alignment.characters) == TEXT
        assert "nineteen oh six" in "".join(answer.normalized_alignment.characters)
        assert answer.alignment.character_end_times_seconds[-1] == pytest.approx(length, abs=1e-6)
        sounds = answer.phonemes  # the SDK keeps what it does not know
        assert sum(round(SAMPLE_RATE * each["duration"]) for each in sounds) == round(SAMPLE_RATE * length)
        lines = list(sdk.text_to_speech.stream_with_timestamps(GRACE, text=TEXT, output_format="pcm_24000"))
        assert len(lines) == 3
        assert "".join(c for line in lines for c in line.alignment.characters) == TEXT
        assert b"".join(base64.b64decode(line.audio_base_64) for line in lines) == base64.b64decode(
            answer.audio_base_64
        )

    async def test_async_client(self, speech: Process) -> None:
        client = AsyncElevenLabs(api_key=KEY, base_url=speech.url)
        sound = b"".join([part async for part in client.text_to_speech.stream(JORY, text="Yes, I do.")])
        assert len(sound) > 5000

    def test_realtime_over_tls(self, tls: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, model_store: Any) -> None:
        url, authority = tls
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        client = ElevenLabs(api_key=KEY, base_url=url)
        parts = client.text_to_speech.convert_realtime(
            GRACE, text=iter(["A ship in port ", "is safe. ", "But that is not ", "what ships are built for."])
        )
        said = words(heard(b"".join(parts), model_store.path("whisper-base")))
        assert said == words("A ship in port is safe. But that is not what ships are built for.")

    def test_realtime_refusals_reach_the_caller(self, tls: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))
        client = ElevenLabs(api_key=KEY, base_url=tls[0])
        with pytest.raises(ApiError) as refusal:
            list(client.text_to_speech.convert_realtime("nobody", text=iter(["Hello. "])))
        assert refusal.value.status_code == 1008

    def test_errors_are_the_sdks_own(self, speech: Process, sdk: ElevenLabs) -> None:
        with pytest.raises(ApiError) as refusal:
            list(sdk.text_to_speech.convert("nobody", text="Hello."))
        assert (refusal.value.status_code, refusal.value.body["detail"]["status"]) == (404, "voice_not_found")
        with pytest.raises(ApiError) as refusal:
            ElevenLabs(api_key="wrong", base_url=speech.url).models.list()
        assert (refusal.value.status_code, refusal.value.body["detail"]["status"]) == (401, "invalid_api_key")


SENTENCES = {
    "Yes, I do.": "Yes, I do.",
    "The first computer bug was a moth, found in a relay of the Mark II in 1947.": "",
    "She was born on December 9, 1906 in New York City.": "",
    "The meeting is at 3:45 PM on Tuesday.": "The meeting is at 3.45pm on Tuesday.",
    "It costs $12.50, which is 20% less than in 2019.": "",
    "I handed out pieces of wire, 11.8 inches long.": "",
    "Dr. Smith lives at 15 Main St. He is in the Navy.": "Dr. Smith lives at 15 Main Street. He is in the Navy.",
    "Write to grace@navy.mil, or see example.com.": "Write to grace at navy.mil, or see example.com.",
    "About 3,500 people and 2 dogs came on 12/05/2026.": "About 3,500 people and two dogs came on December 5th, 2026.",
    "People are allergic to change; they love to say, we have always done it this way.": "",
}


def words(text: str) -> list[str]:
    """Words to compare: how Whisper writes a date or a time is its own affair."""
    text = re.sub(r"(?<=\d)[:.](?=\d)", " ", text.lower().replace("p.m.", "pm").replace("dr.", "dr"))
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b|,(?=\d)", "", text)
    return re.sub(r"(?<=\d)(?=[ap]m)", " ", re.sub(r"[^\w\s]", " ", text)).split()


def errors(wanted: list[str], got: list[str]) -> int:
    """Words inserted, left out or changed."""
    row = list(range(len(got) + 1))
    for i, word in enumerate(wanted, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(got, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


@pytest_asyncio.fixture
async def real(speech: Process) -> AsyncIterator[ElevenLabsVoice]:
    client = ElevenLabsVoice(speech.url, KEY)
    yield client
    await client.close()


@pytest.mark.models
@pytest.mark.timeout(600)
class TestHearing:
    """What the real voice says, and when."""

    @pytest.mark.parametrize("voice", [GRACE, JORY])
    async def test_whisper_hears_what_was_written(self, real: ElevenLabsVoice, voice: str, model_store: Any) -> None:
        gap = SpeechChunk(bytes(2 * SAMPLE_RATE // 2))
        chunks: list[SpeechChunk] = []
        for text in SENTENCES:
            chunks += [*(await spoken(real, text, voice)).chunks, gap]
        got = words(heard(_wav(Spoken(chunks)), model_store.path("whisper-base")))
        wanted = words(" ".join(alike or text for text, alike in SENTENCES.items()))
        print(" ".join(got))
        assert errors(wanted, got) / len(wanted) < 0.06

    async def test_phonemes_fill_the_sound_without_gaps(self, real: ElevenLabsVoice) -> None:
        said = await spoken(real, TEXT, GRACE)
        at = 0
        for phoneme in (p for chunk in said.chunks for p in chunk.phonemes):
            assert phoneme.at == at
            at += phoneme.duration
        assert at == said.length

    async def test_hissing_is_where_the_phonemes_hiss(self, real: ElevenLabsVoice) -> None:
        """An independent ear: energy above 4 kHz against the times of s and sh, at every shift from -100 to 100 ms."""
        shifts = range(-40, 41)
        score = np.zeros(len(shifts))
        for text in (
            "She sees six ships passing the shore on a sunny Sunday.",
            "This fussy lesson is a serious issue.",
        ):
            said = await spoken(real, text, GRACE)
            high = sosfiltfilt(butter(4, 3800, "high", fs=SAMPLE_RATE, output="sos"), said.wave)
            energy, all_energy = (np.convolve(w**2, np.ones(240) / 240, "same")[::60] for w in (high, said.wave))
            hiss = ((energy / (all_energy + 1e-7) > 0.5) & (energy > 1e-5)).astype(float)
            told = np.zeros(len(hiss))
            for phoneme in (p for chunk in said.chunks for p in chunk.phonemes if p.symbol in ("s", "ʃ")):
                told[phoneme.at // 60 : (phoneme.at + phoneme.duration) // 60] = 1
            score += [np.corrcoef(np.roll(told, shift), hiss)[0, 1] for shift in shifts]
        assert abs(2.5 * shifts[int(score.argmax())]) <= 20

    async def test_silence_is_silent_and_speech_is_not(self, real: ElevenLabsVoice) -> None:
        said = await spoken(real, TEXT, GRACE)
        levels: dict[bool, list[float]] = {True: [], False: []}
        for phoneme in (p for chunk in said.chunks for p in chunk.phonemes if p.duration > 1200):
            part = said.wave[phoneme.at + 240 : phoneme.at + phoneme.duration - 240]
            levels[phoneme.symbol == ""].append(20 * np.log10(np.sqrt((part**2).mean()) + 1e-6))
        assert max(levels[True]) < -35 < np.median(levels[False])

    async def test_words_are_where_whisper_hears_them(self, real: ElevenLabsVoice, model_store: Any) -> None:
        from tests.scenario.hearing import _whisper

        text = "The first computer bug was a moth, found in a relay of the machine. Nobody believed it."
        said = await spoken(real, text, GRACE)
        segments, _ = _whisper(model_store.path("whisper-base")).transcribe(
            resample_poly(said.wave, 2, 3).astype(np.float32), language="en", word_timestamps=True
        )
        theirs = [word.start for segment in segments for word in segment.words]
        ours = [seconds(word.at) for chunk in said.chunks for word in chunk.words]
        assert len(theirs) == len(ours)
        assert np.median(np.abs(np.array(theirs) - ours)) < 0.12

    @pytest.mark.parametrize("voice", [GRACE, JORY, "bf_isabella", "af_nova"])
    async def test_voices_are_equally_loud_and_never_clip(self, real: ElevenLabsVoice, voice: str) -> None:
        said = await spoken(real, "People are allergic to change. We have always done it this way.", voice)
        active = said.wave[np.abs(said.wave) > 0.01]
        assert -21.5 < 20 * np.log10(np.sqrt((active**2).mean())) < -14.5
        assert np.abs(said.wave).max() < 0.9

    async def test_pieces_join_without_a_click_or_a_long_gap(self, real: ElevenLabsVoice) -> None:
        said = await spoken(real, "It was late, so we left early. Then we came back, and it was gone.", GRACE)
        pauses = [p.duration for c in said.chunks for p in c.phonemes if p.symbol == ""]
        assert seconds(max(pauses)) < 0.75
        assert seconds(pauses[0]) < 0.1
        edges = np.cumsum([chunk.length for chunk in said.chunks])[:-1]
        typical = np.percentile(np.abs(np.diff(said.wave)), 99.9)
        assert all(abs(said.wave[edge] - said.wave[edge - 1]) <= max(2 * typical, 0.02) for edge in edges)

    async def test_slower_is_slower(self, speech: Process) -> None:
        lengths = []
        for speed in (0.8, 1.0, 1.2):
            client = ElevenLabsVoice(speech.url, KEY, speed=speed)
            lengths.append((await spoken(client, "People are allergic to change.", GRACE)).length)
            await client.close()
        assert lengths[0] > 1.1 * lengths[1] > 1.2 * lengths[2]


def _wav(said: Spoken) -> bytes:
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(said.pcm)
    assert len(sound(file.getvalue(), SAMPLE_RATE)) == said.length
    return file.getvalue()
