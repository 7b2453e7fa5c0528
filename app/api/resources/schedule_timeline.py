"""`/schedules/{id}/timeline`: what the pictures on the page of a schedule show, as data."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.api.models import Answer, Moment, Query
from app.api.resource import resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.ops.schedule_lengths import ScheduleLengths, read_lengths
from app.ops.schedule_timeline import ScheduleTimeline, Span, read_timeline
from app.runs.outcomes import Outcome
from app.schedules.gaps import GapRow
from app.schedules.policies import GapReason
from app.schedules.queries import get_schedule
from app.schedules.stops import current_stop
from app.tenants.access import Permission


class Hours(StrEnum):
    """How much there is to see."""

    DAY = "24"
    WEEK = "168"


class TimelineQuery(Query):
    """How far to look, two thirds of it back."""

    hours: Annotated[Hours, Field(description="24, by quarters of an hour, or 168, by hours.")] = Hours.DAY


class RunBunchOut(Answer):
    """Runs of one outcome that began in the same column of the picture."""

    outcome: Outcome
    count: int
    begin: Annotated[Moment, Field(description="When the first of them started, or was due if it never did.")]
    end: Annotated[Moment, Field(description="When the last of them was over; now for one that goes on.")]
    run_id: Annotated[UUID | None, Field(description="The run, where it is the only one.")]


class ComingOut(Answer):
    """Slots to come in one column of the picture."""

    since: Moment
    count: int
    first_at: Annotated[Moment | None, Field(description="Null where there are too many to list.")]


class GapOut(Answer):
    """Slots that nobody executed, from the first to the last."""

    first_slot_at: Moment
    last_slot_at: Moment
    slots: int
    reason: GapReason


class LengthOut(Answer):
    """How long one of the last runs took."""

    run_id: UUID
    outcome: Outcome
    started_at: Moment
    duration_seconds: float


class DurationsOut(Answer):
    """How long the runs take, by the last fifty that came to an end."""

    typical_seconds: Annotated[float | None, Field(description="The median of good ones; null for fewer than three.")]
    usual_from_seconds: float | None
    usual_to_seconds: float | None
    longest_seconds: Annotated[
        float | None, Field(description="Of the good runs of 30 days, or of the newest 10,000 of them.")
    ]
    runs: Annotated[list[LengthOut], Field(description="The oldest first.")]


class TimelineOut(Answer):
    """A stretch of time around now. Of a schedule that plans nothing, nothing comes."""

    since: Moment
    until: Moment
    now: Moment
    column_seconds: Annotated[int, Field(description="How much time a column is, counted from `since` on.")]
    runs: list[RunBunchOut]
    coming: list[ComingOut]
    gaps: list[GapOut]
    durations: DurationsOut


@resource(
    "GET",
    "/schedules/<uuid:schedule_id>/timeline",
    permission=Permission.VIEW,
    query=TimelineQuery,
    answer=TimelineOut,
    tag="Schedules",
)
def show_schedule_timeline(schedule_id: UUID, query: TimelineQuery) -> TimelineOut:
    """What a schedule did and will do around now: its runs, the slots to come, the gaps, and how long runs take.

    Bounded however often it runs: runs of one outcome that began close together are counted and not listed.
    """
    session, organization_id, now = request_session(), current_actor().organization_id, request_now()
    row = get_schedule(session, organization_id=organization_id, schedule_id=schedule_id)
    timeline = read_timeline(
        session,
        row,
        span=Span(int(query.hours)),
        zone=row.timezone,
        is_stopped=current_stop(session) is not None,
        now=now,
    )
    return _timeline(timeline, read_lengths(session, organization_id=organization_id, schedule_id=row.id, now=now))


def _timeline(found: ScheduleTimeline, lengths: ScheduleLengths) -> TimelineOut:
    return TimelineOut(
        since=found.since,
        until=found.until,
        now=found.now,
        column_seconds=int(found.span.column.total_seconds()),
        runs=[
            RunBunchOut(outcome=each.outcome, count=each.runs, begin=each.begin, end=each.end, run_id=each.run_id)
            for each in found.runs
        ],
        coming=[
            ComingOut(since=found.column_begin(each.column), count=each.slots, first_at=each.at)
            for each in found.coming
        ],
        gaps=[_gap(gap) for gap in found.gaps],
        durations=_durations(lengths),
    )


def _gap(gap: GapRow) -> GapOut:
    return GapOut(first_slot_at=gap.first_slot_at, last_slot_at=gap.last_slot_at, slots=gap.slots, reason=gap.reason)


def _durations(found: ScheduleLengths) -> DurationsOut:
    usual, longest = found.usual, found.longest
    return DurationsOut(
        typical_seconds=None if usual is None else usual.typical.total_seconds(),
        usual_from_seconds=None if usual is None else usual.low.total_seconds(),
        usual_to_seconds=None if usual is None else usual.high.total_seconds(),
        longest_seconds=None if longest is None else longest.took.total_seconds(),
        runs=[
            LengthOut(
                run_id=run.run_id,
                outcome=run.outcome,
                started_at=run.started_at,
                duration_seconds=run.took.total_seconds(),
            )
            for run in found.runs
        ],
    )
