"""How the whole installation stands: what its processes report, its database, what is kept for how long."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.questions import ask_together
from app.core.schema import newest_migration
from app.core.version import VERSION
from app.ops.canary.report import CanaryReport, read_report
from app.ops.health import Health, judge
from app.ops.heartbeats import HEALTHY_WITHIN, ProcessRow, page_processes, with_runs_in_hand
from app.ops.heartbeats import processes as processes_of
from app.ops.housekeeping import EVENTS_KEPT, EVERY_SECONDS, FIRST_AFTER_SECONDS
from app.runs.in_hand import RunInHand, numbers_in_hand, runs_in_hand
from app.runs.switches import QueueSwitchRow, all_queues, switched_queues
from app.schedules.clock_steps import HeldByClock, hold_now
from app.schedules.queries import earliest_due
from app.schedules.stops import SchedulingStopRow, stop_that_lasts


@dataclass(frozen=True)
class DatabaseFacts:
    """`size` in bytes; None where the login may not ask."""

    engine: str
    version: str
    migration: str
    size: int | None


@dataclass(frozen=True)
class Retention:
    """What is kept for how long. None stands for ever; `next_tidying_at` is None while no process tidies up."""

    runs: timedelta | None
    events: timedelta
    next_tidying_at: datetime | None


@dataclass(frozen=True)
class Installation:
    """All of it. `versions` are those of the processes that are alive, and of the one that tells this."""

    health: Health
    processes: tuple[ProcessRow, ...]
    # Those that serve pages and the API.
    pages: tuple[ProcessRow, ...]
    in_hand: tuple[RunInHand, ...]
    versions: tuple[str, ...]
    stop: SchedulingStopRow | None
    hold: HeldByClock | None
    next_due_at: datetime | None
    paused_queues: tuple[QueueSwitchRow, ...]
    database: DatabaseFacts
    broker: str
    retention: Retention
    canary: CanaryReport

    @property
    def schedulers(self) -> tuple[ProcessRow, ...]:
        return tuple(row for row in self.processes if row.schedules)

    def keeps_time(self, now: datetime) -> bool:
        """Whether any scheduler does."""
        return any(now - (row.ticked_at or row.started_at) < HEALTHY_WITHIN for row in self.schedulers)


def read_installation(session: Session, settings: Settings, *, now: datetime) -> Installation:
    """How it stands now. Works as PLATFORM."""
    heard_of, numbers, pages, queues, in_hand, stop, hold, next_due_at, switches = ask_together(
        session,
        processes_of(now=now), numbers_in_hand(), page_processes(now=now), all_queues(), runs_in_hand(),
        stop_that_lasts(), hold_now(now=now), earliest_due(), switched_queues(),
    )  # fmt: skip
    processes = with_runs_in_hand(heard_of, numbers)
    alive = {row.version for row in (*processes, *pages) if not row.is_gone(now)}
    return Installation(
        health=judge(processes, now=now, queues=queues),
        processes=tuple(processes),
        pages=tuple(pages),
        in_hand=tuple(in_hand),
        versions=tuple(sorted(alive | {VERSION})),
        stop=stop,
        hold=hold,
        next_due_at=next_due_at,
        paused_queues=tuple(switches),
        database=_database(session),
        broker=broker_words(settings.broker_url),
        retention=_retention(settings, processes, now),
        canary=read_report(session, is_on=settings.canary, is_pinged=settings.heartbeat_url is not None, now=now),
    )


def broker_words(address: str) -> str:
    """The kind of broker and where it is, without what it is signed in to with."""
    found = urlsplit(address)
    if found.scheme.startswith("redis"):
        return f"Redis at {found.hostname or 'localhost'}:{found.port or 6379}"
    return "Redis at a socket" if found.scheme == "unix" else "SQLite, beside the database"


def _database(session: Session) -> DatabaseFacts:
    # Nobody is answered before the database is as new as the code.
    migration = newest_migration()
    if session.get_bind().dialect.name == "sqlite":
        version = str(session.scalar(text("SELECT sqlite_version()")))
        pages = int(session.scalar(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")) or 0)
        return DatabaseFacts("SQLite", version, migration, pages)
    version = str(session.scalar(text("SHOW server_version"))).split()[0]
    size = session.scalar(text("SELECT pg_database_size(current_database())"))
    return DatabaseFacts("PostgreSQL", version, migration, None if size is None else int(size))


def _retention(settings: Settings, processes: Sequence[ProcessRow], now: datetime) -> Retention:
    tidying = [_next_tidying(row, now) for row in processes if row.schedules and not row.is_gone(now)]
    return Retention(
        runs=timedelta(days=settings.retention_days) if settings.retention_days else None,
        events=EVENTS_KEPT,
        next_tidying_at=min(tidying, default=None),
    )


def _next_tidying(row: ProcessRow, now: datetime) -> datetime:
    """Each process that keeps time tidies up soon after its start, and then every hour."""
    first = row.started_at + timedelta(seconds=FIRST_AFTER_SECONDS)
    passed = max(math.ceil((now - first) / timedelta(seconds=EVERY_SECONDS)), 0)
    return first + passed * timedelta(seconds=EVERY_SECONDS)
