"""The main menu. A page appears in it as soon as its endpoint exists."""

from dataclasses import dataclass

from flask import current_app, request, url_for


@dataclass(frozen=True)
class NavItem:
    """One entry, as the layout prints it. `count` is shown only where something needs a person."""

    label: str
    href: str
    icon: str
    is_current: bool
    count: int = 0
    count_label: str = ""


_ENTRIES = (
    ("Overview", "web.overview", "home"),
    ("Schedules", "web.schedules", "calendar"),
    ("Runs", "web.runs", "list"),
    ("Queue", "web.queue", "queue"),
    ("Jobs", "web.jobs", "bolt"),
    ("Team", "web.team", "user"),
)


_AUDIT = ("Audit", "web.audit", "shield")
# For whoever looks after the installation and not after the organization.
_INSTALLATION_AUDIT = ("Audit", "web.installation_audit", "shield")
_PLATFORM_ENTRIES = (("Schedules in code", "web.code_schedules", "clock"),)
# Pages that belong to an entry without standing below it.
_ALSO = {"web.audit": "/admin/audit", "web.schedules": "/bulk"}


def main_menu(*, is_platform_admin: bool = False, may_view_audit: bool = False) -> list[NavItem]:
    """The entries, the one that holds the current page marked. Pages that are off limits have none."""
    entries = [*_ENTRIES]
    if may_view_audit or is_platform_admin:
        entries.append(_AUDIT if may_view_audit else _INSTALLATION_AUDIT)
    if is_platform_admin:
        entries.extend(_PLATFORM_ENTRIES)
    present = [entry for entry in entries if entry[1] in current_app.view_functions]
    return [_item(label, url_for(endpoint), icon, also=_ALSO.get(endpoint)) for label, endpoint, icon in present]


def _item(label: str, href: str, icon: str, *, also: str | None) -> NavItem:
    # A page below /schedules belongs to Schedules; only the overview has nothing below it.
    places = [place.rstrip("/") for place in (href, also) if place and place != "/"]
    is_below = any(request.path.startswith(f"{place}/") for place in places)
    return NavItem(label=label, href=href, icon=icon, is_current=request.path in {href, also} or is_below)
