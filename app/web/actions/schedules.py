"""What the forms and buttons of schedules do: one command each, then a redirect, or news for the page by htmx."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.core.db import on_commit
from app.core.errors import AppError, Conflict, Invalid, NotFound
from app.edge.database import roll_back
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import fresh_session, request_session, runtime
from app.ops.schedule_effects import standing_of
from app.ops.schedule_preview import twin_note_of
from app.runs import service as runs
from app.runs.in_hand import going_on_since
from app.runs.resuming import MissedMoreMeanwhile, missed_meanwhile
from app.schedules import service as schedules
from app.schedules.drafts import draft_of
from app.schedules.owners import OwnerChanged, refuse_other_owner, set_owner
from app.schedules.policies import Missed
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.service import ScheduleChanged
from app.schedules.slot_accounts import MadeUp
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.formatting import relative_time
from app.web.forms.schedule_checks import check
from app.web.forms.schedules import ScheduleForm
from app.web.pages.form_conflict import conflict_of
from app.web.pages.schedule_form import form_page, is_in_dialog, schedule_form
from app.web.pages.undo import undo_of_saving
from app.web.permissions import route
from app.web.responses import ToastKind, announce, close_dialog, empty, go_to, is_htmx, see_other, toast
from app.web.session import local_address
from app.web.started import must_ask, started_words, this_press


class SwitchUnclear(Invalid):
    """The request does not say whether the schedule is to be on or off."""


@route(web, "/schedules", permission=Permission.EDIT_SCHEDULES, methods=["POST"])
def create_schedule() -> Response:
    """Make a schedule; without a script, show the next runs first when that is asked for."""
    form = schedule_form()
    if form.preview.data:
        check(form, before=None, now=request_now())
        return form_page(form, schedule=None)
    try:
        if not check(form, before=None, now=request_now()):
            return form_page(form, schedule=None, status=422)
        session, actor, now = request_session(), current_actor(), request_now()
        schedule_id = schedules.create_schedule(session, actor=actor, draft=form.draft(), now=now)
        if form.gives_away:
            set_owner(session, actor=actor, schedule_id=schedule_id, owner_id=form.chosen_owner, now=now)
    except (Invalid, Conflict, NotFound) as error:
        return _refused(form, error, schedule=None)
    row = _schedule(schedule_id)
    undo = {"label": "Undo", "url": url_for("web.delete_schedule", schedule_id=row.id), "post": True}
    return _done(row, f"{row.name} created.", undo)


@route(web, "/schedules/<uuid:schedule_id>", permission=Permission.EDIT_SCHEDULES, methods=["POST"])
def save_schedule(schedule_id: UUID) -> Response:
    """Change a schedule from the version the person saw."""
    before, form = _schedule(schedule_id), schedule_form()
    if form.preview.data:
        check(form, before=before, now=request_now())
        return form_page(form, schedule=before)
    try:
        if not check(form, before=before, now=request_now()):
            return form_page(form, schedule=before, status=422)
        _edit(form, before)
    except (Invalid, Conflict, NotFound) as error:
        return _refused(form, error, schedule=before)
    return _saved(before)


@route(web, "/schedules/<uuid:schedule_id>/enabled", permission=Permission.EDIT_SCHEDULES, methods=["POST"])
def switch_schedule(schedule_id: UUID) -> Response:
    """Switch a schedule on or off. One that missed something meanwhile is switched on when it is said what of that."""
    is_on, missed = wanted_switch()
    session, actor, now = request_session(), current_actor(), request_now()
    if is_on and missed is None and missed_meanwhile(_schedule(schedule_id), now=now) is not None:
        return go_to(url_for("web.resume_schedule", schedule_id=schedule_id, next=_next()))
    choice = missed or Missed.SKIP
    try:
        made_up = runs.switch_schedule(
            session, actor=actor, schedule_id=schedule_id, enabled=is_on, now=now, missed=choice, seen=seen_slots()
        )
    except MissedMoreMeanwhile as error:
        return toast(
            see_other("web.resume_schedule", schedule_id=schedule_id, next=_next()), error.message, kind=ToastKind.ERROR
        )
    on_commit(session, runtime().dispatch)
    row = _schedule(schedule_id)
    words = f"{row.name} enabled. {made_up_words(made_up)} {_next_run(row)}" if row.enabled else f"{row.name} disabled."
    return toast(_back(), " ".join(words.split()), action=_undo(row))


@route(web, "/schedules/<uuid:schedule_id>/run", permission=Permission.RUN, methods=["POST"])
def run_schedule(schedule_id: UUID) -> Response:
    """Start a schedule's job now. A double click is one run, because both clicks carry the same key.

    While a run of it goes on, it is asked first whether another one is to go on beside it.
    """
    session, actor, now, press = request_session(), current_actor(), request_now(), this_press()
    since = going_on_since(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    if must_ask(press, since):
        return see_other("web.confirm_schedule_run", schedule_id=schedule_id, next=_next())
    run_id = runs.run_schedule_now(session, actor=actor, schedule_id=schedule_id, request_key=press.key, now=now)
    on_commit(session, runtime().dispatch)
    action = {"label": "View run", "url": url_for("web.run", run_id=run_id), "post": False}
    return toast(_back(), started_words(run_id, _schedule(schedule_id).name), action=action)


@route(web, "/schedules/<uuid:schedule_id>/delete", permission=Permission.EDIT_SCHEDULES, methods=["POST"])
def delete_schedule(schedule_id: UUID) -> Response:
    """Delete a schedule. Where runs of it wait or go on, that is told of first."""
    row = _schedule(schedule_id)
    session, actor, now = request_session(), current_actor(), request_now()
    standing = standing_of(session, row, now=now)
    if request.form.get("sure") != "yes" and (standing.waiting or standing.running or standing.due):
        return see_other("web.confirm_schedule_deletion", schedule_id=schedule_id)
    runs.delete_schedule(session, actor=actor, schedule_id=schedule_id, now=now)
    # Other runs may have waited for those that end with it.
    on_commit(session, runtime().dispatch)
    undo = {"label": "Undo", "url": url_for("web.restore_deleted_schedule", schedule_id=schedule_id), "post": True}
    is_in_list = is_htmx() or _next() is not None
    return toast(_back() if is_in_list else see_other("web.schedules"), f"{row.name} deleted.", action=undo)


def wanted_switch() -> tuple[bool, Missed | None]:
    """Whether on or off is asked for, and what of the missed slots, where that is said. Raises SwitchUnclear."""
    wanted, missed = request.values.get("enabled", ""), request.values.get("missed")
    if wanted not in {"yes", "no"}:
        raise SwitchUnclear("Say whether the schedule is to be on or off.", field="enabled")
    if missed is not None and missed not in set(Missed):
        raise SwitchUnclear("Say what is to become of the missed slots: skip, latest or all.", field="missed")
    return wanted == "yes", None if missed is None else Missed(missed)


def seen_slots() -> int | None:
    """How many missed slots the page told of that somebody answers; None where they saw none, or sent nonsense."""
    text = request.form.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def made_up_words(made_up: MadeUp) -> str:
    """What becomes of missed slots, for a toast."""
    if made_up.slots == 0:
        left = "1 missed slot stays missed." if made_up.left == 1 else f"{made_up.left:,} missed slots stay missed."
        return left if made_up.left else ""
    which = "The latest missed slot is" if made_up.slots == 1 else f"{made_up.slots} missed slots are"
    rest = f"{made_up.left:,} {'stays' if made_up.left == 1 else 'stay'} missed." if made_up.left else ""
    what = f"{which} made up for." if made_up.why_skipped is None else f"{which} skipped: {made_up.why_skipped}"
    return f"{what} {rest}".strip()


def _saved(before: ScheduleRow) -> Response:
    on_commit(request_session(), runtime().dispatch)
    row = _schedule(before.id)
    undo = undo_of_saving(before, row)
    return _done(row, f"{row.name} saved.", undo)


def _done(row: ScheduleRow, words: str, undo: Mapping[str, Any] | None) -> Response:
    """What was done, when it runs next, and the way back: in the dialog the page stays, else the list comes."""
    run_now = {"label": "Run now", "url": url_for("web.run_schedule", schedule_id=row.id), "post": True}
    response = close_dialog(_back()) if is_in_dialog() else see_other("web.schedules")
    return toast(response, _words(words, row), action=undo, more=run_now)


def _words(begin: str, row: ScheduleRow) -> str:
    """What was done, when it runs next, and whether its job has the same times already."""
    warning = twin_note_of(request_session(), schedule=row, now=request_now()) or ""
    return " ".join(f"{begin} {_next_run(row)} {warning}".split())


def _edit(form: ScheduleForm, before: ScheduleRow) -> None:
    if form.gives_away:
        refuse_other_owner(before, seen=form.seen_owner)
        session, actor, now = request_session(), current_actor(), request_now()
        set_owner(session, actor=actor, schedule_id=before.id, owner_id=form.chosen_owner, now=now)
        if form.draft(before) == draft_of(before):
            # Whose it is says nothing of when it runs, so this makes no version.
            return
    runs.edit_schedule(
        request_session(),
        actor=current_actor(),
        schedule_id=before.id,
        draft=form.draft(before),
        version=form.seen_version,
        now=request_now(),
        missed=form.wanted_of_missed,
        seen=seen_slots(),
    )


def _schedule(schedule_id: UUID) -> ScheduleRow:
    return get_schedule(fresh_session(), organization_id=current_actor().organization_id, schedule_id=schedule_id)


def _refused(form: ScheduleForm, error: AppError, *, schedule: ScheduleRow | None) -> Response:
    # A database that refused something answers nothing more in that transaction.
    roll_back(runtime().requests)
    conflict = None
    if schedule is not None and isinstance(error, ScheduleChanged):
        form.show_outdated("schedule")
        schedule = _schedule(schedule.id)
        conflict = conflict_of(form, schedule)
        # Nothing is lost: pressing Save once more, now knowingly, puts what was typed over the newer version.
        form.version.data = str(schedule.version)
    else:
        form.show_error(error)
    if schedule is not None and isinstance(error, OwnerChanged):
        form.owner_was.data = str(_schedule(schedule.id).owner_id or "")
    return form_page(form, schedule=schedule, status=status_of(error), conflict=conflict)


def _next_run(row: ScheduleRow) -> str:
    if row.next_run_at is None:
        return ""
    return f"Next run {relative_time(row.next_run_at, now=request_now(), zone=viewer_zone())}."


def _undo(row: ScheduleRow) -> dict[str, Any]:
    address = url_for("web.switch_schedule", schedule_id=row.id, enabled="no" if row.enabled else "yes", next=_next())
    return {"label": "Undo", "url": address, "post": True}


def _back() -> Response:
    """Where the button was: by htmx the page stays and refreshes what changed."""
    if is_htmx():
        return announce(empty(), **{"live:schedules": True})
    return go_to(_next() or url_for("web.schedules"))


def _next() -> str | None:
    return local_address(request.values.get("next"))
