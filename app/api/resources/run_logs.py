"""`/runs/{id}/log`: what a run wrote, a part at a time."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.api.models import Answer, Flag, Int32, Moment, Query
from app.api.resource import resource
from app.api.resources.runs import own_run
from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.jobs.kinds.base import Level
from app.runs.filters import LONGEST_SEARCH
from app.runs.logs import Line, LogFilter, count_lines, last_line_number, read_lines
from app.tenants.access import Permission

_MOST_LINES = 1_000
_USUAL_LINES = 500


class LogQuery(Query):
    level: Annotated[Level, Field(description="Lines as loud as this, and louder ones.")] = Level.INFO
    q: Annotated[
        str, Field(max_length=LONGEST_SEARCH, description="Text within a line, letter by letter, as `grep` finds it.")
    ] = ""
    ignore_case: Annotated[Flag, Field(description="Whether `q` is found in capitals and small letters alike.")] = False
    after: Annotated[Int32 | None, Field(description="The first lines behind this number.")] = None
    before: Annotated[
        Int32 | None, Field(description="The last lines before this number, unless `after` is given too.")
    ] = None
    limit: Annotated[Int32, Field(ge=1, le=_MOST_LINES, description="How many lines at most.")] = _USUAL_LINES


class LogLineOut(Answer):
    number: Annotated[int, Field(description="From 1 on, without gaps, through all attempts of the run.")]
    at: Moment
    level: Level
    text: str


class LogOut(Answer):
    lines: Annotated[list[LogLineOut], Field(description="Oldest first.")]
    matching: Annotated[int, Field(description="How many lines of the log are of this level with this text.")]
    total: Annotated[int, Field(description="How many lines the log has.")]
    is_over: Annotated[bool, Field(description="Whether the run is over, so that no line follows.")]
    go_on_after: Annotated[int, Field(description="What to give as `after` for the lines that follow these.")]


@resource("GET", "/runs/<uuid:run_id>/log", permission=Permission.VIEW, query=LogQuery, answer=LogOut, tag="Runs")
def show_run_log(run_id: UUID, query: LogQuery) -> LogOut:
    """A part of what a run wrote: the last lines, or those behind or before a number.

    To follow a log, ask again with `after` set to `go_on_after`, until `is_over` is true and no lines come.
    """
    session, organization_id = request_session(), current_actor().organization_id
    # The state first: if it was over by then, no line can come after these.
    run = own_run(session, organization_id, run_id)
    wanted = LogFilter(query.level, query.q, ignores_case=query.ignore_case)
    last = last_line_number(session, organization_id=organization_id, run_id=run_id)
    lines = _lines(run_id, query, wanted, last)
    is_cut = len(lines) == query.limit or (query.before is not None and query.before <= last)
    return LogOut(
        lines=[LogLineOut(number=line.number, at=line.at, level=line.level, text=line.text) for line in lines],
        matching=count_lines(session, organization_id=organization_id, run_id=run_id, before=last + 1, wanted=wanted),
        total=last,
        is_over=run.is_over,
        go_on_after=lines[-1].number if lines and is_cut else max(last, query.after or 0),
    )


def _lines(run_id: UUID, query: LogQuery, wanted: LogFilter, last: int) -> list[Line]:
    return read_lines(
        request_session(),
        organization_id=current_actor().organization_id,
        run_id=run_id,
        after=query.after or 0,
        before=min(last + 1, query.before if query.before is not None else last + 1),
        wanted=wanted,
        limit=query.limit,
        from_end=query.after is None,
    )
