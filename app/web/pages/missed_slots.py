"""The slots that nobody executed, as the list of runs shows them: they have no runs."""

from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.ops.schedule_history import HistoryKind
from app.runs.states import RunState
from app.schedules.gaps import MissedFilter, MissedRow, list_missed
from app.web.context import viewer_zone
from app.web.pages.places import read_place, write_place
from app.web.pages.run_search import RunSearch
from app.web.pages.schedule_history import gap_words

_PER_PAGE = 25


@dataclass(frozen=True)
class MissedLine:
    """A range of them. `href` leads to all of the schedule, and is empty where that was deleted."""

    name: str
    href: str
    at: datetime
    words: str


@dataclass(frozen=True)
class MissedSlots:
    """Some of them, the newest first, and where the older ones are; empty where there are none."""

    lines: list[MissedLine]
    is_first: bool
    older_href: str
    newest_href: str


def missed_slots(search: RunSearch, *, before: str) -> MissedSlots | None:
    """Those that a list of missed runs is narrowed to. None for any other list: they hold no text and no trigger."""
    if search.filter.state is not RunState.MISSED or search.filter.is_search:
        return None
    narrowed = search.filter
    wanted = MissedFilter(narrowed.schedule_id, narrowed.job_id, narrowed.since, narrowed.until)
    place = read_place(before)
    found = list_missed(
        request_session(), organization_id=current_actor().organization_id, wanted=wanted, limit=_PER_PAGE + 1,
        older_than=place,
    )  # fmt: skip
    shown = found[:_PER_PAGE]
    older = search.href(missed_before=write_place(shown[-1].place)) if len(found) > len(shown) else ""
    return MissedSlots([_line(row) for row in shown], place is None, older, search.href())


def _line(row: MissedRow) -> MissedLine:
    of_it = url_for("web.schedule_history", schedule_id=row.schedule_id, kind=HistoryKind.GAPS)
    words = gap_words(row.gap, zone=viewer_zone(), now=request_now())
    return MissedLine(row.schedule_name, "" if row.is_deleted else of_it, row.gap.last_slot_at, words)
