"""The runs around one, as a picture in which it is marked, with the ways to those beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from uuid import UUID

from flask import url_for

from app.edge.identity import request_now
from app.edge.runtime import request_session
from app.ops.run_comparison import why_no_good
from app.runs.neighbours import last_good_id_before, marks_around, neighbours_of
from app.runs.outcomes import Outcome
from app.runs.queries import RunRow
from app.runs.recent import ListedRun
from app.web.pictures.strip import SLOTS, Strip, draw_strip

_GOOD = {Outcome.SUCCEEDED, Outcome.SUCCEEDED_AFTER_RETRY}


@dataclass(frozen=True)
class RunsAround:
    """The picture leads to all of them; a way is empty where there is no such run."""

    strip: Strip
    href: str
    previous_href: str
    following_href: str
    # Why it cannot be put beside the last good run; empty where it can.
    compare_refusal: str


def runs_around(run: RunRow) -> RunsAround:
    """Those of the same schedule, or of the job where no schedule made it."""
    now = request_now()
    found = neighbours_of(request_session(), run, most=SLOTS, now=now)
    marks = marks_around(request_session(), run, found, most=SLOTS, now=now)
    good = [one.took for one in found.runs if one.outcome in _GOOD and one.took is not None]
    return RunsAround(
        strip=draw_strip(marks, lengths=good, now=now, looked_for=run.id, are_last=marks[-1].id == run.id),
        href=_all_of(run),
        previous_href=_way(found.previous),
        following_href=_way(found.following),
        compare_refusal="" if _has_good_before(run, found.runs) else why_no_good(run),
    )


def _has_good_before(run: RunRow, shown: Iterable[ListedRun]) -> bool:
    # Mostly the picture knows one already.
    older = takewhile(lambda one: one.id != run.id, shown)
    return any(one.outcome in _GOOD for one in older) or last_good_id_before(request_session(), run) is not None


def _all_of(run: RunRow) -> str:
    if run.schedule_id is None:
        return url_for("web.runs", job=run.job_id)
    return url_for("web.runs", schedule=run.schedule_id)


def _way(run_id: UUID | None) -> str:
    return "" if run_id is None else url_for("web.run", run_id=run_id)
