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


_PLATFORM_ENTRIES = (("Schedules in code", "web.code_schedules", "clock"),)


def main_menu(*, is_platform_admin: bool = False) -> list[NavItem]:
    """The entries, the one that holds the current page marked."""
    entries = (*_ENTRIES, *_PLATFORM_ENTRIES) if is_platform_admin else _ENTRIES
    present = [entry for entry in entries if entry[1] in current_app.view_functions]
    return [_item(label, url_for(endpoint), icon) for label, endpoint, icon in present]


def _item(label: str, href: str, icon: str) -> NavItem:
    # A page below /schedules belongs to Schedules; only the overview has nothing below it.
    is_below = href != "/" and request.path.startswith(f"{href.rstrip('/')}/")
    return NavItem(label=label, href=href, icon=icon, is_current=request.path == href or is_below)
