"""The page of one job: its policies in words, what it starts, and who changed what of it. Reads, never writes."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from app.edge.identity import acting_for_installation, current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.chains import list_chains
from app.jobs.job_changes import change_lines
from app.jobs.policy_words import policy_sentences
from app.jobs.queries import JobRow, get_job
from app.notifications.mutes import mute_of_job
from app.ops.code_rows import get_code_job
from app.tenants.access import Permission
from app.tenants.audit import AuditRow, list_entries
from app.web.blueprint import web
from app.web.pages.job_form import KIND_WORDS, why_fixed
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import page

SHOWN = 50


@dataclass(frozen=True)
class ChangeLine:
    """Somebody's change, and what it changed."""

    entry: AuditRow
    words: list[str]


@route(web, "/jobs/<uuid:job_id>", permission=Permission.VIEW)
def job(job_id: UUID) -> Response:
    """A job of this organization."""
    session = request_session()
    row = get_job(session, organization_id=current_actor().organization_id, job_id=job_id)
    return page("jobs/job.html", **_view(session, row, here=url_for("web.job", job_id=job_id)), is_of_code=False)


@route(web, "/admin/code-jobs/<code_name>", platform_admin=True)
def code_job(code_name: str) -> Response:
    """A job that code defines."""
    with acting_for_installation() as (session, _actor):
        row = get_code_job(session, code_name=code_name).job
        view = _view(session, row, here=url_for("web.code_job", code_name=code_name))
    return page("jobs/job.html", **view, is_of_code=True)


def _view(session: Session, row: JobRow, *, here: str) -> dict[str, Any]:
    kind = runtime().kinds.get(row.kind)
    chains = list_chains(session, organization_id=row.organization_id, job_id=row.id)
    found = list_entries(
        session, organization_id=row.organization_id, subject_kind="job", subject_id=row.id, limit=SHOWN + 1,
        before=_before(),
    )  # fmt: skip
    shown = found[:SHOWN]
    return {
        "job": row,
        "kind": KIND_WORDS[row.kind],
        "does": "" if kind is None else kind.describe(row.definition),
        "policies": policy_sentences(row, kind),
        "starts": [chain.words for chain in chains],
        "changes": [ChangeLine(entry, change_lines(entry.changes)) for entry in shown],
        "older_href": f"{here}?before={shown[-1].id}" if len(found) > SHOWN else "",
        "fixed": why_fixed(row),
        "mute": mute_of_job(session, organization_id=row.organization_id, job_id=row.id, now=request_now()),
        "here": here,
        "refused": refusals(),
    }


def _before() -> UUID | None:
    try:
        return UUID(request.args.get("before", ""))
    except ValueError:
        return None
