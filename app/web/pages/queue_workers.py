"""The workers of the installation: their last reports, and which runs of one's own each has in hand."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, request

from app.core.scopes import PLATFORM
from app.edge.identity import request_now
from app.edge.runtime import request_session, working_as
from app.ops.heartbeats import list_processes, with_runs_in_hand
from app.ops.stuck_runs import StuckEvidence, read_evidence
from app.runs.in_hand import count_in_hand
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.processes import ProcessLine, process_lines
from app.web.pages.queue_view import is_of_all, overseeing
from app.web.permissions import route
from app.web.responses import page_or_fragment

# Of a worker with more in hand, those that run the longest are named.
MOST_NAMED = 20


@dataclass(frozen=True)
class WorkerLine:
    """One worker: how it stands, the runs it has in hand, the longest first, and how many more there are."""

    line: ProcessLine
    held: list[StuckEvidence]
    more: int


@route(web, "/queue/workers", permission=Permission.VIEW)
def queue_workers() -> Response:
    """The workers, each with the runs of this organization that it has in hand; with `of=all` everybody's."""
    now, of_all = request_now(), is_of_all(request.args)
    processes = list_processes(request_session(), now=now, with_ended=True)
    with overseeing(of_all=of_all) as (session, organization_id):
        found = read_evidence(session, organization_id=organization_id, now=now, processes=processes)
    workers = [row for row in processes if row.slots and not row.has_ended]
    known = {row.name for row in workers}
    held = _by_worker(found)
    # How many is no secret, whosever they are, and says how much room is left.
    with working_as(PLATFORM) as session:
        workers = with_runs_in_hand(workers, count_in_hand(session))
    context: dict[str, Any] = {
        "workers": [_line(line, held.get(line.process.name, [])) for line in process_lines(workers, now=now)],
        # Held by somebody who does not report any more.
        "orphans": [one for name, runs in held.items() if name not in known for one in runs][:MOST_NAMED],
        "of_all": of_all,
    }
    return page_or_fragment("queue/workers.html", "queue/_workers.html", **context)


def _by_worker(found: Mapping[UUID, StuckEvidence]) -> dict[str, list[StuckEvidence]]:
    held: dict[str, list[StuckEvidence]] = defaultdict(list)
    for one in found.values():
        held[one.held.worker].append(one)
    return held


def _line(line: ProcessLine, held: list[StuckEvidence]) -> WorkerLine:
    return WorkerLine(line, held[:MOST_NAMED], max(0, len(held) - MOST_NAMED))
