"""The form with which a run is started once more, with the parameters of the old one to be changed."""

from uuid import UUID

from flask import Response

from app.core.ids import new_id
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.kinds.base import KindName
from app.jobs.queries import get_job
from app.runs.queries import RunRow, get_run
from app.runs.repeats import RunNotRepeatable, arguments_to_repeat
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.formatting import absolute_time
from app.web.forms.arguments import ParametersForm, parameters_form
from app.web.pages.code_lines import function_of, has_parameters
from app.web.permissions import route
from app.web.responses import invalid


@route(web, "/runs/<uuid:run_id>/again", permission=Permission.RUN)
def run_again_form(run_id: UUID) -> Response:
    """The parameters of the old run, to be changed for the new one."""
    run = repeatable_run(run_id)
    return again_page(run, again_form(run))


def repeatable_run(run_id: UUID) -> RunRow:
    """A run of this organization. Raises RunNotFound and RunNotRepeatable."""
    run = get_run(request_session(), organization_id=current_actor().organization_id, run_id=run_id)
    if run.why_not_again is not None:
        raise RunNotRepeatable(run.why_not_again)
    return run


def again_form(run: RunRow) -> ParametersForm:
    """Filled by what was sent, or else by what the old run had."""
    session = request_session()
    job = get_job(session, organization_id=run.organization_id, job_id=run.job_id)
    return parameters_form(function_of(runtime().kinds, job), arguments_to_repeat(session, run=run, job=job))


def again_page(run: RunRow, form: ParametersForm, *, status: int = 200) -> Response:
    """The form, with the mistakes in it."""
    began = absolute_time(run.started_at or run.due_at, zone=viewer_zone(), now=request_now())
    return invalid("runs/again.html", status=status, run=run, form=form, began=began, request_key=new_id().hex)


def takes_parameters(run: RunRow) -> bool:
    """Whether the job of a run can be told anything, as it is now."""
    if run.kind != KindName.CODE.value or run.job_gone is not None:
        return False
    job = get_job(request_session(), organization_id=run.organization_id, job_id=run.job_id)
    return has_parameters(runtime().kinds, job)
