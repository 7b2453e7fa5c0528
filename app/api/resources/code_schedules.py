"""`/admin/code-schedules` and `/admin/code-jobs`: what code defines, for those who look after the installation."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.job_shapes import PoliciesInWords, PoliciesOut, policies_in_words, policies_of
from app.api.missed_shapes import MissedSlotsOut, Resumed, ResumeIn, show_missed, show_resumed
from app.api.models import Answer, Body, Moment, Paging, not_sent
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.api.resources.runs import RunStartedOut
from app.api.schedule_fields import CronText, MaxAge, MissedLimit, OnClockChange, Tags, ZoneName
from app.core.db import on_commit
from app.core.ids import new_id
from app.edge.identity import acting_for_installation, request_now
from app.edge.runtime import request_session, runtime
from app.ops import code_rows, code_schedules
from app.ops.code_rows import CodeJobRow, CodeScheduleRow
from app.ops.code_standing import standing_of
from app.runs.filters import RunFilter
from app.runs.queries import RunRow, list_runs
from app.runs.states import Reason, RunState, Trigger
from app.schedules.clock_changes import ClockChange
from app.schedules.policies import Missed, Overlap
from app.schedules.policy_words import schedule_policy_sentences
from app.schedules.preview import sentence_of
from app.schedules.slot_accounts import MadeUp

HISTORY_SHOWN = 50

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
    notes: Annotated[str, Field(max_length=code_schedules.LONGEST_NOTES)] = not_sent("")


class CodeRunIn(Body):
    """With which parameters."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"parameters": {"seconds": 0}}]})

    parameters: Parameters = Field(default_factory=dict)


@resource("GET", "/admin/code-schedules", platform_admin=True, query=Paging, answer=CodeScheduleOut, is_list=True)
def list_code_schedules(query: Paging) -> Page[CodeScheduleOut]:
    """Schedules that code defines or once defined, by name."""
    with acting_for_installation() as (session, _actor):
        rows = code_rows.list_code_schedules(session, now=request_now())
    return cut([_shown(row) for row in rows], query, key=lambda one: (one.id, str(one.schedule_id)))


@resource("GET", "/admin/code-schedules/<code_id>", platform_admin=True, answer=CodeScheduleOut)
def show_code_schedule(code_id: str) -> CodeScheduleOut:
    """One of them."""
    return _newest(code_id)


@resource(
    "PATCH", "/admin/code-schedules/<code_id>", platform_admin=True, body=CodeScheduleChange, answer=CodeScheduleOut
)
def change_code_schedule(code_id: str, body: CodeScheduleChange) -> CodeScheduleOut:
    """Say otherwise than the code when it runs, and keep notes. A new version of the code changes neither."""
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    if "tags" in sent:
        sent["tags"] = tuple(sent["tags"])
    with acting_for_installation() as (session, actor):
        if "notes" in sent:
            notes = sent.pop("notes")
            code_schedules.write_notes(session, actor=actor, code_id=code_id, notes=notes, now=request_now())
        if sent or not body.model_fields_set:
            code_schedules.change_code_schedule(session, actor=actor, code_id=code_id, changes=sent, now=request_now())
    on_commit(request_session(), runtime().dispatch)
    return _newest(code_id)


@resource(
    "POST", "/admin/code-schedules/<code_id>/enable", platform_admin=True, body=ResumeIn, is_body_optional=True,
    answer=ResumedCodeScheduleOut,
)  # fmt: skip
def enable_code_schedule(code_id: str, body: ResumeIn) -> ResumedCodeScheduleOut:
    """Switch it on. What it missed meanwhile is recorded as a gap, unless `missed` says that it runs now.

    How many slots that are, its `missed_while_paused` says before, and what became of them, `resumed` says after.
    """
    made_up = _switch(code_id, is_on=True, missed=body.missed, seen=body.seen)
    return ResumedCodeScheduleOut(**dict(_newest(code_id)), resumed=show_resumed(made_up))


@resource("POST", "/admin/code-schedules/<code_id>/disable", platform_admin=True, answer=CodeScheduleOut)
def disable_code_schedule(code_id: str) -> CodeScheduleOut:
    """Switch it off. A slot that is due already still runs."""
    _switch(code_id, is_on=False)
    return _newest(code_id)


@resource("POST", "/admin/code-schedules/<code_id>/revert", platform_admin=True, answer=CodeScheduleOut)
def revert_code_schedule(code_id: str) -> Message:
    """Have it again as the code says it. Whether it is on stays as it is."""
    with acting_for_installation() as (session, actor):
        did_revert = code_schedules.revert_code_schedule(session, actor=actor, code_id=code_id, now=request_now())
    on_commit(request_session(), runtime().dispatch)
    return Message(_newest(code_id), "Reverted to the code." if did_revert else "It is as the code says already.")


@resource(
    "POST", "/admin/code-schedules/<code_id>/run", platform_admin=True, body=CodeRunIn, is_body_optional=True,
    answer=RunStartedOut, status=201,
)  # fmt: skip
def run_code_schedule(code_id: str, body: CodeRunIn) -> Message:
    """Start what it starts now, whether it is on or off. Its times stay as they are."""
    return _start(code_id, body, partial(code_schedules.run_code_schedule, code_id=code_id))


@resource("GET", "/admin/code-schedules/<code_id>/runs", platform_admin=True, answer=CodeRunOut, is_list=True)
def list_code_schedule_runs(code_id: str) -> Page[CodeRunOut]:
    """Its last 50 runs, newest first."""
    with acting_for_installation() as (session, actor):
        row = code_rows.get_code_schedule(session, code_id=code_id, now=request_now())
        wanted = RunFilter(schedule_id=row.schedule.id)
        found = list_runs(session, organization_id=actor.organization_id, run_filter=wanted, limit=HISTORY_SHOWN)
    return Page([_run(run) for run in found.rows])


@resource("GET", "/admin/code-jobs", platform_admin=True, query=Paging, answer=CodeJobOut, is_list=True)
def list_code_jobs(query: Paging) -> Page[CodeJobOut]:
    """Jobs that code defines, by name."""
    with acting_for_installation() as (session, _actor):
        rows = code_rows.list_code_jobs(session)
    return cut([_job(row) for row in rows], query, key=lambda one: (one.name, str(one.job_id)))


@resource(
    "POST", "/admin/code-jobs/<code_name>/run", platform_admin=True, body=CodeRunIn, is_body_optional=True,
    answer=RunStartedOut, status=201,
)  # fmt: skip
def run_code_job(code_name: str, body: CodeRunIn) -> Message:
    """Start one of them alone, now."""
    return _start(code_name, body, partial(code_schedules.run_code_job, code_name=code_name))


@resource("GET", "/admin/code-problems", platform_admin=True, answer=CodeProblemOut, is_list=True)
def list_code_problems() -> Page[CodeProblemOut]:
    """What cannot be used of the modules of BELFRY_JOBS, as they were when the pages started. The rest goes on."""
    with acting_for_installation() as (session, _actor):
        found = standing_of(session, definitions=runtime().definitions, now=request_now())
    return Page([CodeProblemOut(source=each.source, text=each.text) for each in found.all])


def _switch(code_id: str, *, is_on: bool, missed: Missed = Missed.SKIP, seen: int | None = None) -> MadeUp:
    with acting_for_installation() as (session, actor):
        made_up = code_schedules.switch_code_schedule(
            session, actor=actor, code_id=code_id, enabled=is_on, now=request_now(), missed=missed, seen=seen
        )
    on_commit(request_session(), runtime().dispatch)
    return made_up


def _start(name: str, body: CodeRunIn, start: Callable[..., UUID]) -> Message:
    with acting_for_installation() as (session, actor):
        run_id = start(
            session,
            actor=actor,
            kinds=runtime().kinds,
            arguments=body.parameters,
            request_key=new_id().hex,
            now=request_now(),
        )
    on_commit(request_session(), runtime().dispatch)
    return Message(RunStartedOut(run_id=run_id), f"{name} queued.")


def _newest(code_id: str) -> CodeScheduleOut:
    with acting_for_installation() as (session, _actor):
        # Commands write past the objects that were read before.
        session.flush()
        session.expire_all()
        return _shown(code_rows.get_code_schedule(session, code_id=code_id, now=request_now()))


def _shown(row: CodeScheduleRow) -> CodeScheduleOut:
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


def _job(row: CodeJobRow) -> CodeJobOut:
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


def _run(row: RunRow) -> CodeRunOut:
    return CodeRunOut(**{name: getattr(row, name) for name in CodeRunOut.model_fields})
