"""Pages of runs: the list, one run with its log, and the log as text. What buttons do is in actions/runs.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from app.core.db import Database
from app.core.questions import ask_together
from app.core.scopes import Scope
from app.edge.identity import current_actor
from app.edge.permissions import schema_note
from app.edge.runtime import request_session, runtime
from app.jobs.queries import names_of_jobs
from app.ops.run_notes import read_notes
from app.runs.attempt_queries import newest_progress
from app.runs.filters import MOST_COUNTED
from app.runs.logs import Line, read_lines
from app.runs.queries import get_run
from app.runs.run_lists import Page, PlaceGone, count_runs, list_newer_runs, list_runs, place_of
from app.runs.run_search import Place
from app.runs.states import RunState
from app.schedules.names import names_of_schedules
from app.tenants.access import Permission
from app.tenants.saved_views import ListName
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.formatting import count, state_label
from app.web.page_size import rows_per_page
from app.web.pages.log_query import number_of
from app.web.pages.missed_slots import missed_slots
from app.web.pages.places import read_place, write_place
from app.web.pages.run_log import earlier_log, first_log, next_log
from app.web.pages.run_picks import Pick, is_picked, read_picks
from app.web.pages.run_rows import run_lines
from app.web.pages.run_search import NARROWING, SOURCE_LABELS, SPANS, RunSearch, read_run_search
from app.web.pages.run_view import run_view, running_words
from app.web.pages.saved_views import view_bar
from app.web.pages.tabs import Tab
from app.web.permissions import route
from app.web.responses import fragment, go_to, page, wants_fragment

LINES_PER_READ = 1000
# What the address carries of where in the list somebody is.
_PLACES = ("older_than", "newer_than", "missed_before")
_TABS = (
    RunState.READY,
    RunState.RUNNING,
    RunState.WAITING,
    RunState.WAITING_RETRY,
    RunState.SUCCEEDED,
    RunState.FAILED,
    RunState.SKIPPED,
    RunState.MISSED,
    RunState.CANCELLED,
)


@dataclass(frozen=True)
class Narrowing:
    """“Schedule: Orders to the warehouse”, and where the list is without it."""

    text: str
    href: str


@dataclass(frozen=True)
class _Shown:
    """A page of the list. `why_none` says why there is none where the address leads to, if that is so."""

    page: Page
    is_first: bool
    why_none: str = ""


@dataclass(frozen=True)
class RunList:
    """What the list shows around its rows."""

    search: RunSearch
    picks: Sequence[Pick]
    tabs: list[Tab]
    spans: list[Tab]
    sources: list[tuple[str, str]]
    zone: str
    # What else it is narrowed to, each with the way to the list without that.
    narrowings: list[Narrowing]
    is_first: bool
    # “4,212 runs”; empty for a search, which does not know.
    total: str
    newer_href: str
    older_href: str
    # What was left out of a search, if anything was.
    looked: str
    # Why there is nothing where the address leads to, if that is so.
    why_none: str


@route(web, "/runs", permission=Permission.VIEW, empty_without_schema=True)
def runs() -> Response:
    """The runs, newest first. htmx gets the rows alone."""
    if schema_note():
        return page("overview/unready.html", subject="Runs")
    session, organization_id = request_session(), current_actor().organization_id
    search, picks = read_picks(request.args, read_run_search(request.args))
    if is_picked(request.args, picks):
        # An address that stays right whatever it will be called.
        return go_to(search.href())
    if search.is_on_own_clock:
        # An address that means the same to whoever else opens it.
        return go_to(_pinned_href(search, picks))
    here: dict[str, Any] = {"organization_id": organization_id, "run_filter": search.filter}
    shown = _shown(session, here)
    found = shown.page.rows
    rows = run_lines(found, read_notes(session, found, organization_id=organization_id))
    listing = _listing(search, picks, shown, count_runs(session, **here))
    if wants_fragment():
        return fragment("runs/_rows.html", rows=rows, listing=listing)
    missed = missed_slots(search, before=request.args.get("missed_before", ""))
    views = view_bar(ListName.RUNS, search.args)
    return page("runs/index.html", rows=rows, listing=listing, missed=missed, views=views)


@route(web, "/runs/<uuid:run_id>", permission=Permission.VIEW)
def run(run_id: UUID) -> Response:
    """One run. htmx gets everything but the log, which grows by itself. `go` is the number of a line to be led to."""
    line = number_of(request.args.get("go", ""))
    if line:
        return go_to(url_for("web.run", run_id=run_id, line=line, _anchor=f"L{line}"))
    view = run_view(run_id)
    if wants_fragment():
        return fragment("runs/_changes.html", view=view)
    return page("runs/show.html", view=view, log=first_log(view.run, request.args))


@route(web, "/runs/<uuid:run_id>/progress", permission=Permission.VIEW)
def run_progress(run_id: UUID) -> Response:
    """How far a run has come, while it goes on."""
    session, organization_id = request_session(), current_actor().organization_id
    found = get_run(session, organization_id=organization_id, run_id=run_id)
    said = newest_progress(session, organization_id=organization_id, run_id=run_id)
    return fragment("runs/_progress.html", run_id=run_id, running=running_words(found, said))


@route(web, "/runs/<uuid:run_id>/log", permission=Permission.VIEW)
def run_log(run_id: UUID) -> Response:
    """The lines before a number, or those behind one and what asks for those that follow while there may be any."""
    found = get_run(request_session(), organization_id=current_actor().organization_id, run_id=run_id)
    part = earlier_log if number_of(request.args.get("before", "")) else next_log
    return fragment("runs/_log_part.html", log=part(found, request.args))


@route(web, "/runs/<uuid:run_id>/log.txt", permission=Permission.VIEW)
def run_log_text(run_id: UUID) -> Response:
    """The whole log as a text file."""
    organization_id = current_actor().organization_id
    get_run(request_session(), organization_id=organization_id, run_id=run_id)
    response = Response(_log_text(runtime().database, organization_id, run_id), mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="run-{run_id}.txt"'
    return response


def _pinned_href(search: RunSearch, picks: Sequence[Pick]) -> str:
    """The same list with its times as instants. What could not be read stays in it, to be told there."""
    unread = {name: request.args[name] for name in NARROWING if request.args.get(name) and name not in search.args}
    unclear = {pick.picker.field: pick.typed for pick in picks if pick.problem}
    place = {name: request.args[name] for name in _PLACES if request.args.get(name)}
    return search.href(**unread, **unclear, **place)


def _shown(session: Session, here: dict[str, Any]) -> _Shown:
    """The page that the address names by the place it begins behind; the first one otherwise."""
    size = rows_per_page()
    try:
        newer_than = _place_named("newer_than")
        if newer_than is not None:
            newer = list_newer_runs(session, **here, limit=size, newer_than=newer_than)
            return _Shown(newer or list_runs(session, **here, limit=size), is_first=newer is None)
        older_than = _place_named("older_than")
    except PlaceGone as error:
        return _Shown(Page([], None), is_first=False, why_none=error.message)
    return _Shown(list_runs(session, **here, limit=size, older_than=older_than), is_first=older_than is None)


def _place_named(name: str) -> Place | None:
    """Where the list goes on; None where the address does not say so. Raises PlaceGone."""
    text = request.args.get(name, "")
    try:
        run_id = UUID(text)
    except ValueError:
        return read_place(text)
    # The run alone: as somebody writes it by hand, and as links did before.
    return place_of(request_session(), organization_id=current_actor().organization_id, run_id=run_id)


def _listing(search: RunSearch, picks: Sequence[Pick], shown: _Shown, total: int | None) -> RunList:
    found = shown.page
    older = search.href(older_than=write_place(found.older_than)) if found.older_than else ""
    newer = search.href(newer_than=write_place(found.newer_than)) if found.newer_than else ""
    is_cut = bool(search.filter.is_search and found.older_than and len(found.rows) < rows_per_page())
    return RunList(
        search=search,
        picks=picks,
        tabs=[_tab(search, None, "All"), *(_tab(search, state, state_label(state)) for state in _TABS)],
        spans=_spans(search),
        sources=[("", "Any trigger"), *((each.value, label) for each, label in SOURCE_LABELS.items())],
        zone=viewer_zone(),
        narrowings=_narrowings(search),
        is_first=shown.is_first,
        total=_total_words(total),
        newer_href="" if search.filter.is_search else newer,
        older_href=older,
        looked=f"Looked through {count(found.looked_at)} runs." if is_cut else "",
        why_none=shown.why_none,
    )


def _total_words(total: int | None) -> str:
    if not total:
        return ""
    return f"{count(min(total, MOST_COUNTED))}{'+' if total > MOST_COUNTED else ''} run{'' if total == 1 else 's'}"


def _tab(search: RunSearch, state: RunState | None, label: str) -> Tab:
    return Tab(label=label, href=search.with_state(state).href(), is_current=search.filter.state is state)


def _spans(search: RunSearch) -> list[Tab]:
    """The times to choose from by one press."""
    chosen = None if search.has_own_times else search.last
    choices = {"": "Any time", **{span: f"Last {label}" for span, (label, _length) in SPANS.items()}}
    return [Tab(label, search.with_span(span).href(), span == chosen) for span, label in choices.items()]


def _narrowings(search: RunSearch) -> list[Narrowing]:
    wanted = search.filter
    here = {"organization_id": current_actor().organization_id}
    schedules, jobs = ask_together(
        request_session(),
        None if wanted.schedule_id is None else names_of_schedules(**here, schedule_ids=[wanted.schedule_id]),
        None if wanted.job_id is None else names_of_jobs(**here, job_ids=[wanted.job_id]),
    )
    found = []
    # The history of what was deleted stays, and so do links to it.
    if wanted.schedule_id is not None:
        name = schedules.get(wanted.schedule_id, "a deleted one")
        found.append(Narrowing(f"Schedule: {name}", search.without_schedule().href()))
    if wanted.job_id is not None:
        name = jobs.get(wanted.job_id, "a deleted one")
        found.append(Narrowing(f"Job: {name}", search.without_job().href()))
    return found


def _log_text(database: Database, organization_id: UUID, run_id: UUID) -> Iterator[str]:
    # A short read for each part: a slow download must not keep one open.
    after = 0
    while True:
        with database.reading(Scope.tenant(organization_id)) as session:
            lines = read_lines(
                session, organization_id=organization_id, run_id=run_id, after=after, limit=LINES_PER_READ
            )
        yield from (_text_of(line) for line in lines)
        if len(lines) < LINES_PER_READ:
            return
        after = lines[-1].number


def _text_of(line: Line) -> str:
    return f"{line.at:%Y-%m-%dT%H:%M:%S}Z {line.level.value.upper():7} {line.text}\n"
