"""What a person says about a schedule, before it is checked and stored."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.schedules.acceptance import clean_bound
from app.schedules.clock_changes import ClockChange
from app.schedules.intervals import complete_interval
from app.schedules.policies import DEFAULT_MISSED_LIMIT, Missed, Overlap
from app.schedules.rhythm_text import clean_text
from app.schedules.zones import find_zone


@dataclass(frozen=True)
class ScheduleDraft:
    """What a person says about a schedule. The cron text is kept as it was typed.

    Without a maximum age, the one that suits its rhythm is taken.
    """

    name: str
    job_id: UUID
    cron: str
    timezone: str
    spread_key: str
    enabled: bool = True
    overlap: Overlap = Overlap.SKIP
    missed: Missed = Missed.LATEST
    missed_max_age_seconds: int | None = None
    missed_limit: int = DEFAULT_MISSED_LIMIT
    notes: str = ""
    has_seconds: bool = False
    clock_change: ClockChange = ClockChange.ONCE
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    tags: tuple[str, ...] = ()


def completed(draft: ScheduleDraft, *, now: datetime) -> ScheduleDraft:
    """The draft as it is stored: with the day on which an interval begins, and with its bounds in UTC.

    Raises UnknownZone or TimesInvalid.
    """
    today = now.astimezone(find_zone(draft.timezone).tzinfo).date()
    return replace(
        draft,
        cron=complete_interval(clean_text(draft.cron), today),
        starts_at=clean_bound(draft.starts_at, field="starts_at"),
        ends_at=clean_bound(draft.ends_at, field="ends_at"),
    )
