"""What a schedule said before, and copies of it: versions, restoring one, duplicating."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Int32, Moment, Paging, not_sent
from app.api.paging import read_cursor, write_cursor
from app.api.resource import Message, Page, resource
from app.api.schedule_shapes import ScheduleOut, show_newest
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.queries import job_names
from app.runs.restoring import restore_schedule
from app.schedules.copies import duplicate_schedule
from app.schedules.queries import get_schedule, lock_schedule
from app.schedules.version_words import change_words, jobs_named, version_lines
from app.schedules.versions import Difference, VersionRow, list_versions
from app.tenants.access import Permission

_TAG = "Schedules"


class FieldChange(Answer):
    """A field that a change made another one."""

    field: str
    before: Any
    after: Any
    words: Annotated[str, Field(examples=["cron: 0 2 * * * → 30 2 * * *"])]


class VersionOut(Answer):
    """What a schedule said from a change on."""

    version: int
    at: Moment
    by: Annotated[str | None, Field(description="Who changed it; null of what was said before versions were kept.")]
    restored_from: Annotated[int | None, Field(description="The version whose words it brought back.")]
    changes: Annotated[list[FieldChange], Field(description="What it says otherwise than the version before it.")]
    words: Annotated[list[str], Field(description="The same in words, a line for each field, as the pages say it.")]
    says: Annotated[dict[str, Any], Field(description="All that it said, by the names of a schedule's fields.")]


class RestoreIn(Body):
    """With `version`, the newest one that was seen, it is restored only if nobody changed the schedule since then."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 3}]})

    version: Int32 = not_sent(0)


@resource(
    "GET",
    "/schedules/<uuid:schedule_id>/versions",
    permission=Permission.VIEW,
    query=Paging,
    answer=VersionOut,
    is_list=True,
    tag=_TAG,
)
def list_schedule_versions(schedule_id: UUID, query: Paging) -> Page[VersionOut]:
    """Every version of a schedule, the newest first."""
    session, organization_id = request_session(), current_actor().organization_id
    get_schedule(session, organization_id=organization_id, schedule_id=schedule_id)
    cursor = read_cursor(query)
    found = list_versions(
        session,
        organization_id=organization_id,
        schedule_id=schedule_id,
        limit=query.limit + 1,
        below=None if cursor is None else int(cursor[0]),
    )
    rows = found[: query.limit]
    jobs = names_of_jobs(rows)
    return Page(
        [_shown(row, jobs) for row in rows], write_cursor(str(rows[-1].number)) if len(found) > len(rows) else None
    )


@resource(
    "POST",
    "/schedules/<uuid:schedule_id>/versions/<int:number>/restore",
    permission=Permission.EDIT_SCHEDULES,
    body=RestoreIn,
    is_body_optional=True,
    answer=ScheduleOut,
    may_conflict=True,
    tag=_TAG,
)
def restore_schedule_version(schedule_id: UUID, number: int, body: RestoreIn) -> ScheduleOut:
    """Let a schedule say again what it said in a version. Whether it is on stays as it is.

    It is an edit: slots that are due already still run as it is now, and it makes a new version. What cannot be any
    more, because the job is deleted or the name taken, is answered with 409.
    """
    session, actor = request_session(), current_actor()
    # Without a version the newest one is changed, so it has to stay the newest one meanwhile.
    lock_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    before = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    version = body.version if "version" in body.model_fields_set else before.version
    restore_schedule(session, actor=actor, schedule_id=schedule_id, number=number, version=version, now=request_now())
    on_commit(session, runtime().dispatch)
    return show_newest(schedule_id)


@resource(
    "POST",
    "/schedules/<uuid:schedule_id>/duplicate",
    permission=Permission.EDIT_SCHEDULES,
    answer=ScheduleOut,
    may_conflict=True,
    status=201,
    tag=_TAG,
)
def duplicate_schedule_as_it_is(schedule_id: UUID) -> Message:
    """Make a copy of a schedule. It is switched off, and its H is spread by a key of its own."""
    session, actor = request_session(), current_actor()
    shown = show_newest(duplicate_schedule(session, actor=actor, schedule_id=schedule_id, now=request_now()))
    return Message(shown, f"{shown.name} created, switched off.")


def field_change(change: Difference, words: str) -> FieldChange:
    """One field of a change."""
    return FieldChange(field=change.field, before=change.before, after=change.after, words=words)


def field_changes(changes: Sequence[Difference], jobs: Mapping[UUID, str]) -> list[FieldChange]:
    """Every field of a change. `jobs` are names by id."""
    return [field_change(change, change_words(change, jobs=jobs)) for change in changes]


def names_of_jobs(rows: Sequence[VersionRow]) -> Mapping[UUID, str]:
    """The names of the jobs that these versions speak of."""
    ids = jobs_named(change for row in rows for change in row.differences)
    return job_names(request_session(), organization_id=current_actor().organization_id, job_ids=ids)


def _shown(row: VersionRow, jobs: Mapping[UUID, str]) -> VersionOut:
    return VersionOut(
        version=row.number,
        at=row.at,
        by=row.by or None,
        restored_from=row.restored_from,
        changes=field_changes(row.differences, jobs),
        words=list(version_lines(row, jobs=jobs)),
        says=dict(row.says),
    )
