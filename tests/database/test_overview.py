"""How an organization fares, read from the database."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.jobs.kinds.base import KindName
from app.ops.heartbeats import ProcessFacts, beat
from app.ops.overview import Situation, read_situation
from app.ops.schedule_glances import read_glances
from app.runs import failed_rows
from app.runs.run_hours import count_hours
from app.schedules.connection_pauses import PAUSED_BY, REFUSED
from app.schedules.load import LoadBook
from tests.factories.figures import make_connection
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.work import load_run, make_gap, make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:30")
MIDNIGHT = utc("2027-01-05 00:00")
HOUR = timedelta(hours=1)


@pytest.fixture
def organization_id(session: Session) -> UUID:
    return make_organization(session)


def read(session: Session, organization_id: UUID, **more: Any) -> Situation:
    session.flush()
    load = LoadBook().look_up(session, organization_id=organization_id, now=NOW)
    glances = read_glances(session, organization_id=organization_id, now=NOW, is_stopped=False)
    facts: dict[str, Any] = {"load": load, "is_stopped": False, "today": MIDNIGHT, "now": NOW} | more
    return read_situation(session, glances, organization_id=organization_id, **facts)


def make_stuck(session: Session, organization_id: UUID, name: str) -> UUID:
    """A run in the hands of a worker that nothing was heard of since."""
    return make_running(session, make_job(session, organization_id, name=name), now=NOW - HOUR)


def report(session: Session) -> None:
    """The worker that holds all runs of these tests says that it lives."""
    facts = ProcessFacts(UUID(int=42), "worker-1:42", "1.2.3", slots=5, schedules=False)
    beat(session, facts, now=NOW, ticked_at=None, tick_ms=None)


class TestHours:
    def test_hold_what_was_counted_and_what_was_not_yet(self, session: Session, organization_id: UUID) -> None:
        job = make_job(session, organization_id)
        make_succeeded(session, job, now=NOW - 3 * HOUR)
        make_failed(session, job, now=NOW - 3 * HOUR)
        session.flush()
        while count_hours(session, organization_id=organization_id, now=NOW - HOUR):
            pass
        make_succeeded(session, job, now=NOW - timedelta(minutes=1))

        hours = read(session, organization_id).hours.hours

        ended = {hour.begin: (hour.ended.good, hour.ended.failed) for hour in hours if hour.ended.all}
        assert ended == {utc("2027-01-05 09:00"): (1, 1), utc("2027-01-05 12:00"): (1, 0)}

    def test_hold_the_slots_to_come_and_none_that_has_passed(self, session: Session, organization_id: UUID) -> None:
        make_schedule(session, make_job(session, organization_id), cron="*/15 * * * *")

        coming = [hour.coming for hour in read(session, organization_id).hours.hours]

        assert coming == [0] * 16 + [1] + [4] * 7

    def test_count_every_second_that_a_rhythm_names(self, session: Session, organization_id: UUID) -> None:
        make_schedule(session, make_job(session, organization_id), cron="0,20,40 * 14 * * *", has_seconds=True)

        coming = {hour.begin: hour.coming for hour in read(session, organization_id).hours.hours if hour.coming}

        assert coming == {utc("2027-01-05 14:00"): 180}

    def test_hold_nothing_to_come_while_all_scheduling_is_stopped(
        self, session: Session, organization_id: UUID
    ) -> None:
        make_schedule(session, make_job(session, organization_id), cron="*/15 * * * *")

        found = read(session, organization_id, is_stopped=True)

        assert (found.hours.coming, found.next_run) == (0, None)


class TestTheWeeks:
    def test_are_compared_without_what_ended_between(self, session: Session, organization_id: UUID) -> None:
        job = make_job(session, organization_id)
        make_succeeded(session, job, now=NOW - timedelta(days=6))
        make_failed(session, job, now=NOW - timedelta(days=8))
        make_failed(session, job, now=NOW - timedelta(days=14, hours=2))

        found = read(session, organization_id)

        assert (found.ended.good, found.ended.finished) == (1, 1)
        assert (found.ended_before.good, found.ended_before.finished) == (0, 1)


class TestFailing:
    def test_is_new_where_the_last_run_before_today_was_good(self, session: Session, organization_id: UUID) -> None:
        job = make_job(session, organization_id)
        old, new = make_schedule(session, job, name="Old"), make_schedule(session, job, name="New")
        make_failed(session, job, now=MIDNIGHT - HOUR, schedule_id=old.id)
        make_succeeded(session, job, now=MIDNIGHT - HOUR, schedule_id=new.id)
        for schedule in (old, new):
            make_failed(session, job, now=NOW - HOUR, schedule_id=schedule.id)

        found = read(session, organization_id)

        assert (found.failing, found.failing_new) == (2, 1)


class TestTroubles:
    def test_begin_with_workers_that_are_not_there(self, session: Session, organization_id: UUID) -> None:
        job = make_job(session, organization_id)
        make_schedule(session, job, name="Odd", problem="It has no coming date.")
        failing = make_schedule(session, job, name="Failing", next_run_at=NOW + HOUR)
        make_schedule(session, job, name="Late", next_run_at=NOW - HOUR)
        make_failed(session, job, now=NOW - HOUR)
        make_failed(session, job, now=NOW - HOUR, schedule_id=failing.id)
        make_run(session, job, now=NOW)

        found = read(session, organization_id)

        told = [(one.facts.kind, one.facts.name) for one in found.troubles.shown]
        assert told == [
            ("no_worker", ""), ("broken", "Odd"), ("failed", "Failing"), ("late", "Late"), ("failed", "Nightly sync"),
        ]  # fmt: skip
        assert found.troubles.more == 0

    def test_are_five_at_most_and_the_others_are_counted(self, session: Session, organization_id: UUID) -> None:
        for number in range(7):
            make_failed(session, make_job(session, organization_id, name=f"Job {number}"), now=NOW - HOUR)
        job = make_job(session, organization_id)
        for number in range(3):
            make_schedule(session, job, name=f"Late {number}", next_run_at=NOW - HOUR)

        found = read(session, organization_id).troubles

        assert [one.facts.kind for one in found.shown] == [*["late"] * 3, *["failed"] * 2]
        assert (found.more_schedules, found.more_jobs) == (0, 5)

    def test_name_no_schedule_that_works_again_is_off_or_deleted(self, session: Session, organization_id: UUID) -> None:
        job = make_job(session, organization_id)
        facts: dict[str, dict[str, Any]] = {"Recovered": {}, "Off": {"enabled": False}, "Gone": {"deleted_at": NOW}}
        for name, columns in facts.items():
            schedule = make_schedule(session, job, name=name, **{"next_run_at": NOW + HOUR, **columns})
            make_failed(session, job, now=NOW - 5 * HOUR, schedule_id=schedule.id)
            if name == "Recovered":
                make_succeeded(session, job, now=NOW - HOUR, schedule_id=schedule.id)

        found = read(session, organization_id)

        assert (found.failing, found.troubles.shown, found.troubles.more) == (0, (), 0)

    def test_name_what_fails_also_where_its_dead_letter_was_removed(
        self, session: Session, organization_id: UUID
    ) -> None:
        job = make_job(session, organization_id)
        schedule = make_schedule(session, job, name="Payroll", next_run_at=NOW + HOUR)
        run = load_run(session, make_failed(session, job, now=NOW - HOUR, schedule_id=schedule.id))
        run.dismissed_at = run.removed_at = NOW

        found = read(session, organization_id)

        assert [(one.facts.name, one.facts.run_id) for one in found.troubles.shown] == [("Payroll", run.id)]

    def test_that_are_many_hide_no_others(self, session: Session, organization_id: UUID) -> None:
        job = make_job(session, organization_id)
        noisy, payroll = (
            make_schedule(session, job, name=name, next_run_at=NOW + HOUR) for name in ("Noisy", "Payroll")
        )
        make_succeeded(session, job, now=NOW - 9 * HOUR, schedule_id=noisy.id)
        make_failed(session, job, now=NOW - 3 * HOUR, schedule_id=payroll.id)
        for minutes in range(120):
            make_failed(session, job, now=NOW - timedelta(minutes=120 - minutes), schedule_id=noisy.id)

        found = {one.facts.name: one for one in read(session, organization_id).troubles.shown}

        assert found.keys() == {"Noisy", "Payroll"}
        assert (found["Noisy"].facts.failed_runs, found["Noisy"].facts.is_cut) == (100, True)
        assert found["Noisy"].since == NOW - timedelta(minutes=120) + timedelta(seconds=3)
        assert (found["Payroll"].facts.failed_runs, found["Payroll"].facts.is_cut) == (1, False)

    def test_count_failed_runs_since_the_last_good_one(self, session: Session, organization_id: UUID) -> None:
        job = make_job(session, organization_id)
        schedule = make_schedule(session, job, next_run_at=NOW + HOUR)
        make_failed(session, job, now=NOW - 9 * HOUR, schedule_id=schedule.id)
        make_succeeded(session, job, now=NOW - 8 * HOUR, schedule_id=schedule.id)
        make_failed(session, job, now=NOW - 7 * HOUR, schedule_id=schedule.id)
        newest = make_failed(session, job, now=NOW - 6 * HOUR, schedule_id=schedule.id, error="The newest one")

        (only,) = read(session, organization_id).troubles.shown

        assert (only.facts.failed_runs, only.facts.run_id, only.facts.text) == (2, newest, "The newest one")
        assert only.since == NOW - 7 * HOUR + timedelta(seconds=3)

    def test_do_not_say_since_when_where_it_is_too_long_ago(
        self, session: Session, organization_id: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(failed_rows, "_LOOKED_THROUGH", 3)
        job = make_job(session, organization_id)
        for name, failures in (("Three", 3), ("Four", 4)):
            schedule = make_schedule(session, job, name=name, next_run_at=NOW + HOUR)
            for hours in range(failures):
                make_failed(session, job, now=NOW - (1 + hours) * HOUR, schedule_id=schedule.id)

        since = {one.facts.name: one.since for one in read(session, organization_id).troubles.shown}

        assert since == {"Three": NOW - 3 * HOUR + timedelta(seconds=3), "Four": None}

    def test_are_slots_that_nobody_executed(self, session: Session, organization_id: UUID) -> None:
        schedule = make_schedule(session, make_job(session, organization_id), name="Hourly", next_run_at=NOW + HOUR)
        make_gap(session, schedule, NOW - 9 * HOUR, NOW - HOUR, slots=9)

        (only,) = read(session, organization_id).troubles.shown

        assert (only.facts.kind, only.since) == ("missed", NOW - 9 * HOUR)
        assert only.facts.text == "9 slots were missed: no scheduler was running."

    def test_are_failed_runs_by_hand_once_for_each_job(self, session: Session, organization_id: UUID) -> None:
        first, second = (make_job(session, organization_id, name=name) for name in ("First", "Second"))
        for hours in (4, 3):
            make_failed(session, first, now=NOW - hours * HOUR)
        make_failed(session, second, now=NOW - 2 * HOUR)

        found = read(session, organization_id).troubles.shown

        told = [(one.facts.name, one.facts.failed_runs, one.facts.is_cut) for one in found]
        assert told == [("Second", 1, False), ("First", 2, False)]
        assert found[1].since == NOW - 4 * HOUR + timedelta(seconds=3)

    def test_are_no_jobs_that_went_well_by_hand_since(self, session: Session, organization_id: UUID) -> None:
        first, second = (make_job(session, organization_id, name=name) for name in ("First", "Second"))
        for job in (first, second):
            make_failed(session, job, now=NOW - 3 * HOUR)
        make_succeeded(session, first, now=NOW - HOUR)
        make_succeeded(session, second, now=NOW - 4 * HOUR)

        assert [one.facts.name for one in read(session, organization_id).troubles.shown] == ["Second"]

    def test_are_runs_that_hold_a_slot_for_nothing(self, session: Session, organization_id: UUID) -> None:
        run_id = make_stuck(session, organization_id, "Orders")

        (only,) = read(session, organization_id).troubles.shown

        assert (only.facts.kind, only.facts.name, only.facts.run_id) == ("stuck", "Orders", run_id)
        assert only.since == NOW - HOUR
        assert only.facts.text == (
            "It has run 1 h (typical length not known yet). Worker worker-1:42 has not reported within 1 d."
        )

    def test_are_no_runs_that_may_take_their_time(self, session: Session, organization_id: UUID) -> None:
        report(session)
        make_stuck(session, organization_id, "Orders")

        assert read(session, organization_id).troubles.shown == ()

    def test_of_many_stuck_runs_name_two_where_more_is_wrong(self, session: Session, organization_id: UUID) -> None:
        for number in range(4):
            make_stuck(session, organization_id, f"Job {number}")
        alone = read(session, organization_id).troubles
        job = make_job(session, organization_id)
        for number in range(4):
            make_schedule(session, job, name=f"Late {number}", next_run_at=NOW - HOUR)

        found = read(session, organization_id).troubles

        assert ([one.facts.kind for one in alone.shown], alone.more) == (["stuck"] * 4, 0)
        assert [one.facts.kind for one in found.shown] == [*["stuck"] * 2, *["late"] * 3]
        assert (found.more_stuck, found.more_schedules, found.more) == (2, 1, 3)

    def test_are_connections_that_bring_nothing_in_first_and_ending_logins_last(
        self, session: Session, organization_id: UUID
    ) -> None:
        refused = make_connection(session, organization_id, name="EU", state="refused", refused_at=NOW - HOUR)
        make_connection(session, organization_id, name="JP", expires_at=NOW - HOUR)
        make_connection(session, organization_id, name="US", data_expires_at=NOW + timedelta(days=2, hours=1))
        make_connection(session, organization_id, name="UK", expires_at=NOW + timedelta(days=15))
        make_connection(session, organization_id, name="FR", state="disconnected", expires_at=NOW - HOUR)
        sync = make_job(session, organization_id, kind=KindName.SYNC)
        sync.definition = {"service": "meta", "connection_id": str(refused.id)}
        for number in range(2):
            make_schedule(session, sync, name=f"S {number}", enabled=False, switched_by=f"{PAUSED_BY}{REFUSED}")
        make_stuck(session, organization_id, "Orders")

        found = read(session, organization_id).troubles.shown

        told = [(one.facts.kind, one.facts.name, one.since) for one in found]
        assert told == [
            ("connection_refused", "EU", NOW - HOUR),
            ("connection_expired", "JP", NOW - HOUR),
            ("stuck", "Orders", NOW - HOUR),
            ("connection_expires", "US", None),
        ]
        assert (found[0].facts.text, found[0].facts.connection_id) == (
            "Refused, 2 schedules paused. Reconnect it.", refused.id,
        )  # fmt: skip
        assert found[3].facts.text == "Expires in 2 days. Reconnect it before."

    def test_of_many_refused_connections_name_two_where_more_is_wrong(
        self, session: Session, organization_id: UUID
    ) -> None:
        for number in range(6):
            make_connection(session, organization_id, name=f"C {number}", state="refused", refused_at=NOW - HOUR)
        alone = read(session, organization_id).troubles
        job = make_job(session, organization_id)
        for number in range(4):
            make_schedule(session, job, name=f"Late {number}", next_run_at=NOW - HOUR)

        found = read(session, organization_id).troubles

        assert ([one.facts.kind for one in alone.shown], alone.more) == (["connection_refused"] * 5, 1)
        assert [one.facts.kind for one in found.shown] == [*["connection_refused"] * 2, *["late"] * 3]
        assert (found.more_connections, found.more_schedules, found.more) == (4, 1, 5)

    def test_are_never_those_of_others(self, session: Session, organization_id: UUID) -> None:
        other = make_job(session, make_organization(session, "Other"))
        failing = make_schedule(session, other, next_run_at=NOW + HOUR)
        make_failed(session, other, now=NOW - HOUR, schedule_id=failing.id)
        make_failed(session, other, now=NOW - HOUR)
        make_gap(session, failing, NOW - HOUR, NOW - HOUR)
        make_stuck(session, other.organization_id, "Theirs")
        make_connection(session, other.organization_id, state="refused", refused_at=NOW - HOUR)

        found = read(session, organization_id)

        assert (found.troubles.shown, found.ended.missed) == ((), 0)
