"""Commands on quiet hours, the daily summary and times of maintenance. Audited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.text import storable
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.held import think_over
from app.notifications.models import MaintenanceWindow, NotifySettings
from app.notifications.rule_parts import clean_channels, clean_scope
from app.notifications.summary import last_told_day
from app.notifications.types import NotificationType, ScopeKind
from app.schedules.zones import UnknownZone, find_zone
from app.tenants.access import Actor, Permission, require

MOST_WINDOWS = 100
LONGEST_WINDOW = timedelta(days=31)
LONGEST_REASON = 200
_DAY_MINUTES = 24 * 60


class SettingsInvalid(Invalid):
    """Quiet hours or a summary that cannot be."""


class WindowInvalid(Invalid):
    """A time of maintenance that cannot be."""


class WindowNotFound(NotFound):
    """There is no such time of maintenance here."""


@dataclass(frozen=True)
class SettingsDraft:
    """Quiet hours and the daily summary as somebody wants them. Minutes are counted from midnight of the zone."""

    zone: str
    quiet_from: int | None = None
    quiet_until: int | None = None
    quiet_lets_through: Sequence[str] = ()
    summary_minute: int | None = None
    summary_channel_ids: Sequence[UUID] = ()


@dataclass(frozen=True)
class WindowDraft:
    """A time of maintenance as somebody wants it."""

    starts_at: datetime
    ends_at: datetime
    scope_kind: str = ScopeKind.ORGANIZATION.value
    scope_value: str | None = None
    reason: str = ""


def save_settings(session: Session, *, actor: Actor, draft: SettingsDraft, now: datetime) -> None:
    """Settle quiet hours and the daily summary. Raises SettingsInvalid."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    columns = _settings(session, actor, draft, now)
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    given = make(NotifySettings).values(organization_id=actor.organization_id, texts={}, **columns)
    session.execute(given.on_conflict_do_update(index_elements=["organization_id"], set_=columns))
    think_over(session, organization_id=actor.organization_id, now=now)
    summary = "Settled quiet hours and the daily summary"
    changes = {"quiet": [None, _hours(draft)], "summary": [None, draft.summary_minute], "zone": [None, draft.zone]}
    _note(session, actor, "telling.settled", actor.organization_id, summary, now, changes)


def add_window(session: Session, *, actor: Actor, draft: WindowDraft, now: datetime) -> UUID:
    """A time in which nobody is told of trouble. Runs go on. Raises WindowInvalid."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    here = actor.organization_id
    if not draft.starts_at < draft.ends_at <= draft.starts_at + LONGEST_WINDOW:
        raise WindowInvalid("It ends after it begins, and within 31 days.", field="ends_at")
    if draft.ends_at <= now:
        raise WindowInvalid("It would be over already.", field="ends_at")
    going = MaintenanceWindow.organization_id == here, MaintenanceWindow.ends_at > now, ~MaintenanceWindow.is_mute
    if (session.scalar(select(func.count()).select_from(MaintenanceWindow).where(*going)) or 0) >= MOST_WINDOWS:
        raise WindowInvalid(f"There are {MOST_WINDOWS} times of maintenance already. Delete some first.")
    reason = " ".join(storable(draft.reason).split())
    if len(reason) > LONGEST_REASON:
        raise WindowInvalid(f"The reason has at most {LONGEST_REASON} characters.", field="reason")
    kind, value = clean_scope(session, actor, draft.scope_kind, draft.scope_value, WindowInvalid)
    row = MaintenanceWindow(
        id=new_id(), organization_id=here, starts_at=draft.starts_at, ends_at=draft.ends_at, scope_kind=kind.value,
        scope_value=value, reason=reason, made_by=actor.label, created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    when = f"{draft.starts_at:%Y-%m-%d %H:%M} to {draft.ends_at:%Y-%m-%d %H:%M} UTC"
    _note(session, actor, "maintenance.added", row.id, f"Maintenance from {when}", now)
    return row.id


def end_window(session: Session, *, actor: Actor, window_id: UUID, now: datetime) -> None:
    """End a time of maintenance now, or take away one that has not begun. Raises WindowNotFound."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    mine = MaintenanceWindow.id == window_id, MaintenanceWindow.organization_id == actor.organization_id
    query = update(MaintenanceWindow).where(*mine, MaintenanceWindow.ends_at > now).values(ends_at=now)
    if count_changed(session, query) != 1:
        raise WindowNotFound("There is no such time of maintenance, or it is over.")
    think_over(session, organization_id=actor.organization_id, now=now)
    _note(session, actor, "maintenance.ended", window_id, "Ended a time of maintenance", now)


def _settings(session: Session, actor: Actor, draft: SettingsDraft, now: datetime) -> dict[str, Any]:
    try:
        zone = find_zone(draft.zone).name
    except UnknownZone as error:
        raise SettingsInvalid(error.message, field="zone") from error
    if (draft.quiet_from is None) != (draft.quiet_until is None):
        raise SettingsInvalid("Quiet hours have a beginning and an end.", field="quiet_until")
    for name in ("quiet_from", "quiet_until", "summary_minute"):
        minute = getattr(draft, name)
        if minute is not None and not 0 <= minute < _DAY_MINUTES:
            raise SettingsInvalid("Use a time of the day, such as 22:00.", field=name)
    if draft.quiet_from is not None and draft.quiet_from == draft.quiet_until:
        raise SettingsInvalid("Quiet hours that never end would tell nothing.", field="quiet_until")
    known = {type_.value for type_ in NotificationType}
    if not set(draft.quiet_lets_through) <= known:
        raise SettingsInvalid("Choose types that there are.", field="quiet_lets_through")
    channels: list[str] = []
    told: date | None = None
    if draft.summary_minute is not None:
        ids = draft.summary_channel_ids
        channels = clean_channels(session, actor, ids, SettingsInvalid, field="summary_channel_ids")
        told = last_told_day(minute=draft.summary_minute, zone=zone, now=now)
    return {
        "zone": zone, "quiet_from": draft.quiet_from, "quiet_until": draft.quiet_until,
        "quiet_lets_through": sorted(set(draft.quiet_lets_through)), "summary_minute": draft.summary_minute,
        "summary_channel_ids": channels, "updated_at": now, "summary_told_day": told,
    }  # fmt: skip


def _hours(draft: SettingsDraft) -> list[int] | None:
    if draft.quiet_from is None or draft.quiet_until is None:
        return None
    return [draft.quiet_from, draft.quiet_until]


def _note(
    session: Session, actor: Actor, action: str, subject_id: UUID, summary: str, now: datetime,
    changes: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action=action, subject_id=subject_id, summary=summary[:500],
        now=now, changes=changes,
    )  # fmt: skip
