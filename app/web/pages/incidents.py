"""Incidents: the list, one with its timeline, and the questions. What their buttons do: actions/incidents.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.core.text import storable
from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.notifications.handling import LONGEST_NOTE
from app.notifications.incident_rows import (
    LONGEST_SEARCH,
    EntryRow,
    IncidentFilter,
    IncidentRow,
    MessageRow,
    ThingRow,
    get_incident,
    list_entries,
    list_incidents,
    list_messages,
    list_things,
)
from app.notifications.incident_words import (
    BADGES,
    ENTRY_WORDS,
    MESSAGE_BADGES,
    MESSAGE_KINDS,
    MESSAGE_STATES,
    state_words,
)
from app.notifications.sentences import TYPE_NAMES
from app.notifications.signals import SubjectKind
from app.notifications.told_of import ToldOf, read_told
from app.notifications.types import NotificationType
from app.ops.audit_subjects import living_things
from app.ops.incident_retry import runs_to_retry
from app.tenants.access import Permission
from app.tenants.roster import MemberRow, list_members
from app.web.blueprint import web
from app.web.page_size import rows_per_page
from app.web.pages.places import read_place, write_place
from app.web.pages.rights import refusals
from app.web.pages.tabs import Tab
from app.web.permissions import route
from app.web.responses import go_to, invalid, page, page_or_fragment

ENTRIES_SHOWN, THINGS_SHOWN, MESSAGES_SHOWN = 200, 50, 50
# How long nothing more is told of one, at a press.
SNOOZES = {"1h": ("1 hour", 1), "4h": ("4 hours", 4), "1d": ("1 day", 24), "7d": ("7 days", 168)}
_TABS = {"": ("Open", True), "closed": ("Closed", False), "all": ("All", None)}
_ASSIGNED = (("", "Anybody's"), ("me", "Mine"), ("nobody", "Nobody's"))
_PAGES = {
    "schedule": ("web.schedule", "schedule_id"),
    "job": ("web.job", "job_id"),
    "connection": ("web.connection", "connection_id"),
    "run": ("web.run", "run_id"),
}


@dataclass(frozen=True)
class IncidentSearch:
    """What the list is narrowed to, and the same as parts of an address."""

    filter: IncidentFilter
    args: dict[str, Any]

    @property
    def is_narrowed(self) -> bool:
        """By more than its tab."""
        return bool(set(self.args) - {"state"})


@dataclass(frozen=True)
class IncidentLine:
    """One incident as a list shows it."""

    row: IncidentRow
    badge: str
    state: str
    type: str
    assigned_to: str


@dataclass(frozen=True)
class EntryLine:
    """One line of the timeline."""

    row: EntryRow
    badge: str
    title: str
    run_href: str


@dataclass(frozen=True)
class IncidentView:
    """One incident as its page shows it. `links` are of what it came from, as far as that is still there."""

    line: IncidentLine
    entries: list[EntryLine]
    things: list[tuple[ThingRow, str]]
    messages: list[MessageRow]
    members: list[MemberRow]
    links: list[tuple[str, str]]
    told: ToldOf


@route(web, "/incidents", permission=Permission.VIEW)
def incidents() -> Response:
    """Those that are open, or of another tab, by when they last happened."""
    session, actor = request_session(), current_actor()
    search, size, place = _read_search(request.args), rows_per_page(), read_place(request.args.get("before", ""))
    rows = list_incidents(
        session, organization_id=actor.organization_id, limit=size + 1, wanted=search.filter, before=place
    )
    shown = rows[:size]
    goes_on: dict[str, Any] = (
        {"before": write_place((shown[-1].last_at, shown[-1].id))} if len(rows) > len(shown) else {}
    )
    # Who they are is asked only where one was given to somebody.
    members = list_members(session, organization_id=actor.organization_id) if any(r.assigned_to for r in shown) else []
    return page_or_fragment(
        "incidents/index.html",
        "incidents/_rows.html",
        lines=[incident_line(row, members) for row in shown],
        search=search,
        tabs=[_tab(name, search) for name in _TABS],
        types=[("", "Any type"), *((type_.value, words) for type_, words in TYPE_NAMES.items())],
        assigned=_ASSIGNED,
        is_first=place is None,
        newest_href=url_for("web.incidents", **search.args) if place else "",
        older_href=url_for("web.incidents", **search.args, **goes_on) if goes_on else "",
    )


@route(web, "/incidents/<uuid:incident_id>", permission=Permission.VIEW)
def incident(incident_id: UUID) -> Response:
    """One incident: what it concerns, what was told, and its timeline."""
    return incident_page(incident_id)


@route(web, "/incidents/<uuid:incident_id>/retry", permission=Permission.MANAGE_QUEUE)
def confirm_incident_retry(incident_id: UUID) -> Response:
    """The question before all its failed runs are retried."""
    row = read_incident(incident_id)
    found = runs_to_retry(request_session(), incident=row, organization_id=current_actor().organization_id)
    return page("incidents/retry.html", row=row, runs=len(found))


@route(web, "/incidents/<uuid:incident_id>/close", permission=Permission.RUN)
def confirm_incident_end(incident_id: UUID) -> Response:
    """The question before one is closed by hand."""
    row = read_incident(incident_id)
    return page("incidents/close.html", row=row) if row.is_open else go_to(incident_href(incident_id))


def incident_page(incident_id: UUID, *, status: int = 200, error: str = "", of: str = "", typed: str = "") -> Response:
    """The page; after a refusal with what is wrong in which form, and what was typed there."""
    return invalid(
        "incidents/show.html",
        status=status,
        view=read_view(incident_id),
        refused=refusals(),
        snoozes=[(key, words) for key, (words, _hours) in SNOOZES.items()],
        message_badges=MESSAGE_BADGES,
        message_words=MESSAGE_STATES,
        message_kinds=MESSAGE_KINDS,
        longest_note=LONGEST_NOTE,
        limits=(ENTRIES_SHOWN, THINGS_SHOWN, MESSAGES_SHOWN),
        error=error,
        of=of,
        typed=typed,
    )


def read_incident(incident_id: UUID) -> IncidentRow:
    """Raises IncidentNotFound."""
    return get_incident(request_session(), organization_id=current_actor().organization_id, incident_id=incident_id)


def read_view(incident_id: UUID) -> IncidentView:
    """Everything that the page shows. Raises IncidentNotFound."""
    session, row = request_session(), read_incident(incident_id)
    here: dict[str, Any] = {"organization_id": current_actor().organization_id, "incident_id": incident_id}
    entries = list_entries(session, **here, limit=ENTRIES_SHOWN)
    things = list_things(session, **here, limit=THINGS_SHOWN)
    members = list_members(session, organization_id=current_actor().organization_id)
    hrefs = _hrefs(row, entries, things)
    origins = (("connection", row.connection_id, "Connection"), ("run", row.run_id, "The last run of it"))
    return IncidentView(
        line=incident_line(row, members),
        entries=[_entry_line(entry, hrefs) for entry in entries],
        things=[(thing, hrefs.get((thing.kind, thing.id), "")) for thing in things],
        messages=list_messages(session, **here, limit=MESSAGES_SHOWN),
        members=members,
        links=[
            *((words, hrefs[kind, id_]) for kind, id_, words in origins if id_ and (kind, id_) in hrefs),
            *(
                [("Channels and rules", url_for("web.notifications"))]
                if row.subject_kind == SubjectKind.CHANNEL
                else ()
            ),
        ],
        told=read_told(session, organization_id=current_actor().organization_id, incident=row),
    )


def incident_line(row: IncidentRow, members: list[MemberRow]) -> IncidentLine:
    """An incident with its words."""
    words = state_words(row)
    whose = next((member.name or member.email for member in members if member.user_id == row.assigned_to), "")
    return IncidentLine(row, BADGES[words], words, TYPE_NAMES[row.type], whose)


def incident_href(incident_id: UUID) -> str:
    """The page of one."""
    return url_for("web.incident", incident_id=incident_id)


def _read_search(given: Mapping[str, str]) -> IncidentSearch:
    """What an address narrows the list to. What it says that there is not is left out."""
    state, whose, type_ = (given.get(name, "") for name in ("state", "assigned", "type"))
    types = {one.value: one for one in NotificationType}
    args = {
        "state": state if state in _TABS else "",
        "type": type_ if type_ in types else "",
        "assigned": whose if whose in dict(_ASSIGNED) else "",
        "q": storable(given.get("q", "")).strip()[:LONGEST_SEARCH],
    }
    found = IncidentFilter(
        is_open=_TABS[args["state"]][1],
        type=types.get(args["type"]),
        assigned_to=current_actor().user_id if args["assigned"] == "me" else None,
        is_unassigned=args["assigned"] == "nobody",
        words=args["q"],
    )
    return IncidentSearch(found, {name: value for name, value in args.items() if value})


def _tab(name: str, search: IncidentSearch) -> Tab:
    rest: dict[str, Any] = {key: value for key, value in search.args.items() if key != "state"}
    href = url_for("web.incidents", state=name or None, **rest)
    return Tab(_TABS[name][0], href, search.args.get("state", "") == name)


def _hrefs(row: IncidentRow, entries: list[EntryRow], things: list[ThingRow]) -> dict[tuple[str, UUID], str]:
    """The pages of what it speaks of, as far as that is still there."""
    wanted: dict[str, set[UUID]] = {}
    for kind, id_ in (
        *((thing.kind, thing.id) for thing in things), *(("run", entry.run_id) for entry in entries),
        ("connection", row.connection_id), ("run", row.run_id),
    ):  # fmt: skip
        if id_ is not None and kind in _PAGES:
            wanted.setdefault(kind, set()).add(id_)
    found = living_things(request_session(), organization_id=current_actor().organization_id, wanted=wanted)
    return {(kind, id_): _href(kind, id_) for kind, id_ in found}


def _href(kind: str, id_: UUID) -> str:
    endpoint, name = _PAGES[kind]
    values: dict[str, Any] = {name: id_}
    return url_for(endpoint, **values)


def _entry_line(row: EntryRow, hrefs: dict[tuple[str, UUID], str]) -> EntryLine:
    badge, title = ENTRY_WORDS[row.kind]
    href = "" if row.run_id is None else hrefs.get(("run", row.run_id), "")
    return EntryLine(row, badge, title, href)
