"""`/jobs/{id}/chains`: what a job starts when it has ended."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs import chains
from app.jobs.chains import ChainDraft, ChainRow
from app.jobs.policies import ChainOutcome
from app.tenants.access import Permission

Outcome = Annotated[
    ChainOutcome,
    Field(description="After which end. failure: for good, with every try used up. Cancelled runs start nothing."),
]
Parameters = Annotated[
    dict[str, Any],
    Field(description="Arguments that take the place of the other job's own. Only functions take some."),
]


class ChainIn(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "outcome": "success",
                    "then_job_id": "01890a5d-ac96-774b-bcce-b302099a8057",
                    "parameters": {"days": 7},
                }
            ]
        }
    )

    outcome: Outcome
    then_job_id: Annotated[UUID, Field(strict=False, description="The job to start.")]
    parameters: Parameters = {}


class ChainOut(Answer):
    id: UUID
    job_id: UUID
    job_name: str
    outcome: Outcome
    then_job_id: UUID
    then_job_name: str
    parameters: Parameters
    created_at: Moment
    problem: Annotated[str | None, Field(description="Why it starts nothing any more; null while it does.")]


@resource("GET", "/jobs/<uuid:job_id>/chains", permission=Permission.VIEW, query=Paging, answer=ChainOut, is_list=True)
def list_job_chains(job_id: UUID, query: Paging) -> Page[ChainOut]:
    """What a job starts when it has ended, oldest first."""
    rows = chains.list_chains(request_session(), organization_id=current_actor().organization_id, job_id=job_id)
    return cut([_shown(row) for row in rows], query, key=lambda one: (one.created_at.isoformat(), str(one.id)))


@resource(
    "POST",
    "/jobs/<uuid:job_id>/chains",
    permission=Permission.EDIT_JOBS,
    body=ChainIn,
    answer=ChainOut,
    status=201,
    may_conflict=True,
)
def add_job_chain(job_id: UUID, body: ChainIn) -> ChainOut:
    """Let a job start another one when it has ended.

    A chain over which a job would start itself again is refused, and the message names the way.
    """
    session, actor = request_session(), current_actor()
    draft = ChainDraft(job_id, body.outcome, body.then_job_id, body.parameters)
    chain_id = chains.add_chain(session, actor=actor, kinds=runtime().kinds, draft=draft, now=request_now())
    rows = chains.list_chains(session, organization_id=actor.organization_id, job_id=job_id)
    return next(_shown(row) for row in rows if row.id == chain_id)


@resource("DELETE", "/jobs/<uuid:job_id>/chains/<uuid:chain_id>", permission=Permission.EDIT_JOBS)
def remove_job_chain(job_id: UUID, chain_id: UUID) -> Message:
    """Let a job no longer start another one. Runs that it has started already go on."""
    gone = chains.remove_chain(
        request_session(), actor=current_actor(), job_id=job_id, chain_id=chain_id, now=request_now()
    )
    return Message(None, f"“{gone.job_name}” does not start “{gone.then_job_name}” any more.")


def _shown(row: ChainRow) -> ChainOut:
    return ChainOut(**{name: getattr(row, name) for name in ChainOut.model_fields})
