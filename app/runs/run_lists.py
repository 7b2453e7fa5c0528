"""Lists of an organization's runs, page by page, and the search in them. Those of the queues are in queue_lists.py."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, String, Subquery, cast, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from app.runs.filters import MOST_COUNTED, RunFilter
from app.runs.models import Run
from app.runs.queries import RunRow, in_dead_letter, row_of, select_runs
from app.schedules.models import Schedule

# How many runs a search looks through for one page.
SEARCHED_AT_ONCE = 20_000
# Every run was made since, but only whoever asks for a time may use the index of that order.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Page:
    """Some rows, newest first, and where the next older and newer ones begin."""

    rows: list[RunRow]
    older_than: UUID | None
    newer_than: UUID | None = None


def list_runs(
    session: Session, *, organization_id: UUID, run_filter: RunFilter, limit: int, older_than: UUID | None = None
) -> Page:
    """A page of runs, newest first. `older_than` is the last run of the page before.

    A search, also for why they exist, looks through so many runs at once; a page of it may have few rows, or none, and
    still be followed by more.
    """
    conditions = [Run.created_at >= _LONG_AGO, *run_filter.conditions()]
    if older_than is not None:
        conditions.append(tuple_(Run.created_at, Run.id) < _place_of(organization_id, older_than))
    if run_filter.is_search:
        return _search(session, organization_id, run_filter, conditions, limit)
    query = select_runs(organization_id, *conditions).order_by(Run.created_at.desc(), Run.id.desc())
    rows = [row_of(found) for found in session.execute(query.limit(limit + 1))]
    newer_than = rows[0].id if rows and older_than is not None else None
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None, newer_than)


def list_newer_runs(
    session: Session, *, organization_id: UUID, run_filter: RunFilter, limit: int, newer_than: UUID
) -> Page | None:
    """The page before the one that this run is the first of. None where that is the first page, or for a search."""
    if run_filter.is_search:
        return None
    conditions: list[ColumnElement[bool]] = [
        Run.created_at >= _LONG_AGO,
        *run_filter.conditions(),
        tuple_(Run.created_at, Run.id) > _place_of(organization_id, newer_than),
    ]
    query = select_runs(organization_id, *conditions).order_by(Run.created_at, Run.id)
    rows = [row_of(found) for found in session.execute(query.limit(limit + 1))]
    # Fewer than a page is what is new since: the first page has it, and more besides.
    if len(rows) <= limit:
        return None
    shown = rows[:limit][::-1]
    return Page(shown, shown[-1].id, shown[0].id)


def count_runs(session: Session, *, organization_id: UUID, run_filter: RunFilter) -> int | None:
    """How many runs a filter takes, one more than MOST_COUNTED at most. None for a search, which only looks so far."""
    if run_filter.is_search:
        return None
    # Nothing of a run but what the indexes have: ten thousand runs themselves would take long to read.
    mine = Run.organization_id == organization_id, Run.created_at >= _LONG_AGO
    some = select(literal(1)).where(*mine, *run_filter.conditions())
    return session.scalar(select(func.count()).select_from(some.limit(MOST_COUNTED + 1).subquery()))


def _place_of(organization_id: UUID, run_id: UUID) -> ScalarSelect[Any]:
    mine = Run.id == run_id, Run.organization_id == organization_id
    return select(Run.created_at, Run.id).where(*mine).scalar_subquery()


def list_dead_letters(session: Session, *, organization_id: UUID, limit: int) -> list[RunRow]:
    """Failed runs that nobody retried or removed, the newest first."""
    query = select_runs(organization_id, *in_dead_letter()).order_by(Run.finished_at.desc(), Run.id.desc())
    return [row_of(found) for found in session.execute(query.limit(limit))]


def _search(
    session: Session, organization_id: UUID, run_filter: RunFilter, conditions: list[ColumnElement[bool]], limit: int
) -> Page:
    if run_filter.run_id is not None:
        by_id = select_runs(organization_id, Run.id == run_filter.run_id, *conditions)
        return Page([row_of(found) for found in session.execute(by_id)], None)
    newest = (Run.created_at.desc(), Run.id.desc())
    # Only so far back: any page of a long history would have to read all of it to find nothing.
    window = (
        select(*_searched(run_filter))
        .where(Run.organization_id == organization_id, *conditions)
        .order_by(*newest)
        .limit(SEARCHED_AT_ONCE)
        .subquery()
    )
    matches = _matches(run_filter, window).order_by(window.c.created_at.desc(), window.c.id.desc()).limit(limit + 1)
    query = select_runs(organization_id, Run.id.in_(matches)).order_by(*newest)
    rows = [row_of(found) for found in session.execute(query)]
    if len(rows) > limit:
        return Page(rows[:limit], rows[limit - 1].id)
    oldest = select(Run.id).where(Run.organization_id == organization_id, *conditions).order_by(*newest)
    return Page(rows, session.scalar(oldest.offset(SEARCHED_AT_ONCE - 1).limit(1)))


def _searched(run_filter: RunFilter) -> list[ColumnElement[Any]]:
    """What is looked at of each run; nothing more is read."""
    columns: list[Any] = [Run.id, Run.created_at]
    if run_filter.query:
        columns += [Run.job_name, Run.error, Run.schedule_id, Run.definition]
    if run_filter.source is not None:
        columns.append(run_filter.is_from().label("is_from"))
    return columns


def _matches(run_filter: RunFilter, window: Subquery) -> Select[UUID]:
    """The ids of those that are searched for."""
    found = select(window.c.id)
    if run_filter.query:
        texts = (window.c.job_name, Schedule.name, window.c.error, cast(window.c.definition, String))
        has_text = or_(*(text.icontains(run_filter.query, autoescape=True) for text in texts))
        found = found.outerjoin(Schedule, Schedule.id == window.c.schedule_id).where(has_text)
    return found if run_filter.source is None else found.where(window.c.is_from)
