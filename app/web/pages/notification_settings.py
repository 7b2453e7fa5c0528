"""Quiet hours, the daily summary, and times of maintenance. What their forms do: actions/notification_settings.py."""

from uuid import UUID

from flask import Response

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.jobs.services import SERVICE_NAMES, Service
from app.notifications.channel_rows import list_channels
from app.notifications.clock_minutes import time_words
from app.notifications.rule_rows import SettingsRow, WindowRow, list_windows, read_settings
from app.notifications.sentences import TYPE_NAMES
from app.notifications.types import NotificationType, ScopeKind
from app.tenants.access import Permission
from app.tenants.roster import get_organization
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.forms.notification_settings import TellingForm, WindowForm, telling_form
from app.web.pages.notification_tabs import notification_tabs
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import invalid


@route(web, "/notifications/settings", permission=Permission.VIEW)
def notification_settings() -> Response:
    """When nobody is told, and what everybody is told once a day."""
    return settings_page()


def settings_page(
    *, status: int = 200, telling: TellingForm | None = None, window: WindowForm | None = None
) -> Response:  # fmt: skip
    """The page; after a refusal with the form that was refused."""
    row, channels = read_told(), told_channels()
    now = request_now()
    windows = list_windows(request_session(), organization_id=current_actor().organization_id, now=now)
    names = dict(channels)
    return invalid(
        "notifications/settings.html",
        status=status,
        tabs=notification_tabs("web.notification_settings"),
        row=row,
        quiet=quiet_words(row),
        summary=summary_words(row, [names[one] for one in row.summary_channel_ids if one in names]),
        windows=[(window_row, about_words(window_row)) for window_row in windows],
        telling=telling or telling_form(row, channels, is_sent=False),
        window=window or WindowForm(None),
        viewer_zone=viewer_zone(),
        refused=refusals(),
    )


def read_told() -> SettingsRow:
    """What is settled, or what counts where nothing is."""
    session, here = request_session(), current_actor().organization_id
    zone = get_organization(session, organization_id=here).timezone
    return read_settings(session, organization_id=here, zone=zone)


def told_channels() -> list[tuple[UUID, str]]:
    """The channels to choose from."""
    rows = list_channels(request_session(), organization_id=current_actor().organization_id)
    return [(row.id, row.name) for row in rows]


def quiet_words(row: SettingsRow) -> str:
    """“22:00 to 07:00, Europe/Berlin. Told all the same: A run is stuck.”"""
    if row.quiet_from is None or row.quiet_until is None:
        return "None"
    through = [TYPE_NAMES[NotificationType(one)] for one in row.quiet_lets_through if one in set(NotificationType)]
    told = f" Told all the same: {', '.join(through)}." if through else ""
    return f"{time_words(row.quiet_from)} to {time_words(row.quiet_until)}, {row.zone}.{told}"


def summary_words(row: SettingsRow, channels: list[str]) -> str:
    """“Each day at 08:00, Europe/Berlin, by #data.”"""
    if row.summary_minute is None:
        return "None"
    whom = f"by {', '.join(channels)}" if channels else "but by no channel that is there"
    return f"Each day at {time_words(row.summary_minute)}, {row.zone}, {whom}."


def about_words(row: WindowRow) -> str:
    """What a time of maintenance is about."""
    if row.scope_kind is ScopeKind.ORGANIZATION:
        return "Everything here"
    value = row.scope_name or "that was deleted"
    services = {service.value: SERVICE_NAMES[service] for service in Service}
    words = {
        ScopeKind.TAG: f"Schedules tagged {value}",
        ScopeKind.SERVICE: f"Syncs of {services.get(value, value)}",
        ScopeKind.SCHEDULE: f"Schedule {value}",
        ScopeKind.JOB: f"Job {value}",
    }
    return words[row.scope_kind]
