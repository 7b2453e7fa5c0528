"""Deletes finished runs that are old enough, and takes out of the others what need not be kept.

Attempts and log lines go with their run, by the database's own rule.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from app.core.db import count_changed
from app.jobs.kinds.base import JobKinds, KindName
from app.jobs.leftovers import UNREADABLE, Cleared, has_open_values
from app.runs.models import LogLine, Run
from app.runs.states import TERMINAL

# Runs whose lines one batch looks at; those of the others come after them.
_MOST_AT_ONCE = 20
_IS_OVER = Run.state.in_([state.value for state in TERMINAL])


def delete_finished_before(session: Session, *, organization_id: UUID, before: datetime, limit: int) -> int:
    """Delete at most `limit` runs that ended before an instant, and say how many.

    A run that was retried stays as long as its retry does, so that nothing ever points into the void.
    """
    old = select(Run.id).where(*_old(organization_id, before)).order_by(Run.created_at).limit(limit)
    return count_changed(session, delete(Run).where(Run.id.in_(old)).execution_options(synchronize_session=False))


def delete_lines_before(session: Session, *, organization_id: UUID, before: datetime, limit: int) -> int:
    """Delete at most `limit` log lines of runs that are about to be deleted, and say how many.

    They would go with their runs, but a run may have thousands, and one write should not have to take them all.
    """
    has_lines = exists().where(LogLine.run_id == Run.id)
    old = select(Run.id).where(*_old(organization_id, before), has_lines)
    run_ids = list(session.scalars(old.order_by(Run.created_at).limit(_MOST_AT_ONCE)))
    some = select(LogLine.run_id, LogLine.number).where(LogLine.run_id.in_(run_ids)).limit(limit)
    which = tuple_(LogLine.run_id, LogLine.number).in_(some)
    return count_changed(session, delete(LogLine).where(which).execution_options(synchronize_session=False))


def _old(organization_id: UUID, before: datetime) -> tuple[ColumnElement[bool], ...]:
    later = aliased(Run)
    return (
        Run.organization_id == organization_id,
        # Nothing ends before it exists; said again because this is what there is an index for.
        Run.created_at < before,
        Run.finished_at < before,
        _IS_OVER,
        ~exists().where(later.organization_id == Run.organization_id, later.retry_of_run_id == Run.id),
    )


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
