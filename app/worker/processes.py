"""The two processes: a huey consumer with its helpers beside it, and the scheduler alone."""

import logging
import threading
from collections.abc import Collection, Sequence
from typing import Protocol

from app.core.config import Settings
from app.ops.capacity import live_slots
from app.ops.pulse import Standing
from app.queue.broker import make_huey
from app.queue.consumer import make_consumer
from app.queue.dispatch import make_dispatcher
from app.queue.slots import Slots
from app.queue.tasks import make_tasks
from app.runs.tally import Tally
from app.worker.ending import LATE_SECONDS, Ending, end_after
from app.worker.parts import Parts
from app.worker.work import Work

log = logging.getLogger(__name__)


class Helper(Protocol):
    """A thread beside the consumer."""

    def start(self) -> None: ...

    def close(self) -> None: ...


def run_worker(settings: Settings, *, with_scheduler: bool, queues: Collection[str] | None = None) -> None:
    """Serve runs until told to stop by SIGTERM or SIGINT, of all queues or of some; with a scheduler thread or not."""
    parts = Parts.from_settings(settings, queues=queues)
    # Asked for now: a worker without keys would take runs that it cannot do.
    parts.sealer.ring.all_keys()
    tally, keeper, slots = Tally(), parts.keeper(), Slots(settings.workers)
    pulse = parts.pulse(slots=settings.workers, schedules=with_scheduler, tally=tally, queues=parts.served.named)
    pulse.look = lambda: Standing(len(keeper.attempts), keeper.is_told_to_stop)
    work = Work(parts, parts.executor(keeper, worker=pulse.facts.name, tally=tally), slots)
    huey = make_huey(settings, parts.served)
    hints = make_tasks(huey, execute=work.follow_hint, tick=work.tick if with_scheduler else None)
    work.connect(parts.dispatcher(hints), pulse)
    ending = Ending(settings.stop_seconds, keeper)
    consumer = make_consumer(
        huey,
        threads=settings.workers,
        slots=slots,
        periodic=with_scheduler,
        stop_seconds=settings.stop_seconds,
        on_stop=ending.begin,
    )
    finder = parts.finder(slots, work.dispatcher, is_broker_away=lambda: huey.link.is_away, execute=work.execute)
    bulk = parts.bulk_carrier(work.dispatcher)
    timekeepers: list[Helper] = []
    if with_scheduler:
        timekeepers = [work.scheduler, parts.housekeeper(), parts.bookkeeper(), bulk, parts.teller()]
    others: list[Helper] = [parts.functions, parts.code_loader(), finder, parts.sender(), *timekeepers]
    _start([keeper, *others, pulse])
    facts = {"slots": settings.workers, "scheduler": with_scheduler, "queues": pulse.facts.queues or "all"}
    log.info("worker started", extra=facts)
    consumer.run()
    work.end(ending)
    # The keeper goes last but one, so that leases are renewed until nothing new can begin; the pulse signs off.
    _close([*others, keeper, pulse])
    parts.pools.dispose()
    log.info("worker stopped")


def run_scheduler(settings: Settings, closed: threading.Event) -> None:
    """Keep time until `closed` is set, without executing anything."""
    parts = Parts.from_settings(settings)
    pulse = parts.pulse(slots=0, schedules=True)
    dispatcher = make_dispatcher(settings, parts.pools.tick, parts.clock, live_slots=live_slots, stays=True)
    helpers: list[Helper] = [
        parts.code_loader(),
        parts.scheduler(dispatcher, pulse),
        parts.housekeeper(),
        parts.bookkeeper(),
        parts.bulk_carrier(dispatcher),
        parts.teller(),
        pulse,
    ]
    _start(helpers)
    log.info("scheduler started")
    closed.wait()
    end_after(settings.stop_seconds + LATE_SECONDS)
    dispatcher.close()
    _close(helpers)
    parts.pools.dispose()
    log.info("scheduler stopped")


def _start(helpers: Sequence[Helper]) -> None:
    for helper in helpers:
        helper.start()


def _close(helpers: Sequence[Helper]) -> None:
    for helper in helpers:
        helper.close()
