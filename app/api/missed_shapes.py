"""Slots that a schedule missed while it was switched off: what is asked about them, and what became of them."""

from typing import Annotated

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Int32, Moment
from app.edge.identity import request_now
from app.runs.resuming import missed_meanwhile
from app.schedules.policies import Missed
from app.schedules.queries import ScheduleRow
from app.schedules.slot_accounts import MadeUp

MissedWhilePaused = Annotated[
    Missed,
    Field(
        description="What becomes of the slots that it missed while it was switched off, if this switches it on: "
        "`skip` leaves them in a gap, `latest` runs the latest now, `all` the newest up to its `missed_limit`."
    ),
]
SeenSlots = Annotated[
    Int32 | None,
    Field(
        description="The `count` of `missed_while_paused` that was read. Where all are to run: 409, and nothing "
        "is done, when others would run by now."
    ),
]


class ResumeIn(Body):
    """What becomes of the slots that a schedule missed while it was switched off."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"missed": "latest"}]})

    missed: MissedWhilePaused = Missed.SKIP
    seen: SeenSlots = None


class ResumedSlotsOut(Answer):
    """What became of the slots that a schedule missed while it was switched off."""

    missed: Annotated[int, Field(description="How many there were.")]
    first: Moment
    last: Moment
    started: Annotated[int, Field(description="Of so many, runs were made that start now, one after the other.")]
    skipped: Annotated[int, Field(description="Of so many, runs were made that are skipped; `why_skipped` says why.")]
    left: Annotated[int, Field(description="So many stay missed, in a gap.")]
    why_skipped: str | None


class MissedSlotsOut(Answer):
    """Slots that passed while the schedule was switched off."""

    count: int
    first: Moment
    last: Moment


Resumed = Annotated[
    ResumedSlotsOut | None,
    Field(description="What became of the slots that it missed while it was off; null where it missed none."),
]


def show_resumed(made_up: MadeUp) -> ResumedSlotsOut | None:
    """What became of missed slots; None where none were missed."""
    found, skips = made_up.missed, made_up.why_skipped is not None
    if found is None:
        return None
    return ResumedSlotsOut(
        missed=found.count,
        first=found.first,
        last=found.last,
        started=0 if skips else made_up.slots,
        skipped=made_up.slots if skips else 0,
        left=made_up.left,
        why_skipped=made_up.why_skipped,
    )


def show_missed(row: ScheduleRow) -> MissedSlotsOut | None:
    """The slots that a schedule missed while it was off; None for one that is on, or missed nothing."""
    missed = missed_meanwhile(row, now=request_now())
    return None if missed is None else MissedSlotsOut(count=missed.count, first=missed.first, last=missed.last)
