"""Schedules live through downtime, pauses, stops and edits; a simple model says where each slot has to be.

The model lists slots minute by minute, by a transcription of cron that shares no code with the planner.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, literal, select, update
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.core.scopes import ENGINE
from app.runs import ledger, planner, service
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.states import ACTIVE, AttemptState, RunState, Trigger
from app.runs.waits import waits_that_are_over
from app.schedules.models import Gap, Schedule, SchedulingStop
from app.schedules.policies import LATE_AFTER, Missed, Overlap
from app.schedules.service import ScheduleDraft, create_schedule
from tests.factories.work import actor_in, make_job, make_organization
from tests.fakes.database import OpenDatabase
from tests.faults.expectations import fires

# Lines, and the shortest time between two slots of each.
CRONS = {
    "* * * * *": timedelta(minutes=1),
    "*/7 * * * *": timedelta(minutes=7),
    "5 * * * *": timedelta(hours=1),
    "30 2 * * *": timedelta(hours=24),
    "15 1,2,3 * * *": timedelta(hours=1),
    "0 */6 * * *": timedelta(hours=6),
    "0 9-17/2 * * 1-5": timedelta(hours=2),
}
ZONES = ("UTC", "Europe/Riga", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
# The clocks of New York and of Riga change in the two weeks after it.
BEGIN = datetime(2027, 3, 13, 22, 30, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
WAITS = (0.5, 1, 20, 59, 60, 61, 240, 1_800, 3_600, 7_200, 40_000, 86_400, 250_000)


@dataclass
class Believed:
    """What the model knows of a schedule: what it said since when, and up to when its slots are accounted for."""

    rules: list[tuple[str, str, datetime]]
    missed: Missed
    max_age: timedelta
    limit: int
    overlap: Overlap
    accounted: datetime
    is_on: bool = True
    # Slots that came while it was off, and those of them that somebody wanted to run after all.
    off: set[datetime] = field(default_factory=set)
    wanted: set[datetime] = field(default_factory=set)

    def slots(self, after: datetime, until: datetime) -> list[datetime]:
        ends = [since for _, _, since in self.rules[1:]] + [until]
        found = (
            fires(cron, zone, after=max(since, after), until=min(end, until))
            for (cron, zone, since), end in zip(self.rules, ends, strict=True)
            if max(since, after) < min(end, until)
        )
        return [slot for piece in found for slot in piece]


class Life(RuleBasedStateMachine):
    """One organization with a few schedules, and everything that may befall them."""

    database: OpenDatabase

    @initialize()
    def begin(self) -> None:
        self.now = BEGIN
        self.is_stopped = False
        self.stopped: list[tuple[datetime, datetime]] = []
        self.believed: dict[UUID, Believed] = {}
        with self.database.transaction() as session:
            organization_id = make_organization(session)
            self.actor = actor_in(organization_id)
            self.job_id = make_job(session, organization_id).id

    @precondition(lambda self: len(self.believed) < 4)
    @rule(
        cron=st.sampled_from(sorted(CRONS)), zone=st.sampled_from(ZONES), missed=st.sampled_from(Missed),
        overlap=st.sampled_from(Overlap), intervals=st.sampled_from((1, 2, 5, 50)), limit=st.sampled_from((1, 3, 10)),
    )  # fmt: skip
    def make(self, cron: str, zone: str, missed: Missed, overlap: Overlap, intervals: int, limit: int) -> None:
        age = CRONS[cron] * intervals
        draft = ScheduleDraft(
            name=f"Schedule {len(self.believed)}", job_id=self.job_id, cron=cron, timezone=zone, spread_key="k",
            overlap=overlap, missed=missed, missed_max_age_seconds=int(age.total_seconds()), missed_limit=limit,
        )  # fmt: skip
        with self.database.transaction() as session:
            schedule_id = create_schedule(session, actor=self.actor, draft=draft, now=self.now)
        self.believed[schedule_id] = Believed([(cron, zone, self.now)], missed, age, limit, overlap, self.now)

    @rule(seconds=st.sampled_from(WAITS))
    def wait(self, seconds: float) -> None:
        """Time passes, and no scheduler is there."""
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.believed)
    @rule(data=st.data(), seconds=st.sampled_from((0.2, 59, 61, 100, 900, 8_000)))
    def wait_past_a_slot(self, data: st.DataObject, seconds: float) -> None:
        """Nobody is there when the next slot of a schedule comes, and for a while after it."""
        self.now = max(self.now, self.next_slot(self.believed[self.draw_one(data)])) + timedelta(seconds=seconds)

    @rule(minutes=st.integers(1, 6))
    def keep_time(self, minutes: int) -> None:
        """Time passes, and a scheduler ticks at every minute."""
        for _ in range(minutes):
            self.now = self.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
            self.tick()

    @rule()
    def tick(self) -> None:
        before = {schedule_id: known.accounted for schedule_id, known in self.believed.items()}
        with self.database.transaction(ENGINE) as session:
            ahead = {schedule_id: self.runs(session, *ACTIVE, schedule_id=schedule_id) for schedule_id in self.believed}
            session.expunge_all()
            planner.tick(session, now=self.now)
        if self.is_stopped:
            return
        for known in self.believed.values():
            if known.is_on:
                known.accounted = self.now
        self.check_policies(before, ahead)

    @rule()
    def begin_to_work(self) -> None:
        """A worker starts what is ready, and takes its time."""
        with self.database.transaction(ENGINE) as session:
            for run in self.runs(session, RunState.READY):
                self.start(session, run.id)

    @rule()
    def work(self) -> None:
        """A worker does all that is going on or ready, and what may start after that."""
        with self.database.transaction(ENGINE) as session:
            for run in self.runs(session, RunState.RUNNING):
                self.finish(session, run.id, run.token)
        for _ in range(20):
            with self.database.transaction(ENGINE) as session:
                over = waits_that_are_over(literal(self.now, UTCDateTime()), literal(100))
                ledger.make_ready(session, run_ids=list(session.scalars(over)), now=self.now)
                ready = self.runs(session, RunState.READY)
                for run in ready:
                    self.finish(session, run.id, self.start(session, run.id))
            if not ready:
                return

    @precondition(lambda self: self.believed)
    @rule(data=st.data())
    def pause(self, data: st.DataObject) -> None:
        schedule_id = self.draw_one(data)
        known = self.believed[schedule_id]
        self.switch(schedule_id, enabled=False)
        if known.is_on:
            known.is_on, known.accounted = False, self.now

    @precondition(lambda self: self.believed)
    @rule(data=st.data(), choice=st.sampled_from(Missed))
    def resume(self, data: st.DataObject, choice: Missed) -> None:
        """Somebody switches it on again, and says what becomes of the slots that it missed."""
        schedule_id = self.draw_one(data)
        known = self.believed[schedule_id]
        was_on = known.is_on
        missed = known.slots(known.accounted, self.now)
        self.switch(schedule_id, enabled=True, missed=choice)
        known.is_on, known.accounted = True, self.now
        if not was_on:
            most = {Missed.SKIP: 0, Missed.LATEST: 1, Missed.ALL: known.limit}[choice]
            known.off |= set(missed)
            known.wanted |= set(missed[len(missed) - min(most, len(missed)) :])

    @precondition(lambda self: self.believed)
    @rule(data=st.data(), cron=st.sampled_from(sorted(CRONS)), zone=st.sampled_from(ZONES))
    def edit(self, data: st.DataObject, cron: str, zone: str) -> None:
        """Another rhythm, in force from now on."""
        schedule_id = self.draw_one(data)
        known = self.believed[schedule_id]
        with self.database.transaction() as session:
            row = session.get_one(Schedule, schedule_id)
            age = CRONS[cron] * 3
            draft = ScheduleDraft(
                name=row.name, job_id=row.job_id, cron=cron, timezone=zone, spread_key=row.spread_key,
                enabled=row.enabled, overlap=Overlap(row.overlap), missed=Missed(row.missed),
                missed_max_age_seconds=int(age.total_seconds()), missed_limit=row.missed_limit,
            )  # fmt: skip
            service.edit_schedule(
                session, actor=self.actor, schedule_id=schedule_id, draft=draft, version=row.version, now=self.now
            )
        if not known.is_on:
            known.off |= set(known.slots(known.accounted, self.now))
        known.rules.append((cron, zone, self.now))
        known.accounted, known.max_age = self.now, age

    @rule()
    def stop_or_start_everything(self) -> None:
        with self.database.transaction() as session:
            if self.is_stopped:
                lasting = update(SchedulingStop).where(SchedulingStop.is_open.is_(True))
                session.execute(lasting.values(is_open=None, started_at=self.now))
                self.stopped[-1] = (self.stopped[-1][0], self.now)
            else:
                session.add(SchedulingStop(stopped_at=self.now, stopped_by="Ana", reason="Move", is_open=True))
                self.stopped.append((self.now, datetime.max.replace(tzinfo=UTC)))
        self.is_stopped = not self.is_stopped

    @invariant()
    def every_slot_is_accounted_for_once(self) -> None:
        with self.database.reading() as session:
            for schedule_id, known in self.believed.items():
                self.check_books(session, schedule_id, known)

    @invariant()
    def one_run_of_a_schedule_goes_on_at_once(self) -> None:
        with self.database.reading() as session:
            for schedule_id, known in self.believed.items():
                going_on = self.runs(session, RunState.READY, RunState.RUNNING, schedule_id=schedule_id)
                waiting = self.runs(session, RunState.WAITING, schedule_id=schedule_id)
                assert len(going_on) <= 1 or known.overlap is Overlap.ALLOW
                assert not waiting or known.overlap is not Overlap.ALLOW

    def check_books(self, session: Session, schedule_id: UUID, known: Believed) -> None:
        slots = known.slots(BEGIN - MOMENT, known.accounted)
        runs = [run.slot_at for run in self.runs(session, schedule_id=schedule_id) if run.slot_at is not None]
        gaps = session.scalars(select(Gap).where(Gap.schedule_id == schedule_id)).all()
        in_gaps = [(slot, gap) for gap in gaps for slot in slots if gap.first_slot_at <= slot <= gap.last_slot_at]
        # Exactly the slots of the model, each once, and each gap counts what the model counts.
        assert sorted([*runs, *(slot for slot, _ in in_gaps)]) == slots
        assert sum(gap.slots for gap in gaps) == len(in_gaps)
        assert all({gap.first_slot_at, gap.last_slot_at} <= set(slots) for gap in gaps)
        for slot, gap in in_gaps:
            assert gap.reason in self.reasons(known, slot)
        assert known.wanted <= set(runs)
        following = session.scalars(select(Schedule.next_run_at).where(Schedule.id == schedule_id)).one()
        assert following == self.next_slot(known)

    def check_policies(self, before: dict[UUID, datetime], ahead: dict[UUID, list[Run]]) -> None:
        """What a tick opens is what the policy says of what was due."""
        with self.database.reading() as session:
            for schedule_id, known in self.believed.items():
                due = known.slots(before[schedule_id], known.accounted)
                opened = [run for run in self.runs(session, schedule_id=schedule_id) if run.slot_at in due]
                wanted = [slot for slot in due if not self.fell_into_a_stop(slot)]
                assert [run.slot_at for run in opened] == self.to_open(known, wanted)
                for run in opened:
                    assert run.slot_at is not None
                    is_late = self.now - run.slot_at > LATE_AFTER
                    assert run.trigger == (Trigger.CATCH_UP if is_late else Trigger.SCHEDULE)
                if opened:
                    self.check_overlap(session, known, opened, ahead[schedule_id])

    def check_overlap(self, session: Session, known: Believed, opened: list[Run], ahead: list[Run]) -> None:
        """What a tick opens beside runs that have no end yet goes by what the schedule says about that."""
        states = {run.state for run in opened}
        waits = any(run.state == RunState.WAITING for run in ahead)
        if known.overlap is Overlap.ALLOW:
            assert states == {RunState.READY}
        elif not ahead:
            assert [run.state for run in opened] == [RunState.READY, *[RunState.WAITING] * (len(opened) - 1)]
        elif known.overlap is Overlap.SKIP or (known.overlap is Overlap.QUEUE_ONE and waits):
            assert states == {RunState.SKIPPED}
        else:
            assert states == {RunState.WAITING}
        for before in ahead if known.overlap is Overlap.CANCEL_PREVIOUS else ():
            now = session.get_one(Run, before.id)
            assert now.state == RunState.CANCELLED or now.cancel_requested_at is not None

    def to_open(self, known: Believed, due: list[datetime]) -> list[datetime]:
        reach = {Missed.SKIP: LATE_AFTER}.get(known.missed, max(known.max_age, LATE_AFTER))
        most = known.limit if known.missed is Missed.ALL else 1
        young = [slot for slot in due if self.now - slot <= reach]
        return young[len(young) - min(most, len(young)) :]

    def reasons(self, known: Believed, slot: datetime) -> set[str]:
        if slot in known.off:
            return {"paused"}
        return {"scheduling_stopped"} if self.fell_into_a_stop(slot) else {"scheduler_down", "scheduling_stopped"}

    def fell_into_a_stop(self, slot: datetime) -> bool:
        return any(began <= slot < ended for began, ended in self.stopped)

    def next_slot(self, known: Believed) -> datetime:
        cron, zone, since = known.rules[-1]
        after = max(known.accounted, since)
        for days in (1, 2, 5, 30):
            found = fires(cron, zone, after=after, until=after + timedelta(days=days))
            if found:
                return found[0]
        raise AssertionError("every line here fires within a month")

    def runs(self, session: Session, *states: RunState, schedule_id: UUID | None = None) -> list[Run]:
        query = select(Run).where(Run.organization_id == self.actor.organization_id).order_by(Run.slot_at)
        if states:
            query = query.where(Run.state.in_([state.value for state in states]))
        if schedule_id is not None:
            query = query.where(Run.schedule_id == schedule_id)
        return list(session.scalars(query))

    def start(self, session: Session, run_id: UUID) -> int:
        lease = self.now + timedelta(seconds=30)
        started = ledger.start(session, run_id=run_id, worker="w", lease_until=lease, now=self.now)
        assert started is not None
        return started.token

    def finish(self, session: Session, run_id: UUID, token: int) -> None:
        end = AttemptEnd(AttemptState.SUCCEEDED)
        assert ledger.succeed(session, run_id=run_id, token=token, end=end, now=self.now)

    def draw_one(self, data: st.DataObject) -> UUID:
        return list(self.believed)[data.draw(st.integers(0, len(self.believed) - 1))]

    def switch(self, schedule_id: UUID, *, enabled: bool, missed: Missed = Missed.SKIP) -> None:
        with self.database.transaction() as session:
            service.switch_schedule(
                session, actor=self.actor, schedule_id=schedule_id, enabled=enabled, missed=missed, now=self.now
            )

    def teardown(self) -> None:
        """The database is that of the next life too."""
        with self.database.transaction() as session:
            session.execute(update(Schedule).values(enabled=False, deleted_at=self.now))
            session.execute(delete(SchedulingStop))


class TestEverySlot:
    def test_is_accounted_for_whatever_happens(self, database: OpenDatabase) -> None:
        life = type("LifeHere", (Life,), {"database": database})

        run_state_machine_as_test(
            life,
            settings=settings(
                max_examples=25, stateful_step_count=40, deadline=None, derandomize=True,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
