"""Deletes finished runs that are old enough, and takes out of the others what need not be kept.

Attempts go with their run, by the database's own rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from app.core.db import count_changed
from app.jobs.kinds.base import JobKinds, KindName
from app.jobs.leftovers import UNREADABLE, Cleared, has_open_values
from app.runs.models import LogLine, Run
from app.runs.states import TERMINAL, RunState
from app.tenants.deleted_runs import note_deletion

_IS_OVER = Run.state.in_([state.value for state in TERMINAL])


@dataclass(frozen=True)
class DeletedRuns:
    """How much a batch deleted, and up to which end of a run it came."""

    runs: int = 0
    lines: int = 0
    reached: datetime | None = None

    @property
    def rows(self) -> int:
        return self.runs + self.lines


def delete_old_runs(
    session: Session,
    *,
    organization_id: UUID,
    before: datetime,
    limit: int,
    now: datetime,
    reached: datetime | None = None,
) -> DeletedRuns:
    """Delete at most `limit` runs that ended before an instant, from the oldest on, or as many of their log lines.

    A run that was retried stays as long as its retry does, so that nothing ever points into the void. One that failed
    stays until somebody has dealt with it, and one that another run has started until that one has counted it.
    `reached` is where the last batch came to: those that stay are not looked at again by each batch.
    The organization remembers up to which end its runs are gone.
    """
    query = select(Run.id, Run.finished_at).where(*_old(organization_id, before, reached))
    # One that somebody works with at this moment, as with a retry, stays until the next time.
    query = query.order_by(Run.finished_at).limit(limit).with_for_update(of=Run, skip_locked=True)
    found = session.execute(query).all()
    ids = _not_retried(session, [row.id for row in found])
    lines = _delete_lines(session, ids, limit)
    if not ids or lines == limit:
        # Lines would go with their runs, but a run may have thousands, and one write should not have to take them all.
        return DeletedRuns(0, lines, reached)
    _close_what_they_retried(session, ids, now)
    doomed = delete(Run).where(Run.id.in_(ids)).execution_options(synchronize_session=False)
    latest = found[-1].finished_at
    assert latest is not None
    note_deletion(session, organization_id=organization_id, until=latest)
    return DeletedRuns(count_changed(session, doomed), lines, latest)


def delete_runs_of_schedule(
    session: Session, *, organization_id: UUID, schedule_id: UUID, before: datetime, limit: int
) -> int:
    """Delete at most `limit` runs of a schedule whose runs nobody needs, however they ended before an instant."""
    mine = Run.organization_id == organization_id, Run.schedule_id == schedule_id, Run.finished_at < before
    query = select(Run.id).where(*mine).order_by(Run.finished_at).limit(limit)
    ids = _not_retried(session, session.scalars(query.with_for_update(of=Run, skip_locked=True)).all())
    if not ids or _delete_lines(session, ids, limit) == limit:
        return limit if ids else 0
    return count_changed(session, delete(Run).where(Run.id.in_(ids)).execution_options(synchronize_session=False))


def _not_retried(session: Session, run_ids: Sequence[UUID]) -> Sequence[UUID]:
    # Asked again, now that these are locked: a retry may have come between the question and the lock.
    later = aliased(Run)
    is_retried = exists().where(later.organization_id == Run.organization_id, later.retry_of_run_id == Run.id)
    return session.scalars(select(Run.id).where(Run.id.in_(run_ids), ~is_retried)).all()


def _delete_lines(session: Session, run_ids: Sequence[UUID], limit: int) -> int:
    some = select(LogLine.run_id, LogLine.number).where(LogLine.run_id.in_(run_ids)).limit(limit)
    which = tuple_(LogLine.run_id, LogLine.number).in_(some)
    return count_changed(session, delete(LogLine).where(which).execution_options(synchronize_session=False))


def _close_what_they_retried(session: Session, run_ids: Sequence[UUID], now: datetime) -> None:
    # Their retry is what says that somebody dealt with them. Without it they would wait for a person once more.
    retried = select(Run.retry_of_run_id).where(Run.id.in_(run_ids))
    query = update(Run).where(Run.id.in_(retried), Run.dismissed_at.is_(None)).values(dismissed_at=now)
    session.execute(query.execution_options(synchronize_session=False))


def _old(organization_id: UUID, before: datetime, reached: datetime | None) -> list[ColumnElement[bool]]:
    later, parent = aliased(Run), aliased(Run)
    return [
        Run.organization_id == organization_id,
        Run.finished_at < before,
        *([] if reached is None else [Run.finished_at >= reached]),
        _IS_OVER,
        or_(Run.state != RunState.FAILED.value, Run.dismissed_at.is_not(None)),
        ~exists().where(parent.id == Run.parent_run_id, parent.finished_at.is_(None)),
        ~exists().where(later.organization_id == Run.organization_id, later.retry_of_run_id == Run.id),
    ]


def clear_finished(
    session: Session, *, kinds: JobKinds, organization_id: UUID, limit: int, after: UUID | None
) -> Cleared:
    """Take open secrets out of some finished runs, in the order of their ids. Nothing ever runs those again."""
    query = select(Run.id).where(Run.organization_id == organization_id, _IS_OVER, has_open_values(Run.definition))
    ids = list(session.scalars((query if after is None else query.where(Run.id > after)).order_by(Run.id).limit(limit)))
    changed = unreadable = 0
    for run_id in ids:
        try:
            changed += _clear(session, kinds, run_id)
        except UNREADABLE:
            unreadable += 1
    return Cleared(changed, unreadable, ids[-1] if len(ids) == limit else None)


def count_open_and_unfinished(session: Session, *, kinds: JobKinds, organization_id: UUID) -> int:
    """How many runs that are not over hold secrets in the open: they still need them."""
    query = select(Run.id).where(Run.organization_id == organization_id, ~_IS_OVER, has_open_values(Run.definition))
    return sum(_holds_open_values(session, kinds, run_id) for run_id in session.scalars(query).all())


def _holds_open_values(session: Session, kinds: JobKinds, run_id: UUID) -> bool:
    try:
        return _cleared(session, kinds, run_id) is not None
    except UNREADABLE:
        # Nobody can tell. It ends as unreadable when it is claimed, and is looked at again then.
        return False


def _clear(session: Session, kinds: JobKinds, run_id: UUID) -> bool:
    cleared = _cleared(session, kinds, run_id)
    if cleared is None:
        return False
    return count_changed(session, update(Run).where(Run.id == run_id, _IS_OVER).values(definition=cleared)) == 1


def _cleared(session: Session, kinds: JobKinds, run_id: UUID) -> dict[str, Any] | None:
    """The definition without its open secrets; None when it has none."""
    kind, before = session.execute(select(Run.kind, Run.definition).where(Run.id == run_id)).one()
    cleared = kinds[KindName(kind)].without_secrets(before)
    return None if cleared == before else cleared
