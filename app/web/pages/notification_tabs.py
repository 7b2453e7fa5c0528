"""The pages below Notifications, as tabs."""

from flask import current_app, url_for

from app.web.pages.tabs import Tab

_PAGES = (
    ("Channels and rules", "web.notifications"),
    ("Delivery log", "web.deliveries"),
    ("Texts", "web.notification_texts"),
    ("Settings", "web.notification_settings"),
)


def notification_tabs(current: str) -> list[Tab]:
    """The tabs, with that of this endpoint marked."""
    there = [(label, endpoint) for label, endpoint in _PAGES if endpoint in current_app.view_functions]
    return [Tab(label, url_for(endpoint), endpoint == current) for label, endpoint in there]
