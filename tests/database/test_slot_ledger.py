"""The slot ledger: each slot of a day has exactly one outcome, and their sum is what the rhythm has on that day."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.ops.slots.csv_text import csv_text
from app.ops.slots.days import Day, DayInvalid, read_day
from app.ops.slots.ledger import SlotLedger, read_ledger
from app.ops.slots.outcomes import SlotOutcome, SlotRow
from app.runs import ledger, planner, service
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.states import AttemptState, RunState
from app.schedules.models import Schedule, SchedulingStop
from app.schedules.queries import get_schedule
from app.schedules.service import ScheduleDraft, create_schedule
from app.tenants.access import Actor
from tests.database.believed_slots import BEGIN
from tests.database.slot_life import Life
from tests.factories.work import make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.unit.schedules.cron_oracle import CronJob, walk

MADE = utc("2027-01-04 08:00")
HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)


def make(session: Session, actor: Actor, job: Job, *, now: datetime = MADE, **more: object) -> UUID:
    values = {"name": "Hourly", "job_id": job.id, "cron": "0 * * * *", "timezone": "UTC", "spread_key": "k"}
    draft = ScheduleDraft(**(values | more))  # type: ignore[arg-type]
    return create_schedule(session, actor=actor, draft=draft, now=now)


def edit(session: Session, actor: Actor, schedule_id: UUID, *, now: datetime, **changes: object) -> None:
    row = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    values = {
        "name": row.name, "job_id": row.job_id, "cron": row.cron, "timezone": row.timezone,
        "spread_key": row.spread_key, "enabled": row.enabled,
    }  # fmt: skip
    draft = ScheduleDraft(**(values | changes))  # type: ignore[arg-type]
    service.edit_schedule(session, actor=actor, schedule_id=schedule_id, draft=draft, version=row.version, now=now)
    session.expire_all()


def switch(session: Session, actor: Actor, schedule_id: UUID, *, on: bool, now: datetime) -> None:
    service.switch_schedule(session, actor=actor, schedule_id=schedule_id, enabled=on, now=now)
    session.expire_all()


def live(session: Session, *, since: datetime, until: datetime, works: bool = True) -> None:
    """A scheduler ticks at every full hour and half, and a worker does at once what is ready."""
    now = since
    while now <= until:
        planner.tick(session, now=now)
        session.flush()
        if works:
            work(session, now)
        now += HOUR / 2
    session.expire_all()


def work(session: Session, now: datetime) -> None:
    for run in session.query(Run).where(Run.state == RunState.READY.value).all():
        started = ledger.start(session, run_id=run.id, worker="w", lease_until=now + HOUR, now=now)
        assert started is not None
        end = AttemptEnd(AttemptState.SUCCEEDED)
        ledger.succeed(session, run_id=run.id, token=started.token, end=end, now=now + timedelta(seconds=2))


def ledger_of(
    session: Session, actor: Actor, schedule_id: UUID, day: str, *, now: datetime, kept_days: int = 0
) -> SlotLedger:
    row = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    named = read_day(day, zone=row.timezone, now=now)
    return read_ledger(session, schedule=row, day=named, kept_days=kept_days, now=now)


def at(found: SlotLedger, moment: str) -> SlotRow:
    return next(row for row in found.rows if row.slot_at == utc(moment))


class TestNamingADay:
    @pytest.mark.parametrize(
        ("text", "message"),
        [("2027-01-06", "yet to come"), ("yesterday", "is no day"), ("1066-10-14", "out of reach")],
    )
    def test_refuses_what_is_none(self, text: str, message: str):
        with pytest.raises(DayInvalid, match=message):
            read_day(text, zone="UTC", now=utc("2027-01-05 12:00"))

    def test_begins_where_the_clocks_jump_over_midnight(self):
        day = read_day("2027-03-28", zone="Asia/Beirut", now=utc("2028-01-01 00:00"))

        assert (day.start, day.end) == (utc("2027-03-27 22:00"), utc("2027-03-28 21:00"))


class TestADay:
    def test_sums_up_to_what_the_rhythm_has(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-06 01:00"))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-06 01:00"))

        assert found.counts == {SlotOutcome.SUCCEEDED: 24}
        assert {row.reason for row in found.rows} == {"on time"}

    def test_lists_today_up_to_now(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 10:00"))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-05 10:10"))

        assert found.counts == {SlotOutcome.SUCCEEDED: 11}

    def test_says_what_came_before_it_was_made(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 01:00"))

        found = ledger_of(session, actor, schedule_id, "2027-01-04", now=utc("2027-01-05 01:00"))

        assert found.counts == {SlotOutcome.SUCCEEDED: 15, SlotOutcome.BEFORE: 9}

    def test_names_who_had_paused_it(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 03:00"))
        switch(session, actor, schedule_id, on=False, now=utc("2027-01-05 03:10"))
        switch(session, actor, schedule_id, on=True, now=utc("2027-01-05 06:10"))
        live(session, since=utc("2027-01-05 06:30"), until=utc("2027-01-06 00:00"))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-06 00:30"))

        assert found.counts == {SlotOutcome.SUCCEEDED: 21, SlotOutcome.PAUSED: 3}
        assert at(found, "2027-01-05 05:00").reason == "ana@example.com had switched it off at 2027-01-05 03:10 UTC"

    def test_names_who_has_paused_it_while_it_lasts(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 03:00"))
        switch(session, actor, schedule_id, on=False, now=utc("2027-01-05 03:10"))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-05 06:10"))

        assert found.counts == {SlotOutcome.SUCCEEDED: 4, SlotOutcome.PAUSED: 3}
        assert at(found, "2027-01-05 06:00").reason == "ana@example.com has switched it off at 2027-01-05 03:10 UTC"

    def test_shows_what_was_caught_up_and_what_nobody_ran(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 03:00"))
        live(session, since=utc("2027-01-05 06:30"), until=utc("2027-01-06 00:00"))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-06 00:30"))

        assert found.counts == {SlotOutcome.SUCCEEDED: 22, SlotOutcome.MISSED: 2}
        assert at(found, "2027-01-05 05:00").reason == "no scheduler was running"
        assert at(found, "2027-01-05 06:00").reason == "caught up, 30 min late"

    def test_names_the_run_in_the_way(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-04 10:30"), works=False)

        found = ledger_of(session, actor, schedule_id, "2027-01-04", now=utc("2027-01-04 10:40"))

        assert found.counts == {SlotOutcome.WAITING: 1, SlotOutcome.SKIPPED: 1, SlotOutcome.BEFORE: 9}
        assert str(at(found, "2027-01-04 09:00").run.id) in at(found, "2027-01-04 10:00").reason  # type: ignore[union-attr]

    def test_goes_by_the_rhythm_of_each_time(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 12:00"))
        edit(session, actor, schedule_id, cron="15,45 * * * *", now=utc("2027-01-05 12:20"))
        live(session, since=utc("2027-01-05 12:30"), until=utc("2027-01-06 00:00"))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-06 00:10"))

        # 13 by the old one, of the new one 12:45 and all that followed.
        assert sum(found.counts.values()) == 13 + 23
        assert SlotOutcome.UNACCOUNTED not in found.counts
        assert [era.version.says["cron"] for era in found.eras] == ["0 * * * *", "15,45 * * * *"]

    def test_knows_a_stop_while_it_lasts_and_afterwards(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 03:00"))
        session.add(SchedulingStop(stopped_at=utc("2027-01-05 03:10"), stopped_by="Ana", reason="Move", is_open=True))
        lasting = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-05 06:10"))
        session.execute(update(SchedulingStop).values(is_open=None, started_at=utc("2027-01-05 06:10")))
        live(session, since=utc("2027-01-05 06:30"), until=utc("2027-01-06 00:00"))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-06 00:30"))

        assert lasting.counts == {SlotOutcome.SUCCEEDED: 4, SlotOutcome.STOPPED: 3}
        assert found.counts == {SlotOutcome.SUCCEEDED: 21, SlotOutcome.STOPPED: 3}
        assert at(found, "2027-01-05 05:00").reason == "Ana stopped all scheduling at 2027-01-05 03:10 UTC: Move"

    def test_says_what_no_scheduler_planned_yet(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)

        found = ledger_of(session, actor, schedule_id, "2027-01-04", now=utc("2027-01-04 10:10"))

        assert found.counts == {SlotOutcome.DUE: 2, SlotOutcome.BEFORE: 9}

    def test_shows_loudly_what_nobody_knows(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 12:00"))
        session.execute(delete(Run).where(Run.slot_at == utc("2027-01-05 04:00")))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-05 12:10"))

        assert found.counts == {SlotOutcome.SUCCEEDED: 12, SlotOutcome.UNACCOUNTED: 1}

    def test_says_of_what_time_runs_are_not_kept(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 12:00"))
        session.execute(delete(Run).where(Run.slot_at <= utc("2027-01-05 04:00")))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-06 04:10"), kept_days=1)

        assert found.counts[SlotOutcome.NOT_KEPT] == 5
        assert SlotOutcome.UNACCOUNTED not in found.counts

    def test_says_where_it_cannot_be_sure(self, session: Session, actor: Actor, job: Job):
        changed = {"version": 4, "created_at": MADE, "updated_at": utc("2027-01-05 12:00")}
        schedule = make_schedule(session, job, cron="0 * * * *", next_run_at=utc("2027-01-04 09:00"), **changed)
        live(session, since=MADE, until=utc("2027-01-05 23:30"))

        found = ledger_of(session, actor, schedule.id, "2027-01-05", now=utc("2027-01-05 23:40"))

        assert [era.until for era in found.unknown] == [utc("2027-01-05 12:00")]
        assert found.counts == {SlotOutcome.SUCCEEDED: 24}

    def test_counts_what_was_set_aside_by_its_own_times(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 03:00"))
        session.execute(update(Schedule).values(problem="Something was wrong with it."))
        edit(session, actor, schedule_id, cron="30 * * * *", now=utc("2027-01-05 06:10"))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-05 06:20"))

        assert found.counts == {SlotOutcome.SUCCEEDED: 4, SlotOutcome.MISSED: 3}

    def test_counts_what_could_not_be_read_by_the_new_text(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 03:00"))
        session.execute(update(Schedule).values(cron="never"))
        live(session, since=utc("2027-01-05 04:00"), until=utc("2027-01-05 05:00"))
        # Its version was kept as it was before somebody spoiled the row.
        edit(session, actor, schedule_id, cron="30 * * * *", now=utc("2027-01-05 06:10"))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-05 06:20"))

        assert SlotOutcome.MISSED in found.counts

    def test_shows_runs_of_other_times_apart(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 03:00"))
        moved = update(Run).where(Run.slot_at == utc("2027-01-05 02:00"))
        session.execute(moved.values(slot_at=utc("2027-01-05 02:30")))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=utc("2027-01-05 03:10"))

        assert [row.slot_at for row in found.extras] == [utc("2027-01-05 02:30")]


# A zone, a day on which its clocks change, and how many slots an hourly and a fixed line have on it.
CLOCK_CHANGES = [
    ("Europe/Berlin", "2027-03-28", 23),
    ("Europe/Berlin", "2027-10-31", 25),
    ("America/New_York", "2027-03-14", 23),
    ("Australia/Lord_Howe", "2027-04-04", 24),
    ("Africa/Cairo", "2027-04-30", 23),
    ("Asia/Beirut", "2027-03-28", 23),
]


class TestADayOnWhichTheClocksChange:
    @pytest.mark.parametrize(("zone", "day", "hours"), CLOCK_CHANGES)
    def test_sums_up_to_what_the_rhythm_has(
        self, session: Session, actor: Actor, job: Job, zone: str, day: str, hours: int
    ):
        named = read_day(day, zone=zone, now=utc("2028-01-01 00:00"))
        schedule_id = make(session, actor, job, timezone=zone, now=named.start - HOUR * 3)
        live(session, since=named.start - HOUR * 2, until=named.start + HOUR * 5)
        live(session, since=named.start + HOUR * 9, until=named.end + HOUR)

        found = ledger_of(session, actor, schedule_id, day, now=named.end + HOUR)

        assert len(found.rows) == hours
        assert sum(found.counts.values()) == hours
        assert SlotOutcome.UNACCOUNTED not in found.counts


BEFORE_NOON, AFTERWARDS = "30 1,2 * * *\n15 */6 * * *\n0 2 * * 0", "0 12-23 * * *\n*/40 * * * *"


def as_cron_counts(text: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    """The instants at which Debian's cron starts one of these lines, each once."""
    jobs = [CronJob(line) for line in text.splitlines()]
    begin = after.replace(second=0, microsecond=0) - timedelta(days=2)
    walk(jobs, ZoneInfo(zone), begin, until + timedelta(days=1))
    return sorted({at for job in jobs for at in job.started if after < at <= until})


class TestADayWithSeveralRhythms:
    @pytest.mark.parametrize(
        ("zone", "day"),
        [
            ("America/New_York", "2027-03-14"),
            ("America/New_York", "2027-11-07"),
            ("Europe/Berlin", "2027-03-28"),
            ("Australia/Lord_Howe", "2027-10-03"),
            ("Asia/Kolkata", "2027-03-14"),
        ],
    )
    def test_sums_up_to_what_cron_counts_also_when_it_is_edited_on_that_day(
        self, session: Session, actor: Actor, job: Job, zone: str, day: str
    ):
        named = read_day(day, zone=zone, now=utc("2028-01-01 00:00"))
        edited_at = named.start + 11 * HOUR
        schedule_id = make(session, actor, job, timezone=zone, cron=BEFORE_NOON, now=named.start - HOUR * 3)
        live(session, since=named.start - HOUR * 2, until=edited_at)
        edit(session, actor, schedule_id, cron=AFTERWARDS, now=edited_at)
        live(session, since=edited_at, until=named.start + HOUR * 15)

        found = ledger_of(session, actor, schedule_id, day, now=named.end + HOUR)

        first = as_cron_counts(BEFORE_NOON, zone, named.start - MOMENT, edited_at)
        second = as_cron_counts(AFTERWARDS, zone, edited_at, named.end - MOMENT)
        assert [row.slot_at for row in found.rows] == [*first, *second]
        assert sum(found.counts.values()) == len(first) + len(second)
        assert SlotOutcome.UNACCOUNTED not in found.counts

    def test_is_narrowed_to_an_outcome_with_the_sums_of_the_day(self, session: Session, actor: Actor, job: Job):
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=MADE + 5 * HOUR)

        found = ledger_of(session, actor, schedule_id, "2027-01-04", now=MADE + 20 * HOUR)

        assert set(found.counts) > {SlotOutcome.SUCCEEDED}
        for outcome, count in found.counts.items():
            lines = list(csv.DictReader(io.StringIO(csv_text(found, outcome))))
            assert [line["outcome"] for line in lines] == [outcome.value] * count
            assert [row.outcome for row in found.chosen(outcome)] == [outcome] * count
        assert len(csv_text(found).splitlines()) == len(found.rows) + 1


class LedgerLife(Life):
    """The simulated life of schedules, at whose end the ledger of each day is compared with the model."""

    def teardown(self) -> None:
        with self.database.reading() as session:
            for schedule_id, known in self.believed.items():
                row = get_schedule(session, organization_id=self.world.actor.organization_id, schedule_id=schedule_id)
                slots = [*known.past, *known.slots(self.now)]
                for day in self.days_until_now(row.timezone):
                    found = read_ledger(session, schedule=row, day=day, kept_days=0, now=self.now)
                    self.compare(found, [slot for slot in slots if day.start <= slot < day.end])
        super().teardown()

    def days_until_now(self, zone: str) -> Iterator[Day]:
        last = read_day(None, zone=zone, now=self.now).on
        day = read_day(None, zone=zone, now=BEGIN).on
        # Most lives are over within a few days; of a long one the first and the last weeks tell enough.
        while day <= last:
            yield read_day(str(day), zone=zone, now=self.now)
            day += timedelta(days=1 if (day - BEGIN.date()).days < 20 else 5)

    def compare(self, found: SlotLedger, expected: list[datetime]) -> None:
        assert [row.slot_at for row in found.rows if row.outcome is not SlotOutcome.BEFORE] == expected
        assert SlotOutcome.UNACCOUNTED not in found.counts
        assert found.extras == ()


class TestEveryDay:
    def test_sums_up_whatever_happens(self, database: OpenDatabase):
        life = type("LifeHere", (LedgerLife,), {"database": database, "shown": Counter()})

        run_state_machine_as_test(
            life,
            settings=settings(
                max_examples=15, stateful_step_count=30, deadline=None, derandomize=True,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
