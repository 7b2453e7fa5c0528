"""What code defines, as requests and answers have it: schedules, jobs, their runs, and what cannot be used."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.job_shapes import PoliciesInWords, PoliciesOut, policies_in_words, policies_of
from app.api.missed_shapes import MissedSlotsOut, Resumed, show_missed
from app.api.models import Answer, Body, Moment, not_sent
from app.api.schedule_fields import CronText, MaxAge, MissedLimit, OnClockChange, Tags, ZoneName
from app.ops.code_rows import CodeJobRow, CodeScheduleRow
from app.ops.code_schedules import LONGEST_NOTES
from app.runs.queries import RunRow
from app.runs.states import Reason, RunState, Trigger
from app.schedules.clock_changes import ClockChange
from app.schedules.policies import Missed, Overlap
from app.schedules.policy_words import schedule_policy_sentences
from app.schedules.preview import sentence_of

Parameters = Annotated[dict[str, Any], Field(description="Take the place of the job's own in this run.")]


class OverrideOut(Answer):
    """Something that was changed here, with both values."""

    field: str
    here: str
    in_code: str


class CodeScheduleOut(Answer):
    """A schedule that code defines. Code owns what it says, operators own whether it is on, and the notes."""

    id: Annotated[str, Field(description="Its name in code.")]
    schedule_id: UUID
    description: Annotated[str, Field(description="What the code says about it.")]
    source: Annotated[str, Field(description="Where it is defined.", examples=["shop_jobs/sync.py:41"])]
    left_code_at: Annotated[Moment | None, Field(description="Since when the code has it no longer.")]
    job_name: str
    cron: str
    timezone: str
    sentence: Annotated[str, Field(description="When it runs, in words.")]
    clock_change: ClockChange
    tags: list[str]
    missed: Missed
    missed_limit: int
    missed_max_age_seconds: int
    overlap: Overlap
    policies_in_words: PoliciesInWords
    overrides: list[OverrideOut]
    enabled: bool
    missed_while_paused: Annotated[
        MissedSlotsOut | None,
        Field(description="What it missed since somebody switched it off; `missed` of enable says what becomes of it."),
    ]
    switched_at: Moment | None
    switched_by: Annotated[str | None, Field(description="Nobody yet: it is as the code made it.")]
    notes: str
    problem: str | None
    next_run_at: Moment | None
    last_run_id: UUID | None
    last_run_state: RunState | None
    skipped: Annotated[int, Field(description="Slots of the last seven days that were not run.")]


class ResumedCodeScheduleOut(CodeScheduleOut):
    """One that was switched on."""

    resumed: Resumed


class CodeRunOut(Answer):
    """One of the last runs."""

    id: UUID
    trigger: Trigger
    state: RunState
    reason: Reason | None
    error: str | None
    due_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class CodeJobOut(PoliciesOut):
    """A job that code defines, with the policies that it says there."""

    name: Annotated[str, Field(description="Its name in code.")]
    job_id: UUID
    description: str
    group: str | None
    source: str
    policies_in_words: PoliciesInWords
    last_run_id: UUID | None
    last_run_state: RunState | None


class CodeProblemOut(Answer):
    """Something in code that cannot be used, and what to do about it."""

    source: str
    text: str


class CodeScheduleChange(Body):
    """What is to be otherwise than in code, and notes. What is not sent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cron": "30 2 * * *", "notes": "Until the move"}]})

    cron: CronText = not_sent("")
    timezone: ZoneName = not_sent("")
    clock_change: OnClockChange = not_sent(ClockChange.ONCE)
    tags: Tags = not_sent([])
    missed: Missed = not_sent(Missed.SKIP)
    missed_limit: MissedLimit = not_sent(0)
    missed_max_age_seconds: Annotated[
        MaxAge | None, Field(description="null takes what suits its times: a day, or until the next slot.")
    ] = not_sent(None)
    overlap: Overlap = not_sent(Overlap.SKIP)
    notes: Annotated[str, Field(max_length=LONGEST_NOTES)] = not_sent("")


class CodeRunIn(Body):
    """With which parameters."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"parameters": {"seconds": 0}}]})

    parameters: Parameters = Field(default_factory=dict)


def shown_code_schedule(row: CodeScheduleRow) -> CodeScheduleOut:
    """A schedule with what its runs say about it."""
    schedule, last = row.schedule, row.stats.last
    return CodeScheduleOut(
        id=row.code.id,
        schedule_id=schedule.id,
        description=row.code.description,
        source=row.code.source,
        left_code_at=row.code.left_at,
        job_name=schedule.job_name,
        cron=schedule.cron,
        timezone=schedule.timezone,
        sentence=sentence_of(schedule),
        clock_change=schedule.clock_change,
        tags=list(schedule.tags),
        missed=schedule.missed,
        missed_limit=schedule.missed_limit,
        missed_max_age_seconds=schedule.missed_max_age_seconds,
        overlap=schedule.overlap,
        policies_in_words=schedule_policy_sentences(schedule),
        overrides=[OverrideOut(field=each.field, here=each.here, in_code=each.in_code) for each in row.overrides],
        enabled=schedule.enabled,
        missed_while_paused=None if row.code.left_at else show_missed(schedule),
        switched_at=row.switched_at,
        switched_by=row.switched_by,
        notes=row.notes,
        problem=schedule.problem,
        next_run_at=schedule.next_run_at,
        last_run_id=None if last is None else last.id,
        last_run_state=None if last is None else last.state,
        skipped=row.passed_over,
    )


def shown_code_job(row: CodeJobRow) -> CodeJobOut:
    """A job with its last run."""
    return CodeJobOut(
        name=row.code_name,
        job_id=row.job.id,
        description=row.job.description,
        group=row.group,
        source=row.job.code_source or "",
        **policies_of(row.job),
        policies_in_words=policies_in_words(row.job),
        last_run_id=None if row.last is None else row.last.id,
        last_run_state=None if row.last is None else row.last.state,
    )


def shown_code_run(row: RunRow) -> CodeRunOut:
    """One of the last runs of a schedule."""
    return CodeRunOut(**{name: getattr(row, name) for name in CodeRunOut.model_fields})
