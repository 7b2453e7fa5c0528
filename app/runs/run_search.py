"""The search in an organization's runs, newest first: by a text, and by why they exist, which no index knows.

How far it looks and how long that takes depends on what people may see, and on nothing that is masked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Row,
    Select,
    String,
    Subquery,
    case,
    cast,
    func,
    null,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Session

from app.core.searching import holds_text
from app.runs.definition_search import SeenTexts, seen_text
from app.runs.filters import RunFilter
from app.runs.models import Run
from app.schedules.models import Schedule

# Where a list of runs goes on: when the last one shown was made, and its id.
Place = tuple[datetime, UUID]
_Row = Row[Any]

# Every run was made since, but only whoever asks for a time may use the index of that order.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# How many runs a search looks through for one page: through all of a long history it would take for ever to find
# nothing.
SEARCHED_AT_ONCE = 10_000
# And how many characters of what they were to do, where each was to do something else: masking takes its time.
READ_AT_ONCE = 4_000_000

_SEEN = SeenTexts(most=2 * READ_AT_ONCE)


@dataclass(frozen=True)
class Search:
    """The ids of runs that match, as a query, newest first; none where none does.

    `looked_at` runs were looked through, and behind `last` there may be more; None if there are none.
    """

    ids: Select[tuple[UUID]] | None
    looked_at: int
    last: Place | None


def search_runs(
    session: Session, *, organization_id: UUID, run_filter: RunFilter, limit: int, older_than: Place | None
) -> Search:
    """So many runs at most that are searched for, from the newest on or from behind a place."""
    window = _window(session, organization_id, run_filter, older_than)
    groups = session.execute(_groups(window.limit(SEARCHED_AT_ONCE).subquery())).all()
    if not groups:
        return Search(None, 0, None)
    looked_at = groups[0].looked_at
    last = (groups[0].last_at, groups[0].last_id) if looked_at == SEARCHED_AT_ONCE else None
    affordable = _affordable(groups)
    if len(affordable) < len(groups):
        looked_at = groups[len(affordable)].first - 1
        last = _place_at(session, window, looked_at)
    # To the last one: more may have been made this moment, and none must be left out for them.
    looked = window if last is None else window.where(tuple_(Run.created_at, Run.id) >= last)
    # Never so many, but with a limit a database reads no further than it has to.
    looked = looked.limit(2 * SEARCHED_AT_ONCE)
    ids = _matching(session, organization_id, looked.subquery(), affordable, run_filter.query, limit)
    return Search(ids, looked_at, last)


def _window(session: Session, organization_id: UUID, run_filter: RunFilter, older_than: Place | None) -> Select[Any]:
    """What is looked at of each run, newest first; nothing more is read.

    `digest` is that of what it was to do, where it takes that to say if the run is searched for.
    """
    is_asked_for = true() if run_filter.source is None else run_filter.is_from()
    behind = [] if older_than is None else [tuple_(Run.created_at, Run.id) < older_than]
    query = select(Run.id, Run.created_at, *_judged(session, is_asked_for, run_filter.query))
    if run_filter.query:
        query = query.outerjoin(Schedule, Schedule.id == Run.schedule_id)
    query = query.where(Run.organization_id == organization_id, Run.created_at >= LONG_AGO, *run_filter.conditions())
    return query.where(*behind).order_by(Run.created_at.desc(), Run.id.desc())


def _judged(session: Session, is_asked_for: ColumnElement[bool], typed: str) -> list[ColumnElement[Any]]:
    if not typed:
        nothing = null().label("digest"), null().label("size")
        return [is_asked_for.label("is_asked_for"), is_asked_for.label("is_sure"), *nothing]
    texts = Run.job_name, Schedule.name, Run.error
    # One that is not there would make the whole unknown.
    is_named = or_(*(holds_text(func.coalesce(text, ""), typed) for text in texts))
    stored = cast(Run.definition, String)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    digest = func.sha256(stored if is_sqlite else func.convert_to(stored, "UTF8"), type_=LargeBinary)
    return [
        is_asked_for.label("is_asked_for"),
        (is_asked_for & is_named).label("is_sure"),
        case((is_asked_for & ~is_named, digest)).label("digest"),
        func.length(stored).label("size"),
    ]


def _groups(looked: Subquery) -> Select[Any]:
    """What is looked at, put together by what it takes to judge it: the first comes first."""
    newest = looked.c.created_at.desc(), looked.c.id.desc()
    numbered = select(
        *(looked.c.id, looked.c.digest, looked.c.size),
        # The same as `is_sure`, which takes long: names are compared once.
        (looked.c.is_asked_for & looked.c.digest.is_(None)).label("is_sure"),
        func.row_number().over(order_by=newest).label("number"),
        func.count().over().label("looked_at"),
        *(
            func.last_value(column, type_=column.type).over(order_by=newest, range_=(None, None)).label(name)
            for column, name in ((looked.c.created_at, "last_at"), (looked.c.id, "last_id"))
        ),
    ).subquery()
    kind = numbered.c.is_sure, numbered.c.digest
    same = numbered.c.looked_at, numbered.c.last_at, numbered.c.last_id
    first = func.min(numbered.c.number)
    example = func.min(cast(numbered.c.id, String)).label("example")
    # Told once: there may be as many of these as runs.
    whole = [case((first == 1, column)).label(column.name) for column in same]
    query = select(*kind, *whole, first.label("first"), example, func.max(numbered.c.size).label("size"))
    return query.group_by(*kind, *same).order_by("first")


def _affordable(groups: Sequence[_Row]) -> list[_Row]:
    """Those from the first one on that one page may read. The same for whatever is searched for."""
    found, left = [], READ_AT_ONCE
    for group in groups:
        size = 0 if group.digest is None else group.size
        # The first one is read whatever it takes, or no page would come further.
        if size > left and group.first > 1:
            break
        found.append(group)
        left -= size
    return found


def _place_at(session: Session, window: Select[Any], number: int) -> Place:
    place = window.with_only_columns(Run.created_at, Run.id).offset(number - 1).limit(1)
    found = session.execute(place).one()
    return found.created_at, found.id


def _matching(
    session: Session, organization_id: UUID, looked: Subquery, groups: Sequence[_Row], typed: str, limit: int
) -> Select[tuple[UUID]] | None:
    # As many of the newest as there are rows on a page have those rows among them.
    holding = list(islice(_holding(session, organization_id, groups, typed), limit))
    are_some_sure = any(group.is_sure for group in groups)
    if not (holding or are_some_sure):
        return None
    wanted = [*([looked.c.is_sure] if are_some_sure else []), *([looked.c.digest.in_(holding)] if holding else [])]
    newest = looked.c.created_at.desc(), looked.c.id.desc()
    return select(looked.c.id).where(or_(*wanted)).order_by(*newest).limit(limit)


def _holding(session: Session, organization_id: UUID, groups: Sequence[_Row], typed: str) -> Iterator[bytes]:
    """The digests of what holds the text where people see it, in the order of the groups."""
    open_groups = [group for group in groups if group.digest is not None]
    texts = {group.digest: _SEEN.get(group.digest) for group in open_groups}
    unknown = {UUID(group.example): group.digest for group in open_groups if texts[group.digest] is None}
    if unknown:
        stored = select(Run.id, cast(Run.definition, String)).where(Run.organization_id == organization_id)
        for run_id, definition in session.execute(stored.where(Run.id.in_(unknown))):
            texts[unknown[run_id]] = text = seen_text(definition)
            _SEEN.keep(unknown[run_id], text)
    wanted = typed.casefold()
    # Of one that was deleted this moment nothing is seen any more.
    return (group.digest for group in open_groups if wanted in (texts[group.digest] or ""))
