"""The nights in which clocks change: what the page of a schedule lists is what the planner does."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.runs import planner
from app.runs.models import Run
from app.schedules.models import Schedule
from app.schedules.policies import Overlap
from app.schedules.service import ScheduleDraft, create_schedule
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock, utc
from tests.web.conftest import Browser


def make(database: Database, operator: Browser, cron: str, *, now: datetime) -> UUID:
    with database.transaction() as session:
        job = make_job(session, operator.organization_id)
        draft = ScheduleDraft("Night", job.id, cron, timezone="America/New_York", spread_key="k", overlap=Overlap.ALLOW)
        return create_schedule(session, actor=operator.actor, draft=draft, now=now)


def plan(database: Database, schedule_id: UUID, *, times: int) -> list[datetime | None]:
    """A scheduler that is there at every slot; the slots that it made runs of."""
    with database.transaction() as session:
        for _ in range(times):
            following = session.scalars(select(Schedule.next_run_at).where(Schedule.id == schedule_id)).one()
            assert following is not None
            planner.tick(session, now=following)
        return list(session.scalars(select(Run.slot_at).where(Run.schedule_id == schedule_id).order_by(Run.slot_at)))


class TestTheHourThatComesTwice:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock("2027-11-06 16:00")

    def test_is_listed_once_and_runs_once(self, operator: Browser, database: Database, clock: ManualClock) -> None:
        schedule_id = make(database, operator, "30 1 * * *", now=clock.moment)

        text = operator.visit(f"/schedules/{schedule_id}").text

        assert text.count('<span class="next-wall">Sun 7 Nov, 01:30') == 1
        assert "01:30 happens twice on Sun 7 Nov 2027 in New York: runs once, the first time." in text
        assert plan(database, schedule_id, times=2) == [utc("2027-11-07 05:30"), utc("2027-11-08 06:30")]


class TestTheHourThatDoesNotExist:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock("2027-03-10 12:00")

    def test_is_listed_right_after_it_and_runs_then(
        self, operator: Browser, database: Database, clock: ManualClock
    ) -> None:
        schedule_id = make(database, operator, "30 2 * * *", now=clock.moment)

        text = operator.visit(f"/schedules/{schedule_id}").text

        assert '<span class="next-wall">Sun 14 Mar, 03:00' in text
        assert "02:30 does not exist on Sun 14 Mar 2027 in New York: runs at 03:00." in text
        assert plan(database, schedule_id, times=4)[-1] == utc("2027-03-14 07:00")


class TestAWeekBefore:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock("2027-03-10 12:00")

    @pytest.mark.parametrize(
        ("cron", "note"),
        [
            ("30 2 * * *", "02:30 does not exist on Sun 14 Mar 2027 in New York: runs at 03:00."),
            ("30 12 * * *", None),
            ("*/30 * * * *", None),
        ],
    )
    def test_the_list_marks_what_is_affected(
        self, operator: Browser, database: Database, clock: ManualClock, cron: str, note: str | None
    ) -> None:
        make(database, operator, cron, now=clock.moment)

        text = operator.visit("/schedules").text

        assert ('data-state="clock_change"' in text) == (note is not None)
        assert note is None or note in text

    def test_the_list_marks_nothing_earlier(self, operator: Browser, database: Database, clock: ManualClock) -> None:
        clock.advance(days=-5)
        make(database, operator, "30 2 * * *", now=clock.moment)

        assert 'data-state="clock_change"' not in operator.visit("/schedules").text
