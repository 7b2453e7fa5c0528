"""Composition root of the worker process: settings, database, kinds and huey become a consumer with a scheduler."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app.core.clock import Clock, DatabaseClock
from app.core.config import Settings
from app.core.db import Database, open_database
from app.core.http import OutboundClient
from app.core.key_rings import key_ring
from app.core.schema import SchemaGate, newest_migration
from app.core.scopes import ENGINE
from app.core.sealing import Sealer
from app.core.version import VERSION
from app.jobs.kinds.base import JobKinds
from app.jobs.kinds.code.supply import GuardSupply
from app.ops.capacity import live_slots
from app.ops.heartbeats import BEAT_SECONDS, ProcessFacts, beat, facts_of_this_process, sign_off
from app.ops.kinds import guard_supply, job_kinds
from app.queue.broker import Hints, make_huey
from app.queue.consumer import make_consumer
from app.queue.dispatch import Dispatcher, make_dispatcher
from app.queue.finder import Finder
from app.queue.scheduler import Scheduler, TickReport
from app.queue.slots import Slots
from app.queue.tasks import make_tasks
from app.runs.claims import LeaseTerms
from app.runs.executor import Executor
from app.runs.keeper import Keeper

log = logging.getLogger(__name__)

# What a stopping worker keeps back of its stop time, for attempts to end and be handed back.
HAND_BACK_SECONDS = 5


class Helper(Protocol):
    """A thread beside the consumer."""

    def start(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class Pulse:
    """Reports that this process is alive, and remembers the scheduler's last tick for the report."""

    database: Database
    clock: Clock
    schema: SchemaGate
    facts: ProcessFacts
    last_tick: TickReport | None = None
    closed: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self._loop, name="pulse", daemon=True).start()

    def note_tick(self, report: TickReport) -> None:
        self.last_tick = report

    def close(self) -> None:
        self.closed.set()
        try:
            with self.database.transaction(ENGINE) as session:
                sign_off(session, self.facts)
        except SQLAlchemyError:
            # The row will be seen as silent, which is true enough.
            log.exception("could not sign off")

    def _loop(self) -> None:
        while True:
            try:
                if self.schema.is_current():
                    self._beat()
            except Exception:
                log.exception("heartbeat failed")
            if self.closed.wait(BEAT_SECONDS):
                return

    def _beat(self) -> None:
        tick = self.last_tick
        with self.database.transaction(ENGINE) as session:
            now = self.clock.now(session)
            ticked_at, tick_ms = (tick.at, tick.milliseconds) if tick else (None, None)
            beat(session, self.facts, now=now, ticked_at=ticked_at, tick_ms=tick_ms)


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
        tick = open_database(settings.database_url, connections=3, keeps_plans=False)
        return cls(work, tick, open_database(settings.database_url, connections=3))

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

    @classmethod
    def from_settings(cls, settings: Settings) -> "Parts":
        pools = Pools.open(settings)
        schema = SchemaGate(pools.beat, expected=newest_migration(), is_strict=settings.is_production)
        schema.refuse_powerful_login()
        functions = guard_supply(settings)
        kinds = job_kinds(settings, functions)
        return cls(settings, pools, DatabaseClock(), schema, kinds, functions, Sealer(key_ring(settings)))

    def pulse(self, *, slots: int, schedules: bool) -> Pulse:
        facts = facts_of_this_process(version=VERSION, slots=slots, schedules=schedules)
        return Pulse(self.pools.beat, self.clock, self.schema, facts)

    def keeper(self) -> Keeper:
        beat = self.settings.heartbeat_seconds
        return Keeper(database=self.pools.beat, clock=self.clock, terms=self._terms, heartbeat_seconds=beat)

    def executor(self, keeper: Keeper, *, worker: str) -> Executor:
        return Executor(
            database=self.pools.work,
            kinds=self.kinds,
            clock=self.clock,
            http=OutboundClient(allowed_private=self.settings.allowed_private_addresses),
            sealer=self.sealer,
            worker=worker,
            terms=self._terms,
            keeper=keeper,
        )

    def finder(self, slots: Slots, *, is_broker_away: Callable[[], bool], execute: Callable[[UUID], bool]) -> Finder:
        return Finder(
            database=self.pools.tick,
            clock=self.clock,
            schema=self.schema,
            slots=slots,
            is_broker_away=is_broker_away,
            execute=execute,
        )

    @property
    def _terms(self) -> LeaseTerms:
        return LeaseTerms.for_lease(self.settings.lease_seconds)

    def dispatcher(self, hints: Hints) -> Dispatcher:
        return Dispatcher(self.pools.work, self.clock, hints, live_slots, own_slots=self.settings.workers)

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
            report=pulse.note_tick,
        )


def run_worker(settings: Settings, *, with_scheduler: bool) -> None:
    """Serve runs until told to stop by SIGTERM or SIGINT; with a scheduler thread unless told otherwise."""
    parts = Parts.from_settings(settings)
    # Asked for now: a worker without keys would take runs that it cannot do.
    parts.sealer.ring.all_keys()
    pulse = parts.pulse(slots=settings.workers, schedules=with_scheduler)
    keeper = parts.keeper()
    slots = Slots(settings.workers)
    work = Work(parts, parts.executor(keeper, worker=pulse.facts.name), slots)
    huey = make_huey(settings)
    hints = make_tasks(huey, execute=work.follow_hint, tick=work.tick if with_scheduler else None)
    work.connect(parts.dispatcher(hints), pulse)
    consumer = make_consumer(
        huey,
        threads=settings.workers,
        slots=slots,
        periodic=with_scheduler,
        stop_seconds=settings.stop_seconds,
        on_stop=lambda: keeper.stop_attempts_after(max(0, settings.stop_seconds - HAND_BACK_SECONDS)),
    )
    helpers: list[Helper] = [
        keeper,
        parts.functions,
        parts.finder(slots, is_broker_away=lambda: huey.link.is_away, execute=work.execute),
        *([work.scheduler] if with_scheduler else []),
        pulse,
    ]
    for helper in helpers:
        helper.start()
    log.info("worker started", extra={"slots": settings.workers, "scheduler": with_scheduler})
    consumer.run()
    # A call that nobody answers cannot be interrupted; its run is given to others all the same.
    work.hand_back()
    # The keeper goes last but one, so that leases are renewed until nothing new can begin; the pulse signs off.
    for helper in [*helpers[1:-1], keeper, pulse]:
        helper.close()
    parts.pools.dispose()
    log.info("worker stopped")


class Work:
    """What the tasks of a worker do."""

    scheduler: Scheduler
    dispatcher: Dispatcher

    def __init__(self, parts: Parts, executor: Executor, slots: Slots) -> None:
        self._parts = parts
        self._executor = executor
        self._slots = slots

    def connect(self, dispatcher: Dispatcher, pulse: Pulse) -> None:
        """Tasks need the dispatcher, whose hints need the tasks: so it is handed in second."""
        self.dispatcher = dispatcher
        self.scheduler = self._parts.scheduler(dispatcher, pulse)

    def follow_hint(self, run_id: UUID) -> None:
        """Execute a run on one of the slots, which the finder uses too. A worker that stops leaves it to others."""
        with self._slots.taken() as has_slot:
            if has_slot:
                self.execute(run_id)

    def execute(self, run_id: UUID) -> bool:
        """Execute a run, then let the next one come. A database that is not ready yet keeps its runs."""
        if not self._parts.schema.is_current() or not self._executor.execute(run_id):
            return False
        self.dispatcher.dispatch()
        return True

    def tick(self) -> None:
        self.scheduler.tick()

    def hand_back(self) -> None:
        """Give the runs that did not end in time to other workers, or to the next start."""
        self._executor.hand_back()


def run_scheduler(settings: Settings, closed: threading.Event) -> None:
    """Keep time until `closed` is set, without executing anything."""
    parts = Parts.from_settings(settings)
    pulse = parts.pulse(slots=0, schedules=True)
    scheduler = parts.scheduler(make_dispatcher(settings, parts.pools.tick, parts.clock, live_slots=live_slots), pulse)
    pulse.start()
    scheduler.start()
    log.info("scheduler started")
    closed.wait()
    scheduler.close()
    pulse.close()
    parts.pools.dispose()
    log.info("scheduler stopped")
