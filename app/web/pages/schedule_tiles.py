"""The figures above the list of schedules, which the overview shows, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.ops.schedule_glances import Glance
from app.ops.schedule_health import ScheduleHealth
from app.runs.run_hours import RATE_WINDOW, Counts, counts_of_organization
from app.web.formatting import count, percent

# Fewer are told as they are, and not as a rate.
FEW = 5
STOPPED_NOTE = "Nothing is planned: all scheduling is stopped"


@dataclass(frozen=True)
class Tiles:
    """The figures on top of the list."""

    enabled: int
    total: int
    rate: str
    rate_note: str
    failing: int
    next_name: str
    next_run_at: datetime | None
    # Whose run that is; None where nothing is due.
    next_id: UUID | None


def read_tiles(
    session: Session, glances: Sequence[Glance], *, organization_id: UUID, is_stopped: bool, now: datetime
) -> Tiles:
    """The figures, over all schedules of the organization, which the caller has read."""
    coming = [(one.next_run_at, one.name, one.id) for one in glances if one.next_run_at is not None]
    next_run_at, next_name, next_id = min(coming, default=(None, "Nothing is due", None))
    if is_stopped:
        next_run_at, next_name, next_id = None, STOPPED_NOTE, None
    ended = counts_of_organization(session, organization_id=organization_id, since=now - RATE_WINDOW)
    return Tiles(
        enabled=sum(one.enabled for one in glances),
        total=len(glances),
        rate=rate_words(ended),
        rate_note=rate_note(ended),
        failing=sum(one.health is ScheduleHealth.FAILING for one in glances),
        next_name=next_name,
        next_run_at=next_run_at,
        next_id=next_id,
    )


def success_words(ended: Counts) -> str:
    """“98.6% of 4,212”, “3 of 4”, or that nothing ran yet."""
    if ended.finished == 0:
        return "No runs yet"
    rate = percent(ended.good, ended.finished)
    return rate if ended.finished < FEW else f"{rate} of {count(ended.finished)}"


def rate_words(ended: Counts) -> str:
    """“98.6%”, “3 of 4” or a dash: the figure alone."""
    return percent(ended.good, ended.finished)


def rate_note(ended: Counts) -> str:
    """What stands beside the figure: of how many."""
    if ended.finished == 0:
        return "No runs yet"
    return "runs" if ended.finished < FEW else f"of {count(ended.finished)} runs"


def rate_change(ended: Counts, before: Counts) -> str:
    """“, 1.2 points better than the 7 days before”; nothing where too few runs make a rate."""
    if min(ended.finished, before.finished) < FEW:
        return ""
    points = (ended.good / ended.finished - before.good / before.finished) * 100
    if abs(points) < 0.05:
        return ", as in the 7 days before"
    return f", {abs(points):.1f} points {'better' if points > 0 else 'worse'} than the 7 days before"
