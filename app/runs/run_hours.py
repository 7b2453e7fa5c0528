"""How runs ended, hour by hour: counted a little later than they end, once each, so that nobody counts a long history.

Each organization has a mark: what finished before it is in the hours, what finished since is read from the runs.
Slots that nobody executed have no runs, and are counted as missed from the ranges that are kept of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Delete,
    Integer,
    Select,
    and_,
    delete,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.columns import UTCDateTime
from app.core.db import count_changed
from app.core.questions import Question, ask
from app.core.seconds import UnixSeconds
from app.runs.missed_slots import missed_since, spread
from app.runs.models import Run, RunHour, RunHourMark
from app.runs.states import RunState
from app.schedules.models import Gap
from app.tenants.models import Organization

HOUR = 3_600
# As long as rates are counted wherever one is shown.
RATE_WINDOW = timedelta(days=7)
# Two of them can be compared with each other, and there is a day to spare.
KEPT = 2 * RATE_WINDOW + timedelta(days=1)
# A run is seen by others when its transaction ends, which is later than its end.
SETTLED_AFTER = timedelta(minutes=2)
# So much is counted in one transaction.
_AT_ONCE = timedelta(hours=6)


@dataclass(frozen=True)
class Counts:
    """How many runs came to which end."""

    succeeded: int = 0
    retried: int = 0  # succeeded after more than one try
    failed: int = 0
    missed: int = 0
    skipped: int = 0
    cancelled: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in _NAMES))

    @property
    def good(self) -> int:
        return self.succeeded + self.retried

    @property
    def finished(self) -> int:
        """The denominator of the success rate: skipped and cancelled runs say nothing about whether a job works."""
        return self.good + self.failed + self.missed

    @property
    def all(self) -> int:
        return self.finished + self.skipped + self.cancelled


_NAMES = tuple(field.name for field in fields(Counts))
_ONE = literal_column("1", Integer).label("slots")
NOTHING = Counts()


def full_hour(moment: datetime) -> datetime:
    """The beginning of its hour in UTC, where windows begin."""
    return moment - timedelta(seconds=moment.timestamp() % HOUR)


def counts_of_schedules(
    session: Session, *, organization_id: UUID, schedule_ids: Sequence[UUID], since: datetime
) -> dict[UUID, Counts]:
    """How the runs of these schedules ended that finished since the beginning of that hour. One statement."""
    here: dict[str, Any] = {"organization_id": organization_id, "schedule_ids": schedule_ids}
    return ask(session, counts_by_schedule(**here, since=since)) if schedule_ids else {}


def counts_by_schedule(
    *, organization_id: UUID, schedule_ids: Sequence[UUID], since: datetime
) -> Question[dict[UUID, Counts]]:
    """The same as a question."""
    hours = (RunHour.organization_id == organization_id, RunHour.subject_id.in_(schedule_ids))
    runs, gaps = (Run.schedule_id.in_(schedule_ids),), (Gap.schedule_id.in_(schedule_ids),)
    return _counts(organization_id, full_hour(since), Run.schedule_id, hours, runs, gaps)


def counts_of_all_schedules(session: Session, *, organization_id: UUID, since: datetime) -> dict[UUID, Counts]:
    """The same of every schedule of the organization that has any. One statement."""
    hours = (RunHour.organization_id == organization_id, RunHour.subject_id != organization_id)
    runs = (Run.organization_id == organization_id, Run.schedule_id.is_not(None))
    return ask(session, _counts(organization_id, full_hour(since), Run.schedule_id, hours, runs))


def counts_of_organization(session: Session, *, organization_id: UUID, since: datetime) -> Counts:
    """How all its runs ended that finished since the beginning of that hour. One statement."""
    hours = (RunHour.organization_id == organization_id, RunHour.subject_id == organization_id)
    runs = (Run.organization_id == organization_id,)
    found = ask(session, _counts(organization_id, full_hour(since), Run.organization_id, hours, runs))
    return found.get(organization_id, NOTHING)


def hours_of_organization(session: Session, *, organization_id: UUID, since: datetime) -> dict[int, Counts]:
    """How all its runs ended, by the hour since 1970 in which they did, from that hour on. One statement."""
    return ask(session, hours_since(organization_id=organization_id, since=since))


def hours_since(*, organization_id: UUID, since: datetime) -> Question[dict[int, Counts]]:
    """The same as a question."""
    mine = RunHour.organization_id == organization_id, RunHour.subject_id == organization_id
    since = full_hour(since)
    counted = select(RunHour.hour.label("hour"), RunHour.hour.label("last"), _ONE, *_columns(RunHour))
    hour = (UnixSeconds(Run.finished_at) // HOUR).label("hour")
    behind = Run.organization_id == organization_id, _is_behind_mark(organization_id, since)
    fresh = select(hour, hour.label("last"), _ONE, *_ends().values()).where(*behind).group_by(hour)
    gaps = missed_since(organization_id, since).subquery().c
    alike = gaps.first, gaps.last, gaps.slots
    missed = select(*alike, *_only_missed(func.count())).group_by(*alike)
    query: CompoundSelect[Any] = union_all(counted.where(*mine, RunHour.hour >= _number(since)), fresh, missed)
    return Question(query, _by_hour)


def _by_hour(rows: Sequence[Any]) -> dict[int, Counts]:
    found: dict[int, Counts] = {}
    for first, last, slots, *numbers in rows:
        # A range of slots lies in several hours; runs are in the one in which they ended.
        for number, times in spread(first, last, slots):
            here = Counts(*(int(each) * times for each in numbers))
            found[number] = found.get(number, NOTHING) + here
    return found


def uncounted_across_tenants(session: Session, *, now: datetime) -> list[UUID]:
    """Organizations with runs that finished behind their mark."""
    mark = select(RunHourMark.counted_until).where(RunHourMark.organization_id == Organization.id).scalar_subquery()
    newer = select(Run.id).where(
        Run.organization_id == Organization.id,
        Run.finished_at >= full_hour(now - KEPT),
        Run.finished_at < now - SETTLED_AFTER,
        Run.finished_at >= func.coalesce(mark, literal(full_hour(now - KEPT), UTCDateTime())),
    )
    return list(session.scalars(select(Organization.id).where(newer.exists())))


def count_hours(session: Session, *, organization_id: UUID, now: datetime) -> bool:
    """Count what finished behind the mark and move it, by a few hours at most. Returns whether there may be more."""
    oldest, end = full_hour(now - KEPT), now - SETTLED_AFTER
    mark = _locked_mark(session, organization_id, oldest)
    begin = max(mark.counted_until, oldest)
    if begin >= end:
        return False
    mark.counted_until = min(end, begin + _AT_ONCE)
    runs = (Run.organization_id == organization_id, Run.finished_at >= begin, Run.finished_at < mark.counted_until)
    for subject, which in ((Run.schedule_id, Run.schedule_id.is_not(None)), (Run.organization_id, literal(value=True))):
        _add(session, organization_id, subject, and_(*runs, which))
    return mark.counted_until < end


def forget_hours(session: Session, *, organization_id: UUID, now: datetime, limit: int) -> int:
    """Delete hours that are too old to be asked for, at most so many. Returns how many."""
    key = (RunHour.subject_id, RunHour.hour)
    old = select(*key).where(RunHour.organization_id == organization_id, RunHour.hour < _number(full_hour(now - KEPT)))
    return count_changed(session, _delete_these(old.limit(limit)))


def _delete_these(old: Select[UUID, int]) -> Delete:
    keys = old.subquery()
    same = (RunHour.subject_id == keys.c.subject_id, RunHour.hour == keys.c.hour)
    return delete(RunHour).where(select(keys.c.hour).where(*same).exists())


def _number(hour: datetime) -> int:
    """Hours since 1970."""
    return int(hour.timestamp()) // HOUR


def _locked_mark(session: Session, organization_id: UUID, oldest: datetime) -> RunHourMark:
    # Two of those that count wait for each other here, and the second finds nothing left to count.
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    fresh = insert(RunHourMark).values(organization_id=organization_id, counted_until=oldest)
    session.execute(fresh.on_conflict_do_nothing())
    query = select(RunHourMark).where(RunHourMark.organization_id == organization_id)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def _ends() -> dict[str, ColumnElement[int]]:
    """Of runs: how many came to which end."""
    succeeded = Run.state == RunState.SUCCEEDED.value
    which = {
        "succeeded": and_(succeeded, Run.attempt <= 1),
        "retried": and_(succeeded, Run.attempt > 1),
        "failed": Run.state == RunState.FAILED.value,
        "missed": Run.state == RunState.MISSED.value,
        "skipped": Run.state == RunState.SKIPPED.value,
        "cancelled": Run.state == RunState.CANCELLED.value,
    }
    return {name: func.count().filter(condition) for name, condition in which.items()}


def _columns(table: type[RunHour]) -> list[InstrumentedAttribute[int]]:
    return [getattr(table, name) for name in _NAMES]


def _only_missed(number: ColumnElement[int]) -> list[ColumnElement[int]]:
    """The same columns for what was missed."""
    return [number if name == "missed" else literal_column("0", Integer) for name in _NAMES]


def _add(
    session: Session, organization_id: UUID, subject: InstrumentedAttribute[Any], which: ColumnElement[bool]
) -> None:
    hour = (UnixSeconds(Run.finished_at) // HOUR).label("hour")
    ends = _ends()
    found = select(literal(organization_id).label("organization_id"), subject, hour, *ends.values())
    query = found.where(which).group_by(subject, hour)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(RunHour).from_select(["organization_id", "subject_id", "hour", *_NAMES], query)
    more = {name: getattr(RunHour, name) + statement.excluded[name] for name in _NAMES}
    session.execute(statement.on_conflict_do_update(index_elements=["subject_id", "hour"], set_=more))


def _is_behind_mark(organization_id: UUID, since: datetime) -> ColumnElement[bool]:
    """Of runs: those that are in no hour yet and finished since then."""
    # The comparison is with the subquery itself: around it, row security keeps a function from using an index.
    newest = func.coalesce(func.max(RunHourMark.counted_until), literal(since, UTCDateTime()))
    mark = select(newest).where(RunHourMark.organization_id == organization_id).scalar_subquery()
    return and_(Run.finished_at >= since, Run.finished_at >= mark)


def _counts(
    organization_id: UUID,
    since: datetime,
    subject: InstrumentedAttribute[Any],
    hours: tuple[ColumnElement[bool], ...],
    runs: tuple[ColumnElement[bool], ...],
    gaps: tuple[ColumnElement[bool], ...] = (),
) -> Question[dict[UUID, Counts]]:
    # All parts at once: between two statements somebody could move the mark.
    counted = select(RunHour.subject_id.label("subject_id"), *(func.sum(getattr(RunHour, name)) for name in _NAMES))
    fresh = select(subject.label("subject_id"), *_ends().values())
    absent = missed_since(organization_id, since, *gaps).subquery().c
    mine = absent.schedule_id if subject is Run.schedule_id else absent.organization_id
    missed = select(mine, *_only_missed(func.sum(absent.slots)))
    query = union_all(
        counted.where(*hours, RunHour.hour >= _number(since)).group_by(RunHour.subject_id),
        fresh.where(*runs, _is_behind_mark(organization_id, since)).group_by(subject),
        missed.group_by(mine),
    )
    return Question(query, _by_subject)


def _by_subject(rows: Sequence[Any]) -> dict[UUID, Counts]:
    found: dict[UUID, Counts] = {}
    for subject_id, *numbers in rows:
        counts = Counts(*map(int, numbers))
        found[subject_id] = found[subject_id] + counts if subject_id in found else counts
    return found
