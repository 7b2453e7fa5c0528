"""How much of a service's quota a connection has used, and whether the syncs that are planned fit into the rest.

Known is what the service told while it was read; a run's report keeps it. What other programs take of the same account
meanwhile nobody tells.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.questions import Question, ask_together
from app.jobs.sync_jobs import jobs_of_connection
from app.runs.models import Attempt, Run
from app.runs.queue_models import ConnectionLimit
from app.schedules.fire_times import fire_times
from app.schedules.models import Schedule
from app.schedules.rhythm_rows import stored_rhythm
from app.schedules.stored_rhythms import RHYTHM_COLUMNS, StoredRhythm
from app.syncs.calls.usage import REFILLS_AFTER
from app.syncs.runway import PlannedUse, Quota, runs_dry_at

_WHOLE = Decimal(100)
_PLACE = Decimal("0.1")
# So many runs are looked at, and of so many it is learnt what one takes.
_MOST_RUNS = 50
_MOST_LEARNT = 10
# More schedules of one account, or more runs of one before a quota of a day returns, are planned for in vain.
_MOST_SCHEDULES = 50
_MOST_PLANNED = 300


@dataclass(frozen=True)
class QuotaRunway:
    """The quota of one connection. Percentages have one place; 100 is all that the service allows.

    `refills_at` is when what was used is free again, `cost_percent` what one sync takes (None: too little is known),
    `planned` how many begin before that, and `runs_dry_at` when they ask for more than is left. `rests_until` is
    until when the account takes no calls at all, because of `rests_because`.
    """

    used_percent: Decimal
    as_of: datetime
    refills_at: datetime
    cost_percent: Decimal | None
    planned: int
    runs_dry_at: datetime | None
    rests_until: datetime | None
    rests_because: str
    is_filled: bool

    def words(self, at: Callable[[datetime], str]) -> str:
        """For people; `at` tells a moment on their clock."""
        return " ".join(sentence for sentence in (self._used(at), self._forecast(at), self._rest(at)) if sentence)

    def _used(self, at: Callable[[datetime], str]) -> str:
        used = f"{self.used_percent} % of what the service allows was used at {at(self.as_of)}"
        return f"{used}; it is free again." if self.is_filled else f"{used}; it is free again by {at(self.refills_at)}."

    def _forecast(self, at: Callable[[datetime], str]) -> str:
        if self.is_filled:
            return ""
        if self.runs_dry_at is not None:
            return f"That is not enough for the sync at {at(self.runs_dry_at)}, which may have to wait."
        if not self.planned:
            return "Until then no sync is planned."
        syncs = "1 sync is" if self.planned == 1 else f"{self.planned:,} syncs are"
        each = "" if self.cost_percent is None else f", at about {self.cost_percent} % each"
        return f"Until then {syncs} planned{each}: it lasts."

    def _rest(self, at: Callable[[datetime], str]) -> str:
        if self.rests_until is None:
            return ""
        return f"The account takes no calls until {at(self.rests_until)}. {self.rests_because}".strip()


@dataclass(frozen=True)
class _Told:
    used: Decimal
    cost: Decimal
    at: datetime
    refills_at: datetime


def read_quota(session: Session, *, organization_id: UUID, connection_id: UUID, now: datetime) -> QuotaRunway | None:
    """The quota of a connection; None where its service never told of one. Two statements."""
    jobs = jobs_of_connection(session, organization_id=organization_id, connection_id=connection_id)
    if not jobs:
        return None
    told, rest, rhythms = ask_together(
        session, _told(organization_id, jobs, connection_id), _rest(organization_id, connection_id, now),
        _rhythms(organization_id, jobs),
    )  # fmt: skip
    return _runway(told, rest, rhythms, now) if told else None


def _runway(
    told: Sequence[_Told], rest: tuple[datetime, str] | None, rhythms: Sequence[StoredRhythm], now: datetime
) -> QuotaRunway:
    newest = told[0]
    refills_at = max(newest.refills_at, rest[0] if rest else newest.at)
    costs = [one.cost for one in told[:_MOST_LEARNT]]
    cost = Decimal(median(costs)).quantize(_PLACE)
    planned = sorted(at for each in rhythms for at in _fires(each, now, refills_at))
    quota = Quota(int(_WHOLE * 10), max(0, int((_WHOLE - newest.used) * 10)), refills_at)
    uses = [PlannedUse(at, int(cost * 10)) for at in planned]
    dry = runs_dry_at(quota, uses, now=now) if planned else None
    # What is used up already is not enough for the first of them.
    dry = None if dry is None else max(dry, planned[0])
    return QuotaRunway(
        newest.used, newest.at, refills_at, cost, len(planned), dry,
        rest[0] if rest else None, rest[1] if rest else "", is_filled=refills_at <= now,
    )  # fmt: skip


def _fires(says: StoredRhythm, now: datetime, until: datetime) -> list[datetime]:
    if until <= now:
        return []
    try:
        return fire_times(stored_rhythm(says._asdict()), after=now, limit=_MOST_PLANNED, until=until)
    except Invalid:
        # It is set aside, and fires no more.
        return []


def _told(organization_id: UUID, jobs: Collection[UUID], connection_id: UUID) -> Question[list[_Told]]:
    """What the newest runs were told, the newest first."""
    mine = Run.organization_id == organization_id, Run.job_id.in_(jobs)
    newest = select(Run.id, Run.created_at, Run.connection_key).where(*mine)
    newest_runs = newest.order_by(Run.created_at.desc()).limit(_MOST_RUNS).subquery()
    quota = Attempt.result["quota"]
    said = {name: quota[name].as_string().label(name) for name in ("used_percent", "cost_percent", "at", "refills_at")}
    query = (
        select(*said.values())
        .join(newest_runs, newest_runs.c.id == Attempt.run_id)
        .where(Attempt.organization_id == organization_id, quota["used_percent"].as_string().is_not(None))
        .where(newest_runs.c.connection_key == str(connection_id))
        .order_by(newest_runs.c.created_at.desc(), Attempt.token.desc())
        .limit(_MOST_RUNS)
    )
    return Question(query, _read_told)


def _read_told(rows: Sequence[Any]) -> list[_Told]:
    # A run that began first may have ended last.
    return sorted(map(_read_one, rows), key=lambda one: one.at, reverse=True)


def _read_one(row: Any) -> _Told:
    at = datetime.fromisoformat(row.at)
    # Reports of before know nothing but quotas of an hour.
    refills_at = at + REFILLS_AFTER if row.refills_at is None else datetime.fromisoformat(row.refills_at)
    used, cost = Decimal(str(row.used_percent)).quantize(_PLACE), Decimal(str(row.cost_percent))
    return _Told(used, cost, at, refills_at)


def _rest(organization_id: UUID, connection_id: UUID, now: datetime) -> Question[tuple[datetime, str] | None]:
    limit = ConnectionLimit
    mine = limit.organization_id == organization_id, limit.connection_key == str(connection_id)
    query = select(limit.limited_until, limit.explanation).where(*mine, limit.limited_until > now)
    return Question(query, lambda rows: (rows[0].limited_until, rows[0].explanation or "") if rows else None)


def _rhythms(organization_id: UUID, jobs: Collection[UUID]) -> Question[list[StoredRhythm]]:
    is_on = Schedule.enabled.is_(True), Schedule.deleted_at.is_(None), Schedule.problem.is_(None)
    query = select(*RHYTHM_COLUMNS).where(Schedule.organization_id == organization_id, Schedule.job_id.in_(jobs))
    query = query.where(*is_on).order_by(Schedule.id).limit(_MOST_SCHEDULES)
    return Question(
        query, lambda rows: [StoredRhythm(*(getattr(row, n) for n in StoredRhythm._fields)) for row in rows]
    )
