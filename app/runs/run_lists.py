"""Lists of an organization's runs, page by page, and the search in them. Those of the queues are in queue_lists.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.runs.filters import MOST_COUNTED, RunFilter
from app.runs.models import Run
from app.runs.queries import RunRow, row_of, select_runs
from app.runs.run_search import LONG_AGO, Place, search_runs


class PlaceGone(NotFound):
    """The run that a page was to begin behind was deleted since, or it never was in this organization."""


@dataclass(frozen=True)
class Page:
    """Some rows, newest first, and where the next older and newer ones begin.

    Of a search `looked_at` says how many runs it looked through.
    """

    rows: list[RunRow]
    older_than: Place | None
    newer_than: Place | None = None
    looked_at: int = 0


def list_runs(
    session: Session, *, organization_id: UUID, run_filter: RunFilter, limit: int, older_than: Place | None = None
) -> Page:
    """A page of runs, newest first. `older_than` is the place of the last run of the page before, which may be gone.

    A search, also for why they exist, looks through so many runs at once; a page of it may have few rows, or none, and
    still be followed by more.
    """
    if run_filter.is_search:
        return _search(session, organization_id, run_filter, limit, older_than)
    conditions = [Run.created_at >= LONG_AGO, *run_filter.conditions()]
    if older_than is not None:
        conditions.append(tuple_(Run.created_at, Run.id) < older_than)
    query = select_runs(organization_id, *conditions).order_by(Run.created_at.desc(), Run.id.desc())
    rows = [row_of(found) for found in session.execute(query.limit(limit + 1))]
    newer_than = _place(rows[0]) if rows and older_than is not None else None
    return Page(rows[:limit], _place(rows[limit - 1]) if len(rows) > limit else None, newer_than)


def list_newer_runs(
    session: Session, *, organization_id: UUID, run_filter: RunFilter, limit: int, newer_than: Place
) -> Page | None:
    """The page before the one that this run is the first of. None where that is the first page, or for a search."""
    if run_filter.is_search:
        return None
    conditions: list[ColumnElement[bool]] = [
        Run.created_at >= LONG_AGO,
        *run_filter.conditions(),
        tuple_(Run.created_at, Run.id) > newer_than,
    ]
    query = select_runs(organization_id, *conditions).order_by(Run.created_at, Run.id)
    rows = [row_of(found) for found in session.execute(query.limit(limit + 1))]
    # Fewer than a page is what is new since: the first page has it, and more besides.
    if len(rows) <= limit:
        return None
    shown = rows[:limit][::-1]
    return Page(shown, _place(shown[-1]), _place(shown[0]))


def count_runs(session: Session, *, organization_id: UUID, run_filter: RunFilter) -> int | None:
    """How many runs a filter takes, one more than MOST_COUNTED at most. None for a search, which only looks so far."""
    if run_filter.is_search:
        return None
    # Nothing of a run but what the indexes have: ten thousand runs themselves would take long to read.
    mine = Run.organization_id == organization_id, Run.created_at >= LONG_AGO
    some = select(literal(1)).where(*mine, *run_filter.conditions())
    return session.scalar(select(func.count()).select_from(some.limit(MOST_COUNTED + 1).subquery()))


def place_of(session: Session, *, organization_id: UUID, run_id: UUID) -> Place:
    """Where in the list a run stands. Raises PlaceGone."""
    mine = Run.id == run_id, Run.organization_id == organization_id
    found = session.execute(select(Run.created_at, Run.id).where(*mine)).one_or_none()
    if found is None:
        raise PlaceGone("The run that the list was to go on behind is gone. Begin with the newest runs again.")
    return found.created_at, found.id


def _place(row: RunRow) -> Place:
    return row.created_at, row.id


def _search(
    session: Session, organization_id: UUID, run_filter: RunFilter, limit: int, older_than: Place | None
) -> Page:
    if run_filter.run_id is not None:
        by_id = select_runs(organization_id, Run.id == run_filter.run_id, *run_filter.conditions())
        return Page([row_of(found) for found in session.execute(by_id)], None)
    found = search_runs(
        session, organization_id=organization_id, run_filter=run_filter, limit=limit + 1, older_than=older_than
    )
    rows = _rows(session, organization_id, found.ids[:limit])
    if len(found.ids) > limit:
        return Page(rows, _place(rows[-1]), looked_at=found.looked_at)
    return Page(rows, found.last, looked_at=found.looked_at)


def _rows(session: Session, organization_id: UUID, ids: Sequence[UUID]) -> list[RunRow]:
    if not ids:
        return []
    query = select_runs(organization_id, Run.id.in_(ids)).order_by(Run.created_at.desc(), Run.id.desc())
    return [row_of(found) for found in session.execute(query)]
