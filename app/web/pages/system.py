"""The installation, for platform admins: scheduler, processes, versions, database, what is kept, and pausing it all."""

import json
from dataclasses import dataclass
from datetime import datetime

from flask import Response

from app.core.version import VERSION
from app.edge.identity import request_now
from app.edge.runtime import request_session, runtime
from app.ops.diagnostics import read_diagnostics
from app.ops.heartbeats import ProcessRow
from app.ops.installation import Installation, read_installation
from app.runs.in_hand import RunInHand
from app.web.blueprint import web
from app.web.formatting import duration
from app.web.pages.processes import ProcessLine, process_lines
from app.web.permissions import route
from app.web.pictures.gap_days import draw_days
from app.web.pictures.strip import Strip
from app.web.responses import fragment, page, page_or_fragment, wants_dialog

_SHOWN_RUNS = 5
_UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


@dataclass(frozen=True)
class CrewLine:
    """A process with the runs it has in hand: the first few, and how many there are beside them."""

    line: ProcessLine
    runs: tuple[RunInHand, ...]
    hidden: int
    memory: str

    @property
    def process(self) -> ProcessRow:
        return self.line.process


@dataclass(frozen=True)
class SystemView:
    """All that the page shows."""

    found: Installation
    crew: list[CrewLine]
    state: str
    state_label: str
    last_beat: datetime | None
    tick: str
    mismatch: str
    size: str
    kept: str
    broker_problem: str | None
    canary_days: Strip


@route(web, "/admin/system", platform_admin=True)
def system() -> Response:
    """How the installation stands. htmx gets the part that changes."""
    return page_or_fragment("system/index.html", "system/_system.html", view=_view())


@route(web, "/admin/system/pause", platform_admin=True)
def confirm_pause() -> Response:
    """The question before everything is paused."""
    if wants_dialog():
        return fragment("system/_pause_dialog.html", view=_view())
    return page("system/pause.html", view=_view())


@route(web, "/admin/system/diagnostics", platform_admin=True)
def diagnostics() -> Response:
    """Figures and states for somebody who helps, as a file without secrets."""
    found = read_diagnostics(request_session(), runtime().settings, now=request_now())
    response = Response(json.dumps(found, indent=2), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="belfry-diagnostics-{request_now():%Y%m%d}.json"'
    return response


def _view() -> SystemView:
    now = request_now()
    found = read_installation(request_session(), runtime().settings, now=now)
    state, label = _scheduler_state(found, now)
    ticks = [row.tick_ms for row in found.schedulers if row.tick_ms is not None and not row.is_gone(now)]
    return SystemView(
        found=found,
        crew=_crew(found, now),
        state=state,
        state_label=label,
        last_beat=max((row.beat_at for row in found.schedulers), default=None),
        tick=duration(max(ticks) / 1000) if ticks else "–",
        mismatch=_mismatch(found, now),
        size=size_words(found.database.size),
        kept=_kept(found),
        broker_problem=runtime().broker_problem(),
        canary_days=draw_days(found.canary.gaps, since=found.canary.watched_since, now=now),
    )


def size_words(size: int | None) -> str:
    """“1.2 MB”."""
    if size is None:
        return "–"
    unit, length = next((unit for unit in _UNITS if size >= unit[1]), _UNITS[-1])
    return f"{size / length:.1f} {unit}"


def _scheduler_state(found: Installation, now: datetime) -> tuple[str, str]:
    if not found.keeps_time(now):
        return "failed", "Down"
    if found.stop is not None:
        return "paused", "Paused"
    return ("warning", "Waiting") if found.hold is not None else ("ok", "Keeping time")


def _crew(found: Installation, now: datetime) -> list[CrewLine]:
    crew = []
    for line in process_lines([*found.processes, *found.pages], now=now):
        runs = [run for run in found.in_hand if run.worker == line.process.name]
        memory = line.process.memory_mib
        shown = "–" if memory is None else f"{memory:,} MiB"
        crew.append(CrewLine(line, tuple(runs[:_SHOWN_RUNS]), max(len(runs) - _SHOWN_RUNS, 0), shown))
    return crew


def _mismatch(found: Installation, now: datetime) -> str:
    heard = (*found.processes, *found.pages)
    others = sorted({row.version for row in heard if not row.is_gone(now)} - {VERSION})
    if not others:
        return ""
    return f"This page is of version {VERSION}, other processes of {', '.join(others)}. Restart those that are older."


def _kept(found: Installation) -> str:
    kept = found.retention.runs
    runs = "Runs and their logs for ever" if kept is None else f"Runs and their logs {kept.days} days"
    return f"{runs} · events {found.retention.events.days} days"
