"""The search in an organization's runs, newest first: by a text, and by why they exist, which no index knows.

How far it looks and how long that takes depends on what people may see, and on nothing that is masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
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
# Among so many of them, which takes a tenth of the time, what many hold fills a page.
SEARCHED_FIRST = 1_000
# And how many characters of what they were to do, where each was to do something else: masking takes its time.
READ_AT_ONCE = 4_000_000

_SEEN = SeenTexts(most=2 * READ_AT_ONCE)


@dataclass(frozen=True)
class Found:
    """The ids of runs that match, newest first, and how many were looked through.

    Behind `last` there may be more; None where all were looked through. Nobody needs it who has as many as were asked
    for, so it is None there as well.
    """

    ids: list[UUID]
    looked_at: int
    last: Place | None


def search_runs(
    session: Session, *, organization_id: UUID, run_filter: RunFilter, limit: int, older_than: Place | None
) -> Found:
    """So many runs at most that are searched for, from the newest on or from behind a place."""
    search = _Search(session, organization_id, run_filter, _window(organization_id, run_filter, older_than), limit)
    if not run_filter.query:
        return search.found(search.is_asked_for, SEARCHED_AT_ONCE)
    found = search.look(SEARCHED_FIRST, has_to_do=SEARCHED_FIRST < SEARCHED_AT_ONCE) or search.look(SEARCHED_AT_ONCE)
    assert found is not None
    return found


@dataclass(frozen=True)
class _Search:
    """One search in a window of runs, as far as it is told to look."""

    session: Session
    organization_id: UUID
    run_filter: RunFilter
    window: Select[*tuple[Any, ...]]
    limit: int

    @property
    def is_asked_for(self) -> ColumnElement[bool]:
        return true() if self.run_filter.source is None else self.run_filter.is_from()

    def look(self, most: int, *, has_to_do: bool = False) -> Found | None:
        """Those that hold the text among so many. None where it has to do, and a look at more would find more."""
        said = _said(self.session, self.run_filter.query)
        digest = case((self.is_asked_for & ~said.is_named, said.digest)).label("digest")
        looked = self.window.add_columns(digest, said.size.label("size")).limit(min(most, SEARCHED_AT_ONCE)).subquery()
        groups, looked_at = _affordable(self.session.execute(_groups(looked)).all())
        holding = self._holding(groups)
        # Those without a digest are called so, or are not asked for at all.
        hits = [group for group in groups if group.digest is None or group.digest in holding]
        is_cut_short = has_to_do and looked_at == most
        if is_cut_short and sum(group.runs for group in hits) < self.limit:
            return None
        if not hits:
            return Found([], looked_at, self._place_at(looked_at))
        # As many of the newest as there are rows on a page have those rows among them.
        digests = [group.digest for group in hits if group.digest is not None][: self.limit]
        is_wanted = said.is_named | said.digest.in_(digests) if digests else said.is_named
        found = self.found(self.is_asked_for & is_wanted, looked_at)
        return None if is_cut_short and len(found.ids) < self.limit else found

    def found(self, is_wanted: ColumnElement[bool], looked_at: int) -> Found:
        """The newest of those among so many for which this is true."""
        some = self.window.add_columns(is_wanted.label("is_wanted")).limit(looked_at).subquery()
        matching = select(some.c.id).where(some.c.is_wanted).order_by(some.c.created_at.desc(), some.c.id.desc())
        ids = list(self.session.scalars(matching.limit(self.limit)))
        return Found(ids, looked_at, None if len(ids) == self.limit else self._place_at(looked_at))

    def _place_at(self, number: int) -> Place | None:
        """That of the run at which a page stops; None where all were looked at.

        Asked last: what was made meanwhile moves it to a newer run, so some are looked at twice and none is left out.
        """
        if number == 0:
            return None
        rows = self.session.execute(self.window.offset(number - 1).limit(2)).all()
        return (rows[0].created_at, rows[0].id) if len(rows) == 2 else None

    def _holding(self, groups: Sequence[_Row]) -> set[bytes]:
        """The digests of what holds the text where people see it."""
        texts = {group.digest: _SEEN.get(group.digest) for group in groups if group.digest is not None}
        unknown = {UUID(group.example): group.digest for group in groups if texts.get(group.digest, "") is None}
        if unknown:
            stored = select(Run.id, cast(Run.definition, String)).where(Run.organization_id == self.organization_id)
            for run_id, definition in self.session.execute(stored.where(Run.id.in_(unknown))):
                texts[unknown[run_id]] = text = seen_text(definition)
                _SEEN.keep(unknown[run_id], text)
        wanted = self.run_filter.query.casefold()
        # Of one that was deleted this moment nothing is seen any more.
        return {digest for digest, text in texts.items() if text is not None and wanted in text}


def _window(organization_id: UUID, run_filter: RunFilter, older_than: Place | None) -> Select[*tuple[Any, ...]]:
    """The runs that are looked at, newest first. Nothing more is read of each than somebody adds."""
    behind = [] if older_than is None else [tuple_(Run.created_at, Run.id) < older_than]
    query: Select[*tuple[Any, ...]] = select(Run.id, Run.created_at)
    if run_filter.query:
        query = query.outerjoin(Schedule, Schedule.id == Run.schedule_id)
    query = query.where(Run.organization_id == organization_id, Run.created_at >= LONG_AGO, *run_filter.conditions())
    return query.where(*behind).order_by(Run.created_at.desc(), Run.id.desc())


class _Said(NamedTuple):
    """What a search asks of a run: whether it goes by the text, and what it was to do, as a digest and a length."""

    is_named: ColumnElement[bool]
    digest: ColumnElement[bytes]
    size: ColumnElement[int]


def _said(session: Session, typed: str) -> _Said:
    texts = Run.job_name, Schedule.name, Run.error
    # One that is not there would make the whole unknown.
    is_named = or_(*(holds_text(func.coalesce(text, ""), typed) for text in texts))
    stored = cast(Run.definition, String)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    digest = func.sha256(stored if is_sqlite else func.convert_to(stored, "UTF8"), type_=LargeBinary)
    return _Said(is_named, digest, func.length(stored))


def _groups(looked: Subquery) -> Select[*tuple[Any, ...]]:
    """What is looked at by what it was to do, where that decides, and all others: the first comes first."""
    number = func.row_number().over(order_by=(looked.c.created_at.desc(), looked.c.id.desc()))
    numbered = select(looked.c.id, looked.c.digest, looked.c.size, number.label("number")).subquery()
    first = func.min(numbered.c.number).label("first")
    example = func.min(cast(numbered.c.id, String)).label("example")
    facts = func.count().label("runs"), func.max(numbered.c.size).label("size")
    return select(numbered.c.digest, first, example, *facts).group_by(numbered.c.digest).order_by(first)


def _affordable(groups: Sequence[_Row]) -> tuple[list[_Row], int]:
    """Those from the first one on that one page may read, and how many runs it looks at with that.

    The same for whatever is searched for and nobody sees.
    """
    found: list[_Row] = []
    left = READ_AT_ONCE
    for group in groups:
        size = 0 if group.digest is None else group.size
        # The first one is read whatever it takes, or no page would come further.
        if size > left and group.first > 1:
            return found, group.first - 1
        found.append(group)
        left -= size
    return found, sum(group.runs for group in groups)
