"""Signs of life: what each process reports, and who has been heard of lately.

One without slots that keeps no time serves pages. Nothing that is asked of workers and schedulers knows of those.
"""

import os
import socket
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    ScalarSelect,
    String,
    Uuid,
    and_,
    case,
    column,
    delete,
    func,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.core.db import count_changed
from app.core.ids import new_id
from app.core.questions import Question, ask
from app.core.seconds import SecondsBetween
from app.ops.models import Heartbeat

BEAT_SECONDS = 10
# Three beats missed: something is wrong. Nine: it is gone.
SILENT_AFTER = timedelta(seconds=30)
GONE_AFTER = timedelta(seconds=90)
FORGET_AFTER = timedelta(days=1)
# What `belfry health` accepts.
HEALTHY_WITHIN = timedelta(seconds=300)

# Marks, together with `is_stopping`, the row of a process that signed off: no process has this number.
_NO_PROCESS = 0


# The table as its first version made it.
_FIRST = table(
    "heartbeats",
    column("process_id", Uuid()),
    column("name", String()),
    column("version", String()),
    column("slots", Integer()),
    column("schedules", Boolean()),
    column("started_at", UTCDateTime()),
    column("beat_at", UTCDateTime()),
)


@dataclass(frozen=True)
class ProcessFacts:
    """What a process says about itself."""

    process_id: UUID
    name: str
    version: str
    slots: int
    schedules: bool
    host: str = ""
    pid: int = 0
    # Those it serves, with commas between them; None for all.
    queues: str | None = None


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
    host: str
    pid: int
    running: int
    problem: str | None
    is_stopping: bool
    # Those it serves, with commas between them; None for all.
    queues: str | None = None
    # None where its system does not tell.
    memory_mib: int | None = None

    @property
    def serves_pages(self) -> bool:
        """Whether it answers browsers and the API, and neither executes runs nor keeps time."""
        return not self.slots and not self.schedules

    def serves(self, queue: str) -> bool:
        """Whether it takes runs of this queue."""
        return bool(self.slots) and (self.queues is None or queue in self.queues.split(","))

    @property
    def has_ended(self) -> bool:
        """Whether it signed off: it ended in good order, when it was last heard of."""
        return self.is_stopping and self.pid == _NO_PROCESS

    def takes_runs(self, now: datetime) -> bool:
        """Whether it was heard of lately, and neither stops nor stands still."""
        return not self.is_gone(now) and self.problem is None and not self.is_stopping

    def is_gone(self, now: datetime) -> bool:
        return silence(self.beat_at, now) > GONE_AFTER

    def is_silent(self, now: datetime) -> bool:
        return silence(self.beat_at, now) > SILENT_AFTER


def silence(beat_at: datetime, now: datetime) -> timedelta:
    """For how long nothing was heard. A report from the future is one from before the clock was set back."""
    return abs(now - beat_at)


def facts_of_this_process(
    *, version: str, slots: int, schedules: bool, queues: Collection[str] | None = None
) -> ProcessFacts:
    """A name that a person can find, and that no other process has: the host, the process id and some letters.

    In containers the first two may be the same for all, and a worker tells by its name which leases are its own.
    """
    host, pid, process_id = socket.gethostname(), os.getpid(), new_id()
    name = f"{host}:{pid}:{process_id.hex[-6:]}"
    named = None if queues is None else ",".join(sorted(queues))
    return ProcessFacts(process_id, name, version, slots, schedules, host, pid, named)


def beat(
    session: Session,
    facts: ProcessFacts,
    *,
    now: datetime,
    ticked_at: datetime | None,
    tick_ms: int | None,
    running: int = 0,
    problem: str | None = None,
    is_stopping: bool = False,
    memory_mib: int | None = None,
) -> None:
    """Report that a process is alive. The first beat adds its row and clears rows that are long gone.

    `problem` says in a sentence why it starts nothing at present.
    """
    values = {
        "beat_at": now, "ticked_at": ticked_at, "tick_ms": tick_ms,
        "running": running, "problem": problem, "is_stopping": is_stopping, "memory_mib": memory_mib,
    }  # fmt: skip
    query = update(Heartbeat).where(Heartbeat.process_id == facts.process_id).values(**values)
    if count_changed(session, query):
        return
    forget_processes(session, now=now)
    session.execute(insert(Heartbeat).values(**asdict(facts), started_at=now, **values))


def beat_for_older_database(session: Session, facts: ProcessFacts, *, now: datetime) -> None:
    """Report no more than what every version of the table can hold: a database that waits for its upgrade."""
    query = update(_FIRST).where(_FIRST.c.process_id == facts.process_id).values(beat_at=now)
    if not count_changed(session, query):
        kept = {name: value for name, value in asdict(facts).items() if name in _FIRST.c}
        session.execute(insert(_FIRST).values(**kept, started_at=now, beat_at=now))


def sign_off(session: Session, facts: ProcessFacts, *, now: datetime) -> None:
    """A process ends in good order: nobody worries about it, and until when there was one can still be told.

    Only the last one that did the same is remembered, so that rows do not pile up where one starts every minute.
    """
    alike = Heartbeat.slots == facts.slots, Heartbeat.schedules == facts.schedules
    same_queues = Heartbeat.queues.is_not_distinct_from(facts.queues)
    session.execute(delete(Heartbeat).where(_has_ended(), *alike, same_queues))
    values = {"beat_at": now, "is_stopping": True, "pid": _NO_PROCESS, "running": 0, "problem": None}
    session.execute(update(Heartbeat).where(Heartbeat.process_id == facts.process_id).values(**values))


def sign_off_from_older_database(session: Session, facts: ProcessFacts) -> None:
    """The same with no more than what every version of the table can hold: the row goes."""
    session.execute(delete(_FIRST).where(_FIRST.c.process_id == facts.process_id))


def _serves_pages() -> ColumnElement[bool]:
    return and_(Heartbeat.slots == 0, Heartbeat.schedules.is_(False))


def _has_ended() -> ColumnElement[bool]:
    return and_(Heartbeat.is_stopping.is_(True), Heartbeat.pid == _NO_PROCESS)


def forget_processes(session: Session, *, now: datetime) -> int:
    """Clear rows of processes that are long gone, and say how many."""
    return count_changed(session, delete(Heartbeat).where(Heartbeat.beat_at < now - FORGET_AFTER))


def list_processes(session: Session, *, now: datetime, with_ended: bool = False) -> list[ProcessRow]:
    """Workers and schedulers heard of within the last day, the liveliest first; also those that signed off if asked."""
    return ask(session, processes(now=now, with_ended=with_ended))


def processes(*, now: datetime, with_ended: bool = False) -> Question[list[ProcessRow]]:
    """The same as a question."""
    return _heard_of(now, ~_serves_pages(), *(() if with_ended else (~_has_ended(),)))


def list_page_processes(session: Session, *, now: datetime) -> list[ProcessRow]:
    """The same of those that serve pages, without those that signed off."""
    return ask(session, page_processes(now=now))


def page_processes(*, now: datetime) -> Question[list[ProcessRow]]:
    """The same as a question."""
    return _heard_of(now, _serves_pages(), ~_has_ended())


def _heard_of(now: datetime, *conditions: ColumnElement[bool]) -> Question[list[ProcessRow]]:
    columns = [getattr(Heartbeat, one.name) for one in fields(ProcessRow)]
    query = select(*columns).where(Heartbeat.beat_at >= now - FORGET_AFTER, *conditions)
    return Question(query.order_by(Heartbeat.beat_at.desc()), lambda rows: [ProcessRow(*row) for row in rows])


def with_runs_in_hand(processes: Iterable[ProcessRow], held: Mapping[str, int]) -> list[ProcessRow]:
    """The same, each with what it has in hand now by the books of runs; its last report may be older."""
    return [replace(row, running=held.get(row.name, 0)) for row in processes]


def workers_at_work(session: Session, *, now: datetime) -> list[ProcessRow]:
    """The workers that were heard of lately and take new runs."""
    return at_work(list_processes(session, now=now), now=now)


def at_work(processes: Collection[ProcessRow], *, now: datetime) -> list[ProcessRow]:
    """Those of these processes."""
    return [row for row in processes if row.slots and row.takes_runs(now)]


def slots_for(workers: Collection[ProcessRow], queue: str, concurrency: int | None) -> int:
    """How many runs of a queue these workers can carry at once, with a limit of its own or without."""
    slots = sum(worker.slots for worker in workers if worker.serves(queue))
    return slots if concurrency is None else min(slots, concurrency)


def last_scheduler_beat(session: Session, *, now: datetime) -> datetime | None:
    """When a scheduler was last known to keep time; None when none ever was, or all signed off."""
    return session.scalar(select(scheduler_kept_time_at(now)))


def scheduler_ended_at(now: datetime) -> ScalarSelect[datetime | None]:
    """When the last scheduler that ended in good order did, as part of a statement."""
    ended_at = func.max(case((_has_ended(), Heartbeat.beat_at)), type_=UTCDateTime())
    return select(ended_at).where(Heartbeat.schedules, Heartbeat.beat_at <= now).scalar_subquery()


def scheduler_kept_time_at(now: datetime) -> ScalarSelect[datetime | None]:
    """The same as part of a statement. What one process says of itself is told by `kept_time_at`, by the same rule."""
    ticked_at = func.coalesce(Heartbeat.ticked_at, Heartbeat.started_at)
    is_ticking = SecondsBetween(Heartbeat.beat_at, ticked_at) < HEALTHY_WITHIN.total_seconds()
    kept_at = func.max(case((is_ticking, Heartbeat.beat_at), else_=ticked_at), type_=UTCDateTime())
    # What lies ahead was reported before the clock was set back.
    is_heard = Heartbeat.schedules, Heartbeat.beat_at <= now + SILENT_AFTER
    return select(kept_at).where(*is_heard, ~_has_ended()).scalar_subquery()


def kept_time_at(row: Heartbeat | ProcessRow) -> datetime:
    """When a scheduler was last known to keep time: its last report, unless it ticks no more.

    A process that still reports, but whose last tick is long ago, keeps time no longer.
    """
    ticked_at = row.ticked_at or row.started_at
    return row.beat_at if row.beat_at - ticked_at < HEALTHY_WITHIN else ticked_at


def slots_alive(processes: Sequence[ProcessRow], *, now: datetime) -> int:
    """How many runs the workers that are alive and take new ones can carry at once."""
    return sum(row.slots for row in processes if not row.is_gone(now) and row.problem is None and not row.is_stopping)
