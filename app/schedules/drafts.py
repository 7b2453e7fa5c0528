"""A schedule as somebody would have to ask for it: where a form or a change begins."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.core.errors import Invalid
from app.schedules.draft import ScheduleDraft, completed
from app.schedules.policy_fields import default_max_age, shortest_interval
from app.schedules.queries import ScheduleRow
from app.schedules.stored_rhythms import rhythm_of


def draft_of(schedule: ScheduleRow) -> ScheduleDraft:
    """What a person would say to get a schedule as it is. The maximum age that suits its rhythm goes unsaid."""
    return ScheduleDraft(
        name=schedule.name, job_id=schedule.job_id, cron=schedule.cron, timezone=schedule.timezone,
        spread_key=schedule.spread_key, enabled=schedule.enabled, overlap=schedule.overlap, missed=schedule.missed,
        missed_max_age_seconds=said_max_age(schedule), missed_limit=schedule.missed_limit, notes=schedule.notes,
        has_seconds=schedule.has_seconds, clock_change=schedule.clock_change, starts_at=schedule.starts_at,
        ends_at=schedule.ends_at, tags=schedule.tags,
    )  # fmt: skip


def draft_with(schedule: ScheduleRow, changes: Mapping[str, Any], *, now: datetime) -> ScheduleDraft:
    """The schedule with changes by whoever cannot say a maximum age: it grows where the new times need a longer one.

    Raises CronInvalid or UnknownZone.
    """
    draft = completed(replace(draft_of(schedule), **changes), now=now)
    if draft.missed_max_age_seconds is None:
        return draft
    interval = shortest_interval(rhythm_of(draft))
    needed = int(interval.total_seconds()) if interval else 0
    return replace(draft, missed_max_age_seconds=max(draft.missed_max_age_seconds, needed))


def said_max_age(schedule: ScheduleRow) -> int | None:
    """The maximum age of a schedule, unless it is the one that it would have anyway."""
    try:
        usual = default_max_age(rhythm_of(schedule))
    except Invalid:
        return schedule.missed_max_age_seconds
    return None if schedule.missed_max_age_seconds == usual else schedule.missed_max_age_seconds
