"""`understudy replies`: the Celery worker that answers.

Prefork: one job a process at a time, one event loop a process, everything heavy loaded after the fork. Written answers
and recordings have queues and processes of their own, so that text never waits behind somebody's video.
"""

import asyncio
import logging
from typing import Any, Literal

import click

from workers.settings import settings

Queue = Literal["replies", "clips"]
LONGEST_PAUSE = 20
log = logging.getLogger(__name__)


class Process:
    """One worker process: its loop and its parts."""

    def __init__(self, queue: Queue) -> None:
        from workers.wiring import Wiring

        self.loop = asyncio.new_event_loop()
        self.wiring = Wiring(settings())
        self.loop.run_until_complete(self._warm(queue))

    async def _warm(self, queue: Queue) -> None:
        """Load now what the first question would wait for."""
        try:
            persona = self.wiring.settings.default_persona
            await self.wiring.personas.search(persona, "hello", 1)
            if queue == "clips":
                await self._warm_faces()
        except Exception:
            log.exception("could not warm up; the first answer will be slower")

    async def _warm_faces(self) -> None:
        for published in await self.wiring.personas.all():
            face = await self.wiring.gallery.of(published.persona, seed=0)
            async for _ in face.idle():
                break

    def answer(self, payload: dict[str, Any]) -> bool:
        """Do one job. False when it must wait: another worker is at this question just now."""
        from bot.jobs import ReplyJob

        return self.loop.run_until_complete(self._answer(ReplyJob.model_validate(payload)))

    async def _answer(self, job: Any) -> bool:
        from bot.messages import Medium

        async with self.wiring.leases.hold(f"turn:{job.turn_id}") as ours:
            if ours:
                await self.wiring.reply.answer(job)
            # Whoever is at it writes the words too; only a recording has to wait for its turn.
            return ours or job.medium is Medium.TEXT


def make_app(queue: Queue) -> Any:
    """The Celery app with its one task."""
    from celery.exceptions import Retry
    from celery.signals import worker_process_init

    from bot.errors import PartFailed
    from integrations.queue import make_celery
    from workers.logs import set_up
    from workers.wiring import located

    app = make_celery(located(settings()).queue_url)
    running: list[Process] = []

    @worker_process_init.connect(weak=False)
    def begin(**_: Any) -> None:
        set_up(settings().log_level, as_json=settings().log_json)
        running.append(Process(queue))

    @app.task(name="understudy.reply", bind=True, max_retries=None)
    def reply(task: Any, payload: dict[str, Any]) -> None:
        pause = min(2 ** (task.request.retries + 1), LONGEST_PAUSE)
        expires = task.request.expires
        try:
            if running[0].answer(payload):
                return
        except PartFailed as error:
            log.warning("a job will be tried again", extra={"turn_id": payload["turn_id"], "part": error.part})
        raise task.retry(countdown=pause, expires=expires) from None

    reply.throws = (Retry,)
    return app


@click.command("replies")
@click.option("--queue", type=click.Choice(["replies", "clips"]), default="replies", show_default=True)
@click.option("--processes", type=click.IntRange(1), default=None, help="How many answers at once.")
def main(queue: Queue, processes: int | None) -> None:
    """Answer questions: written ones, or with --queue clips spoken and filmed ones."""
    from workers.logs import set_up

    set_up(settings().log_level, as_json=settings().log_json)
    count = processes or (settings().reply_processes if queue == "replies" else settings().clip_processes)
    make_app(queue).worker_main(
        [
            *("worker", "--queues", queue, "--pool", "prefork", "--concurrency", str(count)),
            *("--hostname", f"{queue}@%h", "--loglevel", settings().log_level),
            *("--without-gossip", "--without-mingle"),
        ]
    )
