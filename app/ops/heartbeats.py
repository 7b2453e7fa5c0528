"""Signs of life: what each worker and scheduler process reports, and who has been heard of lately."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.ids import new_id
from app.ops.models import Heartbeat

BEAT_SECONDS = 10
# Three beats missed: something is wrong. Nine: it is gone.
SILENT_AFTER = timedelta(seconds=30)
GONE_AFTER = timedelta(seconds=90)
FORGET_AFTER = timedelta(days=1)
# What `belfry health` accepts.
HEALTHY_WITHIN = timedelta(seconds=300)


@dataclass(frozen=True)
class ProcessFacts:
    """What a process says about itself."""

    process_id: UUID
    name: str
    version: str
    slots: int
    schedules: bool


@dataclass(frozen=True)
class ProcessRow:
    """A process as pages show it."""

    name: str
    version: str
    slots: int
    schedules: bool
    started_at: datetime
    beat_at: datetime
    ticked_at: datetime | None
    tick_ms: int | None

    def is_silent(self, now: datetime) -> bool:
        return now - self.beat_at > SILENT_AFTER


def facts_of_this_process(*, version: str, slots: int, schedules: bool) -> ProcessFacts:
    """A name that a person can find: the host and the process id."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    return ProcessFacts(new_id(), name, version, slots, schedules)


def beat(
    session: Session, facts: ProcessFacts, *, now: datetime, ticked_at: datetime | None, tick_ms: int | None
) -> None:
    """Report that a process is alive. The first beat adds its row and clears rows that are long gone."""
    values = {"beat_at": now, "ticked_at": ticked_at, "tick_ms": tick_ms}
    query = update(Heartbeat).where(Heartbeat.process_id == facts.process_id).values(**values)
    if count_changed(session, query):
        return
    session.execute(delete(Heartbeat).where(Heartbeat.beat_at < now - FORGET_AFTER))
    session.add(
        Heartbeat(
            process_id=facts.process_id,
            name=facts.name,
            version=facts.version,
            slots=facts.slots,
            schedules=facts.schedules,
            started_at=now,
            **values,
        )
    )


def sign_off(session: Session, facts: ProcessFacts) -> None:
    """A process that ends in good order leaves no row, so nobody worries about it."""
    session.execute(delete(Heartbeat).where(Heartbeat.process_id == facts.process_id))


def list_processes(session: Session, *, now: datetime) -> list[ProcessRow]:
    """Processes heard of within the last day, the liveliest first."""
    query = select(Heartbeat).where(Heartbeat.beat_at >= now - FORGET_AFTER).order_by(Heartbeat.beat_at.desc())
    return [
        ProcessRow(
            row.name, row.version, row.slots, row.schedules, row.started_at, row.beat_at, row.ticked_at, row.tick_ms
        )
        for row in session.scalars(query)
    ]


def last_scheduler_beat(session: Session) -> datetime | None:
    """When a scheduler was last known to keep time; None when none ever was, or all signed off.

    A process that still reports, but whose last tick is long ago, keeps time no longer.
    """
    rows = session.scalars(select(Heartbeat).where(Heartbeat.schedules))
    return max((_kept_time_at(row) for row in rows), default=None)


def _kept_time_at(row: Heartbeat) -> datetime:
    ticked_at = row.ticked_at or row.started_at
    return row.beat_at if row.beat_at - ticked_at < HEALTHY_WITHIN else ticked_at
