"""What every template can use: the menu, the person, permissions, times."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, g, url_for
from jinja2 import pass_eval_context
from jinja2.filters import do_xmlattr
from jinja2.nodes import EvalContext

from app.core.clock_words import HourClock, count_hours_by
from app.core.demo import SENTENCE
from app.core.names import visible
from app.edge.identity import Person, current_actor, current_person, page_now, signed_in_session
from app.edge.permissions import schema_note
from app.edge.runtime import runtime
from app.schedules.zone_search import zone_clock
from app.tenants import access
from app.tenants.access import Permission
from app.web import formatting
from app.web.clock_choice import Clock, clock_choices, list_clock
from app.web.navigation import main_menu
from app.web.organization_menu import OtherOrganizations, other_organizations
from app.web.page_size import SIZES, rows_per_page


@dataclass(frozen=True)
class AccountMenu:
    """The lower left corner of the layout."""

    name: str
    organization: str
    profile_href: str
    others: Callable[[], OtherOrganizations]


def install_context(app: Flask) -> None:
    """Give templates their context, filters and globals."""
    app.context_processor(_context)
    app.teardown_request(_forget_the_wish)
    app.jinja_env.globals["Permission"] = Permission
    app.jinja_env.globals["page_sizes"] = SIZES
    app.jinja_env.globals["rows_per_page"] = rows_per_page
    app.add_template_filter(_relative_time, "relative_time")
    app.add_template_filter(_absolute_time, "absolute_time")
    app.add_template_filter(_zoned_time, "zoned_time")
    app.add_template_filter(_zone_clock, "zone_clock")
    # Errors, lines, names and reasons come from anywhere, and stand in more places than anybody remembers.
    app.jinja_env.finalize = _shown
    app.add_template_filter(_shown_attributes, "xmlattr")
    for name in ("zone_label", "duration", "count", "state_label"):
        app.add_template_filter(getattr(formatting, name), name)


def _shown(value: object) -> object:
    """A piece of a page as it is shown: a text has what could steer the page written out; markup is done already."""
    return visible(value) if type(value) is str else value


@pass_eval_context
def _shown_attributes(context: EvalContext, attributes: Mapping[str, object]) -> str:
    return do_xmlattr(context, {name: _shown(value) for name, value in attributes.items()})


def tell_time_as_wished() -> None:
    """From here on, the words of this request count hours as the person who reads them does."""
    found = signed_in_session()
    count_hours_by(HourClock.H24 if found is None else found.preferences.clock)


def _forget_the_wish(_error: BaseException | None) -> None:
    # The thread serves others next, and programs among them.
    count_hours_by(HourClock.H24)


def _context() -> dict[str, Any]:
    is_signed_in = signed_in_session() is not None
    person = current_person() if is_signed_in else None
    actor = current_actor() if is_signed_in else None
    now = page_now()
    return {
        "nav": main_menu(
            is_platform_admin=actor is not None and actor.is_platform_admin,
            may_view_audit=actor is not None and access.may(actor, Permission.VIEW_AUDIT),
            counters=g.get("live_counters"),
        ),
        "person": person,
        "actor": actor,
        "account": _account_menu(person),
        "clock_choices": clock_choices() if is_signed_in else [],
        "may": _may,
        "now": now,
        "server_now": now,
        "schema_note": schema_note(),
        "demo_note": SENTENCE if runtime().settings.is_demo else "",
    }


def _account_menu(person: Person | None) -> AccountMenu | None:
    if person is None:
        return None
    return AccountMenu(person.name, person.organization_name, url_for("web.account"), other_organizations)


def _may(permission: Permission | str) -> bool:
    """Whether the person of this request may; nobody may nothing."""
    return signed_in_session() is not None and access.may(current_actor(), Permission(permission))


def viewer_zone() -> str:
    """The zone in which times are shown: the person's, or UTC where that was chosen for a list."""
    found = signed_in_session()
    return "UTC" if found is None or list_clock() is Clock.UTC else found.timezone


def _relative_time(at: datetime) -> str:
    return formatting.relative_time(at, now=page_now(), zone=viewer_zone())


def _absolute_time(at: datetime, zone: str = "", seconds: bool = False) -> str:
    return formatting.absolute_time(at, zone=zone or viewer_zone(), now=page_now(), seconds=seconds)


def _zone_clock(zone: str) -> str:
    """“15:34 now · UTC−5 (UTC−4 from 14 Mar)”; nothing for what is no zone."""
    clock = zone_clock(zone, now=page_now())
    return "" if clock is None else clock.words


def _zoned_time(at: datetime, zone: str, seconds: bool = False) -> str:
    return formatting.zoned_time(at, zone=zone, now=page_now(), seconds=seconds)
