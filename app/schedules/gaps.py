"""Writing down a range of slots that nobody executed. The planner writes those of many schedules at once by itself."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.schedules.fire_times import Rhythm
from app.schedules.models import Gap, Schedule
from app.schedules.policies import GapReason
from app.schedules.queries import ScheduleRow
from app.schedules.slot_accounts import Absence, gap_between


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
