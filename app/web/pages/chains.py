"""What a job starts when it has ended, and what starts it. What the form does is in actions/chains.py."""

import json
from dataclasses import dataclass
from uuid import UUID

from flask import Response

from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.jobs.chains import ChainRow, list_chains, list_chains_onto
from app.jobs.policies import ChainOutcome
from app.jobs.queries import JobRow, get_job, list_jobs
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.chains import ChainForm
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import invalid

_WORDS = {ChainOutcome.SUCCESS: "On success", ChainOutcome.FAILURE: "On failure"}


@dataclass(frozen=True)
class ChainLine:
    """A chain as a table shows it."""

    chain: ChainRow
    when: str
    parameters: str


@route(web, "/jobs/<uuid:job_id>/chains", permission=Permission.VIEW)
def chains(job_id: UUID) -> Response:
    """The chains from and onto a job, and the form of a new one."""
    return chains_page(job_id)


def chains_page(job_id: UUID, *, status: int = 200, form: ChainForm | None = None) -> Response:
    """The chains; after a refusal with the messages of the form that was sent."""
    session, organization_id = request_session(), current_actor().organization_id
    job = get_job(session, organization_id=organization_id, job_id=job_id)
    return invalid(
        "jobs/chains.html",
        status=status,
        job=job,
        starts=_lines(list_chains(session, organization_id=organization_id, job_id=job_id)),
        started_by=_lines(list_chains_onto(session, organization_id=organization_id, job_id=job_id)),
        form=form or ChainForm(other_jobs(job_id), formdata=None, data={"outcome": ChainOutcome.SUCCESS.value}),
        refused=refusals(),
    )


def other_jobs(job_id: UUID) -> list[JobRow]:
    """What a job of this organization may start. Whether it would go round, the command says."""
    jobs = list_jobs(request_session(), organization_id=current_actor().organization_id)
    return [job for job in jobs if job.id != job_id]


def _lines(rows: list[ChainRow]) -> list[ChainLine]:
    return [ChainLine(row, _WORDS[row.outcome], _shown(row)) for row in rows]


def _shown(row: ChainRow) -> str:
    return ", ".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in row.parameters.items())
