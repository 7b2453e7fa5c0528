"""What somebody should know of the schedules they selected before they do something to all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.ops.models import BulkItem
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Schedule
from app.schedules.phrases import listing

_WAITING = frozenset({RunState.READY.value, RunState.WAITING.value, RunState.WAITING_RETRY.value})
_MOST_NAMED = 5


@dataclass(frozen=True)
class Selected:
    """The selection in figures and names. `missed` are those that are off and missed a slot since then."""

    total: int
    found: int
    on: int
    missed: int
    stays: tuple[str, ...]
    waiting: int
    running: int
    busy: tuple[str, ...]
    lonely_jobs: tuple[str, ...]

    @property
    def off(self) -> int:
        return self.found - self.on

    @property
    def gone(self) -> int:
        return self.total - self.found


def read_selected(session: Session, *, organization_id: UUID, bulk_id: UUID, now: datetime) -> Selected:
    """Three statements, however many there are."""
    chosen = _chosen(organization_id, bulk_id)
    columns = (
        Schedule.id, Schedule.name, Schedule.enabled, Schedule.switched_at, Schedule.next_run_at <= now,
        Schedule.default_for, Schedule.code_id,
    )  # fmt: skip
    total = select(func.count()).where(BulkItem.organization_id == organization_id, BulkItem.bulk_action_id == bulk_id)
    rows = session.execute(select(*columns, total.scalar_subquery()).where(*chosen).order_by(Schedule.name)).all()
    counts = _count_runs(session, organization_id, bulk_id)
    names = {row[0]: row[1] for row in rows}
    return Selected(
        total=rows[0][-1] if rows else session.scalar(total) or 0,
        found=len(rows),
        on=sum(row.enabled for row in rows),
        missed=sum(bool(row[4]) and not row.enabled and _somebody_had_it(row) for row in rows),
        stays=tuple(row.name for row in rows if row.default_for is not None or row.code_id is not None),
        waiting=sum(count for (_, state), count in counts.items() if state in _WAITING),
        running=sum(count for (_, state), count in counts.items() if state == RunState.RUNNING),
        busy=tuple(names[one] for one in names if (one, RunState.RUNNING.value) in counts),
        lonely_jobs=_lonely_jobs(session, organization_id, bulk_id),
    )


def told_before(kind: str, found: Selected) -> list[str]:
    """What is said before it is done to them, a sentence each."""
    tell = _TELL.get(kind)
    lines = [] if tell is None else tell(found)
    if found.gone:
        lines.append(f"{found.gone:,} of them {'is' if found.gone == 1 else 'are'} not here any more.")
    return lines


def _enable(found: Selected) -> list[str]:
    return [f"{_so(found.on)} on already."] if found.on else []


def _disable(found: Selected) -> list[str]:
    lines = [f"{_so(found.off)} off already."] if found.off else []
    if found.waiting + found.running:
        lines.append(f"{_runs(found.waiting + found.running, 'waits or goes on', 'wait or go on')}, and ends as usual.")
    return lines


def _run(found: Selected) -> list[str]:
    if not found.busy:
        return []
    return [f"A run goes on of {_names(found.busy)}. What happens then, their overlap policy says."]


def _delete(found: Selected) -> list[str]:
    lines = []
    if found.waiting:
        cancelled = "is cancelled" if found.waiting == 1 else "are cancelled"
        lines.append(f"{_runs(found.waiting, 'that waits', 'that wait')} {cancelled}, and stays so.")
    if found.busy:
        lines.append(f"A run goes on of {_names(found.busy)}. It ends by itself.")
    if found.lonely_jobs:
        what = "This job has" if len(found.lonely_jobs) == 1 else "These jobs have"
        lines.append(f"{what} no schedule any more then: {_names(found.lonely_jobs)}.")
    if found.stays:
        what = "This one stays" if len(found.stays) == 1 else "These stay"
        lines.append(f"{what}, because a service or code needs it: {_names(found.stays)}.")
    return [*lines, "For 30 days they can be restored, each by itself or all of them."]


_TELL: dict[str, Callable[[Selected], list[str]]] = {
    "schedules.enable": _enable,
    "schedules.disable": _disable,
    "schedules.run": _run,
    "schedules.delete": _delete,
}


def _so(number: int) -> str:
    return "1 is" if number == 1 else f"{number:,} are"


def _runs(number: int, one: str, many: str) -> str:
    return f"1 run {one}" if number == 1 else f"{number:,} runs {many}"


def _names(names: Sequence[str]) -> str:
    shown = [f"“{name}”" for name in names[:_MOST_NAMED]]
    if len(names) > _MOST_NAMED:
        shown.append(f"{len(names) - _MOST_NAMED:,} more")
    return listing(shown)


def _somebody_had_it(row: Any) -> bool:
    """One that came switched off by itself, and that nobody has switched on yet, missed nothing."""
    return row.switched_at is not None or (row.default_for is None and row.code_id is None)


def _chosen(organization_id: UUID, bulk_id: UUID) -> tuple[Any, ...]:
    return (
        BulkItem.organization_id == organization_id,
        BulkItem.bulk_action_id == bulk_id,
        Schedule.organization_id == organization_id,
        Schedule.id == BulkItem.object_id,
        Schedule.deleted_at.is_(None),
    )


def _count_runs(session: Session, organization_id: UUID, bulk_id: UUID) -> dict[tuple[UUID | None, str], int]:
    """How many runs have no end yet, of each schedule and state. Few runs are in these states."""
    states = [*_WAITING, RunState.RUNNING.value]
    mine = BulkItem.organization_id == organization_id, BulkItem.bulk_action_id == bulk_id
    query = (
        select(Run.schedule_id, Run.state, func.count())
        .join(BulkItem, BulkItem.object_id == Run.schedule_id)
        .where(*mine, Run.organization_id == organization_id, Run.state.in_(states))
        .group_by(Run.schedule_id, Run.state)
    )
    return {(schedule_id, state): count for schedule_id, state, count in session.execute(query)}


def _lonely_jobs(session: Session, organization_id: UUID, bulk_id: UUID) -> tuple[str, ...]:
    """The jobs all of whose schedules are selected, by name."""
    mine = (BulkItem.bulk_action_id == bulk_id) & (BulkItem.object_id == Schedule.id)
    query: Select[str] = (
        select(Job.name)
        .join(Schedule, (Schedule.job_id == Job.id) & (Schedule.organization_id == Job.organization_id))
        .outerjoin(BulkItem, mine & (BulkItem.organization_id == organization_id))
        .where(Job.organization_id == organization_id, Schedule.deleted_at.is_(None))
        .group_by(Job.id, Job.name)
        .having(func.count(BulkItem.object_id) == func.count(Schedule.id))
        .order_by(Job.name)
    )
    return tuple(session.scalars(query))
