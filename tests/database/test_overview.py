"""How an organization fares, read from the database."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.ops.overview import Situation, read_situation
from app.ops.schedule_glances import read_glances
from app.runs.run_hours import count_hours
from app.schedules.load import LoadBook
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_job, make_organization, make_run, make_schedule
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
        make_failed(session, job, now=NOW - HOUR)

        make_run(session, job, now=NOW)

        found = read(session, organization_id)

        assert [one.facts.kind for one in found.troubles] == ["no_worker", "broken", "failed"]

    def test_are_five_at_most(self, session: Session, organization_id: UUID) -> None:
        for number in range(7):
            make_failed(session, make_job(session, organization_id, name=f"Job {number}"), now=NOW - HOUR)

        assert len(read(session, organization_id).troubles) == 5
