"""What the pages of schedules in code show, made of what several packages know. Reads, never writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.version import VERSION
from app.jobs.kinds.base import JobKinds, KindName
from app.jobs.kinds.code.arguments import argument_fields
from app.jobs.kinds.code.catalog import CodeFunction
from app.jobs.kinds.code.kind import CodeKind
from app.jobs.policy_words import policy_words
from app.jobs.queries import JobRow
from app.ops.code_rows import CodeJobRow, CodeScheduleRow, Override
from app.ops.heartbeats import ProcessRow
from app.ops.source_words import TRIGGER_WORDS
from app.runs.filters import RunFilter
from app.runs.queries import RunRow
from app.runs.run_lists import list_runs
from app.schedules.policies import Missed, Overlap
from app.schedules.policy_fields import length_words
from app.schedules.policy_words import schedule_policy_sentences
from app.schedules.preview import sentence_of
from app.tenants.audit import authors_of
from app.web.formatting import absolute_time, relative_time
from app.web.forms.schedule_words import missed_words, overlap_words
from app.web.pages.badges import Badge, badge_of
from app.web.pages.schedule_rows import next_run_note

HISTORY_SHOWN = 50
_FIELD_WORDS = {
    "cron": "Times",
    "timezone": "Time zone",
    "clock_change": "When the clocks change",
    "missed": "Missed runs",
    "missed_limit": "Missed runs at most",
    "missed_max_age_seconds": "Oldest missed run",
    "overlap": "Overlap",
    "tags": "Tags",
}


@dataclass(frozen=True)
class OverrideLine:
    """Something that was changed here: what it is now, and what the code says."""

    label: str
    here: str
    in_code: str


@dataclass(frozen=True)
class CodeLine:
    """A schedule that code defines. `origin` says who switched it, `has_left` that the code has it no longer.

    `why` says what keeps it from running, where the row does not say so otherwise.
    """

    row: CodeScheduleRow
    sentence: str
    origin: str
    has_left: bool
    overrides: tuple[OverrideLine, ...]
    badge: Badge | None
    last_at: datetime | None
    took: timedelta | None
    next_run_at: datetime | None
    next_note: str
    policies: tuple[str, ...]
    has_parameters: bool
    request_key: str
    why: str = ""

    @property
    def code_id(self) -> str:
        return self.row.code.id


@dataclass(frozen=True)
class JobLine:
    """A job that code defines, and whether a run of it can be told anything."""

    row: CodeJobRow
    title: str
    policies: str
    has_parameters: bool
    badge: Badge | None
    request_key: str


@dataclass(frozen=True)
class HistoryLine:
    """One of the last runs."""

    run: RunRow
    badge: Badge
    trigger: str


@dataclass(frozen=True)
class SchedulerLine:
    """A process that keeps time. `mismatch` says that it runs another version than the pages."""

    process: ProcessRow
    state: str
    label: str
    mismatch: str


def code_line(
    row: CodeScheduleRow, *, kinds: JobKinds, job: JobRow | None, is_stopped: bool, viewer_zone: str, now: datetime,
    why: str = "",
) -> CodeLine:  # fmt: skip
    """A schedule as a line and as a page show it."""
    last = row.stats.last
    return CodeLine(
        row=row,
        sentence=sentence_of(row.schedule),
        origin=_origin(row, viewer_zone, now),
        has_left=row.code.left_at is not None,
        overrides=tuple(_override(each) for each in row.overrides),
        badge=None if last is None else badge_of(last),
        last_at=None if last is None else last.started_at or last.due_at,
        took=None if last is None else last.duration,
        next_run_at=None if is_stopped else row.schedule.next_run_at,
        next_note=next_run_note(row.schedule, viewer_zone=viewer_zone, is_stopped=is_stopped, now=now),
        policies=tuple(schedule_policy_sentences(row.schedule)),
        has_parameters=job is not None and has_parameters(kinds, job),
        request_key=new_id().hex,
        why=why,
    )


def job_line(row: CodeJobRow, *, kinds: JobKinds) -> JobLine:
    """A job as a line shows it."""
    function = function_of(kinds, row.job)
    return JobLine(
        row=row,
        title=row.job.name if function is None else function.title,
        policies=policy_words(row.job, kinds.get(row.job.kind)),
        has_parameters=has_parameters(kinds, row.job),
        badge=None if row.last is None else badge_of(row.last),
        request_key=new_id().hex,
    )


def function_of(kinds: JobKinds, job: JobRow) -> CodeFunction | None:
    """The function that a job calls, where there is one."""
    kind = kinds.get(KindName.CODE)
    return kind.function_of(job.definition) if isinstance(kind, CodeKind) else None


def has_parameters(kinds: JobKinds, job: JobRow) -> bool:
    """Whether a run of a job can be told anything."""
    function = function_of(kinds, job)
    return function is not None and bool(argument_fields(function))


def history_of(session: Session, row: CodeScheduleRow) -> tuple[HistoryLine, ...]:
    """Its last runs, the newest first."""
    run_filter = RunFilter(schedule_id=row.schedule.id)
    here = row.schedule.organization_id
    found = list_runs(session, organization_id=here, run_filter=run_filter, limit=HISTORY_SHOWN).rows
    # Whoever looks after the installation need not be a member of its organization, so the audit knows them.
    asked = [run.id for run in found if run.requested_by is not None]
    names = authors_of(session, organization_id=here, action="run.requested", subject_ids=asked)
    return tuple(HistoryLine(run, badge_of(run), _trigger_words(run, names.get(run.id))) for run in found)


def _trigger_words(run: RunRow, asked_by: str | None) -> str:
    return TRIGGER_WORDS[run.trigger] + (f" by {asked_by}" if asked_by else "")


def scheduler_lines(processes: Sequence[ProcessRow], *, now: datetime) -> tuple[SchedulerLine, ...]:
    """The processes that keep time."""
    return tuple(_scheduler(each, now) for each in processes if each.schedules)


def _scheduler(process: ProcessRow, now: datetime) -> SchedulerLine:
    state, label = ("failed", "Gone") if process.is_gone(now) else ("ok", "Alive")
    if process.is_silent(now) and state == "ok":
        state, label = "warning", "Silent"
    is_other = process.version != VERSION
    mismatch = (
        f"The pages run version {VERSION}, this one {process.version}. Restart the older one." if is_other else ""
    )
    return SchedulerLine(process, state, label, mismatch)


def _origin(row: CodeScheduleRow, zone: str, now: datetime) -> str:
    if row.code.left_at is not None:
        return f"No longer in code since {absolute_time(row.code.left_at, zone=zone, now=now)}"
    state = "On" if row.schedule.enabled else "Off"
    if row.switched_at is None or row.switched_by is None:
        return "On" if row.schedule.enabled else "Off: nobody has switched it on"
    return f"{state} – by {row.switched_by}, {relative_time(row.switched_at, now=now, zone=zone)}"


def _override(one: Override) -> OverrideLine:
    return OverrideLine(_FIELD_WORDS[one.field], _said(one.field, one.here), _said(one.field, one.in_code))


def _said(field: str, value: str) -> str:
    if field == "missed" and value in set(Missed):
        return missed_words(Missed(value))
    if field == "overlap" and value in set(Overlap):
        return overlap_words(Overlap(value))
    if field == "missed_max_age_seconds":
        return length_words(timedelta(seconds=int(value))) if value.isdigit() else "as suits its times"
    return value
