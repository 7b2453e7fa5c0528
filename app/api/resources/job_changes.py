"""`/jobs/{id}/changes`: who changed what of a job, from what to what."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from app.api.models import Answer, Moment, Paging
from app.api.paging import CursorInvalid, read_cursor, write_cursor
from app.api.resource import Page, resource
from app.api.resources.schedule_versions import FieldChange
from app.edge.identity import acting_for_installation, current_actor
from app.edge.runtime import request_session
from app.jobs.job_changes import change_lines
from app.jobs.queries import JobRow, get_job
from app.ops.code_rows import get_code_job
from app.tenants.access import Permission
from app.tenants.audit import AuditRow, list_entries


class JobChangeOut(Answer):
    """What somebody did to a job."""

    at: Moment
    by: str
    action: Annotated[str, Field(description="job.created, job.revised, job.chained, job.unchained, job.deleted.")]
    summary: str
    changes: Annotated[list[FieldChange], Field(description="Each field with its old and new value.")]
    words: Annotated[list[str], Field(description="The same as people read it.")]


@resource(
    "GET", "/jobs/<uuid:job_id>/changes", permission=Permission.VIEW, query=Paging, answer=JobChangeOut, is_list=True
)
def list_job_changes(job_id: UUID, query: Paging) -> Page[JobChangeOut]:
    """Who changed what of a job, the newest first."""
    session = request_session()
    return _page(session, get_job(session, organization_id=current_actor().organization_id, job_id=job_id), query)


@resource(
    "GET", "/admin/code-jobs/<code_name>/changes", platform_admin=True, query=Paging, answer=JobChangeOut, is_list=True
)
def list_code_job_changes(code_name: str, query: Paging) -> Page[JobChangeOut]:
    """What new versions of the code changed of a job, the newest first."""
    with acting_for_installation() as (session, _actor):
        return _page(session, get_code_job(session, code_name=code_name).job, query)


def _page(session: Session, job: JobRow, query: Paging) -> Page[JobChangeOut]:
    found = list_entries(
        session, organization_id=job.organization_id, subject_kind="job", subject_id=job.id, limit=query.limit + 1,
        before=_last_seen(query),
    )  # fmt: skip
    rows = found[: query.limit]
    return Page([_shown(row) for row in rows], write_cursor(str(rows[-1].id)) if len(found) > len(rows) else None)


def _last_seen(query: Paging) -> UUID | None:
    cursor = read_cursor(query)
    try:
        return None if cursor is None else UUID(cursor[0])
    except (ValueError, IndexError) as error:
        raise CursorInvalid("This cursor is not one of this list.", field="cursor") from error


def _shown(row: AuditRow) -> JobChangeOut:
    pairs = [(name, value) for name, value in row.changes.items() if isinstance(value, list) and len(value) == 2]
    lines = change_lines(row.changes)
    changes = [
        FieldChange(field=name, before=before, after=after, words=line)
        for (name, (before, after)), line in zip(pairs, lines, strict=True)
    ]
    return JobChangeOut(at=row.at, by=row.by, action=row.action, summary=row.summary, changes=changes, words=lines)
