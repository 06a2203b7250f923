"""Celery on Redis or Valkey: `bot.ports.JobQueue`, and the one configuration that workers and gateways share."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar
from uuid import NAMESPACE_URL, uuid5

from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from bot.errors import PartFailed
from bot.jobs import ReplyJob
from bot.messages import Medium

P = ParamSpec("P")
T = TypeVar("T")

REPLY_TASK = "understudy.reply"
REPLIES = "replies"
CLIPS = "clips"
UPKEEP = "upkeep"

VISIBILITY_SECONDS = 60
"""After this long without an acknowledgement a job is given out again: while there is still time before its deadline.

That may be a job that is still being done. The lease on its question keeps it from being done twice at once: the second
copy of a recording waits for the lease and then finds the recording made; that of words is dropped, as they are coming.
"""

PUBLISH_SECONDS = 3.0
"""A person is waiting: a broker that does not take a job in this time counts as down."""


def make_celery(queue_url: str) -> Celery:
    """A Celery application without tasks of its own; `queue_url` is redis://... or rediss://...

    A job is acknowledged when it is done, so a killed worker's job runs again: tasks must bear running twice.
    """
    app = Celery("understudy", broker=queue_url, set_as_current=False)
    app.conf.update(
        task_queues=[Queue(REPLIES), Queue(CLIPS), Queue(UPKEEP)],
        task_default_queue=REPLIES,
        task_create_missing_queues=False,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_track_started=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=PUBLISH_SECONDS,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_SECONDS,
            # Look for the jobs of a worker that was killed every second, not every ten.
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": PUBLISH_SECONDS,
            "socket_timeout": 10,
            # Kombu would try for ever to reach a broker that is down, in the thread of whoever submits.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
        enable_utc=True,
        timezone="UTC",
    )
    return app


def task_id(job: ReplyJob) -> str:
    """One id for one submission.

    A worker remembers a job that expired as revoked, by its id: another press of "See it" must not share it.
    """
    return str(uuid5(NAMESPACE_URL, f"understudy:{job.turn_id}:{job.medium.value}:{job.trace_id}"))


class CeleryJobQueue:
    """Implements `bot.ports.JobQueue`: words to the queue `replies`, recordings to `clips`."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery
        # Threads of its own: what others do in the loop's few must not hold up a submission.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="submit")

    async def submit(self, job: ReplyJob, after: float = 0.0) -> None:
        """Raises PartFailed("queue") when the broker does not take the job in a few seconds."""
        try:
            await asyncio.wait_for(self._in_thread(self._publish, job, after), PUBLISH_SECONDS * 2)
        except (OperationalError, RedisError, OSError, TimeoutError) as error:
            raise PartFailed("queue", "the broker did not take the job", retryable=True) from error

    def _publish(self, job: ReplyJob, after: float) -> None:
        self._celery.send_task(
            REPLY_TASK,
            args=[job.model_dump(mode="json")],
            task_id=task_id(job),
            queue=REPLIES if job.medium is Medium.TEXT else CLIPS,
            expires=job.deadline,
            countdown=after or None,
            retry=False,
        )

    async def waiting(self) -> dict[str, int]:
        """How many jobs lie in each queue that nobody has taken yet. Raises PartFailed("queue")."""
        try:
            return await self._in_thread(self._lengths)
        except (OperationalError, RedisError, OSError) as error:
            raise PartFailed("queue", "the broker did not answer", retryable=True) from error

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args, **kwargs))

    def _lengths(self) -> dict[str, int]:
        with self._celery.connection_for_read() as connection:
            channel: Any = connection.default_channel
            return {name: int(channel.client.llen(name)) for name in (REPLIES, CLIPS)}
