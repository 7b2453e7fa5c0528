"""What the page of the audit shows: entries by day, each with its links, and the filter around them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import url_for

from app.edge.identity import current_actor, request_now
from app.ops.audit_lines import AuditLine, Change
from app.ops.audit_subjects import Subject
from app.tenants.access import Permission, may
from app.tenants.audit import ActorKind
from app.tenants.audit_words import GROUPS, KINDS, actions_of, kind_words
from app.web.context import viewer_zone
from app.web.formatting import absolute_time, wall_clock
from app.web.pages.audit_search import AuditSearch
from app.web.pages.places import write_place
from app.web.pages.tabs import Tab

_AS_WHAT = {ActorKind.PERSON: "", ActorKind.TOKEN: "API token", ActorKind.SYSTEM: "System"}
_Subjects = Mapping[tuple[str, UUID], Subject]


@dataclass(frozen=True)
class EntryLine:
    """One entry as a row. `name` is empty for what no longer exists, and its link for what has no page."""

    id: UUID
    at: datetime
    clock: str
    who: str
    as_what: str
    who_href: str
    done: str
    kind: str
    name: str
    href: str
    summary: str
    changes: tuple[Change, ...]
    # Where a deletion can be taken back; empty where it cannot.
    restore_href: str


@dataclass(frozen=True)
class EntryDay:
    """The entries of one day on the viewer's clock."""

    label: str
    lines: list[EntryLine]


@dataclass(frozen=True)
class AuditView:
    """The page around its rows."""

    here: str
    search: AuditSearch
    days: list[EntryDay]
    shown: int
    zone: str
    tabs: list[Tab]
    people: list[str]
    groups: list[tuple[str, str, list[tuple[str, str]]]]
    kinds: list[tuple[str, str]]
    narrowed_to: str
    all_subjects_href: str
    newest_href: str
    older_href: str
    files: list[tuple[str, str]]


def audit_view(
    lines: Sequence[AuditLine], search: AuditSearch, subjects: _Subjects, *, people: Sequence[str], has_older: bool,
    is_of_installation: bool, restorable: Collection[UUID] = (),
) -> AuditView:  # fmt: skip
    """Everything that the template needs. `has_older` says whether another page follows.

    `restorable` are the deleted schedules that can come back.
    """
    endpoint = _endpoint(is_of_installation)
    older = write_place(lines[-1].row.place) if has_older else None
    without_subject = {name: text for name, text in search.args.items() if name != "subject"}
    return AuditView(
        here=url_for(endpoint),
        search=search,
        days=_days(lines, search, subjects, endpoint, restorable),
        shown=len(lines),
        zone=viewer_zone(),
        tabs=_tabs(is_of_installation),
        people=[*people, "command line"],
        groups=_groups(search.given("action")),
        kinds=_kinds(search.given("kind")),
        narrowed_to=_narrowed_to(lines, search, subjects),
        all_subjects_href=_href(endpoint, without_subject),
        newest_href=_href(endpoint, search.args) if search.before is not None else "",
        older_href=_href(endpoint, search.args, before=older) if older else "",
        files=[] if search.problems else _files(endpoint, search),
    )


def search_href(search: AuditSearch, *, is_of_installation: bool) -> str:
    """The page as it is narrowed, from the same entry on."""
    before = {} if search.before is None else {"before": write_place(search.before)}
    return _href(_endpoint(is_of_installation), search.args, **before)


def _endpoint(is_of_installation: bool) -> str:
    return "web.installation_audit" if is_of_installation else "web.audit"


def _href(endpoint: str, args: Mapping[str, str], **more: Any) -> str:
    given: dict[str, Any] = {**args, **more}
    return url_for(endpoint, **given)


def _files(endpoint: str, search: AuditSearch) -> list[tuple[str, str]]:
    return [(form.upper(), _href(f"{endpoint}_{form}", search.args)) for form in ("csv", "json")]


def _tabs(is_of_installation: bool) -> list[Tab]:
    """The switch of a platform admin; nothing for whoever may see only one of the two."""
    actor = current_actor()
    if not actor.is_platform_admin:
        return []
    own = [Tab("This organization", url_for("web.audit"), not is_of_installation)]
    return [
        *(own if may(actor, Permission.VIEW_AUDIT) else []),
        Tab("The installation", url_for("web.installation_audit"), is_of_installation),
    ]


def _groups(chosen: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Each kind of thing with everything that is done to it; what a link chose of neither is offered, too."""
    found = [(group, label, list(actions_of(group).items())) for group, label in GROUPS.items()]
    is_known = not chosen or any(chosen == group or chosen in dict(actions) for group, _, actions in found)
    return found if is_known else [*found, (chosen, chosen, [])]


def _kinds(chosen: str) -> list[tuple[str, str]]:
    more = [(chosen, chosen)] if chosen and chosen not in KINDS else []
    return [("", "All things"), *KINDS.items(), *more]


def _narrowed_to(lines: Sequence[AuditLine], search: AuditSearch, subjects: _Subjects) -> str:
    wanted = search.filter.subject_id
    if wanted is None:
        return ""
    for line in lines:
        if line.row.subject_id == wanted:
            found = subjects.get((line.row.subject_kind, wanted))
            kind = kind_words(line.row.subject_kind)
            return f"{kind}: {found.name}" if found else f"{kind}: one that is gone"
    return "One thing"


def _days(
    lines: Sequence[AuditLine], search: AuditSearch, subjects: _Subjects, endpoint: str, restorable: Collection[UUID]
) -> list[EntryDay]:
    zone, now = viewer_zone(), request_now()

    def day_of(line: AuditLine) -> str:
        return absolute_time(line.row.at, zone=zone, now=now).rpartition(",")[0]

    return [
        EntryDay(label, [_entry(line, search, subjects, endpoint, zone, restorable) for line in found])
        for label, found in groupby(lines, key=day_of)
    ]


def _entry(
    line: AuditLine, search: AuditSearch, subjects: _Subjects, endpoint: str, zone: str, restorable: Collection[UUID]
) -> EntryLine:
    row = line.row
    can_restore = row.action == "schedule.deleted" and row.subject_id in restorable
    subject = None if row.subject_id is None else subjects.get((row.subject_kind, row.subject_id))
    return EntryLine(
        id=row.id,
        at=row.at,
        clock=_clock(row.at, zone),
        who=row.by,
        as_what=_AS_WHAT[row.by_kind],
        who_href=_href(endpoint, {**search.args, "actor": row.by}),
        done=line.done,
        kind=kind_words(row.subject_kind),
        name="" if subject is None else subject.name,
        href="" if subject is None else _subject_href(subject, is_of_installation=endpoint != "web.audit"),
        summary=row.summary,
        changes=line.changes,
        restore_href=url_for("web.restore_deleted_schedule", schedule_id=row.subject_id) if can_restore else "",
    )


def _subject_href(subject: Subject, *, is_of_installation: bool) -> str:
    if is_of_installation:
        if subject.kind == "schedule" and subject.code_name:
            return url_for("web.code_schedule", code_id=subject.code_name)
        if subject.kind == "job" and subject.code_name:
            return url_for("web.code_job", code_name=subject.code_name)
        return ""
    pages: dict[str, tuple[str, dict[str, Any]]] = {
        "schedule": ("web.schedule", {"schedule_id": subject.id}),
        "job": ("web.job", {"job_id": subject.id}),
        "run": ("web.run", {"run_id": subject.id}),
        "connection": ("web.connection", {"connection_id": subject.id}),
        "incident": ("web.incident", {"incident_id": subject.id}),
        "channel": ("web.channel", {"channel_id": subject.id}),
        "bulk_action": ("web.bulk_action", {"bulk_id": subject.id}),
        "user": ("web.team", {}),
        "invitation": ("web.team", {"_anchor": "invitations"}),
        "api_token": ("web.tokens", {}),
    }
    endpoint, values = pages[subject.kind]
    return url_for(endpoint, **values)


def _clock(at: datetime, zone: str) -> str:
    """The time of day, with seconds; with its offset on a day on which the clocks change: one time may come twice."""
    wall = at.astimezone(ZoneInfo(zone))
    day = datetime.combine(wall.date(), time(), ZoneInfo(zone))
    has_change = day.utcoffset() != (day + timedelta(days=1)).utcoffset()
    shown = wall_clock(wall, seconds=True)
    return f"{shown} (UTC{wall.isoformat()[-6:]})" if has_change else shown
