"""`/jobs`: what can be run."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field

from app.api.job_shapes import JobChange, JobIn, JobOut, newest_job, shown_job
from app.api.models import Body, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.api.resources.runs import RunStartedOut
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs import service as jobs
from app.jobs.given_arguments import GivenArguments
from app.jobs.queries import list_jobs as read_jobs
from app.jobs.queries import lock_job
from app.runs import service as runs
from app.tenants.access import Permission


@resource("GET", "/jobs", permission=Permission.VIEW, query=Paging, answer=JobOut, is_list=True)
def list_jobs(query: Paging) -> Page[JobOut]:
    """Jobs, by name."""
    rows = read_jobs(request_session(), organization_id=current_actor().organization_id)
    return cut([shown_job(row) for row in rows], query, key=lambda one: (one.name, str(one.id)))


@resource("POST", "/jobs", permission=Permission.EDIT_JOBS, body=JobIn, answer=JobOut, status=201)
def create_job(body: JobIn) -> JobOut:
    """Make a job.

    What is not said of tries and waits depends on the kind.
    """
    job_id = jobs.create_job(
        request_session(), actor=current_actor(), kinds=runtime().kinds, draft=body.draft(), now=request_now()
    )
    return shown_job(newest_job(job_id))


@resource("GET", "/jobs/<uuid:job_id>", permission=Permission.VIEW, answer=JobOut)
def show_job(job_id: UUID) -> JobOut:
    """A job."""
    return shown_job(newest_job(job_id))


@resource("PATCH", "/jobs/<uuid:job_id>", permission=Permission.EDIT_JOBS, body=JobChange, answer=JobOut)
def change_job(job_id: UUID, body: JobChange) -> JobOut:
    """Change a job.

    What is not sent stays as it is. Its next run uses the change; a run that is going on does not.
    """
    # Without a revision the newest one is changed, so it has to stay the newest one meanwhile.
    session = request_session()
    lock_job(session, organization_id=current_actor().organization_id, job_id=job_id)
    before = newest_job(job_id)
    runs.revise_job(
        session,
        actor=current_actor(),
        kinds=runtime().kinds,
        job_id=job_id,
        draft=body.draft(before),
        revision=body.seen_revision(before),
        now=request_now(),
    )
    # A limit of its own may let more of its runs start.
    on_commit(session, runtime().dispatch)
    return shown_job(newest_job(job_id))


@resource("DELETE", "/jobs/<uuid:job_id>", permission=Permission.EDIT_JOBS)
def delete_job(job_id: UUID) -> Message:
    """Delete a job with its schedules, and cancel its runs that wait. History stays."""
    session = request_session()
    runs.delete_job(session, actor=current_actor(), job_id=job_id, now=request_now())
    # Other runs may have waited for those that end with it.
    on_commit(session, runtime().dispatch)
    return Message(None, "Job deleted. Its history stays.")


class RunJobIn(Body):
    """With which parameters, where the job takes any."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    parameters: Annotated[dict[str, Any], Field(description="Take the place of the job's own in this run.")] = {}


@resource(
    "POST", "/jobs/<uuid:job_id>/run", permission=Permission.RUN, body=RunJobIn, is_body_optional=True,
    answer=RunStartedOut, status=201,
)  # fmt: skip
def run_job(job_id: UUID, body: RunJobIn) -> Message:
    """Run a job now.

    Send an Idempotency-Key, so that a request that is sent again starts nothing more.
    """
    session = request_session()
    run_id = runs.run_job_now(
        session,
        actor=current_actor(),
        job_id=job_id,
        request_key=f"api-{uuid4()}",
        given=GivenArguments(body.parameters, runtime().kinds),
        now=request_now(),
    )
    on_commit(session, runtime().dispatch)
    return Message(RunStartedOut(run_id=run_id), "The run is queued.")
