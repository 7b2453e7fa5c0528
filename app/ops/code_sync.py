"""Brings what code defines into the database. Safe to repeat and to do by several processes at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid
from app.core.ids import new_id
from app.events.service import Topic, append_event
from app.jobs.code_rows import REFUSALS, CodeJob, free_name, is_group_name, put_code_jobs, why_refused
from app.jobs.kinds.code.loading import CodeProblem
from app.jobs.queue_lock import keep_queue
from app.ops.code_definitions import Definitions
from app.ops.code_standing import unknown_queue
from app.ops.code_versions import loaded_words, take_over
from app.runs import planner
from app.runs import service as runs
from app.runs.queue_models import Queue
from app.schedules.acceptance import refuse_never
from app.schedules.code_origin import OVERRIDABLE, CodeSchedule, ScheduleInCodeInvalid, said_value
from app.schedules.day_minutes import minutes_of
from app.schedules.drafts import draft_with
from app.schedules.fire_times import next_fire, rhythm
from app.schedules.models import Schedule
from app.schedules.policy_fields import default_max_age
from app.schedules.queries import ScheduleRow, get_schedule, list_schedules
from app.schedules.versions import BY_CODE, keep_version, write_version
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import SYSTEM_ORGANIZATION_ID, Organization
from app.tenants.platform import acting_for_the_installation


@dataclass(frozen=True)
class SyncReport:
    """What loading changed. With `newer` nothing: definitions that others loaded later are in force."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    refused: tuple[CodeProblem, ...] = ()
    newer: str | None = None

    @property
    def has_changed(self) -> bool:
        return bool(self.added or self.changed or self.left)

    @property
    def words(self) -> str:
        """What happened, in one sentence."""
        if self.newer is not None:
            return f"Nothing was changed: newer definitions are in force, loaded {self.newer}."
        parts = [("new", self.added), ("changed", self.changed), ("no longer in code", self.left)]
        said = [f"{len(names)} {what} ({', '.join(names)})" for what, names in parts if names]
        return f"Loaded definitions from code: {', '.join(said)}." if said else "Everything is as the code says."


def sync_definitions(
    session: Session, *, definitions: Definitions, loaded_by: str, is_asked_for: bool, now: datetime
) -> SyncReport:
    """Make jobs and schedules what the code says, in a session that works as the installation's own organization.

    Which of two different codes is in force: the one that was loaded later for the first time. So an old process that
    is started again beside new ones stands back. What a person asks for is always put in force.
    """
    # One at a time. Whoever comes second finds everything done.
    query = select(Organization.id).where(Organization.id == SYSTEM_ORGANIZATION_ID)
    session.execute(query.with_for_update(key_share=True))
    newer = take_over(session, definitions=definitions, loaded_by=loaded_by, is_asked_for=is_asked_for, now=now)
    if newer is not None:
        return SyncReport(newer=loaded_words(newer))
    actor = acting_for_the_installation(f"{BY_CODE}{loaded_by}"[:254])
    return _Sync(session, actor, definitions, now).run()


class _Sync:
    """One pass over all definitions."""

    def __init__(self, session: Session, actor: Actor, definitions: Definitions, now: datetime) -> None:
        self._session = session
        self._actor = actor
        self._here = actor.organization_id
        self._definitions = definitions
        self._now = now
        self._added: list[str] = []
        self._changed: list[str] = []
        self._left: list[str] = []
        self._refused: list[CodeProblem] = []

    def run(self) -> SyncReport:
        definitions = self._definitions
        rows = {row.code.id: row for row in list_schedules(self._session, organization_id=self._here) if row.code}
        jobs = put_code_jobs(
            self._session,
            actor=self._actor,
            wanted=self._in_known_queues(),
            keep=self._jobs_kept(rows) if definitions.is_complete else None,
            now=self._now,
        )
        self._refused += jobs.refused
        for one in definitions.schedules:
            self._put_guarded(one, rows.get(one.id), jobs.ids.get(one.run))
        if definitions.is_complete:
            there = {one.id for one in definitions.schedules} | definitions.troubled_schedules
            for code_id, row in rows.items():
                if code_id not in there:
                    self._see_off(row, is_elsewhere=code_id in definitions.elsewhere)
        report = SyncReport(
            (*jobs.added, *self._added), (*jobs.changed, *self._changed), (*jobs.left, *self._left),
            tuple(self._refused),
        )  # fmt: skip
        if report.has_changed:
            self._record(report)
        return report

    def _jobs_kept(self, rows: Mapping[str, ScheduleRow]) -> frozenset[str]:
        """The jobs with a mistake, and the groups that a schedule with a mistake still starts."""
        kept = (rows[code_id] for code_id in self._definitions.troubled_schedules if code_id in rows)
        said = (str(row.code.says.get("run")) for row in kept if row.code is not None and row.code.left_at is None)
        return self._definitions.troubled_jobs | frozenset(filter(is_group_name, said))

    def _in_known_queues(self) -> list[CodeJob]:
        """The jobs; one whose queue nobody made goes to that of all code, and is named."""
        # In the same order whoever does this, or two might wait for each other.
        for name in sorted({job.queue for job in self._definitions.jobs if job.queue is not None}):
            keep_queue(self._session, name)
        known = set(self._session.scalars(select(Queue.name)))
        found = []
        for job in self._definitions.jobs:
            problem = unknown_queue(job, known)
            if problem is not None:
                self._refused.append(problem)
            found.append(job if job.queue in known else replace(job, queue=None))
        return found

    def _put_guarded(self, one: CodeSchedule, row: ScheduleRow | None, job_id: UUID | None) -> None:
        """Put one schedule right; when it is refused, take nothing of it and go on with the others."""
        try:
            with self._session.begin_nested():
                if job_id is None:
                    raise ScheduleInCodeInvalid("The job that it starts was refused.")
                if row is None:
                    self._add(one, job_id)
                else:
                    self._put(one, row, job_id)
        except (Invalid, Conflict, *REFUSALS) as error:
            why = error.message if isinstance(error, Invalid | Conflict) else why_refused(error)
            self._refused.append(CodeProblem(one.source, f"Schedule “{one.id}”: {why}", schedule=one.id))

    def _add(self, one: CodeSchedule, job_id: UUID) -> None:
        when = rhythm(one.cron, timezone=one.timezone, spread_key=one.id, clock_change=one.clock_change)
        refuse_never(when, now=self._now)
        schedule = Schedule(
            id=new_id(),
            organization_id=self._here,
            job_id=job_id,
            name=self._free_name(one.id),
            cron=one.cron,
            minutes=minutes_of(when),
            timezone=one.timezone,
            # The same on every machine, so that H means the same.
            spread_key=one.id,
            clock_change=one.clock_change.value,
            tags=list(one.tags),
            overlap=one.overlap.value,
            missed=one.missed.value,
            missed_max_age_seconds=one.missed_max_age_seconds or default_max_age(when),
            missed_limit=one.missed_limit,
            # Nothing that was merely deployed starts by itself.
            enabled=one.is_on_at_first,
            next_run_at=next_fire(when, after=self._now),
            code_id=one.id,
            code_source=one.source,
            code_says=one.says,
            created_at=self._now,
            updated_at=self._now,
        )
        self._session.add(schedule)
        self._session.flush()
        self._write_version(schedule.id)
        self._note(schedule.id, "schedule.created")
        self._added.append(one.id)

    def _put(self, one: CodeSchedule, row: ScheduleRow, job_id: UUID) -> None:
        assert row.code is not None
        columns = vars(row)
        overrides = row.code.overrides_beside(one, columns)
        owned = {name: getattr(one, name) for name in OVERRIDABLE if name not in overrides}
        facts: dict[str, Any] = {
            "job_id": job_id,
            "code_source": one.source,
            "code_says": one.says,
            "code_overrides": ",".join(overrides),
            "left_code_at": None,
        }
        before = (row.job_id, row.code.source, row.code.says, row.code.overrides, row.code.left_at)
        has_new_facts = before != (job_id, one.source, one.says, overrides, None)
        is_edited = any(said_value(name, columns) != one.says[name] for name in owned)
        if not (has_new_facts or is_edited):
            return
        comes_back = row.code.left_at is not None
        # What is due already still runs as the schedule was.
        planner.plan_schedule(self._session, organization_id=self._here, schedule_id=row.id, now=self._now)
        keep_version(self._session, schedule_id=row.id)
        # With other times or policies, the edit makes the one version that comes of it all.
        self._update(row.id, facts, makes_version=not is_edited)
        if is_edited:
            now_there = get_schedule(self._session, organization_id=self._here, schedule_id=row.id)
            draft = draft_with(now_there, owned, now=self._now)
            runs.edit_schedule(
                self._session,
                actor=self._actor,
                schedule_id=row.id,
                draft=draft,
                version=now_there.version,
                now=self._now,
            )
        if comes_back and one.is_on_at_first:
            # It was code that switched it off, and not a person.
            runs.switch_schedule(self._session, actor=self._actor, schedule_id=row.id, enabled=True, now=self._now)
        self._changed.append(one.id)

    def _see_off(self, row: ScheduleRow, *, is_elsewhere: bool) -> None:
        """What the code no longer has, or for other environments alone."""
        assert row.code is not None
        if row.code.left_at is None:
            self._let_go(row)
            self._left.append(row.code.id)
        if row.code.is_elsewhere == is_elsewhere:
            return
        says = row.code.says_where(is_elsewhere=is_elsewhere)
        self._update(row.id, {"code_says": says}, makes_version=False)

    def _let_go(self, row: ScheduleRow) -> None:
        """Switch a schedule off. Its history stays, and nobody changes it any more."""
        if row.enabled:
            runs.switch_schedule(self._session, actor=self._actor, schedule_id=row.id, enabled=False, now=self._now)
        keep_version(self._session, schedule_id=row.id)
        self._update(row.id, {"left_code_at": self._now}, makes_version=True)

    def _update(self, schedule_id: UUID, values: dict[str, Any], *, makes_version: bool) -> None:
        query = update(Schedule).where(Schedule.id == schedule_id, Schedule.organization_id == self._here)
        number = Schedule.version + int(makes_version)
        self._session.execute(query.values(**values, version=number, updated_at=self._now))
        # Written past the session, which may hold the schedule from before.
        self._session.expire_all()
        if makes_version:
            self._write_version(schedule_id)
        self._note(schedule_id, "schedule.loaded")

    def _write_version(self, schedule_id: UUID) -> None:
        write_version(self._session, schedule_id=schedule_id, by=self._actor.label, now=self._now)

    def _free_name(self, name: str) -> str:
        here = Schedule.organization_id == self._here, Schedule.deleted_at.is_(None)
        return free_name(name, set(self._session.scalars(select(Schedule.name).where(*here))))

    def _note(self, schedule_id: UUID, kind: str) -> None:
        append_event(
            self._session,
            organization_id=self._here,
            topic=Topic.SCHEDULES,
            kind=kind,
            subject_id=schedule_id,
            now=self._now,
        )

    def _record(self, report: SyncReport) -> None:
        record(
            self._session,
            actor=self._actor,
            action="code.loaded",
            subject_kind="code",
            subject_id=None,
            summary=report.words[:500],
            changes={"added": list(report.added), "changed": list(report.changed), "left": list(report.left)},
            now=self._now,
        )
