"""`/audit`: who did what, from what to what; and the same of the installation for platform admins."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from flask import Response, request
from pydantic import Field
from sqlalchemy.orm import Session

from app.api.models import Answer, Bound, Moment, Paging
from app.api.paging import CursorInvalid, read_cursor, write_cursor
from app.api.resource import Page, resource
from app.edge.identity import acting_for_installation, current_actor
from app.edge.runtime import request_session, runtime
from app.ops.audit_files import csv_parts, read_parts
from app.ops.audit_lines import AuditLine, list_lines
from app.tenants.access import Actor, Permission
from app.tenants.audit import ActorKind, Place
from app.tenants.audit_filter import AuditFilter

_LONGEST_ACTOR = 254
_LONGEST_WORD = 64
_TAG = "Audit"


class AuditFormat(StrEnum):
    """How the answer is written."""

    JSON = "json"
    CSV = "csv"


class AuditQuery(Paging):
    """Whose entries, about what, and when."""

    actor: Annotated[
        str,
        Field(
            max_length=_LONGEST_ACTOR,
            description="An e-mail address, for all that its owner did with or without a token; or `by` of an entry.",
            examples=["ada@example.com", "command line"],
        ),
    ] = ""
    action: Annotated[
        str,
        Field(
            max_length=_LONGEST_WORD,
            description="As `schedule.edited`, or `schedule` for all that is done to schedules.",
            examples=["schedule.edited", "member"],
        ),
    ] = ""
    kind: Annotated[
        str, Field(max_length=_LONGEST_WORD, description="`subject_kind` of an entry.", examples=["schedule"])
    ] = ""
    subject: Annotated[UUID | None, Field(description="The id of one thing, also of one that is gone.")] = None
    since: Annotated[Bound | None, Field(description="Nothing before it.")] = None
    until: Annotated[Bound | None, Field(description="Nothing at or after it.")] = None
    format: Annotated[
        AuditFormat | None,
        Field(
            description="`csv` for a file of all that matches, an entry a line, as with `Accept: text/csv`. It has no "
            "pages."
        ),
    ] = None


class AuditChangeOut(Answer):
    """A field that was changed, without secrets."""

    field: str
    before: Any
    after: Any
    words: Annotated[str, Field(examples=["cron: 0 2 * * * → 30 2 * * *"])]


class AuditEntryOut(Answer):
    """What somebody did."""

    id: UUID
    at: Moment
    by: Annotated[str, Field(description="An e-mail address, with the token if it was one; or what acted by itself.")]
    by_kind: Annotated[ActorKind, Field(description="person, token, or system: the command line too.")]
    action: Annotated[str, Field(examples=["schedule.edited"])]
    done: Annotated[str, Field(description="The action in words.", examples=["Changed a schedule"])]
    subject_kind: Annotated[str, Field(examples=["schedule"])]
    subject_id: UUID | None
    summary: str
    changes: Annotated[list[AuditChangeOut], Field(description="Each field with its old and new value.")]


@resource(
    "GET",
    "/audit",
    permission=Permission.VIEW_AUDIT,
    query=AuditQuery,
    answer=AuditEntryOut,
    is_list=True,
    has_csv=True,
    tag=_TAG,
)
def list_audit_entries(query: AuditQuery) -> Page[AuditEntryOut] | Response:
    """Who did what in the organization, the newest first."""
    return _answer(request_session(), current_actor(), query)


@resource(
    "GET", "/admin/audit", platform_admin=True, query=AuditQuery, answer=AuditEntryOut, is_list=True, has_csv=True,
    tag=_TAG,
)  # fmt: skip
def list_installation_audit_entries(query: AuditQuery) -> Page[AuditEntryOut] | Response:
    """Who did what to the installation itself: its queues, its scheduling, what code defines."""
    with acting_for_installation() as (session, actor):
        return _answer(session, actor, query)


def _answer(session: Session, actor: Actor, query: AuditQuery) -> Page[AuditEntryOut] | Response:
    wanted = AuditFilter(query.actor, query.action, query.kind, query.subject, query.since, query.until)
    if _wants_csv(query):
        return _csv_file(actor, wanted)
    found = list_lines(
        session, organization_id=actor.organization_id, audit_filter=wanted, limit=query.limit + 1,
        before=_last_seen(query),
    )  # fmt: skip
    lines = found[: query.limit]
    return Page([_shown(line) for line in lines], _next(lines[-1]) if len(found) > len(lines) else None)


def _wants_csv(query: AuditQuery) -> bool:
    if query.format is not None:
        return query.format is AuditFormat.CSV
    accepted = request.accept_mimetypes
    return accepted.best_match(["application/json", "text/csv"], default="application/json") == "text/csv"


def _csv_file(actor: Actor, wanted: AuditFilter) -> Response:
    parts = read_parts(
        runtime().database, organization_id=actor.organization_id, audit_filter=wanted, user_id=actor.user_id
    )
    response = Response(csv_parts(parts), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    response.vary.add("Accept")
    return response


def _next(line: AuditLine) -> str:
    return write_cursor(line.row.at.isoformat(), str(line.row.id))


def _last_seen(query: AuditQuery) -> Place | None:
    cursor = read_cursor(query)
    try:
        return None if cursor is None else (datetime.fromisoformat(cursor[0]), UUID(cursor[1]))
    except (ValueError, IndexError) as error:
        raise CursorInvalid("This cursor is not one of this list.", field="cursor") from error


def _shown(line: AuditLine) -> AuditEntryOut:
    row = line.row
    return AuditEntryOut(
        id=row.id,
        at=row.at,
        by=row.by,
        by_kind=row.by_kind,
        action=row.action,
        done=line.done,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        summary=row.summary,
        changes=[
            AuditChangeOut(field=change.field, before=change.before, after=change.after, words=change.words)
            for change in line.changes
        ],
    )
