"""`/admin/skipped-slots`: what was not run of schedules in code, for those who look after the installation."""

from typing import Annotated

from pydantic import Field

from app.api.models import Answer, Moment, Paging
from app.api.paging import read_cursor, write_cursor
from app.api.resource import Page, resource
from app.edge.identity import acting_for_installation, request_now
from app.ops.passed_over import PassedOver, list_passed_over


class SkippedSlotsOut(Answer):
    """A slot for which no run was started, or several in a row."""

    code_schedule: Annotated[str, Field(description="The name of the schedule in code.")]
    first_slot_at: Moment
    slots: Annotated[int, Field(description="How many in a row.")]
    why: Annotated[str, Field(description="Why nothing was started, for people.")]


@resource("GET", "/admin/skipped-slots", platform_admin=True, query=Paging, answer=SkippedSlotsOut, is_list=True)
def list_skipped_slots(query: Paging) -> Page[SkippedSlotsOut]:
    """Slots of the last seven days that were not run, newest first. Slots at which one was off are not among them.

    New ones move the others down: going on by `next` may show some twice, and leaves none out.
    """
    after = read_cursor(query)
    offset = 0 if after is None else int(after[0])
    with acting_for_installation() as (session, _actor):
        found = list_passed_over(session, now=request_now(), limit=query.limit, offset=offset)
    reached = offset + len(found.rows)
    return Page([_shown(row) for row in found.rows], write_cursor(str(reached)) if reached < found.total else None)


def _shown(row: PassedOver) -> SkippedSlotsOut:
    return SkippedSlotsOut(
        code_schedule=row.code_id, first_slot_at=row.first_slot_at, slots=row.slots, why=row.why
    )  # fmt: skip
