"""The whole of Understudy, started once the way a newcomer starts it, with a fake Slack beside it."""

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from tests.fakes.slack import FakeSlack

ROOT = Path(__file__).parents[2]
START_SECONDS = 280
NEEDED = ["chat-0.5b", "kokoro", "kokoro-voices", "minilm", "face-detector", "face-mesh", "selfie-segmenter", "iris"]


@dataclass
class Running:
    """A running installation. `output` grows while it runs."""

    url: str
    data_dir: Path
    env: dict[str, str]
    slack: FakeSlack
    process: asyncio.subprocess.Process
    output: Path

    async def command(self, *arguments: str) -> tuple[int, str, str]:
        """Run `understudy ...` as the same user would; its exit code, stdout and stderr."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workers.cli", *arguments),
            **{"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE},
            cwd=ROOT,
            env=self.env,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def asked(self, question: str, *options: str) -> dict[str, Any]:
        """The answer that `understudy ask --json` prints."""
        code, out, err = await self.command("ask", question, "--json", *options)
        assert code == 0, err
        return dict(json.loads(out))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, port: int, slack: FakeSlack) -> dict[str, str]:
    """What the person who starts it has set: other ports than usual, and a Slack that is not Slack."""
    return os.environ | {
        "UNDERSTUDY_DATA_DIR": str(data_dir),
        "UNDERSTUDY_PORT": str(port),
        "UNDERSTUDY_MODEL_PORT": str(free_port()),
        "UNDERSTUDY_SPEECH_PORT": str(free_port()),
        "UNDERSTUDY_SLACK_API_URL": slack.api_url,
        "UNDERSTUDY_SLACK_BOT_TOKEN": "xoxb-fake",
        "UNDERSTUDY_SLACK_SIGNING_SECRET": slack.signing_secret,
        "UNDERSTUDY_LOG_LEVEL": "INFO",
    }


@pytest_asyncio.fixture(scope="session")
async def understudy(model_store: Any) -> AsyncIterator[Running]:
    """`understudy up --lite` with a data directory of its own, stopped by Ctrl-C at the end."""
    for name in (*NEEDED, "grace-hopper-portrait"):
        model_store.path(name)
    with tempfile.TemporaryDirectory(prefix="us-", ignore_cleanup_errors=True) as folder:
        async with FakeSlack() as slack:
            port = free_port()
            env = environment(Path(folder) / "data", port, slack)
            output = Path(folder) / "output.txt"
            with output.open("wb") as out:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "workers.cli", "up", "--lite"), stdout=out, stderr=out, cwd=ROOT, env=env
                )
            running = Running(f"http://127.0.0.1:{port}", Path(folder) / "data", env, slack, process, output)
            slack.request_url = f"{running.url}/slack/events"
            try:
                await _all_up(running)
                yield running
            finally:
                if process.returncode is None:
                    process.send_signal(signal.SIGINT)
                code = await asyncio.wait_for(process.wait(), 60)
            assert code == 0, output.read_text()[-3000:]


async def _all_up(running: Running) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(START_SECONDS * 2):
            assert running.process.returncode is None, running.output.read_text()[-3000:]
            try:
                async with session.get(f"{running.url}/healthz") as response:
                    if response.status == 200:
                        return
                    said = await response.text()
            except aiohttp.ClientError as error:
                said = str(error)
            await asyncio.sleep(0.5)
    raise AssertionError(f"it did not come up: {said}\n{running.output.read_text()[-3000:]}")
