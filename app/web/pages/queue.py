"""The queue page: what waits, runs and failed, and the processes that do the work. Buttons are in actions/runs.py."""

from dataclasses import dataclass, replace
from enum import StrEnum

from flask import Response, request, url_for

from app.edge.identity import current_actor, request_now
from app.edge.permissions import schema_note
from app.edge.runtime import request_session
from app.ops.health import judge
from app.ops.heartbeats import list_processes, slots_alive
from app.runs.queries import RunRow, list_dead_letters, list_running, list_waiting
from app.runs.queues import list_queues
from app.runs.states import RunState
from app.runs.statistics import count_queue
from app.runs.switches import QueueSwitchRow, list_switches, queue_names
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.formatting import count, duration, relative_time
from app.web.pages.badges import Badge
from app.web.pages.processes import process_lines
from app.web.pages.rights import refusals
from app.web.pages.run_rows import RunLine, run_lines
from app.web.pages.tabs import Tab
from app.web.permissions import route
from app.web.responses import fragment, page, page_or_fragment

MOST_ROWS = 100


class QueueTab(StrEnum):
    """What the table shows."""

    WAITING = "waiting"  # ready, or waiting for the next try
    RUNNING = "running"
    FAILED = "failed"  # the dead letter


@dataclass(frozen=True)
class Tile:
    """One figure."""

    label: str
    value: str
    note: str
    tab: QueueTab
    state: str = ""


@dataclass(frozen=True)
class QueueView:
    """Tiles, tabs and the rows of the chosen one. `hidden` counts rows beyond those shown. `paused` starts nothing."""

    tab: QueueTab
    tiles: list[Tile]
    tabs: list[Tab]
    lines: list[RunLine]
    hidden: int
    refusal: str
    paused: list[QueueSwitchRow]


@route(web, "/queue", permission=Permission.VIEW, empty_without_schema=True)
def queue() -> Response:
    """The queue of this organization. htmx gets the part that changes."""
    if schema_note():
        return page("overview/unready.html", subject="Queue")
    context: dict[str, object] = {"view": queue_view(request.args.get("tab", ""))}
    if current_actor().is_platform_admin:
        context |= _processes() | {"queues": list_queues(request_session(), organization_id=None)}
    return page_or_fragment("queue/index.html", "queue/_queue.html", **context)


@route(web, "/queue/processes", platform_admin=True)
def queue_processes() -> Response:
    """The processes of the installation."""
    return fragment("queue/_processes.html", **_processes())


def queue_view(tab_name: str) -> QueueView:
    """The queue with one tab open; an unknown name opens the first."""
    tab = QueueTab(tab_name) if tab_name in set(QueueTab) else QueueTab.WAITING
    session, organization_id = request_session(), current_actor().organization_id
    counts = count_queue(session, organization_id=organization_id)
    waiting = list_waiting(session, organization_id=organization_id, limit=MOST_ROWS)
    rows = waiting if tab is QueueTab.WAITING else _read[tab](session, organization_id=organization_id, limit=MOST_ROWS)
    totals = {
        QueueTab.WAITING: counts[RunState.READY] + counts[RunState.WAITING] + counts[RunState.WAITING_RETRY],
        QueueTab.RUNNING: counts[RunState.RUNNING],
        QueueTab.FAILED: counts[RunState.FAILED],
    }
    paused = list_switches(session)
    return QueueView(
        tab=tab,
        tiles=_tiles(counts, waiting),
        tabs=[_tab(each, each is tab, totals[each]) for each in QueueTab],
        lines=[_marked(line, {switch.name for switch in paused}) for line in run_lines(rows)],
        hidden=max(0, totals[tab] - len(rows)),
        refusal=refusals().manage_queue,
        paused=paused,
    )


def _marked(line: RunLine, paused: set[str]) -> RunLine:
    is_held = line.run.queue in paused and line.run.state is RunState.READY
    return replace(line, badge=Badge("paused")) if is_held else line


_read = {QueueTab.RUNNING: list_running, QueueTab.FAILED: list_dead_letters}


def _tiles(counts: dict[RunState, int], waiting: list[RunRow]) -> list[Tile]:
    now = request_now()
    slots = slots_alive(list_processes(request_session(), now=now), now=now)
    failed = counts[RunState.FAILED]
    running_note = f"of {slots} slots" if slots else "no worker is running"
    return [
        Tile("Waiting", count(counts[RunState.READY] + counts[RunState.WAITING]), _oldest(waiting), QueueTab.WAITING),
        Tile("Running", count(counts[RunState.RUNNING]), running_note, QueueTab.RUNNING),
        Tile("Waiting for retry", count(counts[RunState.WAITING_RETRY]), _next_try(waiting), QueueTab.WAITING),
        Tile("Failed", count(failed), "not tried again or out of tries", QueueTab.FAILED, "failed" if failed else ""),
    ]


def _oldest(waiting: list[RunRow]) -> str:
    since = min((row.ready_at for row in waiting if row.state is RunState.READY), default=None)
    return "nothing waits" if since is None else f"oldest for {duration(request_now() - since)}"


def _next_try(waiting: list[RunRow]) -> str:
    at = min((row.ready_at for row in waiting if row.state is RunState.WAITING_RETRY), default=None)
    if at is None:
        return "no try is due"
    return f"next {relative_time(at, now=request_now())}" if at > request_now() else "next is due now"


def _tab(tab: QueueTab, is_current: bool, total: int) -> Tab:
    return Tab(tab.value.capitalize(), url_for("web.queue", tab=tab.value), is_current, total)


def _processes() -> dict[str, object]:
    now = request_now()
    processes = list_processes(request_session(), now=now)
    health = judge(processes, now=now, queues=queue_names(request_session()))
    return {"processes": process_lines(processes, now=now), "health": health}
