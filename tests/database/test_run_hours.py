"""How runs ended, counted hour by hour: every run once, whoever counts, and the same as by counting the runs."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.schema import SchemaGate, newest_migration
from app.core.scopes import ENGINE, Scope
from app.ops.bookkeeping import Bookkeeper
from app.runs.models import Run, RunHour, RunHourMark
from app.runs.run_hours import (
    KEPT,
    Counts,
    count_hours,
    counts_of_all_schedules,
    counts_of_organization,
    counts_of_schedules,
    forget_hours,
    full_hour,
    hours_of_organization,
    uncounted_across_tenants,
)
from app.runs.states import RunState
from app.schedules.models import Schedule
from app.schedules.policies import GapReason
from tests.factories.work import make_gap, make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-03-02 12:30")
WEEK_AGO = NOW - timedelta(days=7)
MINUTE = timedelta(minutes=1)


class Place:
    """An organization with two schedules."""

    def __init__(self, session: Session, name: str = "Acme") -> None:
        self.session = session
        self.organization_id = make_organization(session, name)
        self.job = make_job(session, self.organization_id)
        self.first, self.second = (make_schedule(session, self.job).id for _ in range(2))

    def ended(self, at: datetime, state: RunState, *, of: UUID | None = None, tries: int = 1) -> None:
        run_id = make_run(self.session, self.job, now=at, schedule_id=of)
        run = self.session.get_one(Run, run_id)
        run.state, run.finished_at, run.attempt = state.value, at, tries
        self.session.flush()

    def count(self, now: datetime) -> None:
        while count_hours(self.session, organization_id=self.organization_id, now=now):
            pass

    def all(self, since: datetime = WEEK_AGO) -> Counts:
        return counts_of_organization(self.session, organization_id=self.organization_id, since=since)

    def each(self, since: datetime = WEEK_AGO) -> dict[UUID, Counts]:
        ids = [self.first, self.second]
        return counts_of_schedules(self.session, organization_id=self.organization_id, schedule_ids=ids, since=since)


@pytest.fixture
def place(session: Session) -> Place:
    return Place(session)


class TestCounting:
    def test_every_end_counts_as_what_it_is(self, place: Place) -> None:
        at = NOW - timedelta(hours=5)
        for state in (RunState.FAILED, RunState.MISSED, RunState.SKIPPED, RunState.CANCELLED, RunState.SUCCEEDED):
            place.ended(at, state, of=place.first)
        place.ended(at, RunState.SUCCEEDED, of=place.first, tries=3)
        place.ended(at, RunState.SUCCEEDED)

        place.count(NOW)

        one_each = Counts(succeeded=1, retried=1, failed=1, missed=1, skipped=1, cancelled=1)
        assert place.each() == {place.first: one_each}
        assert (one_each.good, one_each.finished, one_each.all) == (2, 4, 6)
        assert place.all().succeeded == 2

    def test_says_the_same_before_and_after_and_half_way(self, place: Place) -> None:
        for hours in range(0, 200, 7):
            place.ended(NOW - timedelta(hours=hours), RunState.SUCCEEDED, of=place.first)
            place.ended(NOW - timedelta(hours=hours, minutes=3), RunState.FAILED, of=place.second)
        uncounted = (place.all(), place.each())

        is_half_way = count_hours(place.session, organization_id=place.organization_id, now=NOW)
        half_way = (place.all(), place.each())
        place.count(NOW)

        assert is_half_way
        assert uncounted == half_way == (place.all(), place.each())
        assert uncounted[0].finished == 50

    def test_no_run_is_counted_twice(self, place: Place) -> None:
        place.ended(NOW - timedelta(hours=1), RunState.SUCCEEDED, of=place.first)
        for minutes in range(5):
            place.count(NOW + minutes * MINUTE)

        place.ended(NOW + 5 * MINUTE, RunState.SUCCEEDED, of=place.first)
        place.count(NOW + 10 * MINUTE)

        assert place.each() == {place.first: Counts(succeeded=2)}

    def test_what_only_just_ended_is_left_to_the_next_time(self, place: Place) -> None:
        place.ended(NOW - MINUTE, RunState.SUCCEEDED)

        place.count(NOW)

        assert place.session.scalars(select(RunHour)).all() == []
        assert place.all() == Counts(succeeded=1)

    def test_a_window_begins_with_a_full_hour(self, place: Place) -> None:
        since = utc("2027-03-01 09:40")
        place.ended(utc("2027-03-01 08:59:59"), RunState.FAILED)
        place.ended(utc("2027-03-01 09:00"), RunState.SUCCEEDED)

        uncounted = place.all(since)
        place.count(NOW)

        assert full_hour(since) == utc("2027-03-01 09:00")
        assert uncounted == place.all(since) == Counts(succeeded=1)

    def test_another_organization_is_another_matter(self, session: Session, place: Place) -> None:
        other = Place(session, "Other")
        other.ended(NOW - timedelta(hours=2), RunState.FAILED, of=other.first)

        place.count(NOW)
        other.count(NOW)

        assert place.all() == Counts()
        mine = {"organization_id": place.organization_id, "schedule_ids": [other.first], "since": WEEK_AGO}
        assert counts_of_schedules(session, **mine) == {}

    def test_the_mark_never_goes_back(self, place: Place) -> None:
        place.count(NOW)
        place.count(NOW - timedelta(hours=3))

        assert place.session.get_one(RunHourMark, place.organization_id).counted_until == NOW - 2 * MINUTE


class TestMissedSlots:
    """They are kept as ranges, and have no runs."""

    def missed(self, place: Place, first: str, last: str, slots: int, **more: GapReason) -> None:
        schedule = place.session.get_one(Schedule, place.first)
        make_gap(place.session, schedule, utc(first), utc(last), slots=slots, **more)

    def test_are_in_the_denominator_beside_the_runs(self, place: Place) -> None:
        place.ended(NOW - timedelta(hours=11), RunState.SUCCEEDED, of=place.first)
        self.missed(place, "2027-03-02 02:00", "2027-03-02 11:00", 10)

        uncounted = place.all(), place.each()
        place.count(NOW)

        assert uncounted == (place.all(), place.each())
        assert place.all() == place.each()[place.first] == Counts(succeeded=1, missed=10)
        assert (place.all().finished, place.all().all) == (11, 11)

    def test_are_none_where_somebody_wanted_that_nothing_runs(self, place: Place) -> None:
        for reason in (GapReason.PAUSED, GapReason.SCHEDULING_STOPPED):
            self.missed(place, "2027-03-02 02:00", "2027-03-02 11:00", 10, reason=reason)

        assert (place.all(), place.each()) == (Counts(), {})

    def test_count_from_the_beginning_of_the_window_on(self, place: Place) -> None:
        self.missed(place, "2027-02-20 00:00", "2027-02-20 05:00", 6)
        # Every full hour of ten days, of which seven are counted.
        self.missed(place, "2027-02-20 12:00", "2027-03-02 12:00", 241)

        assert place.all() == Counts(missed=169)
        assert place.each() == {place.first: Counts(missed=169)}

    def test_lie_in_the_hours_in_which_they_were_due(self, place: Place) -> None:
        place.ended(utc("2027-03-02 03:30"), RunState.FAILED)
        self.missed(place, "2027-03-02 02:00", "2027-03-02 04:00", 3)

        hours = hours_of_organization(place.session, organization_id=place.organization_id, since=WEEK_AGO)

        first = int(utc("2027-03-02 02:00").timestamp()) // 3600
        assert hours == {first: Counts(missed=1), first + 1: Counts(missed=1, failed=1), first + 2: Counts(missed=1)}

    def test_are_those_of_each_schedule_where_all_are_asked_for(self, place: Place) -> None:
        self.missed(place, "2027-03-02 02:00", "2027-03-02 04:00", 3)
        place.ended(NOW, RunState.SUCCEEDED, of=place.second)

        found = counts_of_all_schedules(place.session, organization_id=place.organization_id, since=WEEK_AGO)

        assert found == {place.first: Counts(missed=3), place.second: Counts(succeeded=1)}

    def test_of_another_organization_are_another_matter(self, session: Session, place: Place) -> None:
        self.missed(Place(session, "Other"), "2027-03-02 02:00", "2027-03-02 04:00", 3)

        assert place.all() == Counts()


class TestForgetting:
    def test_old_hours_go_a_few_at_a_time(self, place: Place) -> None:
        for days in range(3):
            place.ended(NOW - timedelta(days=days), RunState.SUCCEEDED, of=place.first)
        place.count(NOW + 10 * MINUTE)

        later = {"organization_id": place.organization_id, "now": NOW + KEPT}
        gone = [forget_hours(place.session, limit=3, **later) for _ in range(3)]

        assert gone == [3, 1, 0]
        assert place.all(NOW) == Counts(succeeded=1)


class TestBookkeeper:
    def test_counts_for_those_who_have_something_to_count(self, database: OpenDatabase, clock: ManualClock) -> None:
        with database.transaction() as session:
            busy, idle = Place(session), Place(session, "Idle")
            for days in range(5):
                busy.ended(clock.moment - timedelta(days=days, hours=1), RunState.SUCCEEDED, of=busy.first)
            here = busy.organization_id, busy.first
        keeper = Bookkeeper(database, clock, SchemaGate(database, expected=newest_migration()))

        done = [keeper.count(), keeper.count()]

        assert done == [1, 0]
        with database.reading(ENGINE) as session:
            assert uncounted_across_tenants(session, now=clock.moment) == []
            assert session.get(RunHourMark, idle.organization_id) is None
        with database.reading(Scope.tenant(here[0])) as session:
            since = clock.moment - timedelta(days=7)
            counts = counts_of_schedules(session, organization_id=here[0], schedule_ids=[here[1]], since=since)
        assert counts == {here[1]: Counts(succeeded=5)}
