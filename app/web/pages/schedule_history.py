"""Pages of what became of a schedule: its one history of runs and changes, and the list of its versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from app.core.text import first_words
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.jobs.queries import job_names
from app.ops.schedule_history import HistoryEntry, HistoryKind, list_history
from app.ops.source_words import TRIGGER_WORDS
from app.runs.queries import RunRow
from app.runs.restoring import what_restoring_changes
from app.schedules.gap_words import GAP_REASONS
from app.schedules.gaps import GapRow
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.version_words import change_words, jobs_named, version_lines
from app.schedules.versions import NO_VERSION, Difference, VersionRow, list_versions
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.formatting import absolute_time, duration
from app.web.pages.badges import Badge, badge_of
from app.web.pages.places import read_place
from app.web.pages.rights import refusals
from app.web.pages.tabs import Tab
from app.web.permissions import route
from app.web.responses import page

ENTRIES_PER_PAGE = 50
VERSIONS_PER_PAGE = 50
UNKNOWN_WORDS = "Not recorded"
_TABS = ((None, "All"), (HistoryKind.RUNS, "Runs"), (HistoryKind.CHANGES, "Changes"), (HistoryKind.GAPS, "Gaps"))


@dataclass(frozen=True)
class HistoryLine:
    """One entry of the history: whose it is, and what it is where the badge does not say it."""

    at: datetime
    badge: Badge
    kind: str
    label: str
    words: tuple[str, ...]
    took: str = ""
    run_id: UUID | None = None


@dataclass(frozen=True)
class VersionLine:
    """One version, with what it changed. `differs` says whether the schedule says something else now."""

    version: VersionRow
    words: tuple[str, ...]
    differs: bool


@route(web, "/schedules/<uuid:schedule_id>/history", permission=Permission.VIEW)
def schedule_history(schedule_id: UUID) -> Response:
    """Runs, changes, gaps and skipped slots in one list by time."""
    session, organization_id = request_session(), current_actor().organization_id
    schedule = get_schedule(session, organization_id=organization_id, schedule_id=schedule_id)
    kind = _kind()
    found = list_history(
        session, organization_id=organization_id, schedule_id=schedule_id, limit=ENTRIES_PER_PAGE + 1,
        older_than=read_place(request.args.get("before", "")), kind=kind,
    )  # fmt: skip
    shown = found[:ENTRIES_PER_PAGE]
    older = f"{shown[-1].at.isoformat()}~{shown[-1].id}" if len(found) > len(shown) else None
    return page(
        "schedules/history.html",
        schedule=schedule,
        zone=viewer_zone(),
        lines=history_lines(session, shown, organization_id=organization_id, zone=viewer_zone(), now=request_now()),
        tabs=[
            Tab(label, url_for("web.schedule_history", schedule_id=schedule_id, kind=each), each is kind)
            for each, label in _TABS
        ],
        older_href=older and url_for("web.schedule_history", schedule_id=schedule_id, kind=kind, before=older),
        is_first="before" not in request.args,
    )


@route(web, "/schedules/<uuid:schedule_id>/versions", permission=Permission.VIEW)
def schedule_versions(schedule_id: UUID) -> Response:
    """Every version with what it changed, the newest first."""
    session, organization_id = request_session(), current_actor().organization_id
    schedule = get_schedule(session, organization_id=organization_id, schedule_id=schedule_id)
    below = request.args.get("below", type=int)
    found = list_versions(
        session, organization_id=organization_id, schedule_id=schedule_id, limit=VERSIONS_PER_PAGE + 1,
        below=below if below is not None and 0 < below < NO_VERSION else None,
    )  # fmt: skip
    shown = found[:VERSIONS_PER_PAGE]
    older = shown[-1].number if len(found) > len(shown) else None
    return page(
        "schedules/versions.html",
        schedule=schedule,
        lines=_version_lines(session, schedule, shown),
        refused=refusals(),
        older_href=older and url_for("web.schedule_versions", schedule_id=schedule_id, below=older),
        is_first=below is None,
    )


def history_lines(
    session: Session, entries: Sequence[HistoryEntry], *, organization_id: UUID, zone: str, now: datetime
) -> tuple[HistoryLine, ...]:
    """Entries as pages show them, with times on the clock of a zone."""
    changes = [change for entry in entries if entry.change is not None for change in entry.change.differences]
    jobs = job_names(session, organization_id=organization_id, job_ids=jobs_named(changes))
    return tuple(_line(entry, jobs, zone, now) for entry in entries)


def words_of(session: Session, changes: Sequence[Difference], *, organization_id: UUID) -> tuple[str, ...]:
    """What changed, a line for each field."""
    jobs = job_names(session, organization_id=organization_id, job_ids=jobs_named(changes))
    return tuple(change_words(change, jobs=jobs) for change in changes)


def _line(entry: HistoryEntry, jobs: Mapping[UUID, str], zone: str, now: datetime) -> HistoryLine:
    if entry.run is not None:
        return _run_line(entry.at, entry.run)
    if entry.gap is not None:
        return _gap_line(entry.at, entry.gap, zone, now)
    if entry.change is not None:
        words = version_lines(entry.change, jobs=jobs)
        return HistoryLine(entry.at, Badge("info"), "Change", entry.change.by or UNKNOWN_WORDS, words)
    return HistoryLine(entry.at, Badge("warning"), "Repaired", "By itself", (entry.repair or "",))


def _run_line(at: datetime, run: RunRow) -> HistoryLine:
    took = "" if run.duration is None else duration(run.duration)
    words = tuple(filter(None, (first_words(run.error),)))
    return HistoryLine(at, badge_of(run), "", TRIGGER_WORDS[run.trigger], words, took, run.id)


def _gap_line(at: datetime, gap: GapRow, zone: str, now: datetime) -> HistoryLine:
    return HistoryLine(at, Badge("missed"), "Gap", "Nobody ran it", (gap_words(gap, zone=zone, now=now),))


def gap_words(gap: GapRow, *, zone: str, now: datetime) -> str:
    """“3 slots from … to …: no scheduler was running.”"""
    why = (gap.explanation or GAP_REASONS[gap.reason]).rstrip(".")
    first, last = (absolute_time(each, zone=zone, now=now) for each in (gap.first_slot_at, gap.last_slot_at))
    slots = f"1 slot at {first}" if gap.slots == 1 else f"{gap.slots:,} slots from {first} to {last}"
    return f"{slots}: {why}."


def _version_lines(session: Session, schedule: ScheduleRow, rows: Sequence[VersionRow]) -> list[VersionLine]:
    changes = [change for row in rows for change in row.differences]
    jobs = job_names(session, organization_id=schedule.organization_id, job_ids=jobs_named(changes))
    return [
        VersionLine(
            row,
            version_lines(row, jobs=jobs),
            bool(what_restoring_changes(schedule, row)),
        )
        for row in rows
    ]


def _kind() -> HistoryKind | None:
    wanted = request.args.get("kind", "")
    return HistoryKind(wanted) if wanted in set(HistoryKind) else None
