"""A part of a run's log as its page shows it, what leads to the other parts, and what comes while somebody looks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import url_for

from app.core.names import visible
from app.edge.identity import request_now
from app.edge.runtime import request_session
from app.runs.log_silence import silence_of
from app.runs.logs import Line, LogFilter, count_lines, last_line_number, read_lines
from app.runs.queries import RunRow
from app.runs.states import RunState
from app.web.context import viewer_zone
from app.web.formatting import duration, wall_clock
from app.web.pages.log_folds import find_folds
from app.web.pages.log_query import LogQuery, filter_args

FIRST_LINES = 500
# More than one read can bring comes with the next.
MOST_LINES = 1000
_NOTHING_YET = {RunState.READY: "The log begins when the run starts.", RunState.WAITING_RETRY: "Nothing logged yet."}


@dataclass(frozen=True)
class LogLine:
    """One line as the template prints it."""

    id: int
    time: str
    level: str
    text: str

    @property
    def folded(self) -> tuple[str, list[str], str] | None:
        """The first line of a long text with a traceback, what lies between, and the last one."""
        texts = self.text.rstrip().splitlines()
        if not find_folds(texts):
            return None
        return texts[0], texts[1:-1], texts[-1]


@dataclass(frozen=True)
class LogGroup:
    """Lines in a row: as they are, or folded. A fold is open where the address names one of its lines."""

    lines: list[LogLine]
    is_folded: bool = False
    is_open: bool = False


@dataclass(frozen=True)
class Way:
    """A link to another part. `fragment` brings the part alone, to be put in the link's place."""

    label: str
    href: str
    fragment: str = ""


@dataclass(frozen=True)
class LogPart:
    """Some lines in a row. `after` is where those that follow begin; `remark` stands where nothing more has come."""

    run_id: UUID
    filter: LogFilter
    lines: list[LogLine]
    # How many lines there are; empty where nothing was counted.
    count: str
    earlier: Way | None = None
    later: Way | None = None
    end: Way | None = None
    # Where to ask for what follows; empty when nothing can.
    more: str = ""
    remark: str = ""
    other_case: Way | None = None
    # The number of the line that the address names.
    named: int = 0

    @property
    def groups(self) -> list[LogGroup]:
        """The lines with long tracebacks folded; not among those that somebody searches for."""
        if self.filter.text:
            return [LogGroup(self.lines)]
        found, at = list[LogGroup](), 0
        for fold in _folds(self.lines):
            folded = self.lines[fold.start : fold.stop]
            is_open = folded[0].id <= self.named <= folded[-1].id
            found += [LogGroup(self.lines[at : fold.start]), LogGroup(folded, is_folded=True, is_open=is_open)]
            at = fold.stop
        return [*found, LogGroup(self.lines[at:])]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for, now and later."""
        return not (self.lines or self.more or not self.filter.is_empty)


def first_log(run: RunRow, args: Mapping[str, str]) -> LogPart:
    """The part that the address asks for: the end of the log, unless it says otherwise."""
    asked, last = LogQuery.from_args(args), _last_number(run)
    lines = _lines_of(run, asked, last)
    is_end = asked.is_end or not lines or not _read(run, asked.wanted, after=lines[-1].number, before=last + 1, limit=1)
    return replace(_part(run, asked.wanted, lines, last=last, is_end=is_end), named=asked.line)


def earlier_log(run: RunRow, args: Mapping[str, str]) -> LogPart:
    """The lines before one that a page has, and the way to those before them."""
    asked = LogQuery.from_args(args)
    lines = _read(run, asked.wanted, before=asked.before, from_end=True)
    return LogPart(run.id, asked.wanted, _shown(lines), count="", earlier=_earlier(run, asked.wanted, lines))


def next_log(run: RunRow, args: Mapping[str, str]) -> LogPart:
    """What follows the line that a page has, and what asks for more. A number that cannot be read means the start."""
    asked, last = LogQuery.from_args(args), _last_number(run)
    lines = _read(run, asked.wanted, after=asked.after, before=last + 1, limit=MOST_LINES)
    reached = lines[-1].number if len(lines) == MOST_LINES else max(last, asked.after)
    return LogPart(
        run_id=run.id,
        filter=asked.wanted,
        lines=_shown(lines),
        count=_count(run, asked.wanted, last) if lines else "",
        # The run was read before its lines: if it was over by then, no line can come after these.
        more=_more(run, asked.wanted, reached) if reached < last or not run.is_over else "",
        remark="" if lines else _remark(run, asked.wanted, has_lines=bool(last)),
    )


def _part(run: RunRow, wanted: LogFilter, lines: list[Line], *, last: int, is_end: bool) -> LogPart:
    found = LogPart(
        run_id=run.id,
        filter=wanted,
        lines=_shown(lines),
        count=_count(run, wanted, last),
        earlier=_earlier(run, wanted, lines),
        other_case=None if lines else _other_case(run, wanted),
    )
    if is_end:
        more = "" if run.is_over else _more(run, wanted, last)
        remark = "" if lines and not more else _remark(run, wanted, has_lines=bool(lines))
        return LogPart(**vars(found) | {"more": more, "remark": remark})
    later = Way(f"Load {FIRST_LINES} later", _page(run, wanted, after=lines[-1].number))
    return LogPart(**vars(found) | {"later": later, "end": Way("To the end", _page(run, wanted))})


def _lines_of(run: RunRow, asked: LogQuery, last: int) -> list[Line]:
    if asked.line:
        # With what stands around it; near the end, a whole part all the same.
        begin = min(asked.line - FIRST_LINES // 2, last - FIRST_LINES + 1)
        return _read(run, asked.wanted, after=max(0, begin - 1), limit=FIRST_LINES)
    if asked.before:
        return _read(run, asked.wanted, before=asked.before, from_end=True)
    if asked.after:
        return _read(run, asked.wanted, after=asked.after, limit=FIRST_LINES)
    return _read(run, asked.wanted, before=last + 1, from_end=True)


def _read(
    run: RunRow, wanted: LogFilter, *, after: int = 0, before: int | None = None, limit: int = FIRST_LINES,
    from_end: bool = False,
) -> list[Line]:  # fmt: skip
    session, organization_id = request_session(), run.organization_id
    return read_lines(
        session,
        organization_id=organization_id,
        run_id=run.id,
        after=after,
        before=before,
        wanted=wanted,
        limit=limit,
        from_end=from_end,
    )


def _last_number(run: RunRow) -> int:
    return last_line_number(request_session(), organization_id=run.organization_id, run_id=run.id)


def _number(run: RunRow, wanted: LogFilter, *, before: int) -> int:
    """How many lines are wanted before a number."""
    if wanted.is_empty:
        return before - 1
    session, organization_id = request_session(), run.organization_id
    return count_lines(session, organization_id=organization_id, run_id=run.id, before=before, wanted=wanted)


def _count(run: RunRow, wanted: LogFilter, last: int) -> str:
    all_of_them = f"{last:,} line{'' if last == 1 else 's'}"
    if wanted.is_empty:
        return all_of_them if last else ""
    return f"{_number(run, wanted, before=last + 1):,} of {all_of_them}"


def _earlier(run: RunRow, wanted: LogFilter, lines: list[Line]) -> Way | None:
    before = lines[0].number if lines else 1
    there = _number(run, wanted, before=before)
    if not there:
        return None
    fragment = _address("web.run_log", run, wanted, before=before)
    return Way(f"Load {min(there, FIRST_LINES)} earlier", _page(run, wanted, before=before), fragment)


def _other_case(run: RunRow, wanted: LogFilter) -> Way | None:
    if not wanted.text or wanted.ignores_case:
        return None
    other = LogFilter(wanted.level, wanted.text, ignores_case=True)
    found = count_lines(request_session(), organization_id=run.organization_id, run_id=run.id, wanted=other)
    lines = "line" if found == 1 else "lines"
    return Way(f"Ignore case: {found:,} {lines}", _page(run, other)) if found else None


def _page(run: RunRow, wanted: LogFilter, **place: int) -> str:
    return f"{_address('web.run', run, wanted, **place)}#log"


def _more(run: RunRow, wanted: LogFilter, after: int) -> str:
    return _address("web.run_log", run, wanted, after=after)


def _address(endpoint: str, run: RunRow, wanted: LogFilter, **place: int) -> str:
    values: dict[str, Any] = {"run_id": run.id, **place, **filter_args(wanted)}
    return url_for(endpoint, **values)


def _remark(run: RunRow, wanted: LogFilter, *, has_lines: bool) -> str:
    """What stands where no more lines are."""
    parts = [] if has_lines else [_nothing(run, wanted)]
    return " ".join([*parts, *_silence(run)])


def _nothing(run: RunRow, wanted: LogFilter) -> str:
    if not wanted.is_empty:
        return "No line matches." if run.is_over else "No line matches yet."
    return "This run wrote no log." if run.is_over else _NOTHING_YET.get(run.state, "Nothing logged yet.")


def _silence(run: RunRow) -> list[str]:
    if run.state is not RunState.RUNNING:
        return []
    session, organization_id = request_session(), run.organization_id
    found = silence_of(session, organization_id=organization_id, run_id=run.id, now=request_now())
    if found is None:
        return []
    usual = "" if found.typical is None else f" (typical gap {duration(found.typical)})"
    return [f"No output for {duration(found.lasts)}{usual}."]


def _folds(lines: list[LogLine]) -> list[range]:
    """Those of lines that follow each other in the log itself, and not only in what a filter leaves of it."""
    return [fold for fold in find_folds([line.text for line in lines]) if _is_whole(lines, fold)]


def _is_whole(lines: list[LogLine], fold: range) -> bool:
    return lines[fold.stop].id - lines[fold.start - 1].id == fold.stop - fold.start + 1


def _shown(lines: list[Line]) -> list[LogLine]:
    zone = ZoneInfo(viewer_zone())
    return [
        LogLine(line.number, wall_clock(line.at.astimezone(zone), seconds=True), line.level.value, visible(line.text))
        for line in lines
    ]
