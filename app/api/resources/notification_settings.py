"""`/notification-settings`: quiet hours and the daily summary."""

from app.api.resource import resource
from app.api.telling_shapes import NotifySettingsIn, NotifySettingsOut, settings_out
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.notifications.rule_rows import read_settings
from app.notifications.telling_settings import save_settings
from app.tenants.access import Permission
from app.tenants.roster import get_organization


@resource("GET", "/notification-settings", permission=Permission.VIEW, answer=NotifySettingsOut)
def show_notification_settings() -> NotifySettingsOut:
    """When nobody is told, and what is told once a day."""
    session, here = request_session(), current_actor().organization_id
    zone = get_organization(session, organization_id=here).timezone
    return settings_out(read_settings(session, organization_id=here, zone=zone))


@resource(
    "PUT", "/notification-settings", permission=Permission.MANAGE_NOTIFICATIONS, body=NotifySettingsIn,
    answer=NotifySettingsOut,
)  # fmt: skip
def settle_notifications(body: NotifySettingsIn) -> NotifySettingsOut:
    """Settle both. What is left out there is none of; texts stay as they are."""
    session, actor = request_session(), current_actor()
    save_settings(session, actor=actor, draft=body.draft(), now=request_now())
    return settings_out(read_settings(session, organization_id=actor.organization_id))
