"""Removes schedules for good that were deleted so long ago that nobody can bring them back."""

from datetime import datetime

from sqlalchemy import ColumnElement, Delete, delete, exists, or_, select, tuple_, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.runs.models import Run
from app.schedules.deleted import KEPT
from app.schedules.models import Gap, Schedule, ScheduleVersion


def forget_schedules(session: Session, *, now: datetime, limit: int) -> int:
    """Remove at most so many rows of such schedules, of all organizations. Returns how many. Works as ENGINE.

    What one said goes at once. Runs of the past keep its name, so the row itself goes with the last of them.
    """
    is_over = Schedule.deleted_at < now - KEPT
    removed = _remove_what_they_said(session, is_over, limit)
    return removed or _remove_bare(session, is_over, limit)


def _remove_what_they_said(session: Session, is_over: ColumnElement[bool], limit: int) -> int:
    over = select(Schedule.id).where(is_over)
    key = ScheduleVersion.schedule_id, ScheduleVersion.version
    versions = select(*key).where(ScheduleVersion.schedule_id.in_(over)).limit(limit)
    gaps = select(Gap.id).where(Gap.schedule_id.in_(over)).limit(limit)
    removed = _remove(session, delete(ScheduleVersion).where(tuple_(*key).in_(versions)))
    removed += _remove(session, delete(Gap).where(Gap.id.in_(gaps)))
    said = select(Schedule.id).where(is_over, or_(Schedule.notes != "", Schedule.deleted_by.is_not(None))).limit(limit)
    silent = update(Schedule).where(Schedule.id.in_(said)).values(notes="", tags=[], deleted_by=None)
    return removed + count_changed(session, silent.execution_options(synchronize_session=False))


def _remove_bare(session: Session, is_over: ColumnElement[bool], limit: int) -> int:
    has_runs = exists().where(Run.organization_id == Schedule.organization_id, Run.schedule_id == Schedule.id)
    bare = select(Schedule.id).where(is_over, ~has_runs).order_by(Schedule.deleted_at).limit(limit)
    return _remove(session, delete(Schedule).where(Schedule.id.in_(bare)))


def _remove(session: Session, doomed: Delete) -> int:
    return count_changed(session, doomed.execution_options(synchronize_session=False))
