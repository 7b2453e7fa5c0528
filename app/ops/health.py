"""Whether the installation does its work, as `belfry health`, the API and the queue page say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.ops.heartbeats import HEALTHY_WITHIN, ProcessRow, list_processes, silence
from app.runs.switches import queue_names

_START_ONE = "Start one with: belfry worker --queues "


@dataclass(frozen=True)
class Health:
    """What is wrong. A problem means that nothing runs or nothing is on time; with a remark, work goes on."""

    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        return not self.problems


def check_health(session: Session, *, now: datetime) -> Health:
    """Judge by what the processes report."""
    return judge(list_processes(session, now=now), now=now, queues=queue_names(session))


def judge(processes: Sequence[ProcessRow], *, now: datetime, queues: Sequence[str] = ()) -> Health:
    """The health of an installation with these queues, of which these processes were heard within a day."""
    alive = [row for row in processes if not row.is_gone(now)]
    workers = [row for row in alive if row.slots]
    idle = [row for row in workers if row.problem is not None]
    scheduler = _scheduler_problem([row for row in processes if row.schedules], now)
    problems = [] if scheduler is None else [scheduler]
    if workers and len(idle) == len(workers):
        problems.append(f"No worker starts runs. {_of(idle[0])}")
    if not workers:
        problems.append("No worker is running, so what is due waits. Start one with: belfry up or belfry worker")
    remarks = [_of(row) for row in alive if row.problem is not None]
    remarks += [f"{row.name} was last heard of at {_clock(row.beat_at)}." for row in alive if row.is_silent(now)]
    unserved = [name for name in queues if workers and not any(row.serves(name) for row in workers)]
    remarks += [f"No worker serves the queue {name}, so its runs wait. {_START_ONE}{name}" for name in unserved]
    return Health(tuple(problems), tuple(remarks))


def _of(row: ProcessRow) -> str:
    return f"{row.name} (version {row.version}) starts nothing: {row.problem}"


def _scheduler_problem(schedulers: Sequence[ProcessRow], now: datetime) -> str | None:
    if not schedulers:
        return "No scheduler is running. Start one with: belfry up, belfry worker or belfry scheduler"
    if any(_keeps_time(row, now) for row in schedulers):
        return None
    heard = max(row.beat_at for row in schedulers)
    if silence(heard, now) <= HEALTHY_WITHIN:
        # The process lives, and its loop does not: a hung database, or a version that must not plan.
        why = next((f" {row.problem}" for row in schedulers if row.problem), " Look into its log.")
        last = max(row.ticked_at or row.started_at for row in schedulers)
        return f"No scheduler has kept time since {_clock(last)}.{why}"
    return f"No scheduler has reported since {_clock(heard)}. Restart it."


def _keeps_time(row: ProcessRow, now: datetime) -> bool:
    return silence(row.beat_at, now) <= HEALTHY_WITHIN and now - (row.ticked_at or row.started_at) <= HEALTHY_WITHIN


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
