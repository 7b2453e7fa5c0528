"""Queues: making, limiting and deleting them. Pausing is in switches.py; what the limits do, in the queue package."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Conflict, Invalid
from app.core.questions import Question, ask
from app.core.scopes import ENGINE, rescoped
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.queue_lock import try_to_lock_queue
from app.runs import ledger
from app.runs.line_lock import lock_line
from app.runs.models import Run
from app.runs.queue_models import Queue, QueueSwitch
from app.runs.states import RunState
from app.runs.switches import QueueSwitchRow, check_queue, queue_names
from app.tenants.access import Actor
from app.tenants.platform import record_for_platform, require_platform_admin

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
MOST_AT_ONCE = 100_000
MOST_SECONDS = 86_400
_LIVE = (RunState.READY, RunState.RUNNING, RunState.WAITING, RunState.WAITING_RETRY)


class QueueNameInvalid(Invalid):
    """The name of a queue holds something that names do not hold."""


class LimitInvalid(Invalid):
    """A limit that nothing could be started by, or that means nothing."""


class QueueTaken(Conflict):
    """There is a queue of this name."""


class QueueInUse(Conflict):
    """A job or a run waits in this queue or is about to, or a kind of job owns it."""


class QueueChanged(Conflict):
    """Somebody else changed the queue meanwhile."""


@dataclass(frozen=True)
class QueueLimits:
    """How many runs of a queue go on at once, and how many start in so many seconds. None: any number."""

    concurrency: int | None = None
    rate_starts: int | None = None
    rate_seconds: int | None = None

    @property
    def words(self) -> str:
        """As people read it."""
        return ", ".join(limit_phrases(self.concurrency, self.rate_starts, self.rate_seconds)) or "no limit"


@dataclass(frozen=True)
class QueueLimitsRow(QueueLimits):
    """A queue and its limits. `version` counts its changes."""

    name: str = ""
    version: int = 1


def limit_phrases(concurrency: int | None, starts: int | None, seconds: int | None) -> list[str]:
    """What a queue allows, in words; empty without a limit."""
    at_once = [] if concurrency is None else [f"{concurrency} at once"]
    if starts is None:
        return at_once
    start = "start" if starts == 1 else "starts"
    return [*at_once, f"{starts} {start} a second" if seconds == 1 else f"{starts} {start} in {seconds} seconds"]


def check_limit(
    field: str, what: str, value: int | None, *, most: int = MOST_AT_ONCE, instead: str = "Pause the queue instead."
) -> None:
    """Raises LimitInvalid, naming the field. `instead` is what to do for what a limit of 0 would do."""
    if value == 0:
        raise LimitInvalid(f"{what} cannot be 0: nothing would ever start. {instead}", field=field)
    if value is not None and not 0 < value <= most:
        raise LimitInvalid(f"{what} is a whole number from 1 to {most}, or nothing for no limit.", field=field)


def create_queue(session: Session, *, actor: Actor, name: str, limits: QueueLimits, now: datetime) -> None:
    """Make a queue, which jobs may name from then on. Works as PLATFORM.

    Raises PlatformAdminNeeded, QueueNameInvalid, LimitInvalid or QueueTaken.
    """
    require_platform_admin(actor)
    if not NAME.fullmatch(name):
        raise QueueNameInvalid(
            "A queue's name begins with a small letter and holds up to 32 small letters, digits and hyphens.",
            field="name",
        )
    _check(limits)
    if name in queue_names(session):
        raise QueueTaken(f"There is a queue “{name}” already.")
    session.execute(insert(Queue).values(name=name, **asdict(limits), updated_at=now))
    _note(session, actor, "created", f"Made the queue “{name}”: {limits.words}", now)


def change_queue(
    session: Session, *, actor: Actor, name: str, limits: QueueLimits, now: datetime, version: int | None = None
) -> None:
    """Give a queue these limits. Works as PLATFORM. Whoever calls it dispatches after the commit.

    What was called by the old ones and has not started waits for its turn again.
    Raises PlatformAdminNeeded, QueueUnknown, LimitInvalid, or QueueChanged when it is not of that version any more.
    """
    require_platform_admin(actor)
    _check(limits)
    # Whoever calls runs just now does so by the limits of before, and is done first.
    lock_line(session)
    check_queue(session, name)
    before = select(Queue.concurrency, Queue.rate_starts, Queue.rate_seconds).where(Queue.name == name)
    old = QueueLimits(*session.execute(before).one())
    changed = update(Queue).where(Queue.name == name, *(() if version is None else (Queue.version == version,)))
    values = {**asdict(limits), "tokens_at": None, "updated_at": now, "version": Queue.version + 1}
    if count_changed(session, changed.values(**values)) != 1:
        raise QueueChanged("Somebody else changed this queue meanwhile. Look at it again.")
    with rescoped(session, ENGINE):
        ledger.forget_hints(session, Run.queue == name)
    was, is_now = asdict(old), asdict(limits)
    changes = {field: [was[field], is_now[field]] for field in was if was[field] != is_now[field]}
    summary = f"Limited the queue “{name}”: {limits.words} (before: {old.words})"
    _note(session, actor, "changed", summary, now, changes)


def delete_queue(session: Session, *, actor: Actor, name: str, now: datetime) -> None:
    """Delete a queue that nothing uses. Works as PLATFORM. Raises PlatformAdminNeeded, QueueUnknown or QueueInUse."""
    require_platform_admin(actor)
    lock_line(session)
    check_queue(session, name)
    if name in set(KindName):
        raise QueueInUse(f"“{name}” is the queue of every job of this kind that names no other, so it stays.")
    # Jobs that are saved just now are not to be seen yet.
    if not try_to_lock_queue(session, name):
        raise QueueInUse(f"Somebody saves a job into the queue “{name}” just now. Try again in a moment.")
    if session.scalar(select(Job.id).where(Job.queue == name, Job.deleted_at.is_(None)).limit(1)):
        raise QueueInUse(f"A job uses the queue “{name}”. Give its jobs another queue first.")
    unfinished = Run.queue == name, Run.state.in_([state.value for state in _LIVE])
    if session.scalar(select(Run.id).where(*unfinished).limit(1)):
        raise QueueInUse(f"A run of the queue “{name}” has not ended yet. Wait for it, or remove it.")
    for table in (QueueSwitch, Queue):
        session.execute(delete(table).where(table.name == name))
    _note(session, actor, "deleted", f"Deleted the queue “{name}”", now)


def list_limits_and_switches(session: Session) -> list[tuple[QueueLimitsRow, QueueSwitchRow | None]]:
    """Every queue by name, each with its switch where somebody paused it. One statement."""
    return ask(session, limits_and_switches())


def limits_and_switches() -> Question[list[tuple[QueueLimitsRow, QueueSwitchRow | None]]]:
    """The same as a question."""
    columns = Queue.name, Queue.concurrency, Queue.rate_starts, Queue.rate_seconds, Queue.version
    switch = QueueSwitch.paused_at, QueueSwitch.paused_by
    query = select(*columns, *switch).outerjoin(QueueSwitch, QueueSwitch.name == Queue.name).order_by(Queue.name)
    return Question(query, lambda rows: [_limits_and_switch(row) for row in rows])


def _limits_and_switch(found: Any) -> tuple[QueueLimitsRow, QueueSwitchRow | None]:
    limits = QueueLimitsRow(
        found.concurrency, found.rate_starts, found.rate_seconds, name=found.name, version=found.version
    )
    return limits, None if found.paused_at is None else QueueSwitchRow(found.name, found.paused_at, found.paused_by)


def list_limits(session: Session) -> list[QueueLimitsRow]:
    """All queues with their limits, by name."""
    columns = Queue.concurrency, Queue.rate_starts, Queue.rate_seconds, Queue.name, Queue.version
    return [QueueLimitsRow(*found) for found in session.execute(select(*columns).order_by(Queue.name))]


def get_limits(session: Session, *, name: str) -> QueueLimitsRow:
    """One queue. Raises QueueUnknown."""
    check_queue(session, name)
    return next(row for row in list_limits(session) if row.name == name)


def _check(limits: QueueLimits) -> None:
    check_limit("concurrency", "The number of runs at once", limits.concurrency)
    check_limit("rate_starts", "The number of starts", limits.rate_starts)
    check_limit("rate_seconds", "The seconds of a rate", limits.rate_seconds, most=MOST_SECONDS)
    if (limits.rate_starts is None) != (limits.rate_seconds is None):
        missing = "rate_starts" if limits.rate_starts is None else "rate_seconds"
        raise LimitInvalid("A rate is a number of starts in a number of seconds: give both, or none.", field=missing)


def _note(
    session: Session, actor: Actor, verb: str, summary: str, now: datetime, changes: Mapping[str, Any] | None = None
) -> None:
    record_for_platform(
        session, actor=actor, action=f"queue.{verb}", subject_kind="queue", summary=summary, changes=changes, now=now
    )
