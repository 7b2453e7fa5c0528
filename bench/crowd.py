"""Many schedules at once, put straight into the tables, for what is measured by the tick."""

from collections.abc import Iterable
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, text, update

from app.core.clock import DatabaseClock
from app.core.ids import new_id
from app.events.models import Event
from app.jobs.kinds.base import KindName
from app.jobs.service import JobDraft, create_job
from app.ops.kinds import job_kinds
from app.runs.models import Run
from app.schedules.models import Schedule
from bench.installation import Installation

# All of these fire at noon in UTC, in whichever of the zones: 216 lines × 10 zones.
MINUTES = ("0", "*/5", "*/10", "*/15", "*/20", "*/30", "0,30", "0,15,45", "0-59/12", "0-30", "0,1,2", "0,59")
HOURS = ("*", "*/1", "0-23", "0-22,23", "0,1-23", "0-11,12-23")
WEEKDAYS = ("*", "0-6", "1-5,6,0")
ZONES = (
    "UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Europe/London",
    "Europe/Berlin", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney",
)  # fmt: skip


def many_rhythms() -> list[tuple[str, str]]:
    """Different cron lines × zones."""
    lines = [" ".join((minute, hour, "* *", day)) for minute, hour, day in product(MINUTES, HOURS, WEEKDAYS)]
    return list(product(lines, ZONES))


def add_schedules(
    place: Installation, count: int, *, due_at: datetime, rhythms: Iterable[tuple[str, str]], label: str = "Schedule"
) -> None:
    """A job that makes one quick request, and so many schedules of it, due at that instant."""
    known, job_id = list(rhythms), _make_job(place, label)
    with place.database.transaction() as session:
        columns: dict[str, Any] = {
            "organization_id": place.actor.organization_id, "job_id": job_id, "spread_key": "k", "clock_change": "once",
            "overlap": "skip", "missed": "latest", "missed_max_age_seconds": 86_400, "enabled": True, "version": 1,
            "next_run_at": due_at, "created_at": due_at, "updated_at": due_at,
        }  # fmt: skip
        session.execute(
            insert(Schedule),
            [
                {**columns, "id": new_id(), "name": f"{label} {number}", "cron": cron, "timezone": zone}
                for number, (cron, zone) in ((n, known[n % len(known)]) for n in range(count))
            ],
        )
    settle(place)


def make_due_again(place: Installation, due_at: datetime) -> None:
    """As if none of them had run yet."""
    with place.database.transaction() as session:
        for table in (Event, Run):
            session.execute(delete(table))
        session.execute(update(Schedule).values(next_run_at=due_at))
    settle(place)


def settle(place: Installation) -> None:
    """Let the database clear up and look at what it holds, which it would do in time by itself."""
    with place.database.owner.write.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if place.database.is_postgres else "ANALYZE"))


def _make_job(place: Installation, name: str) -> UUID:
    draft = JobDraft(name, KindName.WORKFLOW, {"steps": [{"name": "Ask", "method": "GET", "url": place.url}]})
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        return create_job(session, actor=place.actor, kinds=job_kinds(place.settings), draft=draft, now=now)
