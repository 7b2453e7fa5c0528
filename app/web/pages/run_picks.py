"""Schedules and jobs to narrow the list of runs to, picked by what they are called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from flask import Response, request
from sqlalchemy.orm import Session

from app.core.called import LONGEST_PART, Named, meant_by
from app.core.text import quoted
from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.jobs.names import jobs_called
from app.runs.filters import search_text
from app.schedules.names import schedules_called
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.pages.run_search import RunSearch
from app.web.permissions import route
from app.web.responses import fragment

_MOST_OFFERED = 20
_MOST_MEANT = 5


class _Called(Protocol):
    """How rows of one kind are found by what they are called."""

    def __call__(self, session: Session, *, organization_id: UUID, text: str, limit: int) -> list[Named]: ...


@dataclass(frozen=True)
class Picker:
    """A field of the filter bar: what it is called in the address, and what a search is narrowed to by it."""

    field: str
    label: str
    called: _Called
    narrowed: Callable[[RunSearch, UUID], RunSearch]


@dataclass(frozen=True)
class Pick:
    """What was typed into a picker. `problem` says why it names nothing, `offers` are what it may mean."""

    picker: Picker
    typed: str = ""
    problem: str = ""
    offers: Sequence[tuple[str, str]] = ()


def _with_schedule(search: RunSearch, schedule_id: UUID) -> RunSearch:
    return replace(search, filter=replace(search.filter, schedule_id=schedule_id))


def _with_job(search: RunSearch, job_id: UUID) -> RunSearch:
    return replace(search, filter=replace(search.filter, job_id=job_id))


PICKERS = (
    Picker("schedule_name", "Schedule", schedules_called, _with_schedule),
    Picker("job_name", "Job", jobs_called, _with_job),
)


@route(web, "/runs/filter-names", permission=Permission.VIEW)
def run_filter_names() -> Response:
    """At most twenty names with what was typed so far, for a picker: `of` says of which one."""
    picker = next((one for one in PICKERS if one.field == request.args.get("of")), PICKERS[0])
    found = _found(picker, request.args.get(picker.field, ""), limit=_MOST_OFFERED)
    return fragment("runs/_names.html", found=found)


def read_picks(args: Mapping[str, str], search: RunSearch) -> tuple[RunSearch, list[Pick]]:
    """The search with everything that the pickers name, and what is to be said of each of them."""
    picks = []
    for picker in PICKERS:
        typed = search_text(args.get(picker.field, ""))
        found = _found(picker, typed, limit=_MOST_MEANT) if typed else []
        meant = meant_by(typed, found)
        if meant is not None:
            search = picker.narrowed(search, meant.id)
        picks.append(Pick(picker) if meant is not None or not typed else _unclear(picker, typed, found, search))
    return search, picks


def is_picked(args: Mapping[str, str], picks: Sequence[Pick]) -> bool:
    """Whether something was typed into a picker, and all of it was understood."""
    return any(args.get(pick.picker.field) for pick in picks) and not any(pick.problem for pick in picks)


def _found(picker: Picker, text: str, *, limit: int) -> list[Named]:
    here = current_actor().organization_id
    return picker.called(request_session(), organization_id=here, text=search_text(text)[:LONGEST_PART], limit=limit)


def _unclear(picker: Picker, typed: str, found: Sequence[Named], search: RunSearch) -> Pick:
    noun = picker.label.lower()
    offers = [(one.name, picker.narrowed(search, one.id).href()) for one in found]
    problem = (
        f"Several {noun}s have {quoted(typed)} in their name." if found else f"No {noun} is called {quoted(typed)}."
    )
    return Pick(picker, typed, problem, offers)
