"""What the form and the buttons of chains do: one command each, then the page again."""

from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.core.errors import Conflict, Forbidden, Invalid
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.chains import ChainRow, add_chain, remove_chain
from app.jobs.queries import get_job
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.chains import ChainForm
from app.web.pages.chains import chains_page, other_jobs
from app.web.permissions import route
from app.web.responses import see_other, toast


@route(web, "/jobs/<uuid:job_id>/chains", permission=Permission.EDIT_JOBS, methods=["POST"])
def add_job_chain(job_id: UUID) -> Response:
    """Let a job start another one."""
    session, actor = request_session(), current_actor()
    job = get_job(session, organization_id=actor.organization_id, job_id=job_id)
    # An Undo says in its address what was removed.
    form = ChainForm(other_jobs(job_id), formdata=request.values)
    if not form.validate():
        return chains_page(job_id, status=422, form=form)
    try:
        # Within, so that the page can be read after a refused write as well.
        with session.begin_nested():
            add_chain(session, actor=actor, kinds=runtime().kinds, draft=form.draft(job_id), now=request_now())
    except (Invalid, Conflict, Forbidden) as error:
        form.show_error(error)
        return chains_page(job_id, status=status_of(error), form=form)
    return toast(see_other("web.chains", job_id=job_id), f"Saved. Runs of {job.name} that end from now on follow it.")


@route(web, "/jobs/<uuid:job_id>/chains/<uuid:chain_id>/removal", permission=Permission.EDIT_JOBS, methods=["POST"])
def remove_job_chain(job_id: UUID, chain_id: UUID) -> Response:
    """Let a job no longer start another one."""
    gone = remove_chain(request_session(), actor=current_actor(), job_id=job_id, chain_id=chain_id, now=request_now())
    words = f"{gone.job_name} does not start {gone.then_job_name} any more."
    return toast(see_other("web.chains", job_id=job_id), words, action=_undo(gone))


def _undo(gone: ChainRow) -> dict[str, Any] | None:
    """The button that adds it once more. Parameters are typed anew: addresses end up in logs."""
    if gone.parameters:
        return None
    said: dict[str, Any] = {"outcome": gone.outcome.value, "then_job_id": gone.then_job_id}
    return {"label": "Undo", "url": url_for("web.add_job_chain", job_id=gone.job_id, **said), "post": True}
