"""Composition root of the worker process: settings, database, kinds and huey become a consumer with a scheduler."""

import logging
import os
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from app.core.clock import Clock, DatabaseClock
from app.core.config import Settings
from app.core.db import Database, open_database
from app.core.deadline import Deadline
from app.core.http import OutboundClient
from app.core.key_rings import key_ring
from app.core.schema import SchemaGate, newest_migration
from app.core.sealing import Sealer
from app.core.troubles import Trouble
from app.core.version import VERSION
from app.jobs.kinds.base import JobKinds
from app.jobs.kinds.code.supply import GuardSupply
from app.ops.capacity import live_slots
from app.ops.code_loader import CodeLoader
from app.ops.heartbeats import facts_of_this_process
from app.ops.housekeeping import Housekeeper
from app.ops.kinds import guard_supply, job_kinds
from app.ops.pulse import Pulse, Standing
from app.ops.statistics import Statistics
from app.queue.broker import Hints, make_huey
from app.queue.consumer import make_consumer
from app.queue.dispatch import Dispatcher, make_dispatcher
from app.queue.finder import Finder
from app.queue.scheduler import Scheduler
from app.queue.served import Served
from app.queue.slots import Slots
from app.queue.tasks import make_tasks
from app.runs.claims import LeaseTerms
from app.runs.executor import Executor
from app.runs.facts import Taking
from app.runs.keeper import Keeper
from app.runs.tally import Tally

log = logging.getLogger(__name__)

# What a stopping worker keeps back of its stop time, for attempts to end and be handed back: half of it at most.
HAND_BACK_SECONDS = 5
# What it gets beyond its stop time before it ends as it is. Whoever started it waits a little longer than that.
LATE_SECONDS = 3
EXIT_LATE = 1
# Less than half a lease of the default length. A batch of the tick takes half a second.
SMALL_ANSWER_SECONDS = 12.0


class Helper(Protocol):
    """A thread beside the consumer."""

    def start(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Pools:
    """The same database by three ways, so that leases are renewed and slots planned however busy the work is."""

    work: Database
    tick: Database
    beat: Database

    @classmethod
    def open(cls, settings: Settings) -> "Pools":
        work = open_database(settings.database_url, connections=settings.workers + 2)
        if not work.is_postgres:
            # A file has no connections to run out of.
            return cls(work, work, work)
        # These ask small questions. Without an answer soon they try another connection, before a lease ends.
        tick, beat = (
            open_database(settings.database_url, connections=3, keeps_plans=keeps, answer_seconds=SMALL_ANSWER_SECONDS)
            for keeps in (False, True)
        )
        return cls(work, tick, beat)

    def dispose(self) -> None:
        for database in (self.work, self.tick, self.beat):
            database.dispose()


@dataclass(frozen=True)
class Parts:
    """What worker and scheduler processes share."""

    settings: Settings
    pools: Pools
    clock: Clock
    schema: SchemaGate
    kinds: JobKinds
    functions: GuardSupply
    sealer: Sealer
    served: Served = field(default_factory=Served)

    @classmethod
    def from_settings(cls, settings: Settings, *, queues: Collection[str] | None = None) -> "Parts":
        pools = Pools.open(settings)
        schema = SchemaGate(
            pools.beat,
            expected=newest_migration(),
            is_strict=settings.is_production,
            others=(pools.work, pools.tick),
        )
        schema.refuse_powerful_login()
        functions = guard_supply(settings)
        kinds = job_kinds(settings, functions)
        return cls(
            settings, pools, DatabaseClock(), schema, kinds, functions, Sealer(key_ring(settings)), Served(queues)
        )

    def pulse(
        self, *, slots: int, schedules: bool, tally: Tally | None = None, queues: frozenset[str] | None = None
    ) -> Pulse:
        facts = facts_of_this_process(version=VERSION, slots=slots, schedules=schedules, queues=queues)
        problem = self.schema.sentence()
        if problem is not None:
            log.error("database cannot be used", extra={"problem": problem})
        return Pulse(self.pools.beat, self.clock, self.schema, facts, Statistics(tally))

    def housekeeper(self) -> Housekeeper:
        days = self.settings.retention_days
        return Housekeeper(self.pools.tick, self.clock, self.schema, timedelta(days=days) if days else None)

    def code_loader(self) -> CodeLoader:
        return CodeLoader(self.pools.tick, self.clock, self.schema, self.settings)

    def keeper(self) -> Keeper:
        beat = self.settings.heartbeat_seconds
        return Keeper(database=self.pools.beat, clock=self.clock, terms=self._terms, heartbeat_seconds=beat)

    def executor(self, keeper: Keeper, *, worker: str, tally: Tally | None = None) -> Executor:
        return Executor(
            database=self.pools.work,
            kinds=self.kinds,
            clock=self.clock,
            http=OutboundClient(allowed_private=self.settings.allowed_private_addresses),
            sealer=self.sealer,
            worker=worker,
            terms=self._terms,
            keeper=keeper,
            tally=tally or Tally(),
            taking=Taking(self.served.named, is_called_alone=True),
        )

    def finder(
        self,
        slots: Slots,
        dispatcher: Dispatcher,
        *,
        is_broker_away: Callable[[], bool],
        execute: Callable[[UUID], bool],
    ) -> Finder:
        return Finder(
            database=self.pools.tick,
            clock=self.clock,
            schema=self.schema,
            slots=slots,
            served=self.served,
            is_broker_away=is_broker_away,
            execute=execute,
            retry_in=dispatcher.come_back_in,
        )

    @property
    def _terms(self) -> LeaseTerms:
        return LeaseTerms.for_lease(self.settings.lease_seconds)

    def dispatcher(self, hints: Hints) -> Dispatcher:
        # The scheduler waits for it after each tick, so it waits for an answer no longer than the tick does.
        slots, served = self.settings.workers, self.served
        return Dispatcher(self.pools.tick, self.clock, hints, live_slots, own_slots=slots, served=served, stays=True)

    def scheduler(self, dispatcher: Dispatcher, pulse: Pulse) -> Scheduler:
        return Scheduler(
            database=self.pools.tick,
            clock=self.clock,
            schema=self.schema,
            kinds=self.kinds,
            dispatcher=dispatcher,
            poll_seconds=self.settings.poll_seconds,
            sweep_seconds=self.settings.sweep_seconds,
            hold_seconds=self.settings.lease_seconds,
            first_sweep_seconds=self.settings.heartbeat_seconds,
            report=pulse.note_tick,
        )


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
    timekeepers: list[Helper] = [work.scheduler, parts.housekeeper()] if with_scheduler else []
    finder = parts.finder(slots, work.dispatcher, is_broker_away=lambda: huey.link.is_away, execute=work.execute)
    helpers: list[Helper] = [keeper, parts.functions, parts.code_loader(), finder, *timekeepers, pulse]
    for helper in helpers:
        helper.start()
    facts = {"slots": settings.workers, "scheduler": with_scheduler, "queues": pulse.facts.queues or "all"}
    log.info("worker started", extra=facts)
    consumer.run()
    # The consumer knows of the runs that hints led to; the finder's are waited for as well.
    slots.wait_until_idle(ending.seconds_left)
    # A call that nobody answers cannot be interrupted; its run is given to others all the same.
    work.hand_back()
    # The keeper goes last but one, so that leases are renewed until nothing new can begin; the pulse signs off.
    work.dispatcher.close()
    for helper in [*helpers[1:-1], keeper, pulse]:
        helper.close()
    parts.pools.dispose()
    log.info("worker stopped")


class Ending:
    """The time that a stopping process takes: what runs may end by itself, then it is stopped and handed back."""

    def __init__(self, stop_seconds: int, keeper: Keeper) -> None:
        self._stop_seconds = stop_seconds
        self._keeper = keeper
        self._until = Deadline.after(stop_seconds)

    def begin(self) -> None:
        """From now on, and however often it is asked for, the time runs."""
        if self._keeper.is_told_to_stop:
            return
        log.info("worker stopping", extra={"seconds": self._stop_seconds, "running": len(self._keeper.attempts)})
        self._until = Deadline.after(self._stop_seconds)
        self._keeper.stop_attempts_after(self._stop_seconds - min(HAND_BACK_SECONDS, self._stop_seconds / 2))
        end_after(self._stop_seconds + LATE_SECONDS)

    @property
    def seconds_left(self) -> float:
        return self._until.seconds_left


def end_after(seconds: float) -> None:
    """End this process then, whatever it still waits for: a server that does not answer may keep it for long."""

    def end() -> None:
        log.error("stopping took too long", extra={"seconds": seconds})
        os._exit(EXIT_LATE)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


class Work:
    """What the tasks of a worker do."""

    scheduler: Scheduler
    dispatcher: Dispatcher

    def __init__(self, parts: Parts, executor: Executor, slots: Slots) -> None:
        self._parts = parts
        self._executor = executor
        self._slots = slots
        self._trouble = Trouble(log, "following hints")

    def connect(self, dispatcher: Dispatcher, pulse: Pulse) -> None:
        """Tasks need the dispatcher, whose hints need the tasks: so it is handed in second."""
        self.dispatcher = dispatcher
        self.scheduler = self._parts.scheduler(dispatcher, pulse)

    def follow_hint(self, run_id: UUID) -> None:
        """Execute a run on one of the slots, which the finder uses too. A worker that stops leaves it to others."""
        # Mostly the database is what fails. It may be away for minutes, with a hint for every run that waits.
        with self._trouble.absorbing() as go, self._slots.taken() as has_slot:
            go.was_made = has_slot and (self.execute(run_id) or self._parts.schema.is_current())

    def execute(self, run_id: UUID) -> bool:
        """Execute a run, then let the next one come. A database that is not ready yet keeps its runs."""
        if not self._parts.schema.is_current():
            return False
        was_executed = self._executor.execute(run_id)
        self.dispatcher.dispatch_in_time()
        return was_executed

    def tick(self) -> None:
        """huey's tick, beside the scheduler's own."""
        with self._trouble.absorbing() as go:
            self.scheduler.tick()
            go.was_made = self._parts.schema.is_current()

    def hand_back(self) -> None:
        """Give the runs that did not end in time to other workers, or to the next start."""
        self._executor.hand_back()


def run_scheduler(settings: Settings, closed: threading.Event) -> None:
    """Keep time until `closed` is set, without executing anything."""
    parts = Parts.from_settings(settings)
    pulse = parts.pulse(slots=0, schedules=True)
    dispatcher = make_dispatcher(settings, parts.pools.tick, parts.clock, live_slots=live_slots, stays=True)
    scheduler = parts.scheduler(dispatcher, pulse)
    helpers: list[Helper] = [parts.code_loader(), scheduler, parts.housekeeper(), pulse]
    for helper in helpers:
        helper.start()
    log.info("scheduler started")
    closed.wait()
    end_after(settings.stop_seconds + LATE_SECONDS)
    dispatcher.close()
    for helper in helpers:
        helper.close()
    parts.pools.dispose()
    log.info("scheduler stopped")
