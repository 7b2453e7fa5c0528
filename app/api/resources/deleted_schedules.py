"""`/schedules/deleted`: schedules that were deleted lately, and their way back."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.api.models import Answer, Moment, Paging
from app.api.paging import read_cursor, write_cursor
from app.api.resource import Message, Page, resource
from app.api.schedule_shapes import ScheduleOut, show_newest
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.schedules.deleted import DeletedSchedule, bring_back, list_deleted
from app.tenants.access import Permission

_TAG = "Schedules"


class DeletedScheduleOut(Answer):
    """A schedule that can come back."""

    id: UUID
    name: str
    job_id: UUID
    job_name: str
    deleted_at: Moment
    deleted_by: str
    was_enabled: Annotated[bool, Field(description="Whether it comes back switched on.")]
    kept_until: Annotated[Moment, Field(description="When it is removed for good.")]
    why_not: Annotated[str, Field(description="What keeps it from coming back. Empty where nothing does.")]


@resource(
    "GET", "/schedules/deleted", permission=Permission.VIEW, query=Paging, answer=DeletedScheduleOut, is_list=True,
    tag=_TAG,
)  # fmt: skip
def list_deleted_schedules(query: Paging) -> Page[DeletedScheduleOut]:
    """Schedules that were deleted within the last 30 days, the last one first."""
    after = read_cursor(query)
    found = list_deleted(
        request_session(), organization_id=current_actor().organization_id, now=request_now(), limit=query.limit + 1,
        before=(datetime.fromisoformat(after[0]), UUID(after[1])) if after else None,
    )  # fmt: skip
    rows = found[: query.limit]
    goes_on = write_cursor(rows[-1].at.isoformat(), str(rows[-1].row.id)) if len(found) > len(rows) else None
    return Page([_shown(one) for one in rows], goes_on)


@resource(
    "POST", "/schedules/deleted/<uuid:schedule_id>/restore", permission=Permission.EDIT_SCHEDULES, answer=ScheduleOut,
    may_conflict=True, tag=_TAG,
)  # fmt: skip
def restore_deleted_schedule(schedule_id: UUID) -> Message:
    """Bring a deleted schedule back as it was: its id, its history, whether it is on and its next run.

    Slots that came meanwhile are recorded as missed, and runs that were cancelled with it stay so. Where its job is
    deleted or its name taken, the answer is 409.
    """
    bring_back(request_session(), actor=current_actor(), schedule_id=schedule_id, now=request_now())
    shown = show_newest(schedule_id)
    return Message(shown, f"{shown.name} is back.")


def _shown(one: DeletedSchedule) -> DeletedScheduleOut:
    return DeletedScheduleOut(
        id=one.row.id,
        name=one.row.name,
        job_id=one.row.job_id,
        job_name=one.row.job_name,
        deleted_at=one.at,
        deleted_by=one.by,
        was_enabled=one.was_enabled,
        kept_until=one.until,
        why_not=one.why_not,
    )
