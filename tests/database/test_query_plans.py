"""The loops read what matters now, and not the whole history: no scan of a table, however long it gets."""

import re
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, insert, select, text, update
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.ids import new_id
from app.core.lane import Lane, Rows, Step, Values
from app.core.questions import ask
from app.core.scopes import ENGINE, PLATFORM, Scope, rescope
from app.jobs.models import Job
from app.ops.capacity import live_slots
from app.ops.overview import read_situation
from app.ops.schedule_glances import failed_before, health_of_schedules, read_glances
from app.ops.schedule_health import ScheduleHealth
from app.ops.stuck_runs import read_evidence
from app.ops.why.answers import why_schedule
from app.ops.why.reasons import in_utc
from app.queue.broker import make_huey
from app.queue.dispatch import Dispatcher
from app.queue.tasks import make_hints
from app.runs import planner, reaper
from app.runs.cause_groups import fill_causes, list_causes
from app.runs.express import Express
from app.runs.facts import AttemptEnd
from app.runs.failed_rows import failures_of_jobs, failures_of_schedules
from app.runs.filters import RunFilter
from app.runs.models import Run
from app.runs.queries import earliest_ready_across_tenants
from app.runs.queue_figures import read_figures
from app.runs.queue_filter import QueueFilter, QueueTab
from app.runs.queue_lists import Place, list_queue_tab
from app.runs.queue_minutes import keep_minute
from app.runs.run_hours import counts_of_organization, hours_of_organization
from app.runs.run_lengths import last_lengths
from app.runs.run_lists import list_runs
from app.runs.states import AttemptState
from app.runs.statistics import count_queue, schedule_stats
from app.runs.timeline import bunch_runs
from app.schedules.gaps import list_gaps, newest_missed
from app.schedules.load import LoadMap
from app.schedules.models import Schedule
from app.schedules.queries import earliest_due_across_tenants
from app.tenants.audit import last_author, list_audit, list_entries
from app.tenants.audit_filter import AuditFilter
from app.tenants.models import AuditEntry
from tests.factories.dead_letters import dead_letters
from tests.factories.work import make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")


EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}
# The index that answers whether a run of a schedule is in the way, as the engine writes it.
BY_SCHEDULE_UNFINISHED = {
    "sqlite": re.compile(r"\(schedule_id=\? AND finished_at=\?\)"),
    "postgresql": re.compile(r"Index Cond: \(\(schedule_id = .*\) AND \(finished_at IS NULL\)\)"),
}
PAST_SCHEDULES = 30
PAST_RUNS = 1_000
TABLES = ("runs", "schedules", "events", "log_lines", "attempts", "job_chains", "gaps", "audit_entries")


def plans_of(engine: Engine, work: Callable[[], object]) -> list[str]:
    """How the database goes about every read of rows that the work makes, line by line."""
    plans: list[str] = []

    def note(_c: Any, cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if not statement.startswith(("SELECT", "UPDATE", "WITH")):
            return
        # Asked in the transaction of the work itself, so that it is the plan of the role that works in it.
        with closing(cursor.connection.cursor()) as beside:
            if engine.dialect.name == "postgresql":
                # Of a few rows it reads the whole table, unless that costs more than any index would.
                beside.execute("SET LOCAL enable_seqscan = off")
            beside.execute(f"{EXPLAIN[engine.dialect.name]} {statement}", parameters)
            plans.extend(str(row[-1]) for row in beside)

    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return plans


class NotingLane(Lane):
    """The short way, which notes how PostgreSQL goes about each statement."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.plans: list[str] = []

    def ask(self, *calls: tuple[Scope, Step, Values]) -> list[Rows]:
        answer = super().ask(*calls)
        track = self._take()
        for scope, step, values in calls:
            with track.connection.transaction():
                track.connection.execute(self._take_on(scope))
                beside = track.connection.execute(b"EXPLAIN " + step.execute(values, track._adapter))
                self.plans += [str(row[0]) for row in beside]
        track.close()
        return answer


def plans_of_worker(database: OpenDatabase, work: Callable[[], object]) -> list[str]:
    """Those of the way that a worker's steps take on this engine."""
    if not database.is_postgres:
        return plans_of(database.write, work)
    lane = NotingLane(database.write)
    # In the place of the lane that is made when it is first asked for.
    database.__dict__["lane"] = lane
    work()
    return lane.plans


def scans(plans: list[str]) -> list[str]:
    def reads_all(plan: str) -> bool:
        in_a_file = plan.startswith(tuple(f"SCAN {table}" for table in TABLES)) and "USING" not in plan
        return in_a_file or any(f"Seq Scan on {table}" in plan for table in TABLES)

    return [plan for plan in plans if reads_all(plan)]


@pytest.fixture
def job(database: OpenDatabase) -> Job:
    """A job with a past: without one, PostgreSQL takes any index for as good as any other."""
    with database.transaction() as session:
        job = make_job(session, make_organization(session))
        begin = NOW - timedelta(hours=1)
        schedules = [make_schedule(session, job, next_run_at=begin) for _ in range(PAST_SCHEDULES)]
        now = NOW - timedelta(days=1)
        run = session.get_one(Run, make_run(session, job, now=now))
        finished = {"state": "succeeded", "schedule_id": schedules[0].id, "finished_at": now}
        copied = {column.key: getattr(run, column.key) for column in Run.__table__.columns} | finished
        session.execute(
            insert(Run), [copied | {"id": new_id(), "slot_at": now - timedelta(minutes=n)} for n in range(PAST_RUNS)]
        )
        session.delete(run)
        session.flush()
        if database.is_postgres:
            session.execute(text("ANALYZE"))
    return job


def live_through(database: OpenDatabase, clock: ManualClock, run_id: UUID) -> None:
    assert database.lane is not None
    express = Express(database.lane, clock=clock, worker="w-1", lease_seconds=30)
    started = express.start(run_id)
    assert started is not None
    assert express.succeed(started, AttemptEnd(AttemptState.SUCCEEDED))


class TestQueryPlans:
    def test_of_a_tick_with_a_run_in_the_way(self, engine: str, session: Session, job: Job) -> None:
        rescope(session, ENGINE)

        plans = plans_of(session.get_bind(), lambda: planner.tick(session, now=NOW))

        assert scans(plans) == []
        assert any(BY_SCHEDULE_UNFINISHED[engine].search(plan) for plan in plans)
        assert any("ix_schedules_due" in plan for plan in plans)

    def test_of_a_dispatch(self, database: OpenDatabase, settings: Settings, clock: ManualClock, job: Job) -> None:
        hand = Dispatcher(database, clock, make_hints(make_huey(settings)), live_slots, own_slots=5)

        plans = plans_of_worker(database, hand.dispatch)

        assert scans(plans) == []
        assert any("ix_runs_line" in plan for plan in plans)
        assert any("ix_runs_hinted" in plan for plan in plans)

    def test_of_a_run_by_the_short_way(self, database: OpenDatabase, clock: ManualClock, job: Job) -> None:
        if not database.is_postgres:
            pytest.skip("SQLite has no such way")
        with database.transaction() as session:
            run_id = make_run(session, job, now=clock.moment)

        plans = plans_of_worker(database, lambda: live_through(database, clock, run_id))

        assert scans(plans) == []
        assert any("Index Scan using pk_runs" in plan for plan in plans)
        assert not any("ix_runs_ready" in plan or "ix_runs_lease" in plan for plan in plans)

    @pytest.mark.parametrize("table", ["runs", "schedules"])
    @pytest.mark.parametrize("number", [0, 300])
    def test_of_the_check_of_a_foreign_key_that_was_planned_without_statistics(
        self, engine: str, session: Session, table: str, number: int
    ) -> None:
        """A worker keeps that plan: by an index of all rows of an organization each check would read them all."""
        if engine != "postgresql":
            pytest.skip("SQLite looks them up by the key itself")
        job = make_job(session, make_organization(session))
        for _ in range(number):
            make_run(session, job, now=NOW)
        session.flush()
        for way in ("seqscan", "bitmapscan"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))

        # As PostgreSQL writes it.
        check = f"EXPLAIN SELECT 1 FROM ONLY {table} x WHERE organization_id = :one AND id = :other FOR KEY SHARE OF x"
        plan = " ".join(session.scalars(text(check), {"one": job.organization_id, "other": job.id}))

        assert f"uq_{table}_organization_id_id" in plan or f"pk_{table}" in plan

    def test_of_a_list_of_runs(self, session: Session, job: Job) -> None:
        own = job.organization_id
        newest = list_runs(session, organization_id=own, run_filter=RunFilter(), limit=2)

        plans = plans_of(
            session.get_bind(),
            lambda: list_runs(
                session, organization_id=own, run_filter=RunFilter(), limit=2, older_than=newest.older_than
            ),
        )

        assert any("ix_runs_organization_id_created_at" in plan for plan in plans)

    def test_of_a_count_of_what_waits(self, engine: str, session: Session, job: Job) -> None:
        plans = plans_of(session.get_bind(), lambda: count_queue(session, organization_id=job.organization_id))

        by_state = "ix_runs_organization_id_state_created_at (organization_id=? AND state=?)"
        assert engine == "postgresql" or any(by_state in plan for plan in plans)

    def test_of_a_sweep(self, session: Session, job: Job) -> None:
        rescope(session, ENGINE)

        plans = plans_of(session.get_bind(), lambda: reaper.reap(session, kinds={}, now=NOW))

        assert scans(plans) == []
        assert any("ix_runs_lease" in plan for plan in plans)

    def test_of_a_look_at_what_comes_next(self, session: Session, job: Job) -> None:
        looks = (earliest_due_across_tenants, earliest_ready_across_tenants)
        rescope(session, ENGINE)

        plans = plans_of(session.get_bind(), lambda: [look(session) for look in looks])

        assert any("ix_schedules_due" in plan for plan in plans)
        assert any("ix_runs_waiting_retry" in plan for plan in plans)

    def test_of_an_answer_to_why_a_run_waits(self, session: Session, job: Job) -> None:
        here = job.organization_id
        schedule = make_schedule(session, job)
        make_run(session, job, now=NOW, schedule_id=schedule.id)
        asked = {"organization_id": here, "schedule_id": schedule.id, "telling": in_utc(NOW)}
        rescope(session, Scope.tenant(here))

        plans = plans_of(session.get_bind(), lambda: why_schedule(session, **asked))

        assert scans(plans) == []
        assert any("ix_runs_lease" in plan for plan in plans)
        # Not by a join with all runs of the organization.
        assert not any("Hash" in plan for plan in plans)

    def test_of_the_figures_on_the_pages(self, session: Session, job: Job) -> None:
        here = job.organization_id
        schedule = make_schedule(session, job)
        rescope(session, Scope.tenant(here))

        def read() -> None:
            count_queue(session, organization_id=here)
            counts_of_organization(session, organization_id=here, since=NOW)
            schedule_stats(session, organization_id=here, schedule_ids=[schedule.id], since=NOW)
            dead_letters(session, here)

        plans = plans_of(session.get_bind(), read)

        assert scans(plans) == []

    def test_of_how_schedules_fare_and_what_needs_somebody(self, session: Session, job: Job) -> None:
        here = job.organization_id
        ids = session.scalars(select(Schedule.id).limit(5)).all()
        rescope(session, Scope.tenant(here))

        def read() -> None:
            failed_before(session, schedule_ids=ids, moment=NOW)
            health_of_schedules(session, organization_id=here, schedule_ids=ids, now=NOW)
            ask(session, failures_of_schedules(organization_id=here, schedule_ids=ids))
            ask(session, failures_of_jobs(organization_id=here, limit=5))
            newest_missed(session, organization_id=here, schedule_ids=ids)
            hours_of_organization(session, organization_id=here, since=NOW)

        plans = plans_of(session.get_bind(), read)

        assert scans(plans) == []
        assert any("ix_gaps_organization_id_last_slot_at" in plan for plan in plans)

    def test_of_the_first_page(self, session: Session, job: Job) -> None:
        here = job.organization_id
        rescope(session, Scope.tenant(here))
        glances = [
            one._replace(health=ScheduleHealth.FAILING)
            for one in read_glances(session, organization_id=here, now=NOW, is_stopped=False)[:5]
        ]

        def read() -> None:
            load = LoadMap(0, NOW, [])
            read_situation(session, glances, organization_id=here, load=load, is_stopped=False, today=NOW, now=NOW)

        plans = plans_of(session.get_bind(), read)

        assert len(glances) == 5
        assert scans(plans) == []

    @pytest.mark.parametrize("is_of_all", [False, True], ids=["own", "all"])
    def test_of_the_queue_page(self, session: Session, job: Job, is_of_all: bool) -> None:
        here = None if is_of_all else job.organization_id
        rescope(session, PLATFORM if is_of_all else Scope.tenant(job.organization_id))

        def read() -> None:
            read_figures(session, organization_id=here, now=NOW)
            for tab in QueueTab:
                after = Place(NOW, job.id)
                list_queue_tab(session, organization_id=here, wanted=QueueFilter(tab), now=NOW, limit=2, after=after)
            list_causes(session, organization_id=here, wanted=QueueFilter(QueueTab.DEAD))
            read_evidence(session, organization_id=here, now=NOW)

        plans = plans_of(session.get_bind(), read)

        assert scans(plans) == []

    def test_of_a_minute_of_the_queues(self, session: Session, job: Job) -> None:
        rescope(session, ENGINE)

        plans = plans_of(session.get_bind(), lambda: (keep_minute(session, now=NOW), fill_causes(session)))

        assert scans(plans) == []

    def test_of_the_pictures_on_the_page_of_a_schedule(self, engine: str, session: Session, job: Job) -> None:
        schedule_ids = session.scalars(select(Schedule.id)).all()
        spread = [
            {"id": run_id, "schedule_id": schedule_ids[n % PAST_SCHEDULES], "finished_at": NOW - timedelta(hours=n)}
            for n, run_id in enumerate(session.scalars(select(Run.id)).all())
        ]
        session.execute(update(Run), spread)
        if engine == "postgresql":
            session.execute(text("ANALYZE runs"))
        mine = {"organization_id": job.organization_id, "schedule_id": schedule_ids[0]}
        rescope(session, Scope.tenant(job.organization_id))

        def read() -> None:
            bunch_runs(session, **mine, since=NOW - timedelta(hours=16), width=timedelta(minutes=15), now=NOW)
            last_lengths(session, **mine, limit=50, longest_since=NOW - timedelta(days=30))
            list_gaps(session, **mine, limit=100)

        plans = plans_of(session.get_bind(), read)

        assert scans(plans) == []
        # Two ranges of the timeline, the last lengths and the longest one; none by all runs of the organization.
        assert sum("ix_runs_schedule_id_" in plan for plan in plans) == 4
        assert not any("ix_runs_organization_id" in plan for plan in plans)


class TestTheAudit:
    @pytest.fixture
    def past(self, database: OpenDatabase, job: Job) -> UUID:
        """The id of a thing with a past of its own, in an audit with many entries."""
        here, subject = job.organization_id, new_id()
        facts = {"actor_label": "ada@example.com", "summary": "Did something", "changes": {}, "organization_id": here}
        rows = [
            {"id": new_id(), "action": "job.revised", "subject_kind": "job", "at": NOW - timedelta(minutes=number)}
            | {"subject_id": new_id() if number % 50 else subject, **facts}
            for number in range(PAST_RUNS)
        ]
        with database.transaction() as session:
            session.execute(insert(AuditEntry), rows)
            if database.is_postgres:
                session.execute(text("ANALYZE audit_entries"))
        return subject

    @pytest.mark.parametrize(
        "wanted",
        [
            AuditFilter(),
            AuditFilter(actor="nobody@example.com"),
            AuditFilter(action="queue.deleted"),
            AuditFilter(action="queue"),
            AuditFilter(subject_kind="queue"),
            AuditFilter(since=NOW - timedelta(hours=1), until=NOW),
        ],
        ids=lambda wanted: ",".join(name for name, value in vars(wanted).items() if value) or "all",
    )
    def test_is_found_in_the_index_that_holds_all_that_is_asked_about(
        self, session: Session, job: Job, past: UUID, wanted: AuditFilter
    ) -> None:
        here = job.organization_id
        rescope(session, Scope.tenant(here))
        if session.get_bind().dialect.name == "postgresql":
            # Of a few entries it gathers and sorts them all.
            session.execute(text("SET LOCAL enable_bitmapscan = off"))

        def look() -> None:
            found = list_audit(session, organization_id=here, audit_filter=wanted, limit=2)
            place = (NOW, new_id()) if not found else found[-1].place
            list_audit(session, organization_id=here, audit_filter=wanted, limit=2, before=place)

        plans = plans_of(session.get_bind(), look)

        assert scans(plans) == []
        assert any("ix_audit_entries_newest" in plan for plan in plans)

    def test_of_one_thing_is_found_by_its_id(self, session: Session, job: Job, past: UUID) -> None:
        here = job.organization_id
        rescope(session, Scope.tenant(here))

        def look() -> None:
            list_entries(session, organization_id=here, subject_kind="job", subject_id=past, limit=2)
            last_author(session, organization_id=here, subject_id=past)

        plans = plans_of(session.get_bind(), look)

        assert scans(plans) == []
        assert sum("ix_audit_entries_subject" in plan for plan in plans) >= 2
