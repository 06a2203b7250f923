"""`understudy upkeep`: finds what a crash left behind. Run exactly one: Celery beat and its worker in one process.

A question that was stored but never reached the queue is submitted again; one whose time ran out gets its apology.
"""

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from bot.errors import PartFailed
from workers.settings import settings

if TYPE_CHECKING:
    from bot.jobs import ReplyJob
    from workers.wiring import Wiring

SWEEP_SECONDS = 10.0
STRANDED_AFTER = timedelta(seconds=60)  # longer than most questions wait their turn
AT_ONCE = 100

log = logging.getLogger(__name__)


async def sweep(wiring: "Wiring") -> tuple[int, int]:
    """Submit stranded questions again, apologise for overdue ones; how many of each."""
    now = wiring.clock.now()
    submitted = apologised = 0
    for job in await wiring.conversations.stranded(now - STRANDED_AFTER, AT_ONCE):
        await wiring.queue.submit(job)
        submitted += 1
    for job in await wiring.conversations.overdue(now, AT_ONCE):
        apologised += await _apologise(wiring, job)
    return submitted, apologised


async def _apologise(wiring: "Wiring", job: "ReplyJob") -> bool:
    """One that cannot be reached must not keep the others from their apology."""
    async with wiring.leases.hold(f"turn:{job.turn_id}") as ours:
        try:
            if ours:
                await wiring.reply.apologise(job)
            return ours
        except PartFailed as error:
            log.exception("an apology could not be shown", extra={"turn_id": job.turn_id})
            if error.retryable:
                return False
        except Exception:
            log.exception("an apology could not be shown", extra={"turn_id": job.turn_id})
        answer = await wiring.conversations.begin(job.turn_id)
        await wiring.conversations.settle(answer.id, "", [], failed=True)
        return False


def make_app() -> Any:
    """The Celery app: one periodic task on a queue of its own."""
    from celery.signals import worker_process_init

    from bot.errors import UnderstudyError
    from integrations.queue import make_celery
    from workers.logs import set_up
    from workers.wiring import Wiring, located

    app = make_celery(located(settings()).queue_url)
    running: list[tuple[asyncio.AbstractEventLoop, Wiring]] = []

    @worker_process_init.connect(weak=False)
    def begin(**_: Any) -> None:
        set_up(settings().log_level, as_json=settings().log_json)
        running.append((asyncio.new_event_loop(), Wiring(settings())))

    @app.task(name="understudy.sweep", expires=SWEEP_SECONDS)
    def run() -> None:
        loop, wiring = running[0]
        try:
            submitted, apologised = loop.run_until_complete(sweep(wiring))
        except UnderstudyError:
            log.exception("upkeep could not sweep; it tries again")
            return
        if submitted or apologised:
            log.info("swept", extra={"submitted": submitted, "apologised": apologised})

    app.conf.beat_schedule = {
        "sweep": {"task": run.name, "schedule": SWEEP_SECONDS, "options": {"queue": "upkeep"}},
    }
    return app


@click.command("upkeep")
def main() -> None:
    """Submit again what a crash stranded; apologise for what ran out of time."""
    from workers.logs import set_up

    set_up(settings().log_level, as_json=settings().log_json)
    schedule = settings().data_dir / "upkeep-schedule"
    make_app().worker_main(
        [
            *("worker", "--beat", "--schedule", str(schedule), "--queues", "upkeep", "--concurrency", "1"),
            *("--hostname", "upkeep@%h", "--loglevel", settings().log_level),
            *("--without-gossip", "--without-mingle"),
        ]
    )
