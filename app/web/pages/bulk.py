"""Pages of bulk actions: all of them, one with what became of each thing, and the question before one starts."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.core.errors import AppError
from app.edge.errors import status_of
from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import request_session
from app.ops.bulk.kinds import BulkKind
from app.ops.bulk.queries import BulkRow, ItemRow, get_bulk_action, list_bulk_actions, list_items
from app.ops.bulk.registry import KINDS
from app.ops.bulk.runs import RUNS
from app.ops.bulk.selected_runs import read_selected_runs, told_before_runs
from app.ops.bulk.selected_schedules import read_selected, told_before
from app.ops.bulk.service import find_kind
from app.ops.bulk.states import BulkState, ItemState
from app.schedules.policies import Missed
from app.tenants.access import SMALLEST_ROLE, Permission, may
from app.web.blueprint import web
from app.web.forms.bulk import BulkForm
from app.web.navigation import stand_under
from app.web.pages.places import read_place, write_place
from app.web.pages.tabs import Tab
from app.web.permissions import route
from app.web.responses import go_to, invalid, page, page_or_fragment, wants_dialog, wants_fragment
from app.web.session import local_address

ROWS_PER_PAGE = 50
_MOST_NAMED = 10
_TABS = {
    "": ("All", tuple(ItemState)),
    "done": ("Done", (ItemState.DONE,)),
    "refused": ("Could not be", (ItemState.REFUSED,)),
    "unchanged": ("Were so already", (ItemState.UNCHANGED,)),
    "pending": ("To go", (ItemState.PENDING,)),
}
# The page of one thing, by the family that it is of.
_PAGES = {"schedules": ("web.schedule", "schedule_id"), "runs": ("web.run", "run_id")}


@dataclass(frozen=True)
class BulkView:
    """One bulk action as its page shows it. `kinds` are what can be done to what is only selected yet."""

    row: BulkRow
    items: list[ItemRow]
    tabs: list[Tab]
    kinds: list[BulkKind]
    back: str
    newer_href: str
    older_href: str
    refused: str

    def link_of(self, item: ItemRow) -> str:
        """The page of a thing, where it had a name and this did not delete it."""
        is_gone = self.row.kind_name.endswith(".delete") and item.state is ItemState.DONE and not self.row.is_undo
        has_page = bool(item.name) and not is_gone
        found = _PAGES.get(self.row.family.name) if has_page and self.row.family is not None else None
        values: dict[str, Any] = {} if found is None else {found[1]: item.object_id}
        return "" if found is None else url_for(found[0], **values)


@dataclass(frozen=True)
class BulkQuestion:
    """What is asked and told before it starts. `asks_missed` where something was missed while they were off."""

    row: BulkRow
    kind: BulkKind
    heading: str
    names: list[str]
    more: int
    lines: list[str]
    asks_missed: bool
    problem: str
    back: str

    @property
    def asks_pace(self) -> bool:
        """Whether it can be done a few at a time."""
        return self.kind.paced_above is not None and self.row.total > 1

    @property
    def must_type(self) -> bool:
        """Whether the number has to be typed."""
        return self.kind.must_type(self.row.total)


@route(web, "/bulk", permission=Permission.VIEW)
def bulk_actions() -> Response:
    """All of the last thirty days, the newest first."""
    rows = list_bulk_actions(
        request_session(),
        organization_id=current_actor().organization_id,
        limit=ROWS_PER_PAGE + 1,
        before=read_place(request.args.get("before", "")),
    )
    shown = rows[:ROWS_PER_PAGE]
    older = ""
    if len(rows) > len(shown):
        last = shown[-1]
        older = url_for("web.bulk_actions", before=write_place((last.created_at, last.id)))
    return page("bulk/index.html", rows=shown, older_href=older, newest_href=_newest_href())


@route(web, "/bulk/<uuid:bulk_id>", permission=Permission.VIEW)
def bulk_action(bulk_id: UUID) -> Response:
    """One of them: how far it is, and what became of each thing."""
    return page_or_fragment("bulk/show.html", "bulk/_bulk.html", view=read_view(bulk_id))


@route(web, "/bulk/<uuid:bulk_id>/start", permission=Permission.RUN)
def confirm_bulk_action(bulk_id: UUID) -> Response:
    """The question before something is done to a selection."""
    row = get_bulk_action(request_session(), organization_id=current_actor().organization_id, bulk_id=bulk_id)
    kind = find_kind(request.args.get("action", ""))
    if row.state is not BulkState.DRAFT:
        return go_to(url_for("web.bulk_action", bulk_id=bulk_id))
    return question_page(bulk_id, kind, fresh_form())


def fresh_form() -> BulkForm:
    """The form before anything was typed."""
    return BulkForm(None, data={"missed": Missed.SKIP.value, "timezone": current_person().timezone})


def paced(kind: BulkKind, pace: str | None) -> int | None:
    """How many a minute somebody chose; None where they chose nothing, or all at once."""
    return kind.per_minute if kind.paced_above is not None and pace == "paced" else None


def question_page(bulk_id: UUID, kind: BulkKind, form: BulkForm, *, error: AppError | None = None) -> Response:
    """The question in the page's dialog or as a page; with what was refused when somebody answered it."""
    question = _read_question(bulk_id, kind)
    if error is not None:
        form.show_error(error)
    is_paced = kind.pace(question.row.total) is not None if error is None else None
    form.offer_paces(kind.per_minute, question.row.total, is_paced=is_paced)
    is_in_dialog = wants_dialog() or (wants_fragment() and request.values.get("dialog") == "yes")
    template = "bulk/_question_dialog.html" if is_in_dialog else "bulk/question.html"
    status = 200 if error is None else status_of(error)
    return invalid(template, status=status, question=question, form=form, in_dialog=is_in_dialog)


def read_view(bulk_id: UUID) -> BulkView:
    """Everything that the page shows. Raises BulkActionNotFound."""
    session, actor = request_session(), current_actor()
    row = get_bulk_action(session, organization_id=actor.organization_id, bulk_id=bulk_id)
    _stand_under(row)
    chosen, after = request.args.get("show", ""), _after()
    chosen = chosen if chosen in _TABS else ""
    items = list_items(
        session, organization_id=actor.organization_id, bulk_id=bulk_id, limit=ROWS_PER_PAGE + 1, after=after,
        states=_TABS[chosen][1],
    )  # fmt: skip
    shown = items[:ROWS_PER_PAGE]
    here: dict[str, Any] = {"bulk_id": bulk_id, "show": chosen or None}
    older = url_for("web.bulk_action", **here, after=shown[-1].position) if len(items) > len(shown) else ""
    return BulkView(
        row=row,
        items=shown,
        tabs=_tabs(row, chosen),
        kinds=[kind for kind in KINDS.values() if row.kind is None and kind.family is row.family],
        back=url_for("web.bulk_action", **here, after=after if after >= 0 else None),
        newer_href=url_for("web.bulk_action", **here) if after >= 0 else "",
        older_href=older,
        refused=_refusal(row),
    )


def _stand_under(row: BulkRow) -> None:
    """What is done to many runs begins at the queue, and the menu says so."""
    if row.family is RUNS:
        stand_under("web.queue")


def _refusal(row: BulkRow) -> str:
    """Why this person may not stop or undo it; empty when they may."""
    if row.kind is None or may(current_actor(), row.kind.permission):
        return ""
    needed = SMALLEST_ROLE[row.kind.permission].value
    return f"Your role here is {current_actor().role.value}; this needs {needed} or higher."


def _tabs(row: BulkRow, chosen: str) -> list[Tab]:
    counts = {
        "": row.total, "done": row.done, "refused": row.refused, "unchanged": row.unchanged, "pending": row.pending,
    }  # fmt: skip
    return [
        Tab(label, url_for("web.bulk_action", bulk_id=row.id, show=name or None), name == chosen, counts[name])
        for name, (label, _states) in _TABS.items()
        if not name or counts[name] or name == chosen
    ]


def _read_question(bulk_id: UUID, kind: BulkKind) -> BulkQuestion:
    session, actor, now = request_session(), current_actor(), request_now()
    row = get_bulk_action(session, organization_id=actor.organization_id, bulk_id=bulk_id)
    _stand_under(row)
    items = list_items(session, organization_id=actor.organization_id, bulk_id=bulk_id, limit=_MOST_NAMED)
    names = [item.name for item in items if item.name]
    if kind.family is RUNS:
        return _question_of_runs(row, kind, names)
    found = read_selected(session, organization_id=actor.organization_id, bulk_id=bulk_id, now=now)
    return BulkQuestion(
        row=row,
        kind=kind,
        heading=kind.ask_of(row.total),
        names=names,
        more=row.total - len(names),
        lines=told_before(kind.name, found),
        asks_missed=found.missed > 0,
        problem=_problem(kind, row, found.found),
        back=local_address(request.values.get("next")) or url_for("web.schedules"),
    )


def _question_of_runs(row: BulkRow, kind: BulkKind, names: list[str]) -> BulkQuestion:
    session, organization_id = request_session(), current_actor().organization_id
    found = read_selected_runs(session, organization_id=organization_id, bulk_id=row.id, total=row.total)
    # Many of them have the same name.
    shown = list(dict.fromkeys(names))
    return BulkQuestion(
        row=row,
        kind=kind,
        heading=kind.ask_of(row.total),
        names=shown,
        more=0 if row.total <= len(names) else row.total - len(names),
        lines=[*told_before_runs(kind.name, found), *([row.left_words] if row.left_words else [])],
        asks_missed=False,
        problem=_problem(kind, row, found.found),
        back=local_address(request.values.get("next")) or url_for("web.queue", tab="dead"),
    )


def _problem(kind: BulkKind, row: BulkRow, found: int) -> str:
    """Why it cannot be started at all."""
    if row.total > kind.most:
        return f"{kind.button} does at most {kind.family.counted(kind.most)} at once. {row.total:,} are selected."
    return "" if found else "None of them is here any more."


def _after() -> int:
    text = request.args.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


def _newest_href() -> str:
    return url_for("web.bulk_actions") if "before" in request.args else ""
