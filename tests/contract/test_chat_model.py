"""What every ChatModel does: asked of the fake, and of the client on the real embedded server."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web

from bot.errors import PartFailed
from bot.personas import ModelMessage, Prompt
from bot.ports import ChatModel
from integrations.llama_slots import LlamaSlots
from integrations.vllm import OpenAIChatModel
from tests.fakes.chat_model import ScriptedModel

NAME = "served-name"
RULES = " ".join(f"Rule {number}: answer in plain words and stay with what you know." for number in range(12))


def prompt(question: str, tokens: int = 40, system: str = "You are a helpful librarian.") -> Prompt:
    return Prompt((ModelMessage("system", system), ModelMessage("user", question)), tokens, 0.0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(model_store: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`understudy model --lite` as a process; its base URL."""
    model_store.path("chat-0.5b")
    port = free_port()
    data = tmp_path_factory.mktemp("model")
    environment = {**os.environ, "UNDERSTUDY_MODEL_NAME": NAME, "UNDERSTUDY_DATA_DIR": str(data)}
    command = [sys.executable, "-m", "workers.cli", "model", "--lite", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2])
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest_asyncio.fixture
async def real(server: str) -> AsyncIterator[OpenAIChatModel]:
    model = OpenAIChatModel(server, NAME)
    for _ in range(60):  # the first to ask may come while the weights are being loaded
        try:
            async for _ in model.stream(prompt("Hi", tokens=1)):
                pass
            break
        except PartFailed as error:
            assert error.retryable
    yield model
    await model.close()


@pytest.fixture(params=["fake", pytest.param("embedded server", marks=pytest.mark.models)])
def model(request: pytest.FixtureRequest) -> ChatModel:
    if request.param == "fake":
        return ScriptedModel(["Water ", "boils at ", "100 degrees."])
    found: OpenAIChatModel = request.getfixturevalue("real")
    return found


async def test_an_answer_comes_in_pieces(model: ChatModel) -> None:
    pieces = [piece async for piece in model.stream(prompt("At how many degrees Celsius does water boil?"))]
    assert len(pieces) > 1
    assert all(pieces)
    assert "100" in "".join(pieces)


async def test_several_are_answered_at_once(model: ChatModel) -> None:
    async def ask() -> str:
        return "".join([piece async for piece in model.stream(prompt("What is 2 + 2? Answer with one digit."))])

    assert all(await asyncio.gather(*(ask() for _ in range(4))))


async def test_closing_early_is_clean(model: ChatModel) -> None:
    stream = model.stream(prompt("Count from one to two hundred.", tokens=400))
    async for _ in stream:
        break
    await stream.aclose()  # type: ignore[attr-defined]
    assert [piece async for piece in model.stream(prompt("At how many degrees does water boil?"))]


# --- the client and the embedded server ---------------------------------------------------------------------------


@pytest.mark.models
async def test_max_tokens_is_kept(real: OpenAIChatModel) -> None:
    pieces = [piece async for piece in real.stream(prompt("Count from one to two hundred.", tokens=5))]
    assert 1 <= len(pieces) <= 5


@pytest.mark.models
async def test_closing_early_stops_the_server(real: OpenAIChatModel, server: str) -> None:
    stream = real.stream(prompt("Count from one to two hundred, one number a line.", tokens=2000))
    async for _ in stream:
        break
    assert await asyncio.to_thread(busy_slots, server) == 1
    await stream.aclose()  # type: ignore[attr-defined]
    while await asyncio.to_thread(busy_slots, server):
        await asyncio.sleep(0.05)


def busy_slots(server: str) -> int:
    import json

    with urlopen(server.removesuffix("/v1") + "/slots") as answer:
        return sum(slot["is_processing"] for slot in json.load(answer))


@pytest.mark.models
async def test_after_warming_every_persona_is_in_the_cache(real: OpenAIChatModel, server: str) -> None:
    async def cached(name: str) -> float:
        """The share of a new question's prompt that the server need not read."""
        messages = [{"role": m.role, "content": m.content} for m in persona(name, "And who are you?").messages]
        body = {"model": NAME, "messages": messages, "max_tokens": 1}
        async with ClientSession() as session, session.post(f"{server}/chat/completions", json=body) as answer:
            usage = (await answer.json())["usage"]
        return float(usage["prompt_tokens_details"]["cached_tokens"] / usage["prompt_tokens"])

    def persona(name: str, question: str) -> Prompt:
        return prompt(question, system=f"You are {name}. {RULES}")

    assert await cached("Zoe") < 0.5, "nobody has asked Zoe yet"
    slots = LlamaSlots(server, "", real.read)
    await slots.warm([persona(name, "Hello") for name in ("Ann", "Bob")])
    for name in ("Ann", "Bob", "Ann"):
        assert await cached(name) > 0.9
    both = await asyncio.gather(cached("Ann"), cached("Bob"), cached("Ann"), cached("Bob"))
    assert min(both) > 0.9, "two of each at once"


@pytest.mark.models
async def test_a_prompt_that_was_kept_is_not_read_again(real: OpenAIChatModel, server: str) -> None:
    read: list[int | None] = []

    async def reading(asked: Prompt, slot: int | None) -> None:
        read.append(slot)
        await real.read(asked, slot)

    slots = LlamaSlots(server, "", reading)
    await slots.warm([prompt("Hello", system=f"You are Cleo. {RULES}")])
    await slots.warm([prompt("Hello", system=f"You are Cleo. {RULES}")])
    assert read == [0], "the other slots, and the second start, take what was kept"


@pytest.mark.models
async def test_too_long_a_prompt_is_no_passing_failure(real: OpenAIChatModel) -> None:
    with pytest.raises(PartFailed) as failed:
        async for _ in real.stream(prompt("word " * 6000)):
            pass
    assert failed.value.part == "model"
    assert not failed.value.retryable


async def test_nobody_listens() -> None:
    model = OpenAIChatModel(f"http://127.0.0.1:{free_port()}/v1", NAME)
    with pytest.raises(PartFailed, match="cannot be reached") as failed:
        async for _ in model.stream(prompt("Hi")):
            pass
    assert failed.value.retryable
    await model.close()


# --- servers that misbehave, over real HTTP -----------------------------------------------------------------------

DELTA = (
    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
)


class Misbehaving:
    """A server that answers as told, in turn."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            return web.json_response({"error": {"message": "secret words of the prompt"}}, status=answer)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in answer:
            if piece is None:  # break off in the middle
                assert request.transport is not None
                request.transport.abort()
                return response
            if isinstance(piece, float):
                await asyncio.sleep(piece)
                continue
            await response.write(piece)
        return response


async def ask(server: Misbehaving, **options: Any) -> str:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    model = OpenAIChatModel(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", NAME, **options)
    try:
        return "".join([piece async for piece in model.stream(prompt("Hi"))])
    finally:
        await model.close()
        await runner.cleanup()


async def test_a_loading_server_is_asked_again() -> None:
    server = Misbehaving(503, 429, [DELTA % b"well", b"data: [DONE]\n\n"])
    assert await ask(server) == "well"
    assert server.asked == 3


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (401, False), (404, False), (500, True), (503, True)])
async def test_a_refusal_says_whether_it_passes_and_repeats_nobodys_words(status: int, retryable: bool) -> None:
    with pytest.raises(PartFailed) as failed:
        await ask(Misbehaving(status))
    assert failed.value.retryable is retryable
    assert "secret" not in str(failed.value)


async def test_a_server_that_breaks_off() -> None:
    with pytest.raises(PartFailed) as failed:
        await ask(Misbehaving([DELTA % b"half an ", None]))
    assert failed.value.retryable


async def test_a_server_that_falls_silent() -> None:
    with pytest.raises(PartFailed, match="silent") as failed:
        await ask(Misbehaving([DELTA % b"half an ", 30.0]), silence=0.3)
    assert failed.value.retryable
