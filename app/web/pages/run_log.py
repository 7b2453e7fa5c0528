"""A run's log as its page shows it: the end of it first, then what is written while somebody looks."""

from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from app.edge.runtime import request_session
from app.runs.logs import Line, last_line_number, read_lines
from app.runs.queries import RunRow
from app.runs.states import RunState
from app.web.context import viewer_zone

FIRST_LINES = 500
# More than one read can bring comes with the next.
MOST_LINES = 1000
# The columns hold 32 bits.
_HIGHEST_NUMBER = 2**31 - 1
_NOTHING_YET = {RunState.READY: "The log begins when the run starts.", RunState.WAITING_RETRY: "Nothing logged yet."}


@dataclass(frozen=True)
class LogLine:
    """One line as the template prints it."""

    id: int
    time: str
    level: str
    text: str


@dataclass(frozen=True)
class LogPart:
    """Some lines in a row. `after` is where the next begin; `remark` stands where there are none."""

    run_id: UUID
    lines: list[LogLine]
    after: int
    may_grow: bool
    remark: str
    total: int


def first_log(run: RunRow) -> LogPart:
    """The end of the log."""
    last = last_line_number(request_session(), organization_id=run.organization_id, run_id=run.id)
    return _part(run, after=max(0, last - FIRST_LINES), total=last)


def next_log(run: RunRow, *, after: str) -> LogPart:
    """What follows the line that a page has. A number that cannot be read means from the start."""
    number = int(after) if after.isascii() and after.isdigit() and len(after) <= 10 else 0
    return _part(run, after=min(number, _HIGHEST_NUMBER), total=0)


def _part(run: RunRow, *, after: int, total: int) -> LogPart:
    # The run was read before its lines: if it was over by then, no line can come after these.
    lines = read_lines(
        request_session(), organization_id=run.organization_id, run_id=run.id, after=after, limit=MOST_LINES
    )
    newest = lines[-1].number if lines else after
    return LogPart(
        run_id=run.id,
        lines=[_line(line) for line in lines],
        after=newest,
        may_grow=not run.is_over or len(lines) == MOST_LINES,
        remark="" if newest else _remark(run),
        total=total,
    )


def _remark(run: RunRow) -> str:
    return "This run wrote no log." if run.is_over else _NOTHING_YET.get(run.state, "Nothing logged yet.")


def _line(line: Line) -> LogLine:
    wall = line.at.astimezone(ZoneInfo(viewer_zone()))
    return LogLine(line.number, f"{wall:%H:%M:%S}", line.level.value, line.text)
