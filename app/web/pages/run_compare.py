"""The page that puts a run beside another one, and what it offers where there is none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.ops.log_comparison import MOST_COMPARED
from app.ops.run_comparison import Compared, NothingToCompare, Part, RunComparison, compare_runs
from app.runs.logs import Line
from app.runs.neighbours import neighbours_of
from app.runs.queries import RunRow, get_run
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.formatting import absolute_time, count
from app.web.pages.badges import Badge, badge_of
from app.web.permissions import route
from app.web.responses import page

# So many runs beside this one are offered.
_MOST_OFFERED = 20
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONGEST_ADDRESS = 2_000
_PARTS = {
    Part.COURSE: "How it went",
    Part.FIGURES: "What it said and returned",
    Part.PARAMETERS: "Parameters",
    Part.CONFIGURATION: "Configuration",
}


@dataclass(frozen=True)
class Head:
    """One of the two runs, above its column."""

    run: RunRow
    badge: Badge
    at: str
    lines: str


@dataclass(frozen=True)
class Offer:
    """A run that this one can be put beside."""

    href: str
    at: str
    badge: Badge


@dataclass(frozen=True)
class LinePair:
    """A line of either log beside each other; None where one has no such line."""

    this: Line | None
    other: Line | None


@dataclass(frozen=True)
class CompareView:
    """Both runs with what is shown of them: what differs, or all."""

    this: Head
    other: Head
    parts: list[tuple[str, list[Compared]]]
    changes: tuple[str, ...]
    around: list[LinePair]
    loud: list[LinePair]
    log_words: str
    is_all: bool
    # The same page with all values, or with those alone that differ.
    toggle_label: str
    toggle_href: str


@route(web, "/runs/<uuid:run_id>/compare", permission=Permission.VIEW)
def compare_run(run_id: UUID) -> Response:
    """A run beside the last good one before it, or the one that the address names. Without one it offers some."""
    session, organization_id, other_id = request_session(), current_actor().organization_id, _given()
    try:
        found = compare_runs(session, organization_id=organization_id, run_id=run_id, other_id=other_id)
    except NothingToCompare as error:
        return _offer(get_run(session, organization_id=organization_id, run_id=run_id), error)
    return page("runs/compare.html", view=_view(found, other_id, is_all="all" in request.args))


def _given() -> UUID | None:
    """The run that is named by its id, or by the address of its page."""
    found = _ID.search(request.args.get("with", "")[:_LONGEST_ADDRESS])
    return UUID(found[0]) if found else None


def _offer(run: RunRow, error: NothingToCompare) -> Response:
    """The runs around it, the newest first, for somebody to choose from."""
    now = request_now()
    around = neighbours_of(request_session(), run, most=_MOST_OFFERED, now=now)
    offered = [
        Offer(
            href=f"{url_for('web.compare_run', run_id=run.id)}?with={one.id}",
            at=absolute_time(one.at, zone=viewer_zone(), now=now, seconds=True),
            badge=badge_of(one),
        )
        for one in reversed(around.runs)
        if one.id != run.id
    ]
    return page("runs/compare_other.html", run=run, message=error.message, offered=offered)


def _view(found: RunComparison, other_id: UUID | None, *, is_all: bool) -> CompareView:
    lines = found.lines if is_all else found.differing
    same = len(found.lines) - len(found.differing)
    more: dict[str, Any] = ({"with": str(other_id)} if other_id else {}) | ({} if is_all else {"all": "1"})
    return CompareView(
        this=_head(found.this, found.log.this.lines),
        other=_head(found.other, found.log.other.lines),
        parts=[(_PARTS[part], list(each)) for part, each in groupby(lines, key=lambda line: line.part)],
        changes=found.changes,
        around=_pairs(found.log.this.around, found.log.other.around),
        loud=_pairs(found.log.this.loud, found.log.other.loud),
        log_words=_log_words(found),
        is_all=is_all,
        toggle_label="Only what differs" if is_all else f"Show what is the same, too ({same})",
        toggle_href=url_for("web.compare_run", run_id=found.this.id, _anchor="compare", **more),
    )


def _head(run: RunRow, lines: int) -> Head:
    at = absolute_time(run.started_at or run.due_at, zone=viewer_zone(), now=request_now(), seconds=True)
    return Head(run, badge_of(run), at, f"{count(lines)} line{'' if lines == 1 else 's'}")


def _pairs(these: Sequence[Line], others: Sequence[Line]) -> list[LinePair]:
    return [LinePair(this, other) for this, other in zip_longest(these, others)]


def _log_words(found: RunComparison) -> str:
    within = f" within the first {MOST_COMPARED:,} lines" if found.log.is_cut else ""
    if found.log.parts_at is not None:
        return f"They part at line {found.log.parts_at:,}. Numbers and ids are not compared."
    return f"Both read alike{within}, but for numbers and ids." if found.log.this.lines else "Neither wrote any."
