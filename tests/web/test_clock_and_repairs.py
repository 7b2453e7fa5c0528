"""What people read when the clock was set, and when a schedule was mended by itself."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.clock_watch import ClockStep
from app.core.scopes import ENGINE
from app.ops.heartbeats import beat, facts_of_this_process
from app.runs import cursors
from app.schedules.clock_steps import record_step
from app.schedules.queries import NO_TIME_TO_READ
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

LEASE = 30


def set_clock(database: OpenDatabase, clock: ManualClock) -> None:
    """As a scheduler notes it that is alive."""
    with database.transaction(ENGINE) as session:
        record_step(session, step=ClockStep(3600, clock.moment), hold_seconds=LEASE)
        process = facts_of_this_process(version="1", slots=5, schedules=True)
        beat(session, process, now=clock.moment, ticked_at=clock.moment, tick_ms=3)


class TestAStepOfTheClock:
    def test_is_said_on_the_overview_while_planning_waits(
        self, viewer: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            make_schedule(session, make_job(session, viewer.organization_id))
        set_clock(database, clock)

        during = viewer.visit("/").text
        clock.advance(seconds=LEASE)
        after = viewer.visit("/").text

        assert "The database&#39;s clock was set forward by 1:00:00" in during
        assert "It goes on by itself." in during
        assert "clock was set" not in after

    def test_is_news_to_open_pages(self, viewer: Browser, database: OpenDatabase, clock: ManualClock) -> None:
        set_clock(database, clock)
        during = viewer.get("/live").json["health"]

        clock.advance(seconds=LEASE - 1)
        still = viewer.get("/live").json["health"]
        clock.advance(seconds=1)

        assert during == still != viewer.get("/live").json["health"]


def test_a_repair_is_told_on_the_page_of_its_schedule(
    viewer: Browser, database: OpenDatabase, clock: ManualClock
) -> None:
    with database.transaction() as session:
        schedule = make_schedule(session, make_job(session, viewer.organization_id), next_run_at=None)
        cursors.repair(session, schedule.id, problem=cursors.MISSING, now=clock.moment + timedelta(minutes=1))

    shown = viewer.visit(f"/schedules/{schedule.id}").text

    assert "The time of the next run was missing and was worked out again." in shown


@pytest.mark.parametrize("path", ["/schedules", "/schedules/{id}", "/"])
def test_a_time_that_no_calendar_holds_spoils_no_page(
    viewer: Browser, database: OpenDatabase, engine: str, path: str
) -> None:
    with database.transaction() as session:
        schedule = make_schedule(session, make_job(session, viewer.organization_id), name="Orders", enabled=False)
        stored = {"sqlite": "soon", "postgresql": "infinity"}[engine]
        words = text("UPDATE schedules SET next_run_at = :at WHERE id = :id")
        session.execute(words, {"at": stored, "id": schedule.id.hex})

    shown = viewer.visit(path.format(id=schedule.id))

    assert shown.status_code == 200
    assert NO_TIME_TO_READ.replace("'", "&#39;") in shown.text
