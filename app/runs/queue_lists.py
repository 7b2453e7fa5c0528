"""The runs of a tab of the queue, page by page. However many there are, a page reads a bounded number of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    Subquery,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.core.questions import Question, ask
from app.core.searching import holds_text
from app.runs.filters import MOST_COUNTED
from app.runs.models import Run, in_state
from app.runs.queries import RunRow, in_dead_letter, row_of, select_all_runs
from app.runs.queue_filter import LIVE_STATES, QueueFilter, QueueTab
from app.schedules.models import Schedule

REMOVED_SHOWN = timedelta(days=7)
# How many runs a narrowed list looks through for one page.
LOOKED_AT_ONCE = 5_000


@dataclass(frozen=True)
class Place:
    """Where a page ended: the moment that its last run is listed by, and the run."""

    at: datetime
    run_id: UUID


@dataclass(frozen=True)
class QueuePage:
    """Some runs, and where to go on. `was_cut` says that it looked through as many as it may and found few."""

    rows: list[RunRow]
    next: Place | None
    was_cut: bool = False


@dataclass(frozen=True)
class Matches:
    """How many runs a narrowed list has. `is_all` says that there are no others."""

    runs: int
    is_all: bool


@dataclass(frozen=True)
class _Listing:
    """By which moment a tab is ordered, and which runs it holds: parts that an index has in that order, each."""

    at: SQLColumnExpression[Any]
    is_newest_first: bool
    parts: tuple[tuple[ColumnElement[bool], ...], ...]
    # Ids are made in the order of time, and everybody's runs have no index by a moment.
    is_by_id: bool = False


def list_queue_tab(
    session: Session,
    *,
    organization_id: UUID | None,
    wanted: QueueFilter,
    now: datetime,
    limit: int,
    after: Place | None = None,
) -> QueuePage:
    """One page of a tab, of one organization or, as PLATFORM, of all: what waits, runs and retries the oldest first."""
    listing = _listing_of(wanted.tab, now, is_of_all=organization_id is None)
    if wanted.run_id is not None:
        which = _union(listing, (*_of(organization_id), Run.id == wanted.run_id), None, 1)
        return QueuePage([row for row, _ in _read(session, which, listing)], None)
    is_narrowed = bool(wanted.queue or wanted.job_id or wanted.schedule_id or wanted.text)
    here = (*_of(organization_id), *((Run.cause == wanted.cause,) if wanted.cause else ()))
    window = _union(listing, here, after, LOOKED_AT_ONCE if is_narrowed else limit + 1)
    found = _read(session, _narrowed(window, wanted, listing).limit(limit + 1).subquery("shown"), listing)
    rows = [row for row, _ in found[:limit]]
    if len(found) > limit:
        return QueuePage(rows, found[limit - 1][1])
    end = _end_of(session, window, listing) if is_narrowed else None
    return QueuePage(rows, end, was_cut=end is not None)


def ids_of_tab(
    session: Session, *, organization_id: UUID | None, wanted: QueueFilter, now: datetime, limit: int
) -> list[UUID]:
    """Every run that a filter matches now, as far as `limit`, in the order of the list. For what is done to all."""
    listing = _listing_of(wanted.tab, now, is_of_all=organization_id is None)
    here = (*_of(organization_id), *((Run.cause == wanted.cause,) if wanted.cause else ()))
    if wanted.run_id is not None:
        here = (*here, Run.id == wanted.run_id)
    window = _union(listing, here, None, None)
    narrowing = QueueFilter(wanted.tab) if wanted.run_id is not None else wanted
    return [found.id for found in session.execute(_narrowed(window, narrowing, listing).limit(limit))]


def count_matches(session: Session, *, organization_id: UUID | None, wanted: QueueFilter, now: datetime) -> Matches:
    """How many runs a filter matches, as far as a page counts. One statement.

    A text is looked for in as many as a page of the list looks through, and what has it among those is counted.
    """
    return ask(session, matches(organization_id=organization_id, wanted=wanted, now=now))


def matches(*, organization_id: UUID | None, wanted: QueueFilter, now: datetime) -> Question[Matches]:
    """The same as a question."""
    listing = _listing_of(wanted.tab, now, is_of_all=organization_id is None)
    here = (*_of(organization_id), *((Run.cause == wanted.cause,) if wanted.cause else ()))
    # Texts are long to look through; whose, where and of what a run is, is not.
    most = LOOKED_AT_ONCE if wanted.text else MOST_COUNTED + 1
    window = _union(listing, here, None, most)
    found = _narrowed(window, wanted, listing).order_by(None).subquery()
    looked = select(func.count()).select_from(window).scalar_subquery()
    query = select(func.count().label("runs"), looked.label("looked")).select_from(found)
    return Question(query, lambda rows: Matches(min(rows[0].runs, MOST_COUNTED), is_all=rows[0].looked < most))


def matching_of_tab(
    session: Session, *, organization_id: UUID, wanted: QueueFilter, now: datetime, most: int
) -> tuple[list[UUID], int]:
    """The first runs that a filter matches, at most so many, and how many others there are, as far as a page counts."""
    ids = ids_of_tab(session, organization_id=organization_id, wanted=wanted, now=now, limit=most + MOST_COUNTED)
    return ids[:most], len(ids[most:])


def _of(organization_id: UUID | None) -> tuple[ColumnElement[bool], ...]:
    return () if organization_id is None else (Run.organization_id == organization_id,)


def _listing_of(tab: QueueTab, now: datetime, *, is_of_all: bool) -> _Listing:
    if tab in LIVE_STATES:
        # Everybody's runs have an index by when they may start; those of one organization by when they were made.
        by_start = {QueueTab.RUNNING: Run.started_at, QueueTab.WAITING: Run.ready_at, QueueTab.RETRYING: Run.ready_at}
        at = by_start[tab] if is_of_all or tab is QueueTab.RUNNING else Run.created_at
        return _Listing(at, is_newest_first=False, parts=tuple((in_state(state),) for state in LIVE_STATES[tab]))
    if tab is QueueTab.DEAD:
        return _Listing(Run.finished_at, is_newest_first=True, parts=(in_dead_letter(),))
    if tab is QueueTab.REMOVED:
        lately = Run.removed_at.is_not(None), Run.removed_at >= now - REMOVED_SHOWN
        return _Listing(Run.removed_at, is_newest_first=True, parts=(lately,))
    is_made = Run.created_at.is_not(None)
    return _Listing(Run.created_at, is_newest_first=True, parts=((is_made,),), is_by_id=is_of_all)


def _union(listing: _Listing, here: Sequence[ColumnElement[bool]], after: Place | None, limit: int | None) -> Subquery:
    """The first runs of all parts behind a place, in their order, with what a list may be narrowed by."""
    columns: tuple[Any, ...] = (
        Run.id, listing.at.label("at"), Run.queue, Run.job_id, Run.schedule_id, Run.job_name, Run.error,
    )  # fmt: skip
    behind = () if after is None else (_is_behind(listing, listing.at, Run.id, after),)
    ordered = [
        select(*columns).where(*here, *part, *behind).order_by(*_order(listing, listing.at, Run.id))
        for part in listing.parts
    ]
    # A part of a union may only be ordered and cut as a table of its own.
    parts = [select((query if limit is None else query.limit(limit)).subquery()) for query in ordered]
    if len(parts) == 1:
        return parts[0].subquery("found")
    both = union_all(*parts).subquery("both")
    query = select(both).order_by(*_order(listing, both.c.at, both.c.id))
    return (query if limit is None else query.limit(limit)).subquery("found")


def _narrowed(window: Subquery, wanted: QueueFilter, listing: _Listing) -> Select[Any, Any]:
    query = select(window.c.id, window.c.at).order_by(*_order(listing, window.c.at, window.c.id))
    pairs = {"queue": wanted.queue, "job_id": wanted.job_id, "schedule_id": wanted.schedule_id}
    query = query.where(*(window.c[name] == value for name, value in pairs.items() if value))
    if not wanted.text:
        return query
    texts = (window.c.job_name, Schedule.name, window.c.error)
    query = query.outerjoin(Schedule, Schedule.id == window.c.schedule_id)
    return query.where(or_(*(holds_text(text, wanted.text) for text in texts)))


def _end_of(session: Session, window: Subquery, listing: _Listing) -> Place | None:
    """The last of as many runs as one page looks through; None where there were fewer."""
    query = select(window.c.at, window.c.id).order_by(*_order(listing, window.c.at, window.c.id))
    found = session.execute(query.offset(LOOKED_AT_ONCE - 1).limit(1)).one_or_none()
    return None if found is None else Place(found.at, found.id)


def _order(listing: _Listing, at: SQLColumnExpression[Any], run_id: SQLColumnExpression[Any]) -> tuple[Any, ...]:
    columns = (run_id,) if listing.is_by_id else (at, run_id)
    return tuple(column.desc() for column in columns) if listing.is_newest_first else columns


def _is_behind(
    listing: _Listing, at: SQLColumnExpression[Any], run_id: SQLColumnExpression[Any], after: Place
) -> ColumnElement[bool]:
    if listing.is_by_id:
        return run_id < after.run_id
    place = tuple_(literal(after.at, UTCDateTime()), literal(after.run_id, Run.id.type))
    return tuple_(at, run_id) < place if listing.is_newest_first else tuple_(at, run_id) > place


def _read(session: Session, shown: Subquery, listing: _Listing) -> list[tuple[RunRow, Place]]:
    """These runs, each with its place. Joined with so few: of an `IN`, PostgreSQL would look through all runs."""
    query = select_all_runs().add_columns(shown.c.at).join(shown, shown.c.id == Run.id)
    found = session.execute(query.order_by(*_order(listing, shown.c.at, shown.c.id)))
    return [(row_of(row), Place(row.at, row[0].id)) for row in found]
