"""What pictures of a schedule read: its runs by columns of time, and how long they took."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.scopes import Scope, rescope
from app.jobs.models import Job
from app.ops.schedule_timeline import Span, read_timeline
from app.runs.models import Run
from app.runs.outcomes import Outcome
from app.runs.run_lengths import LastLengths, Longest, last_lengths
from app.runs.timeline import RunBunch, bunch_runs
from app.schedules.models import Schedule
from app.schedules.queries import get_schedule
from tests.factories.work import make_organization, make_run, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
SINCE = NOW - timedelta(hours=16)
QUARTER = timedelta(minutes=15)


@pytest.fixture
def schedule(session: Session, job: Job) -> Schedule:
    return make_schedule(session, job, next_run_at=NOW)


def add_runs(session: Session, job: Job, schedule: Schedule, *columns: dict[str, Any]) -> list[UUID]:
    """Runs that stand as these columns say, all at once."""
    pattern = session.get_one(Run, make_run(session, job, now=NOW))
    copied = {column.key: getattr(pattern, column.key) for column in Run.__table__.columns}
    session.delete(pattern)
    session.flush()
    rows = [copied | {"id": new_id(), "schedule_id": schedule.id} | each for each in columns]
    session.execute(insert(Run), rows)
    return [row["id"] for row in rows]


def ended(at: datetime, *, seconds: float = 20, state: str = "succeeded", attempt: int = 1) -> dict[str, Any]:
    """A run that started then."""
    end = at + timedelta(seconds=seconds)
    return {"state": state, "attempt": attempt, "due_at": at, "slot_at": at, "started_at": at, "finished_at": end}


def never_started(at: datetime, *, state: str, recorded_at: datetime | None = None) -> dict[str, Any]:
    return {"state": state, "due_at": at, "slot_at": at, "finished_at": recorded_at or at}


def bunches(session: Session, schedule: Schedule, **changes: Any) -> list[RunBunch]:
    asked = {"since": SINCE, "width": QUARTER, "now": NOW} | changes
    return bunch_runs(session, organization_id=schedule.organization_id, schedule_id=schedule.id, **asked)


class TestRunsByColumns:
    def test_counts_what_began_in_the_same_quarter_of_an_hour(
        self, session: Session, job: Job, schedule: Schedule
    ) -> None:
        at = SINCE + 4 * QUARTER
        minutes = [at + timedelta(minutes=minute) for minute in (0, 7, 14)]
        add_runs(session, job, schedule, *map(ended, minutes), ended(at + QUARTER))

        found = bunches(session, schedule)

        assert [(each.column, each.runs, each.outcome) for each in found] == [
            (4, 3, Outcome.SUCCEEDED),
            (5, 1, Outcome.SUCCEEDED),
        ]
        assert (found[0].begin, found[0].end) == (at, minutes[2] + timedelta(seconds=20))

    def test_names_a_run_that_is_alone(self, session: Session, job: Job, schedule: Schedule) -> None:
        (alone, *_others) = add_runs(
            session, job, schedule, ended(SINCE), ended(SINCE + QUARTER), ended(SINCE + QUARTER + timedelta(minutes=1))
        )

        assert [each.run_id for each in bunches(session, schedule)] == [alone, None]

    def test_tells_outcomes_apart(self, session: Session, job: Job, schedule: Schedule) -> None:
        at = SINCE + QUARTER
        add_runs(
            session,
            job,
            schedule,
            ended(at, attempt=2),
            ended(at + timedelta(minutes=1), state="failed", attempt=3),
            never_started(at + timedelta(minutes=2), state="skipped"),
            never_started(at + timedelta(minutes=3), state="missed"),
            ended(at + timedelta(minutes=4), state="cancelled"),
            {"state": "ready", "due_at": NOW, "slot_at": NOW},
            {"state": "running", "attempt": 1, "due_at": at, "slot_at": None, "started_at": at},
        )

        found = {each.outcome: each for each in bunches(session, schedule)}

        assert set(found) == set(Outcome) - {Outcome.SUCCEEDED}
        assert (found[Outcome.RUNNING].begin, found[Outcome.RUNNING].end) == (at, NOW)
        assert found[Outcome.SKIPPED].begin == at + timedelta(minutes=2)

    def test_begins_with_what_was_going_on(self, session: Session, job: Job, schedule: Schedule) -> None:
        add_runs(
            session,
            job,
            schedule,
            ended(SINCE - timedelta(hours=2), seconds=3 * 3_600),
            ended(SINCE - timedelta(hours=5)),
            # Due before, and only said to be missed later: that is no part of what there is to see.
            never_started(SINCE - timedelta(hours=1), state="missed", recorded_at=NOW),
        )

        (found,) = bunches(session, schedule)

        assert (found.column, found.begin) == (0, SINCE - timedelta(hours=2))

    def test_knows_nothing_of_other_schedules_and_organizations(
        self, session: Session, job: Job, schedule: Schedule
    ) -> None:
        add_runs(session, job, make_schedule(session, job), ended(SINCE))
        add_runs(session, job, schedule, ended(SINCE))

        stranger = make_organization(session, "Stranger")

        assert [each.runs for each in bunches(session, schedule)] == [1]
        asked = {"since": SINCE, "width": QUARTER, "now": NOW}
        assert bunch_runs(session, organization_id=stranger, schedule_id=schedule.id, **asked) == []

    def test_is_short_for_a_week_of_minutes(self, session: Session, job: Job, schedule: Schedule) -> None:
        week, minute = timedelta(days=7), timedelta(minutes=1)
        add_runs(session, job, schedule, *(ended(NOW - number * minute) for number in range(1, 6_721)))

        found = bunches(session, schedule, since=NOW - week * 2 / 3, width=timedelta(hours=1))

        assert len(found) == 112
        assert sum(each.runs for each in found) == 6_720


class TestTimeline:
    def read(self, session: Session, schedule: Schedule, span: Span, **changes: Any) -> Any:
        row = get_schedule(session, organization_id=schedule.organization_id, schedule_id=schedule.id)
        asked = {"zone": "UTC", "is_stopped": False, "now": NOW} | changes
        return read_timeline(session, row, span=span, **asked)

    def test_lists_slots_to_come_as_the_planner_will_make_them(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, cron="30 2 * * *", timezone="America/New_York")

        found = self.read(session, schedule, Span.WEEK)

        assert [each.at for each in found.coming] == [
            utc("2027-01-06 07:30"),
            utc("2027-01-07 07:30"),
        ]

    def test_counts_ten_thousand_slots_without_listing_them(self, session: Session, job: Job) -> None:
        found = self.read(session, make_schedule(session, job, cron="* * * * *"), Span.WEEK)

        assert len(found.coming) == 56
        # The minute that is just now is past.
        assert found.slots_to_come == 56 * 60 - 1

    def test_counts_the_same_as_it_would_list(
        self, session: Session, job: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        schedule = make_schedule(session, job, cron="*/20 * * * *")
        listed = self.read(session, schedule, Span.WEEK)
        monkeypatch.setattr("app.ops.schedule_timeline.MOST_SINGLE_SLOTS", 3)

        counted = self.read(session, schedule, Span.WEEK)

        assert [(each.column, each.slots) for each in counted.coming] == [
            (each.column, each.slots) for each in listed.coming
        ]

    @pytest.mark.parametrize("columns", [{"enabled": False}, {"problem": "Unreadable."}, {"cron": "nonsense"}], ids=str)
    def test_shows_nothing_to_come_where_nothing_will(
        self, session: Session, job: Job, columns: dict[str, Any]
    ) -> None:
        assert self.read(session, make_schedule(session, job, **columns), Span.DAY).coming == ()

    def test_shows_nothing_to_come_while_all_scheduling_is_stopped(self, session: Session, schedule: Schedule) -> None:
        assert self.read(session, schedule, Span.DAY, is_stopped=True).coming == ()

    def test_begins_with_an_hour_of_the_chosen_zone(self, session: Session, schedule: Schedule) -> None:
        assert self.read(session, schedule, Span.DAY, zone="Asia/Kolkata").since == utc("2027-01-04 19:30")


class TestLengths:
    def of(self, session: Session, schedule: Schedule, limit: int = 50) -> LastLengths:
        mine = {"organization_id": schedule.organization_id, "schedule_id": schedule.id}
        return last_lengths(session, **mine, limit=limit, longest_since=NOW - timedelta(days=30))

    def test_are_of_the_last_runs_that_came_to_an_end_by_themselves(
        self, session: Session, job: Job, schedule: Schedule
    ) -> None:
        hour = timedelta(hours=1)
        add_runs(
            session,
            job,
            schedule,
            ended(NOW - 5 * hour, seconds=1),
            ended(NOW - 4 * hour, seconds=2),
            ended(NOW - 3 * hour, seconds=3, state="failed"),
            ended(NOW - 2 * hour, seconds=4, state="cancelled"),
            never_started(NOW - hour, state="skipped"),
        )

        found = self.of(session, schedule, limit=2)

        assert [each.took.total_seconds() for each in found.runs] == [2, 3]
        assert [each.outcome for each in found.runs] == [Outcome.SUCCEEDED, Outcome.FAILED]

    def test_know_the_longest_good_one_of_a_month(self, session: Session, job: Job, schedule: Schedule) -> None:
        add_runs(
            session,
            job,
            schedule,
            ended(NOW - timedelta(days=31), seconds=900),
            ended(NOW - timedelta(days=3), seconds=541.5),
            ended(NOW - timedelta(days=2), seconds=800, state="failed"),
            ended(NOW - timedelta(days=1), seconds=20),
        )

        found = self.of(session, schedule, limit=1)

        assert found.longest == Longest(timedelta(seconds=541.5), 2, is_all=True)

    def test_of_failures_alone_know_no_longest(self, session: Session, job: Job, schedule: Schedule) -> None:
        add_runs(session, job, schedule, ended(NOW - timedelta(days=1), state="failed"))

        found = self.of(session, schedule)

        assert (len(found.runs), found.longest) == (1, None)

    def test_of_nothing(self, session: Session, schedule: Schedule) -> None:
        rescope(session, Scope.tenant(schedule.organization_id))

        assert self.of(session, schedule) == LastLengths()
