"""The queue: one suite, on the fake and on Celery with a real Valkey and, at the end, a real worker."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from bot.errors import PartFailed
from bot.jobs import ReplyJob
from bot.messages import Medium
from integrations.leases import LASTS
from integrations.queue import (
    CLIPS,
    REPLIES,
    REPLY_TASK,
    VISIBILITY_SECONDS,
    CeleryJobQueue,
    make_celery,
    task_id,
)
from tests.fakes.memory import MemoryJobQueue
from workers.settings import Settings


def job(medium: Medium = Medium.TEXT, seconds: float = 60) -> ReplyJob:
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    return ReplyJob(turn_id=uuid4(), medium=medium, deadline=deadline, trace_id="t1")


@pytest.fixture
def broker(valkey_url: str) -> Iterator[str]:
    """A Valkey database of this test's own."""
    url = valkey_url.removesuffix("/0") + "/5"
    Redis.from_url(url).flushdb()
    yield url
    Redis.from_url(url).flushdb()


class Waiting:
    """A queue and what lies in it."""

    def __init__(self, queue: Any, url: str = "") -> None:
        self.queue, self._url = queue, url

    def jobs(self) -> list[ReplyJob]:
        if isinstance(self.queue, MemoryJobQueue):
            return self.queue.jobs
        return [ReplyJob.model_validate(body(raw)[0][0]) for raw in self.raw(REPLIES) + self.raw(CLIPS)]

    def raw(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(each) for each in Redis.from_url(self._url).lrange(name, 0, -1)]  # type: ignore[union-attr]


def body(message: dict[str, Any]) -> Any:
    import base64

    return json.loads(base64.b64decode(message["body"]))


@pytest.fixture(params=["memory", "celery"])
async def waiting(request: pytest.FixtureRequest, broker: str) -> AsyncIterator[Waiting]:
    if request.param == "memory":
        yield Waiting(MemoryJobQueue())
        return
    celery = make_celery(broker)
    yield Waiting(CeleryJobQueue(celery), broker)
    celery.close()


async def test_what_was_submitted_waits_unchanged(waiting: Waiting) -> None:
    jobs = [job(medium) for medium in Medium]
    await asyncio.gather(*(waiting.queue.submit(each) for each in jobs))
    assert sorted(waiting.jobs(), key=lambda each: each.medium.rank) == jobs


async def test_words_and_recordings_wait_apart(broker: str) -> None:
    celery = make_celery(broker)
    queue = CeleryJobQueue(celery)
    jobs = {medium: job(medium) for medium in Medium}
    for each in jobs.values():
        await queue.submit(each)
    assert await queue.waiting() == {"replies": 1, "clips": 2}
    raw = Waiting(queue, broker).raw(REPLIES)[0]
    assert raw["headers"]["task"] == REPLY_TASK
    assert raw["headers"]["id"] == task_id(jobs[Medium.TEXT])
    assert datetime.fromisoformat(raw["headers"]["expires"]) == jobs[Medium.TEXT].deadline
    assert len(json.dumps(body(raw)[0])) < 1024, "ids only"
    celery.close()


def test_every_submission_has_a_task_id_of_its_own() -> None:
    one = job()
    assert task_id(one) == task_id(one.model_copy())
    assert task_id(one) != task_id(one.model_copy(update={"trace_id": "other"}))
    assert task_id(one) != task_id(one.model_copy(update={"medium": Medium.VIDEO}))


def test_a_lost_job_is_given_out_again_while_there_is_time_to_do_it() -> None:
    patience = Settings.model_fields["reply_seconds"].default
    assert LASTS < VISIBILITY_SECONDS <= patience / 3, "a dead worker's lease is gone, and most of the time is left"


@pytest.mark.parametrize("broker_is", ["gone", "silent"])
async def test_a_broker_that_is_down_is_a_part_that_failed_soon(broker_is: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and never says a word
        port = deaf.getsockname()[1]
        if broker_is == "gone":
            deaf.close()
        celery = make_celery(f"redis://127.0.0.1:{port}/0")
        async with asyncio.timeout(20):
            with pytest.raises(PartFailed) as failure:
                await CeleryJobQueue(celery).submit(job())
    assert (failure.value.part, failure.value.retryable) == ("queue", True)


WORKER = """
import os, sys, time
from integrations.queue import make_celery, REPLY_TASK
app = make_celery(sys.argv[1])
app.conf.broker_transport_options["visibility_timeout"] = 2
log = sys.argv[2]

@app.task(name=REPLY_TASK)
def reply(payload):
    with open(log, "a") as file:
        file.write(f"{os.getpid()} {payload['turn_id']}\\n")
    if payload["trace_id"] == "slow":
        time.sleep(60)

app.worker_main(["worker", "--pool", "prefork", "--concurrency", "1", "-Q", "replies,clips", "-l", "WARNING",
                 "--without-mingle", "--without-gossip", "--without-heartbeat"])
"""


class Worker:
    """A real worker process that writes down what it is given."""

    def __init__(self, url: str, log: Path) -> None:
        self.log = log
        self.process = subprocess.Popen([sys.executable, "-c", WORKER, url, str(log)], start_new_session=True)

    async def lines(self, number: int, seconds: float = 40) -> list[list[str]]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []
            if len(found) >= number:
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(f"fewer than {number} jobs were started")

    def kill(self) -> None:
        import os

        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


async def test_a_killed_workers_job_runs_again_and_an_expired_one_never(broker: str, tmp_path: Path) -> None:
    celery = make_celery(broker)
    queue, log = CeleryJobQueue(celery), tmp_path / "started"
    slow = job(Medium.VIDEO).model_copy(update={"trace_id": "slow"})
    await queue.submit(job(seconds=-1))
    await queue.submit(slow)
    first = Worker(broker, log)
    try:
        assert [line[1] for line in await first.lines(1)] == [str(slow.turn_id)]
    finally:
        first.kill()
    second = Worker(broker, log)
    try:
        assert [line[1] for line in await second.lines(2)] == [str(slow.turn_id)] * 2
    finally:
        second.kill()
        celery.close()


async def test_what_expired_once_can_be_asked_for_again(broker: str, tmp_path: Path) -> None:
    celery = make_celery(broker)
    queue = CeleryJobQueue(celery)
    expired = job(Medium.VIDEO, seconds=-1)
    again = job(Medium.VIDEO).model_copy(update={"turn_id": expired.turn_id, "trace_id": "t2"})
    await queue.submit(expired)
    await queue.submit(again)
    worker = Worker(broker, tmp_path / "started")
    try:
        assert [line[1] for line in await worker.lines(1)] == [str(again.turn_id)]
    finally:
        worker.kill()
        celery.close()
