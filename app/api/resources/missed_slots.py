"""`/missed-slots`: what nobody executed of an organization's schedules."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.api.models import Answer, Bound, Moment, Paging
from app.api.paging import read_cursor, write_cursor
from app.api.resource import Page, resource
from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.schedules.gaps import MissedFilter, MissedRow, list_missed
from app.schedules.policies import GapReason
from app.tenants.access import Permission


class MissedQuery(Paging):
    since: Annotated[Bound | None, Field(description="Those with a slot then or later.")] = None
    until: Annotated[Bound | None, Field(description="Those with a slot before.")] = None
    job: Annotated[UUID | None, Field(description="The job's id.")] = None
    schedule: Annotated[UUID | None, Field(description="The schedule's id.")] = None


class MissedOut(Answer):
    """Slots of a schedule in a row that nobody executed. They have no runs."""

    schedule_id: UUID
    schedule: Annotated[str, Field(description="Its name.")]
    is_deleted: Annotated[bool, Field(description="Whether the schedule is.")]
    first_slot_at: Moment
    last_slot_at: Moment
    slots: Annotated[int, Field(description="How many in a row.")]
    reason: GapReason
    explanation: Annotated[str | None, Field(description="Who or what it was, where the reason does not say it.")]


@resource("GET", "/missed-slots", permission=Permission.VIEW, query=MissedQuery, answer=MissedOut, is_list=True)
def list_missed_slots(query: MissedQuery) -> Page[MissedOut]:
    """Slots that nobody executed, newest first.

    Those of a pause or a stop were left out on purpose, and are not among them.
    """
    found = list_missed(
        request_session(), organization_id=current_actor().organization_id,
        wanted=MissedFilter(query.schedule, query.job, query.since, query.until), limit=query.limit + 1,
        older_than=_place(read_cursor(query)),
    )  # fmt: skip
    shown = found[: query.limit]
    goes_on = len(found) > len(shown)
    return Page([_out(row) for row in shown], _cursor(shown[-1]) if goes_on else None)


def _cursor(row: MissedRow) -> str:
    return write_cursor(row.place[0].isoformat(), str(row.place[1]))


def _place(cursor: list[str] | None) -> tuple[datetime, UUID] | None:
    return (datetime.fromisoformat(cursor[0]), UUID(cursor[1])) if cursor else None


def _out(row: MissedRow) -> MissedOut:
    gap = row.gap
    return MissedOut(
        schedule_id=row.schedule_id, schedule=row.schedule_name, is_deleted=row.is_deleted,
        first_slot_at=gap.first_slot_at, last_slot_at=gap.last_slot_at, slots=gap.slots, reason=gap.reason,
        explanation=gap.explanation,
    )  # fmt: skip
