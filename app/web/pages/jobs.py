"""Pages of jobs: the list, the choice of a kind, the form. What their forms do is in actions/jobs.py."""

from uuid import UUID

from flask import Response, request

from app.edge.identity import current_actor
from app.edge.runtime import request_session, runtime
from app.jobs.kinds.base import KindName
from app.jobs.queries import get_job
from app.jobs.services import is_destination
from app.schedules.queries import list_schedules_of_job
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.jobs import fresh_values, stored_values
from app.web.forms.push import fresh_push, stored_push
from app.web.pages.job_form import form_page, job_form, refuse_fixed, refuse_kept
from app.web.pages.job_rows import read_jobs
from app.web.pages.rights import refusals
from app.web.pages.schedule_detail import count_waiting
from app.web.permissions import route
from app.web.responses import fragment, page, page_or_fragment


@route(web, "/jobs", permission=Permission.VIEW)
def jobs() -> Response:
    """All jobs."""
    rows = read_jobs(request_session(), organization_id=current_actor().organization_id, kinds=runtime().kinds)
    return page_or_fragment("jobs/index.html", "jobs/_table.html", rows=rows, refused=refusals())


@route(web, "/jobs/new", permission=Permission.EDIT_JOBS)
def new_job() -> Response:
    """The empty form of a kind, or the choice between the kinds."""
    kind, service = request.args.get("kind", ""), request.args.get("service", "")
    if kind not in set(KindName) or (kind == KindName.SYNC and not is_destination(service)):
        return page("jobs/choose.html")
    name, function = request.args.get("name", ""), request.args.get("function", "")
    data = {**fresh_values(KindName(kind)), "name": name}
    if kind == KindName.SYNC:
        chosen = {word: request.args.get(word, "") for word in ("connection_id", "source")}
        data |= fresh_push(**chosen)
    return form_page(job_form(KindName(kind), data, function=function, service=service), job=None)


@route(web, "/jobs/arguments", permission=Permission.EDIT_JOBS)
def job_arguments() -> Response:
    """The fields of one function's arguments, for the form when another function is chosen."""
    form = job_form(KindName.CODE, function=request.args.get("function", ""))
    return fragment("jobs/_arguments.html", form=form)


@route(web, "/jobs/<uuid:job_id>/edit", permission=Permission.EDIT_JOBS)
def edit_job(job_id: UUID) -> Response:
    """The form of an existing job."""
    job = get_job(request_session(), organization_id=current_actor().organization_id, job_id=job_id)
    refuse_fixed(job)
    function = request.args.get("function") or str(job.definition.get("function", ""))
    service = str(job.definition.get("service", ""))
    data = stored_values(job) | stored_push(job.definition)
    return form_page(job_form(job.kind, data, function=function, service=service), job=job)


@route(web, "/jobs/<uuid:job_id>/delete", permission=Permission.EDIT_JOBS)
def confirm_job_deletion(job_id: UUID) -> Response:
    """The question before a job is deleted, naming what goes with it."""
    session, organization_id = request_session(), current_actor().organization_id
    job = get_job(session, organization_id=organization_id, job_id=job_id)
    refuse_kept(job)
    schedules = list_schedules_of_job(session, organization_id=organization_id, job_id=job_id)
    waiting = count_waiting(session, organization_id=organization_id, job_id=job_id)
    return page("jobs/delete.html", job=job, schedules=schedules, waiting=waiting)
