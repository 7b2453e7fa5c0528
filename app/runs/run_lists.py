"""Lists of an organization's runs, page by page, and the search in them. Those of the queues are in queue_lists.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    Subquery,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Session

from app.core.searching import holds_text
from app.runs.definition_search import holds, may_hold
from app.runs.filters import MOST_COUNTED, RunFilter
from app.runs.models import Run
from app.runs.queries import RunRow, row_of, select_runs
from app.schedules.models import Schedule

# How many runs a search looks through for one page.
SEARCHED_AT_ONCE = 10_000
# How many of those, which may hold the text, it looks at closely: each is read for that.
CHECKED_AT_ONCE = 1_000
# Every run was made since, but only whoever asks for a time may use the index of that order.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Page:
    """Some rows, newest first, and where the next older and newer ones begin.

    Of a search that found few and can go on `looked_at` says how many runs it looked through, or `checked` how many it
    looked at closely because they seemed to match.
    """

    rows: list[RunRow]
    older_than: UUID | None
    newer_than: UUID | None = None
    looked_at: int = 0
    checked: int = 0


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
    matches = _matches(run_filter, window).order_by(window.c.created_at.desc(), window.c.id.desc())
    looked = session.execute(matches.limit(CHECKED_AT_ONCE if run_filter.query else limit + 1)).all()
    ids = [one.id for one in looked if one.is_sure or holds(one.definition, run_filter.query)]
    rows = _rows(session, organization_id, ids[:limit])
    if len(ids) > limit:
        return Page(rows, ids[limit - 1])
    if len(looked) == CHECKED_AT_ONCE:
        return Page(rows, looked[-1].id, checked=CHECKED_AT_ONCE)
    oldest = select(Run.id).where(Run.organization_id == organization_id, *conditions).order_by(*newest)
    older_than = session.scalar(oldest.offset(SEARCHED_AT_ONCE - 1).limit(1))
    return Page(rows, older_than, looked_at=0 if older_than is None else SEARCHED_AT_ONCE)


def _rows(session: Session, organization_id: UUID, ids: Sequence[UUID]) -> list[RunRow]:
    if not ids:
        return []
    query = select_runs(organization_id, Run.id.in_(ids)).order_by(Run.created_at.desc(), Run.id.desc())
    return [row_of(found) for found in session.execute(query)]


def _searched(run_filter: RunFilter) -> list[ColumnElement[Any]]:
    """What is looked at of each run; nothing more is read."""
    columns: list[Any] = [Run.id, Run.created_at]
    if run_filter.query:
        columns += [Run.job_name, Run.error, Run.schedule_id, Run.definition]
    if run_filter.source is not None:
        columns.append(run_filter.is_from().label("is_from"))
    return columns


def _matches(run_filter: RunFilter, window: Subquery) -> Select[Any, Any, Any]:
    """The ids of those that are searched for, and of those that may be: these with what they were to do, as JSON."""
    is_asked_for = true() if run_filter.source is None else window.c.is_from
    if not run_filter.query:
        return select(window.c.id, true().label("is_sure"), null().label("definition")).where(is_asked_for)
    texts = (window.c.job_name, Schedule.name, window.c.error)
    # One that is not there would make the whole unknown.
    is_sure = or_(*(holds_text(func.coalesce(text, ""), run_filter.query) for text in texts))
    definition = case((is_sure, null()), else_=cast(window.c.definition, String))
    query = select(window.c.id, is_sure.label("is_sure"), definition.label("definition"))
    query = query.outerjoin(Schedule, Schedule.id == window.c.schedule_id)
    return query.where(is_asked_for, or_(is_sure, may_hold(window.c.definition, run_filter.query)))
