"""The daily summary: written once for each day of the organization's zone, at its hour. Works as ENGINE."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.ids import new_id
from app.notifications.houses import stand_ins, states_of, used_instead
from app.notifications.incident_models import Incident
from app.notifications.models import Channel, Delivery, NotifySettings
from app.notifications.quiet import instant_of
from app.notifications.types import (
    DeliveryKind,
    DeliveryState,
    Facts,
    IncidentState,
    Link,
    LinkKind,
    NotificationType,
)
from app.runs.run_hours import NOTHING, Counts, hours_of_organization
from app.schedules.zones import find_zone
from app.tenants.models import Organization

_HOUR_SECONDS = 3_600
_MOST_NAMED = 5
_LINKS = (Link(LinkKind.OVERVIEW, None, "Overview"), Link(LinkKind.INCIDENT, None, "Incidents"))


def day_to_tell(*, minute: int, zone: str, told_day: date | None, now: datetime) -> date | None:
    """The day of the zone whose summary has to be written now; None where that was done, or its hour has not come.

    After days without anybody who could, it is the last of them alone.
    """
    tz = find_zone(zone).tzinfo
    today = now.astimezone(tz).date()
    for day in (today, today - timedelta(days=1)):
        if instant_of(day, minute, tz) <= now:
            return day if told_day is None or told_day < day else None
    return None


def last_told_day(*, minute: int, zone: str, now: datetime) -> date:
    """What counts as told where a summary is settled now: the first one comes at its next hour."""
    tz = find_zone(zone).tzinfo
    today = now.astimezone(tz).date()
    return today if instant_of(today, minute, tz) <= now else today - timedelta(days=1)


def is_summary_due(session: Session, *, now: datetime) -> bool:
    """Whether the hour of any summary has come that was not written."""
    columns = NotifySettings.summary_minute, NotifySettings.zone, NotifySettings.summary_told_day
    settled = session.execute(select(*columns).where(NotifySettings.summary_minute.is_not(None)))
    return any(
        day_to_tell(minute=row.summary_minute or 0, zone=row.zone, told_day=row.summary_told_day, now=now) is not None
        for row in settled
    )


def write_summaries(session: Session, *, now: datetime) -> int:
    """Write the summaries whose hour has come. Returns how many messages."""
    settled = select(NotifySettings).where(NotifySettings.summary_minute.is_not(None))
    written = 0
    for row in session.scalars(settled, execution_options={"populate_existing": True}):
        assert row.summary_minute is not None
        day = day_to_tell(minute=row.summary_minute, zone=row.zone, told_day=row.summary_told_day, now=now)
        if day is not None and _claim(session, row.organization_id, day):
            written += _write(session, row, day, now)
    return written


def _claim(session: Session, organization_id: UUID, day: date) -> bool:
    untold = or_(NotifySettings.summary_told_day.is_(None), NotifySettings.summary_told_day < day)
    mine = update(NotifySettings).where(NotifySettings.organization_id == organization_id, untold)
    values = mine.values(summary_told_day=day).execution_options(synchronize_session=False)
    return count_changed(session, values) == 1


def _write(session: Session, settings: NotifySettings, day: date, now: datetime) -> int:
    here = settings.organization_id
    wanted = [UUID(one) for one in settings.summary_channel_ids]
    there = Channel.organization_id == here, Channel.deleted_at.is_(None)
    query = select(Channel).where(*there).order_by(Channel.created_at, Channel.id)
    channels = session.scalars(query, execution_options={"populate_existing": True}).all()
    used = used_instead(wanted, states_of(channels), stand_ins(channels))
    if not used:
        return 0
    facts = _facts(session, settings, day, now)
    rows = [_row(here, channel_id, day, facts, now) for channel_id in used]
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(make(Delivery).on_conflict_do_nothing(), rows)
    return len(rows)


def _row(here: UUID, channel_id: UUID, day: date, facts: Facts, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(), "organization_id": here, "channel_id": channel_id, "kind": DeliveryKind.SUMMARY.value,
        "type": facts.type.value, "key": f"summary:{day}", "facts": facts.as_json(),
        "state": DeliveryState.PENDING.value, "next_try_at": now, "created_at": now,
    }  # fmt: skip


def _facts(session: Session, settings: NotifySettings, day: date, now: datetime) -> Facts:
    assert settings.summary_minute is not None
    tz = find_zone(settings.zone).tzinfo
    until = instant_of(day, settings.summary_minute, tz)
    since = instant_of(day - timedelta(days=1), settings.summary_minute, tz)
    name = session.scalar(select(Organization.name).where(Organization.id == settings.organization_id)) or ""
    counts = _counts(session, settings.organization_id, since, until)
    return Facts(
        type=NotificationType.DAILY_SUMMARY,
        kind=DeliveryKind.SUMMARY,
        title=_title(counts),
        what=f"{name}, the day until {until.astimezone(tz):%Y-%m-%d %H:%M}",
        since=since,
        until=until,
        organization=name,
        zone=settings.zone,
        lines=(*_figures(counts), *_incidents(session, settings.organization_id, since)),
        links=_LINKS,
    )


def _counts(session: Session, organization_id: UUID, since: datetime, until: datetime) -> Counts:
    # Slots that nobody executed have no runs, and what ended just now is not in the hours yet: both are asked for.
    hours = hours_of_organization(session, organization_id=organization_id, since=since)
    first, end = (int(moment.timestamp()) // _HOUR_SECONDS for moment in (since, until))
    return sum((counts for hour, counts in hours.items() if first <= hour < end), NOTHING)


def _title(counts: Counts) -> str:
    if not counts.failed + counts.missed:
        runs = f"{counts.good:,} run{'' if counts.good == 1 else 's'}"
        return f"All is well: {runs} succeeded" if counts.good else "No run ended"
    return f"{counts.failed:,} failed and {counts.missed:,} missed, {counts.good:,} succeeded"


def _figures(counts: Counts) -> list[str]:
    said = [f"Succeeded: {counts.good:,}, of these after a retry: {counts.retried:,}"]
    said += [f"{name.capitalize()}: {getattr(counts, name):,}" for name in ("failed", "missed", "skipped")]
    return said


def _incidents(session: Session, organization_id: UUID, since: datetime) -> list[str]:
    mine = Incident.organization_id == organization_id
    is_open = Incident.state != IncidentState.CLOSED.value
    total = session.scalar(select(func.count()).where(mine, is_open)) or 0
    ended = session.scalar(select(func.count()).where(mine, Incident.closed_at >= since)) or 0
    query = (
        select(Incident.title, Incident.happened).where(mine, is_open).order_by(Incident.opened_at).limit(_MOST_NAMED)
    )
    titles = [f"Open: {row.title}, {row.happened:,} times" for row in session.execute(query)]
    return [f"Incidents open: {total:,}, closed since the last summary: {ended:,}", *_cut(titles, total)]


def _cut(titles: Sequence[str], total: int) -> list[str]:
    return [*titles, *([f"and {total - len(titles):,} more"] if total > len(titles) else [])]
