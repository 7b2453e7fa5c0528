"""`/overview`: how the organization fares, as the first page tells it."""

from datetime import datetime, time
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field

from app.api.models import Answer, Moment
from app.api.resource import resource
from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import request_session, runtime
from app.ops.needs_attention import Trouble
from app.ops.organization_hours import HourOfRuns
from app.ops.overview import Situation, read_situation
from app.ops.schedule_glances import read_glances
from app.runs.run_hours import Counts
from app.schedules.stops import current_stop
from app.tenants.access import Permission


class EndsOut(Answer):
    """How runs ended. The success rate is `succeeded` of `finished`; skipped and cancelled ones say nothing."""

    finished: int
    succeeded: Annotated[int, Field(description="Those after more than one try included.")]
    after_retry: int
    failed: int
    missed: int
    skipped: int
    cancelled: int


class HourOut(Answer):
    """One hour, from `begin` on."""

    begin: Moment
    ended: EndsOut
    coming: Annotated[int, Field(description="Slots due after now.")]


class NextOut(Answer):
    """The schedule that runs next."""

    schedule_id: UUID
    name: str
    at: Moment


class TroubleOut(Answer):
    """Something that needs a person."""

    kind: Annotated[
        str,
        Field(
            json_schema_extra={
                "enum": [
                    "no_worker", "connection_refused", "connection_expired", "connection_expires", "stuck", "broken",
                    "failed", "missed", "late",
                ]
            }
        ),
    ]  # fmt: skip
    name: Annotated[
        str, Field(description="Of the connection, of the schedule, or of the job where no schedule started it.")
    ]
    connection_id: UUID | None
    schedule_id: UUID | None
    run_id: Annotated[UUID | None, Field(description="The newest failed run, or the one that looks stuck.")]
    failed_runs: Annotated[int, Field(description="Since the last good one; no more than a hundred are counted.")]
    has_more_failed_runs: Annotated[bool, Field(description="Whether there are more than were counted.")]
    text: Annotated[str, Field(description="The error, why it does not run, or why it looks stuck.")]
    since: Moment | None


class OverviewOut(Answer):
    """The figures of an organization, what needs somebody, and a day around now."""

    enabled: int
    schedules: int
    last_7_days: EndsOut
    the_7_days_before: EndsOut
    failing: int
    failing_new_today: Annotated[int, Field(description="Today by the clock of the token's owner.")]
    running: int
    waiting: int
    slots: Annotated[int, Field(description="How many runs the workers that are alive carry at once.")]
    failed_runs: Annotated[int, Field(description="Failed runs that nobody has dealt with yet.")]
    next_run: NextOut | None
    needs_attention: Annotated[list[TroubleOut], Field(description="At most five, the worst first.")]
    more_need_attention: Annotated[
        int, Field(description="How many more schedules, jobs, stuck runs and connections need somebody.")
    ]
    hours: Annotated[list[HourOut], Field(description="24 hours of UTC, two thirds of them past.")]


@resource("GET", "/overview", permission=Permission.VIEW, answer=OverviewOut)
def show_overview() -> OverviewOut:
    """What is broken, what runs next, how the last week went, and the hours around now."""
    session, now, here = request_session(), request_now(), current_actor().organization_id
    is_stopped = current_stop(session) is not None
    clock = ZoneInfo(current_person().timezone)
    found = read_situation(
        session,
        read_glances(session, organization_id=here, now=now, is_stopped=is_stopped),
        organization_id=here,
        load=runtime().previews.load(session, organization_id=here, now=now),
        is_stopped=is_stopped,
        today=datetime.combine(now.astimezone(clock).date(), time(), clock),
        now=now,
    )
    return shown(found)


def shown(found: Situation) -> OverviewOut:
    """The same as data."""
    coming = found.next_run
    return OverviewOut(
        enabled=found.enabled,
        schedules=found.total,
        last_7_days=_ends(found.ended),
        the_7_days_before=_ends(found.ended_before),
        failing=found.failing,
        failing_new_today=found.failing_new,
        running=found.running,
        waiting=found.waiting,
        slots=found.slots,
        failed_runs=found.dead,
        next_run=None
        if coming is None or coming.next_run_at is None
        else NextOut(schedule_id=coming.id, name=coming.name, at=coming.next_run_at),
        needs_attention=[_trouble(one) for one in found.troubles.shown],
        more_need_attention=found.troubles.more,
        hours=[_hour(one) for one in found.hours.hours],
    )


def _ends(counts: Counts) -> EndsOut:
    return EndsOut(
        finished=counts.finished,
        succeeded=counts.good,
        after_retry=counts.retried,
        failed=counts.failed,
        missed=counts.missed,
        skipped=counts.skipped,
        cancelled=counts.cancelled,
    )


def _hour(hour: HourOfRuns) -> HourOut:
    return HourOut(begin=hour.begin, ended=_ends(hour.ended), coming=hour.coming)


def _trouble(one: Trouble) -> TroubleOut:
    facts = one.facts
    return TroubleOut(
        kind=facts.kind,
        name=facts.name,
        schedule_id=facts.schedule_id,
        run_id=facts.run_id,
        connection_id=facts.connection_id,
        failed_runs=facts.failed_runs,
        has_more_failed_runs=facts.is_cut,
        text=facts.text,
        since=one.since,
    )
