"""What the forms and buttons of jobs do: one command each, then a redirect."""

from dataclasses import replace
from uuid import UUID

from flask import Response, request, url_for

from app.core.db import on_commit
from app.core.errors import AppError, Conflict, Invalid
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import fresh_session, request_session, runtime
from app.jobs import service as jobs
from app.jobs.kinds.base import KindName
from app.jobs.queries import JobRow, get_job
from app.jobs.service import JobChanged, JobDraft
from app.jobs.services import is_destination
from app.runs import service as runs
from app.runs.in_hand import going_on_since
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.jobs import CodeForm, JobForm, SyncForm
from app.web.pages.job_form import form_page, job_form, refuse_fixed
from app.web.permissions import route
from app.web.responses import announce, empty, is_htmx, see_other, toast
from app.web.started import must_ask, started_words, this_press


class KindUnknown(Invalid):
    """The form does not say what kind of job it is."""


@route(web, "/jobs", permission=Permission.EDIT_JOBS, methods=["POST"])
def create_job() -> Response:
    """Make a job; without a script, show the fields of another function first when that is asked for."""
    form = job_form(_kind(), service=request.form.get("service", ""))
    if _is_reload(form):
        return form_page(form, job=None)
    try:
        if not form.validate():
            return form_page(form, job=None, status=422)
        job_id = _create(form)
    except (Invalid, Conflict) as error:
        return _refused(form, error, job=None)
    action = {"label": "Schedule it", "url": url_for("web.new_schedule", job=job_id), "post": False}
    return toast(see_other("web.jobs"), f"{_job(job_id).name} created.", action=action)


@route(web, "/jobs/<uuid:job_id>", permission=Permission.EDIT_JOBS, methods=["POST"])
def save_job(job_id: UUID) -> Response:
    """Change a job from the revision the person saw."""
    before = _job(job_id)
    refuse_fixed(before)
    form = job_form(before.kind, service=str(before.definition.get("service", "")))
    if _is_reload(form):
        return form_page(form, job=before)
    try:
        if not form.validate():
            return form_page(form, job=before, status=422)
        _revise(form, before)
    except (Invalid, Conflict) as error:
        return _refused(form, error, job=before)
    return toast(see_other("web.jobs"), f"{_job(job_id).name} saved. Its next run uses it.")


@route(web, "/jobs/<uuid:job_id>/run", permission=Permission.RUN, methods=["POST"])
def run_job(job_id: UUID) -> Response:
    """Start a job now, after a question while a run of it goes on. A double click is one run."""
    session, actor, now, press = request_session(), current_actor(), request_now(), this_press()
    if must_ask(press, going_on_since(session, organization_id=actor.organization_id, job_id=job_id)):
        return see_other("web.confirm_job_run", job_id=job_id)
    run_id = runs.run_job_now(session, actor=actor, job_id=job_id, request_key=press.key, now=now)
    on_commit(session, runtime().dispatch)
    action = {"label": "View run", "url": url_for("web.run", run_id=run_id), "post": False}
    response = announce(empty(), **{"live:runs": True}) if is_htmx() else see_other("web.jobs")
    return toast(response, started_words(run_id, _job(job_id).name), action=action)


@route(web, "/jobs/<uuid:job_id>/delete", permission=Permission.EDIT_JOBS, methods=["POST"])
def delete_job(job_id: UUID) -> Response:
    """Delete a job, with its schedules."""
    name = _job(job_id).name
    session = request_session()
    runs.delete_job(session, actor=current_actor(), job_id=job_id, now=request_now())
    # Other runs may have waited for those that end with it.
    on_commit(session, runtime().dispatch)
    return toast(see_other("web.jobs"), f"{name} deleted. Its history stays.")


def _create(form: JobForm) -> UUID:
    return jobs.create_job(
        request_session(), actor=current_actor(), kinds=runtime().kinds, draft=form.draft(), now=request_now()
    )


def _revise(form: JobForm, before: JobRow) -> None:
    # The kind is the stored one, whatever was sent.
    form.kind.data = before.kind.value
    session = request_session()
    runs.revise_job(
        session,
        actor=current_actor(),
        kinds=runtime().kinds,
        job_id=before.id,
        draft=_draft(form, before),
        revision=form.seen_revision,
        now=request_now(),
    )
    # A limit of its own may let more of its runs start.
    on_commit(session, runtime().dispatch)


def _draft(form: JobForm, before: JobRow) -> JobDraft:
    if isinstance(form, SyncForm):
        return replace(form.draft(), definition=form.definition_over(before.definition))
    return form.draft()


def _kind() -> KindName:
    text = request.form.get("kind", "")
    is_made_by_connecting = text == KindName.SYNC and not is_destination(request.form.get("service"))
    if text not in set(KindName) or is_made_by_connecting:
        raise KindUnknown("Choose what kind of job it is.", field="kind")
    return KindName(text)


def _is_reload(form: JobForm) -> bool:
    return isinstance(form, CodeForm) and bool(form.reload.data)


def _job(job_id: UUID) -> JobRow:
    return get_job(fresh_session(), organization_id=current_actor().organization_id, job_id=job_id)


def _refused(form: JobForm, error: AppError, *, job: JobRow | None) -> Response:
    is_outdated = isinstance(error, JobChanged) and job is not None
    if job is not None and is_outdated:
        form.show_outdated("job")
        # Nothing is lost: pressing Save once more, now knowingly, puts what was typed over the newer one.
        form.revision.data = str(job.revision)
    else:
        form.show_error(error)
    return form_page(form, job=job, status=status_of(error), is_outdated=is_outdated)
