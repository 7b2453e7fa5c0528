"""The page of the job form, for a new and for an existing job, opened and sent alike."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from app.core.errors import Conflict
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.kinds.base import KindName
from app.jobs.kinds.code.catalog import CodeFunction
from app.jobs.kinds.code.kind import CodeKind
from app.jobs.kinds.sync.connection import connection_of
from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.queries import JobRow, list_queue_names
from app.jobs.services import is_destination
from app.ops.push_choices import PushChoices, read_push_choices
from app.syncs.connection_rows import list_connections
from app.web.forms.jobs import JobForm, SyncForm, WorkflowForm, code_form
from app.web.forms.push import PushForm
from app.web.responses import invalid

KIND_WORDS = {KindName.CODE: "Function", KindName.WORKFLOW: "HTTP call", KindName.SYNC: "Sync"}
PUSH_WORDS = "Push to a spreadsheet"
_KINDS = {WorkflowForm: KindName.WORKFLOW, SyncForm: KindName.SYNC, PushForm: KindName.SYNC}


class JobFixed(Conflict):
    """Nobody changes here what the code says, and nobody deletes what Belfry makes itself."""


def refuse_fixed(job: JobRow) -> None:
    """Raises JobFixed for a job that nobody changes here."""
    reason = why_fixed(job)
    if reason:
        raise JobFixed(reason)


def refuse_kept(job: JobRow) -> None:
    """Raises JobFixed for a job that nobody deletes."""
    reason = why_kept(job)
    if reason:
        raise JobFixed(reason)


def why_fixed(job: JobRow) -> str:
    """Why nobody changes a job here; empty where people do."""
    return "" if job.code_source is None else f"This job is defined in code. Change it in {job.code_source}."


def why_kept(job: JobRow) -> str:
    """Why nobody deletes a job; empty where people do."""
    # One that has a connection may be a second one of its service, which somebody made. The first of each stays, and
    # whoever deletes that one is told so.
    is_read = job.kind is KindName.SYNC and not is_destination(job.definition.get("service"))
    if is_read and connection_of(job.definition) is None:
        return "It came with the organization and stays. Disable its schedule instead."
    return why_fixed(job)


def job_form(
    kind: KindName, data: Mapping[str, Any] | None = None, *, function: str = "", service: str = ""
) -> JobForm:
    """The form of a kind, filled by what was sent or else by the data. A sync chooses among accounts of its service."""
    form: JobForm
    if kind is KindName.WORKFLOW:
        form = WorkflowForm(data=dict(data or {}))
    elif kind is KindName.SYNC and is_destination(service):
        form = PushForm(data=dict(data or {}))
        form.offer(_push_choices())
    elif kind is KindName.SYNC:
        form = SyncForm(data=dict(data or {}))
        form.offer_connections(_connections_of(service))
        form.offer_streams(_streams_of(service))
    else:
        offered = offered_functions()
        chosen = request.form.get("function") or function or (offered[0].name if offered else "")
        form = code_form(offered=offered, function=chosen, data=data)
    form.offer_queues(list_queue_names(request_session()))
    return form


def _connections_of(service: str) -> dict[str, str]:
    rows = list_connections(request_session(), organization_id=current_actor().organization_id, now=request_now())
    return {str(row.id): row.name for row in rows if row.service == service}


def _push_choices() -> PushChoices:
    return read_push_choices(
        request_session(), organization_id=current_actor().organization_id, now=request_now()
    )  # fmt: skip


def _streams_of(service: str) -> dict[str, str]:
    kind = runtime().kinds.get(KindName.SYNC)
    return kind.streams_of(service) if isinstance(kind, SyncKind) else {}


def offered_functions() -> tuple[CodeFunction, ...]:
    """What this person may choose: functions that concern the whole installation are for platform admins."""
    kind = runtime().kinds.get(KindName.CODE)
    if not isinstance(kind, CodeKind):
        return ()
    is_platform_admin = current_actor().is_platform_admin
    return tuple(one for one in kind.functions() if is_platform_admin or not one.platform_only)


def form_page(form: JobForm, *, job: JobRow | None, status: int = 200, is_outdated: bool = False) -> Response:
    """The form as a page. Reads nothing, so that it comes out after a refused write as well."""
    kind = next((kind for form_class, kind in _KINDS.items() if isinstance(form, form_class)), KindName.CODE)
    return invalid(
        "jobs/form.html",
        status=status,
        form=form,
        job=job,
        kind=kind.value,
        is_push=isinstance(form, PushForm),
        kind_words=PUSH_WORDS if isinstance(form, PushForm) else KIND_WORDS[kind],
        is_outdated=is_outdated,
    )
