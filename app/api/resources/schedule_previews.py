"""What a schedule would do, of one that exists and of one that somebody thinks of: times, notes, company."""

from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field

from app.api.models import LONGEST_NAME, Answer, Body, Int32, Moment, Query, not_sent
from app.api.resource import resource
from app.api.schedule_fields import CronText, EndsAt, HasSeconds, OnClockChange, SpreadKey, StartsAt, ZoneName
from app.core.errors import Invalid
from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.queries import get_job
from app.ops.load_notes import LoadNote
from app.ops.retry_example import if_it_fails
from app.ops.schedule_preview import Draft, SchedulePreview
from app.ops.schedule_preview import preview_schedule as preview_draft
from app.schedules.clock_changes import ClockChange
from app.schedules.fire_times import Rhythm
from app.schedules.preview import sentence_of
from app.schedules.proposals import Proposal, propose_change, propose_new
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.stored_rhythms import StoredRhythm, rhythm_of
from app.schedules.viewer_notes import viewer_notes
from app.schedules.ways_out import ways_out
from app.tenants.access import Permission

MOST_PREVIEWED = 100
_TAG = "Schedules"
Count = Annotated[Int32, Field(ge=1, le=MOST_PREVIEWED, description="How many runs.")]


class PreviewQuery(Query):
    """How far to look ahead."""

    count: Count = 5


class PreviewIn(Body):
    """What somebody thinks of saving."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cron": "0 0 * * *", "timezone": "Europe/Berlin"}]})

    cron: CronText
    timezone: Annotated[
        ZoneName | None, Field(description="Unless given, that of the schedule it would become, or of who asks.")
    ] = None
    spread_key: Annotated[
        SpreadKey, Field(description="Unless given, that of the schedule it would become, or one of job and name.")
    ] = not_sent("")
    has_seconds: HasSeconds = False
    clock_change: OnClockChange = ClockChange.ONCE
    starts_at: StartsAt = None
    ends_at: EndsAt = None
    job_id: Annotated[UUID | None, Field(description="The job it would start.")] = None
    name: Annotated[str | None, Field(max_length=LONGEST_NAME, description="What it would be called.")] = None
    schedule_id: Annotated[
        UUID | None, Field(description="The schedule that this would become; what is not sent stays as it is there.")
    ] = None
    count: Count = 5

    def said(self) -> dict[str, Any]:
        """What is sent of when it would run."""
        names = set(StoredRhythm._fields) & self.model_fields_set
        said = {name: getattr(self, name) for name in names}
        return said if self.timezone is not None else {name: said[name] for name in names - {"timezone"}}


class NextRun(Answer):
    """A coming run, in UTC and on the clock of the schedule."""

    at: Moment
    local: Annotated[str, Field(description="ISO 8601 with the offset of that day.")]


class OfferOut(Answer):
    """The same schedule at quieter minutes of the hour, to be taken or left."""

    cron: str
    minutes: list[int]
    others: Annotated[int, Field(description="How many others start in the fullest of these minutes.")]
    text: str


class LoadOut(Answer):
    """A coming run with which many others start."""

    at: Moment
    others: Annotated[int, Field(description="How many other schedules of the organization start at that moment.")]
    slots: Annotated[int, Field(description="How many runs all workers take at once; 0 where none is heard of.")]
    late_seconds: Annotated[float | None, Field(description="How late it would start, where that can be said.")]
    text: str
    offer: Annotated[OfferOut | None, Field(description="Null where no minute nearby is quieter.")]
    hour_start: Moment
    hour: Annotated[list[int], Field(description="The others in each of the 60 minutes from then on.")]


class TwinOut(Answer):
    """Another schedule of the same job with the same times."""

    id: UUID
    name: str
    enabled: bool


class WayOutOut(Answer):
    """The same schedule out of the way of the clock changes, to be taken or left."""

    cron: str
    timezone: str


class PreviewOut(Answer):
    """When a schedule runs. Of one that is switched off: when it would."""

    description: str
    timezone: str
    next_runs: list[NextRun]
    notes: Annotated[list[str], Field(description="What surprises people, such as changes of the clocks.")]
    ways_out: Annotated[
        list[WayOutOut], Field(description="Where a change of the clocks moves or repeats a run: how to avoid it.")
    ]
    viewer_notes: Annotated[
        list[str], Field(description="When the clock of the token's owner is nearer or further than usual.")
    ]
    consequence: Annotated[str | None, Field(description="How many runs a year that is, and how long each takes.")]
    load: Annotated[LoadOut | None, Field(description="Null where nobody waits.")]
    twins: list[TwinOut]
    twin_note: str | None
    spread_key: Annotated[
        str | None, Field(description="What H is spread by here and after saving; null where that is not known yet.")
    ]
    if_it_fails: Annotated[
        str | None, Field(description="How often the job is tried and when, with the next run as an example.")
    ]
    error: Annotated[str | None, Field(description="Why there are no times, when it cannot be read any more.")]


@resource(
    "POST",
    "/schedules/preview",
    permission=Permission.VIEW,
    body=PreviewIn,
    answer=PreviewOut,
    is_reading=True,
    tag=_TAG,
)
def preview_new_schedule(body: PreviewIn) -> PreviewOut:
    """Say what a schedule would do before it is saved: its times, what surprises people, and what else starts then."""
    session, organization_id, now = request_session(), current_actor().organization_id, request_now()
    if body.job_id is not None:
        # Also where a schedule is named: a job of somebody else is not there.
        get_job(session, organization_id=organization_id, job_id=body.job_id)
    if body.schedule_id is not None:
        before = get_schedule(session, organization_id=organization_id, schedule_id=body.schedule_id)
        found = propose_change(body.said(), before=before, now=now)
        return _preview(found, Draft(found.when, body.job_id or before.job_id, before), body.count)
    said = {"timezone": current_person().timezone, **body.said()}
    found = propose_new(said, organization_id=organization_id, job_id=body.job_id, name=body.name, now=now)
    return _preview(found, Draft(found.when, body.job_id), body.count)


@resource(
    "GET",
    "/schedules/<uuid:schedule_id>/preview",
    permission=Permission.VIEW,
    query=PreviewQuery,
    answer=PreviewOut,
    tag=_TAG,
)
def preview_schedule(schedule_id: UUID, query: PreviewQuery) -> PreviewOut:
    """When a schedule runs next, exactly as the scheduler will."""
    organization_id = current_actor().organization_id
    row = get_schedule(request_session(), organization_id=organization_id, schedule_id=schedule_id)
    try:
        when = rhythm_of(row)
    except Invalid as error:
        return _unreadable(row, error)
    return _preview(Proposal(when, row.spread_key), Draft(when, row.job_id, row), query.count)


def _preview(proposal: Proposal, draft: Draft, count: int) -> PreviewOut:
    found = preview_draft(
        request_session(),
        organization_id=current_actor().organization_id,
        books=runtime().previews,
        draft=draft,
        now=request_now(),
        count=count,
    )
    return _shown(found, proposal, _if_it_fails(draft))


def _if_it_fails(draft: Draft) -> str | None:
    if draft.job_id is None:
        return None
    job = get_job(request_session(), organization_id=current_actor().organization_id, job_id=draft.job_id)
    return if_it_fails(draft.when, retry=job.retry, now=request_now())


def _shown(found: SchedulePreview, proposal: Proposal, fails: str | None) -> PreviewOut:
    zone = ZoneInfo(found.rhythm.zone)
    return PreviewOut(
        description=found.rhythm.sentence,
        timezone=found.rhythm.zone,
        next_runs=[NextRun(at=at, local=at.astimezone(zone).isoformat()) for at in found.rhythm.next_runs],
        notes=[*filter(None, [proposal.note]), *found.rhythm.notes],
        ways_out=[WayOutOut(cron=cron, timezone=zone) for cron, zone in ways_out(proposal.when, now=request_now())],
        viewer_notes=_viewer_notes(found, proposal.when),
        consequence=found.rhythm.consequence,
        load=None if found.load is None else _load(found.load),
        twins=[TwinOut(id=twin.id, name=twin.name, enabled=twin.enabled) for twin in found.twins],
        twin_note=found.twin_note,
        spread_key=proposal.spread_key,
        if_it_fails=fails,
        error=None,
    )


def _viewer_notes(found: SchedulePreview, when: Rhythm) -> list[str]:
    runs = found.rhythm.next_runs
    last = runs[-1] if runs else None
    return list(viewer_notes(when, viewer_zone=current_person().timezone, now=request_now(), shown_until=last))


def _load(note: LoadNote) -> LoadOut:
    offer = note.offer
    return LoadOut(
        at=note.at,
        others=note.others,
        slots=note.slots,
        late_seconds=None if note.late is None else note.late.total_seconds(),
        text=note.text,
        offer=None
        if offer is None
        else OfferOut(cron=offer.cron, minutes=list(offer.minutes), others=offer.busy, text=note.offer_text or ""),
        hour_start=note.hour_start,
        hour=list(note.hour),
    )


def _unreadable(row: ScheduleRow, error: Invalid) -> PreviewOut:
    return PreviewOut(
        description=sentence_of(row),
        timezone=row.timezone,
        next_runs=[],
        notes=[],
        ways_out=[],
        viewer_notes=[],
        consequence=None,
        load=None,
        twins=[],
        twin_note=None,
        spread_key=row.spread_key,
        if_it_fails=None,
        error=error.message,
    )
