"""What schedules look like in requests and answers: shared by `/schedules` and `/workflows/{id}/schedule`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.job_shapes import PoliciesInWords
from app.api.missed_shapes import MissedSlotsOut, MissedWhilePaused, SeenSlots, show_missed
from app.api.models import Answer, Body, Int32, Moment, Name, not_sent
from app.api.schedule_fields import (
    CronText,
    EndsAt,
    HasSeconds,
    MaxAge,
    MissedLimit,
    Notes,
    OnClockChange,
    SpreadKey,
    StartsAt,
    Tags,
    ZoneName,
)
from app.edge.identity import current_actor, current_person, request_now
from app.edge.runtime import fresh_session, request_session
from app.ops.schedule_glances import health_of_schedules
from app.ops.schedule_health import ScheduleHealth
from app.runs.run_hours import RATE_WINDOW
from app.runs.states import RunState
from app.runs.statistics import ScheduleStats, schedule_stats
from app.schedules.clock_changes import ClockChange
from app.schedules.drafts import draft_of
from app.schedules.policies import DEFAULT_MISSED_LIMIT, Missed, Overlap
from app.schedules.policy_words import schedule_policy_sentences
from app.schedules.preview import sentence_of
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.service import ScheduleDraft
from app.schedules.spread_keys import spread_key_of


class ScheduleRules(Body):
    """What a new schedule says about itself beside its name and job."""

    cron: CronText
    timezone: Annotated[ZoneName | None, Field(description="Unless given, the time zone of who asks.")] = None
    enabled: bool = True
    overlap: Overlap = Overlap.SKIP
    missed: Missed = Missed.LATEST
    missed_max_age_seconds: Annotated[
        MaxAge | None, Field(description="Unless given, a day, or the time between two slots where that is longer.")
    ] = None
    missed_limit: MissedLimit = DEFAULT_MISSED_LIMIT
    notes: Notes = ""
    has_seconds: HasSeconds = False
    clock_change: OnClockChange = ClockChange.ONCE
    starts_at: StartsAt = None
    ends_at: EndsAt = None
    tags: Tags = Field(default_factory=list)
    spread_key: Annotated[
        SpreadKey | None, Field(description="Unless given, one made of the job and the name, as in a preview of them.")
    ] = None

    def draft(self, *, name: str, job_id: UUID) -> ScheduleDraft:
        """The schedule that is asked for."""
        key = (
            spread_key_of(current_actor().organization_id, job_id, name) if self.spread_key is None else self.spread_key
        )
        return ScheduleDraft(
            name=name,
            job_id=job_id,
            cron=self.cron,
            timezone=current_person().timezone if self.timezone is None else self.timezone,
            spread_key=key,
            enabled=self.enabled,
            overlap=self.overlap,
            missed=self.missed,
            missed_max_age_seconds=self.missed_max_age_seconds,
            missed_limit=self.missed_limit,
            notes=self.notes,
            has_seconds=self.has_seconds,
            clock_change=self.clock_change,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            tags=tuple(self.tags),
        )


# What comes along with changes and is none of the schedule itself.
_NOT_SAID = {"version", "missed_while_paused", "seen"}


class ScheduleChanges(Body):
    """What is to be changed; everything else stays. With `version`, only if nobody changed it since then."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cron": "30 2 * * 1-5", "timezone": "Europe/Berlin"}]})

    version: Int32 = not_sent(0)
    name: Name = not_sent("")
    cron: CronText = not_sent("")
    timezone: ZoneName = not_sent("")
    enabled: bool = not_sent(False)
    overlap: Overlap = not_sent(Overlap.SKIP)
    missed: Missed = not_sent(Missed.LATEST)
    missed_max_age_seconds: MaxAge = not_sent(0)
    missed_limit: MissedLimit = not_sent(0)
    notes: Notes = not_sent("")
    has_seconds: HasSeconds = not_sent(False)
    clock_change: OnClockChange = not_sent(ClockChange.ONCE)
    starts_at: StartsAt = not_sent(None)
    ends_at: EndsAt = not_sent(None)
    tags: Tags = not_sent([])
    missed_while_paused: MissedWhilePaused = not_sent(Missed.SKIP)
    seen: SeenSlots = None

    def draft(self, before: ScheduleRow) -> ScheduleDraft:
        """The schedule as it is with what was sent put over it."""
        sent = {field: getattr(self, field) for field in self.model_fields_set - _NOT_SAID}
        if "tags" in sent:
            sent["tags"] = tuple(sent["tags"])
        return replace(draft_of(before), **sent)

    def seen_version(self, before: ScheduleRow) -> int:
        """The version this is about: the newest, unless one was sent."""
        return self.version if "version" in self.model_fields_set else before.version


class RecentRuns(Answer):
    """How the runs that ended within the last seven days did, not counting skipped and removed ones."""

    finished: int
    succeeded: int


class ScheduleOut(Answer):
    """A schedule and how it fares."""

    id: UUID
    name: str
    job_id: UUID
    job_name: str
    job_kind: str
    service: Annotated[str | None, Field(description="What its job syncs from; null for other jobs.")]
    is_default: Annotated[bool, Field(description="Whether it is the service's own schedule of this organization.")]
    cron: str
    timezone: str
    description: Annotated[str, Field(description="When it runs, in words.")]
    enabled: bool
    health: ScheduleHealth
    problem: Annotated[str | None, Field(description="Why it cannot run, when it cannot be read any more.")]
    overlap: Overlap
    missed: Missed
    missed_max_age_seconds: int
    missed_limit: int
    policies_in_words: PoliciesInWords
    missed_while_paused: Annotated[
        MissedSlotsOut | None,
        Field(description="What to decide about when it is switched on; null while it is on, or where there is none."),
    ]
    switched_at: Annotated[Moment | None, Field(description="When somebody switched it on or off last.")]
    switched_by: str | None
    notes: str
    has_seconds: bool
    clock_change: ClockChange
    starts_at: Moment | None
    ends_at: Moment | None
    tags: list[str]
    spread_key: str
    last_run_id: UUID | None
    last_run_state: RunState | None
    last_run_at: Moment | None
    next_run_at: Moment | None
    recent_runs: RecentRuns
    version: Annotated[int, Field(description="Send it along with a change, to change nothing you have not seen.")]
    made_by: Annotated[
        str | None, Field(description="The address of who made it; null where it came with the organization.")
    ]
    owner: Annotated[str | None, Field(description="The address of the member whose it is; null: nobody's.")]
    former_owner: Annotated[str | None, Field(description="Whose it was until they left; null where somebody has it.")]
    created_at: Moment
    updated_at: Moment


def show_schedules(rows: Sequence[ScheduleRow]) -> list[ScheduleOut]:
    """Schedules of the actor's organization with what their runs say about them."""
    session, organization_id, ids = request_session(), current_actor().organization_id, [row.id for row in rows]
    stats = schedule_stats(
        session, organization_id=organization_id, schedule_ids=ids, since=request_now() - RATE_WINDOW
    )
    healths = health_of_schedules(session, organization_id=organization_id, schedule_ids=ids, now=request_now())
    return [_shown(row, stats[row.id], healths[row.id]) for row in rows]


def show_newest(schedule_id: UUID) -> ScheduleOut:
    """One schedule as it stands after the commands of this request. Raises ScheduleNotFound."""
    row = get_schedule(fresh_session(), organization_id=current_actor().organization_id, schedule_id=schedule_id)
    return show_schedules([row])[0]


def _shown(row: ScheduleRow, stats: ScheduleStats, health: ScheduleHealth) -> ScheduleOut:
    last = stats.last
    return ScheduleOut(
        id=row.id,
        name=row.name,
        job_id=row.job_id,
        job_name=row.job_name,
        job_kind=row.job_kind,
        service=row.service,
        is_default=row.default_for is not None,
        cron=row.cron,
        timezone=row.timezone,
        description=sentence_of(row),
        enabled=row.enabled,
        health=health,
        problem=row.problem,
        overlap=row.overlap,
        missed=row.missed,
        missed_max_age_seconds=row.missed_max_age_seconds,
        missed_limit=row.missed_limit,
        policies_in_words=schedule_policy_sentences(row),
        missed_while_paused=show_missed(row),
        switched_at=row.switched_at,
        switched_by=row.switched_by,
        notes=row.notes,
        has_seconds=row.has_seconds,
        clock_change=row.clock_change,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        tags=list(row.tags),
        spread_key=row.spread_key,
        last_run_id=None if last is None else last.id,
        last_run_state=None if last is None else last.state,
        last_run_at=None if last is None else last.started_at or last.due_at,
        next_run_at=row.next_run_at,
        recent_runs=RecentRuns(finished=stats.counts.finished, succeeded=stats.counts.good),
        version=row.version,
        made_by=row.made_by,
        owner=row.owner if row.owner_id else None,
        former_owner=None if row.owner_id else row.owner,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
