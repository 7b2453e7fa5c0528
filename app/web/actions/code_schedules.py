"""What platform admins do to schedules and jobs in code: one command each, then back to the page."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import Response, request, url_for

from app.core.db import on_commit
from app.core.errors import AppError, Conflict, Invalid
from app.edge.errors import status_of
from app.edge.identity import acting_for_installation, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.kinds.base import DefinitionInvalid
from app.jobs.queries import JobRow, get_job
from app.ops import code_schedules as commands
from app.ops.code_rows import get_code_job, get_code_schedule
from app.runs.in_hand import going_on_since
from app.runs.resuming import MissedMoreMeanwhile
from app.schedules.policies import Missed
from app.web.actions.schedules import made_up_words, seen_slots, wanted_switch
from app.web.blueprint import web
from app.web.forms.base import text_of
from app.web.forms.code_schedules import CodeTimesForm, NotesForm
from app.web.pages.code_schedules import (
    code_page,
    missed_of,
    parameters_of,
    read_code_schedule,
    run_page,
    times_page,
)
from app.web.permissions import route
from app.web.responses import ToastKind, go_to, see_other, toast
from app.web.started import must_ask, started_words, this_press


@route(web, "/admin/schedules/<code_id>/enabled", platform_admin=True, methods=["POST"])
def switch_code_schedule(code_id: str) -> Response:
    """Switch one on or off. One that missed something meanwhile is switched on when it is said what of that."""
    is_on, missed = wanted_switch()
    if is_on and missed is None and missed_of(code_id) is not None:
        return see_other("web.resume_code_schedule", code_id=code_id)
    choice = missed or Missed.SKIP
    try:
        with acting_for_installation() as (session, actor):
            made_up = commands.switch_code_schedule(
                session, actor=actor, code_id=code_id, enabled=is_on, now=request_now(), missed=choice,
                seen=seen_slots(),
            )  # fmt: skip
    except MissedMoreMeanwhile as error:
        return toast(see_other("web.resume_code_schedule", code_id=code_id), error.message, kind=ToastKind.ERROR)
    on_commit(request_session(), runtime().dispatch)
    undo = url_for("web.switch_code_schedule", code_id=code_id, enabled="no" if is_on else "yes")
    action = {"label": "Undo", "url": undo, "post": True}
    words = f"{code_id} enabled. {made_up_words(made_up)}" if is_on else f"{code_id} disabled."
    return toast(_back(), words.strip(), action=action)


@route(web, "/admin/schedules/<code_id>/run", platform_admin=True, methods=["POST"])
def run_code_schedule(code_id: str) -> Response:
    """Start what one starts, now. A double click is one run."""
    with acting_for_installation() as (session, actor):
        row = get_code_schedule(session, code_id=code_id, now=request_now())
        job = get_job(session, organization_id=actor.organization_id, job_id=row.schedule.job_id)
    url = url_for("web.run_code_schedule", code_id=code_id)
    return _run(job, code_id, url, partial(commands.run_code_schedule, code_id=code_id))


@route(web, "/admin/code-jobs/<code_name>/run", platform_admin=True, methods=["POST"])
def run_code_job(code_name: str) -> Response:
    """Start a job alone, now. A double click is one run."""
    with acting_for_installation() as (session, _actor):
        job = get_code_job(session, code_name=code_name).job
    url = url_for("web.run_code_job", code_name=code_name)
    return _run(job, code_name, url, partial(commands.run_code_job, code_name=code_name))


@route(web, "/admin/schedules/<code_id>/edit", platform_admin=True, methods=["POST"])
def save_code_schedule(code_id: str) -> Response:
    """Say otherwise than the code when one runs."""
    form = CodeTimesForm()
    line, _history = read_code_schedule(code_id)
    if not form.validate():
        return times_page(line, form, status=422)
    try:
        with acting_for_installation() as (session, actor):
            commands.change_code_schedule(
                session, actor=actor, code_id=code_id, changes=form.changes(), now=request_now()
            )
    except (Invalid, Conflict) as error:
        form.show_error(error)
        return times_page(line, form, status=status_of(error))
    on_commit(request_session(), runtime().dispatch)
    return toast(see_other("web.code_schedule", code_id=code_id), f"{code_id} saved.")


@route(web, "/admin/schedules/<code_id>/revert", platform_admin=True, methods=["POST"])
def revert_code_schedule(code_id: str) -> Response:
    """Have one again as the code says it."""
    with acting_for_installation() as (session, actor):
        did_revert = commands.revert_code_schedule(session, actor=actor, code_id=code_id, now=request_now())
    on_commit(request_session(), runtime().dispatch)
    words = "runs as the code says again." if did_revert else "runs as the code says already."
    return toast(see_other("web.code_schedule", code_id=code_id), f"{code_id} {words}")


@route(web, "/admin/schedules/<code_id>/notes", platform_admin=True, methods=["POST"])
def save_code_notes(code_id: str) -> Response:
    """Keep notes about one."""
    form = NotesForm()
    try:
        with acting_for_installation() as (session, actor):
            notes = text_of(form.notes)
            commands.write_notes(session, actor=actor, code_id=code_id, notes=notes, now=request_now())
    except Invalid as error:
        return _refused_notes(code_id, form, error)
    return toast(see_other("web.code_schedule", code_id=code_id), "Notes saved.")


def _run(job: JobRow, name: str, url: str, start: Callable[..., UUID]) -> Response:
    """Start with the parameters that were sent, or show them again with what is wrong."""
    form = parameters_of(job)
    given = form.given() if "parameters" in request.form else {}
    try:
        with acting_for_installation() as (session, actor):
            here = actor.organization_id
            press = this_press(session, here)
            if must_ask(press, going_on_since(session, organization_id=here, job_id=job.id)):
                # The form of its parameters says so, and has the button for it.
                return go_to(url)
            run_id = start(
                session, actor=actor, kinds=runtime().kinds, arguments=given, request_key=press.key, now=request_now(),
            )  # fmt: skip
            words = started_words(run_id, name, session=session, organization_id=here)
    except DefinitionInvalid as refused:
        form.show_problems(refused)
        return run_page(job, name, url, form, status=status_of(refused))
    on_commit(request_session(), runtime().dispatch)
    return toast(_back(), words)


def _refused_notes(code_id: str, form: NotesForm, error: AppError) -> Response:
    form.show_error(error)
    line, history = read_code_schedule(code_id)
    return code_page(line, history, form, status=status_of(error))


def _back() -> Response:
    return see_other("web.code_schedules")
