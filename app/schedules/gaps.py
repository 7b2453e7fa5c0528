"""Ranges of slots that nobody executed, written down and read.

The planner writes those of many schedules at once by itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, true, tuple_, union_all
from sqlalchemy.orm import Session

from app.core.questions import Question, ask, is_postgres
from app.events.service import Topic, append_event
from app.schedules.fire_times import Rhythm
from app.schedules.gap_words import missed_facts
from app.schedules.models import Gap, Schedule
from app.schedules.policies import MISSED_REASONS, GapReason
from app.schedules.queries import ScheduleRow
from app.schedules.slot_accounts import Absence, gap_between


@dataclass(frozen=True)
class GapRow:
    """A range of slots that nobody executed."""

    first_slot_at: datetime
    last_slot_at: datetime
    slots: int
    reason: GapReason
    explanation: str | None = None


@dataclass(frozen=True)
class MissedRow:
    """A range of missed slots, and whose. `is_deleted` says that the schedule is."""

    id: UUID
    schedule_id: UUID
    schedule_name: str
    is_deleted: bool
    gap: GapRow

    @property
    def place(self) -> tuple[datetime, UUID]:
        """Where in a list it stands."""
        return self.gap.last_slot_at, self.id


@dataclass(frozen=True)
class MissedFilter:
    """Which missed slots a list has: of one schedule or job, with a slot at or after one time and before another."""

    schedule_id: UUID | None = None
    job_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What it demands of a gap and its schedule."""
        found: list[ColumnElement[bool]] = []
        if self.schedule_id is not None:
            found.append(Gap.schedule_id == self.schedule_id)
        if self.job_id is not None:
            found.append(Schedule.job_id == self.job_id)
        if self.since is not None:
            found.append(Gap.last_slot_at >= self.since)
        if self.until is not None:
            found.append(Gap.first_slot_at < self.until)
        return found


def record_gap(
    session: Session,
    *,
    schedule: Schedule | ScheduleRow,
    when: Rhythm,
    since: datetime | None,
    until: datetime,
    reason: GapReason,
    now: datetime,
    explanation: str | None = None,
) -> None:
    """Account for the slots from `since` up to `until` that nobody executed, if there are any.

    `explanation` says who or what it was, where the reason alone does not.
    """
    gap = gap_between(when, since=since, until=until, why=Absence(reason))
    if gap is None:
        return
    session.add(
        Gap(
            organization_id=schedule.organization_id,
            schedule_id=schedule.id,
            first_slot_at=gap.first_slot_at,
            last_slot_at=gap.last_slot_at,
            slots=gap.slots,
            reason=reason.value,
            explanation=explanation,
            at=now,
        )
    )
    if not reason.is_wanted:
        append_event(
            session, organization_id=schedule.organization_id, topic=Topic.SCHEDULES, kind="schedule.missed",
            subject_id=schedule.id, now=now,
            data=missed_facts(
                slots=gap.slots, first_slot_at=gap.first_slot_at, last_slot_at=gap.last_slot_at, reason=reason,
                explanation=explanation,
            ),
        )  # fmt: skip


def list_gaps(session: Session, *, organization_id: UUID, schedule_id: UUID, limit: int) -> list[GapRow]:
    """The newest gaps of a schedule."""
    query = (
        select(Gap)
        .where(Gap.organization_id == organization_id, Gap.schedule_id == schedule_id)
        .order_by(Gap.first_slot_at.desc())
        .limit(limit)
    )
    return [_row(gap) for gap in session.scalars(query)]


def list_missed(
    session: Session, *, organization_id: UUID, wanted: MissedFilter, limit: int,
    older_than: tuple[datetime, UUID] | None = None,
) -> list[MissedRow]:  # fmt: skip
    """So many ranges of missed slots, the newest first. `older_than` is the place of the last one that was shown."""
    mine = Gap.organization_id == organization_id, Gap.reason.in_(MISSED_REASONS), *wanted.conditions()
    behind = [] if older_than is None else [tuple_(Gap.last_slot_at, Gap.id) < older_than]
    query = select(Gap, Schedule.name, Schedule.deleted_at).join(Schedule, Schedule.id == Gap.schedule_id)
    query = query.where(*mine, *behind).order_by(Gap.last_slot_at.desc(), Gap.id.desc()).limit(limit)
    return [
        MissedRow(gap.id, gap.schedule_id, name, deleted_at is not None, _row(gap))
        for gap, name, deleted_at in session.execute(query)
    ]


def missed_until(
    session: Session, *, organization_id: UUID, schedule_id: UUID, until: datetime, limit: int
) -> list[GapRow]:
    """The newest ranges of missed slots of a schedule that began by then, the newest first."""
    mine = Gap.organization_id == organization_id, Gap.schedule_id == schedule_id, Gap.first_slot_at <= until
    query = select(Gap).where(*mine, Gap.reason.in_(MISSED_REASONS)).order_by(Gap.first_slot_at.desc())
    return [_row(gap) for gap in session.scalars(query.limit(limit))]


def newest_missed(
    session: Session, *, organization_id: UUID, schedule_ids: Sequence[UUID], each: int = 1
) -> dict[UUID, list[GapRow]]:
    """The newest ranges of missed slots of each of these schedules that has any, the newest first. One statement."""
    if not schedule_ids:
        return {}
    here: dict[str, Any] = {"organization_id": organization_id, "schedule_ids": schedule_ids}
    return ask(session, missed_ranges(**here, each=each, asks_postgres=is_postgres(session)))


def missed_ranges(
    *, organization_id: UUID, schedule_ids: Sequence[UUID], each: int = 1, asks_postgres: bool
) -> Question[dict[UUID, list[GapRow]]]:
    """The same as a question, of one schedule at least."""
    columns = Gap.schedule_id, Gap.first_slot_at, Gap.last_slot_at, Gap.slots, Gap.reason, Gap.explanation
    mine = select(*columns).where(Gap.organization_id == organization_id, Gap.reason.in_(MISSED_REASONS))
    newest = mine.order_by(Gap.first_slot_at.desc()).limit(each)
    if asks_postgres:
        beside = newest.where(Gap.schedule_id == Schedule.id).lateral()
        some = select(beside).select_from(Schedule).join(beside, true()).where(Schedule.id.in_(schedule_ids)).subquery()
    else:
        # A file reads no table beside another one.
        parts = [newest.where(Gap.schedule_id == schedule_id).subquery() for schedule_id in schedule_ids]
        some = union_all(*(select(part) for part in parts)).subquery()
    return Question(select(some).order_by(some.c.first_slot_at.desc()), _by_schedule)


def _by_schedule(rows: Sequence[Any]) -> dict[UUID, list[GapRow]]:
    found: dict[UUID, list[GapRow]] = defaultdict(list)
    for schedule_id, *facts in rows:
        first, last, slots, reason, words = facts
        found[schedule_id].append(GapRow(first, last, slots, GapReason(reason), words))
    return dict(found)


def _row(gap: Gap) -> GapRow:
    return GapRow(gap.first_slot_at, gap.last_slot_at, gap.slots, GapReason(gap.reason), gap.explanation)
