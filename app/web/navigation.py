"""The main menu. A page appears in it as soon as its endpoint exists."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app, g, request, url_for


@dataclass(frozen=True)
class NavItem:
    """One entry, as the layout prints it. The count is shown only where something needs a person."""

    label: str
    href: str
    icon: str
    is_current: bool
    # The letter that leads here after g.
    key: str
    # The name of the counter of live.js beside it, and what it says now.
    counter: str = ""
    count: int = 0


_ENTRIES = (
    ("Overview", "web.overview", "home"),
    ("Schedules", "web.schedules", "calendar"),
    ("Runs", "web.runs", "list"),
    ("Queue", "web.queue", "queue"),
    ("Jobs", "web.jobs", "bolt"),
    ("Connections", "web.connections", "plug"),
    ("Data", "web.data", "gauge"),
    ("Incidents", "web.incidents", "triangle"),
    ("Notifications", "web.notifications", "bell"),
    ("Team", "web.team", "user"),
)


_AUDIT = ("Audit", "web.audit", "shield")
# For whoever looks after the installation and not after the organization.
_INSTALLATION_AUDIT = ("Audit", "web.installation_audit", "shield")
_PLATFORM_ENTRIES = (
    ("Schedules in code", "web.code_schedules", "clock"),
    ("System", "web.system", "monitor"),
)
# Pages that belong to an entry without standing below it.
_ALSO = {"web.audit": "/admin/audit", "web.schedules": "/bulk"}
# What follows g. The first letter where it is free.
_KEYS = {
    "web.overview": "o", "web.schedules": "s", "web.runs": "r", "web.queue": "q", "web.jobs": "j", "web.team": "t",
    "web.connections": "n", "web.data": "d", "web.incidents": "i", "web.notifications": "b",
    "web.audit": "a", "web.installation_audit": "a", "web.code_schedules": "c", "web.system": "y",
}  # fmt: skip
_COUNTERS = {"web.schedules": "failing", "web.connections": "broken", "web.incidents": "incidents"}


def stand_under(endpoint: str) -> None:
    """Have the menu mark this entry, whatever the address of the page says."""
    g.menu_entry = endpoint


def main_menu(
    *, is_platform_admin: bool = False, may_view_audit: bool = False, counters: Mapping[str, int] | None = None
) -> list[NavItem]:
    """The entries, the one that holds the current page marked. Pages that are off limits have none."""
    entries = [*_ENTRIES]
    if may_view_audit or is_platform_admin:
        entries.append(_AUDIT if may_view_audit else _INSTALLATION_AUDIT)
    if is_platform_admin:
        entries.extend(_PLATFORM_ENTRIES)
    present = [entry for entry in entries if entry[1] in current_app.view_functions]
    return [_item(*entry, counters or {}) for entry in present]


def _item(label: str, endpoint: str, icon: str, counters: Mapping[str, int]) -> NavItem:
    href, counter = url_for(endpoint), _COUNTERS.get(endpoint, "")
    # A page below /schedules belongs to Schedules; only the overview has nothing below it.
    places = [place for place in (href, _ALSO.get(endpoint)) if place]
    is_below = any(place != "/" and request.path.startswith(f"{place.rstrip('/')}/") for place in places)
    said = g.get("menu_entry")
    return NavItem(
        label=label,
        href=href,
        icon=icon,
        is_current=said == endpoint if said else request.path in places or is_below,
        key=_KEYS.get(endpoint, ""),
        counter=counter,
        count=counters.get(counter, 0),
    )
