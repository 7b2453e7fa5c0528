"""The pictures on the page of a schedule: what is drawn, what is said, and what its address can ask for."""

import re
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.jobs.models import Job
from app.runs.models import Run
from app.schedules.models import Gap, Schedule
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase
from tests.fakes.statements import counted
from tests.web.conftest import Browser

HOUR = timedelta(hours=1)


@pytest.fixture
def job(database: OpenDatabase, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id)


@pytest.fixture
def schedule(database: OpenDatabase, job: Job) -> Schedule:
    with database.transaction() as session:
        return make_schedule(
            session, job, cron="30 * * * *", timezone="America/New_York", next_run_at=utc("2027-01-05 12:30")
        )


def add_runs(database: OpenDatabase, job: Job, schedule: Schedule, now: datetime) -> list[UUID]:
    """Three that went well, one that failed, one that was skipped and one that goes on; the oldest first."""
    with database.transaction() as session:
        made = [make_succeeded(session, job, now=now - hours * HOUR, schedule_id=schedule.id) for hours in (9, 8, 7)]
        made.append(make_failed(session, job, now=now - 6 * HOUR, schedule_id=schedule.id))
        skipped = make_run(session, job, now=now - 5 * HOUR, schedule_id=schedule.id)
        ended = {"state": "skipped", "reason": "overlap", "finished_at": now - 5 * HOUR}
        session.execute(update(Run).where(Run.id == skipped).values(ended))
        made += [skipped, make_running(session, job, now=now - HOUR / 4, schedule_id=schedule.id)]
    return made


def panel(text: str, name: str) -> str:
    """One part of the page as it is written."""
    found = re.search(rf'<section class="panel" id="{name}">.*?</section>', text, re.DOTALL)
    return found[0] if found else ""


def picture_label(text: str, name: str) -> str:
    found = re.search(r'role="img" aria-label="([^"]*)"', panel(text, name))
    return found[1] if found else ""


class TestThePictures:
    def test_say_how_many_runs_ended_how_as_the_database_has_it(
        self, viewer: Browser, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        add_runs(database, job, schedule, clock.moment)
        with database.reading() as session:
            stored = dict(session.execute(select(Run.state, func.count()).group_by(Run.state)).all())

        label = picture_label(viewer.visit(f"/schedules/{schedule.id}").text, "strip")

        words = re.findall(r"(\d+) (succeeded|failed|skipped|running)", label)
        assert {word: int(number) for number, word in words} == stored

    def test_are_the_same_in_the_page_and_in_its_refresh(
        self, viewer: Browser, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        add_runs(database, job, schedule, clock.moment)

        whole = viewer.visit(f"/schedules/{schedule.id}?t=7d").text
        part = viewer.visit(f"/schedules/{schedule.id}?t=7d", htmx=True).text

        assert "<html" not in part
        for name in ("timeline", "strip", "trend"):
            assert panel(part, name) == panel(whole, name) != ""

    def test_mark_a_failure_by_its_form(
        self, viewer: Browser, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        add_runs(database, job, schedule, clock.moment)

        text = viewer.visit(f"/schedules/{schedule.id}").text

        assert 'data-state="failed" data-shape="tint"' in panel(text, "strip")
        assert 'data-state="failed" data-shape="hollow" stroke-width="2"' in panel(text, "timeline")

    def test_have_the_timeline_as_a_table_that_leads_to_the_run_that_failed(
        self, viewer: Browser, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        failed = add_runs(database, job, schedule, clock.moment)[3]

        table = panel(viewer.visit(f"/schedules/{schedule.id}").text, "timeline")

        assert '<details id="timeline-table">' in table
        assert f'<a href="/runs/{failed}" aria-label="1 failed: open it">1</a>' in table

    def test_tell_gaps(self, viewer: Browser, database: OpenDatabase, schedule: Schedule, clock: ManualClock) -> None:
        with database.transaction() as session:
            session.add(
                Gap(
                    organization_id=schedule.organization_id,
                    schedule_id=schedule.id,
                    first_slot_at=clock.moment - 4 * HOUR,
                    last_slot_at=clock.moment - 2 * HOUR,
                    slots=3,
                    reason="scheduler_down",
                    at=clock.moment,
                )
            )

        text = viewer.visit(f"/schedules/{schedule.id}").text

        assert picture_label(text, "timeline").startswith("No runs. 1 gap in which nobody ran it.")
        assert 'data-state="missed" data-shape="dashed"' in panel(text, "timeline")

    def test_say_how_long_runs_take(
        self, viewer: Browser, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        add_runs(database, job, schedule, clock.moment)

        text = viewer.visit(f"/schedules/{schedule.id}").text

        assert text.count("Typical 3.0 s, longest in 30 days 3.0 s.") >= 2

    def test_are_short_where_nothing_ever_ran(self, viewer: Browser, schedule: Schedule) -> None:
        text = viewer.visit(f"/schedules/{schedule.id}").text

        assert picture_label(text, "strip") == "No runs yet."
        assert picture_label(text, "timeline") == "No runs. To come: 8, the first Tue 5 Jan, 14:30."
        assert panel(text, "trend") == ""

    def test_take_few_statements(
        self, viewer: Browser, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        add_runs(database, job, schedule, clock.moment)

        # Whether the tables are the right ones is asked every few seconds, and not by every page.
        viewer.visit(f"/schedules/{schedule.id}?t=7d")
        with counted(database) as statements:
            assert viewer.visit(f"/schedules/{schedule.id}?t=7d").status_code == 200

        assert len(statements) <= 20


class TestTheAddress:
    def test_chooses_a_week_and_the_refresh_stays_with_it(self, viewer: Browser, schedule: Schedule) -> None:
        text = viewer.visit(f"/schedules/{schedule.id}?t=7d").text

        assert re.search(r'id="span-2"[^>]*aria-current="true"', text)
        assert f'id="detail" hx-get="/schedules/{schedule.id}?t=7d"' in text

    @pytest.mark.parametrize(
        ("query", "first"), [("", "14:30"), ("?tz=schedule", "07:30"), ("?tz=utc", "12:30"), ("?tz=moon", "14:30")]
    )
    def test_chooses_whose_clock(self, viewer: Browser, schedule: Schedule, query: str, first: str) -> None:
        label = picture_label(viewer.visit(f"/schedules/{schedule.id}{query}").text, "timeline")

        assert label.endswith(f"the first Tue 5 Jan, {first}.")

    def test_tells_one_run_by_the_same_clock_everywhere(
        self, viewer: Browser, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        add_runs(database, job, schedule, clock.moment)

        text = viewer.visit(f"/schedules/{schedule.id}?tz=schedule").text

        assert text.count("Tue 5 Jan, 01:00:00") >= 2
        assert "Tue 5 Jan, 01:00</td>" in panel(text, "timeline")
        assert "Tue 5 Jan, 08:00:00" not in text

    def test_shows_twenty_next_runs(self, viewer: Browser, schedule: Schedule) -> None:
        few = viewer.visit(f"/schedules/{schedule.id}").text
        many = viewer.visit(f"/schedules/{schedule.id}?next=20").text

        assert (few.count('class="next-wall"'), many.count('class="next-wall"')) == (5, 20)
        assert f'href="/schedules/{schedule.id}?next=20"' in few

    def test_says_of_one_that_is_off_when_it_would_run(
        self, viewer: Browser, schedule: Schedule, database: OpenDatabase
    ) -> None:
        with database.transaction() as session:
            session.get_one(Schedule, schedule.id).enabled = False

        text = viewer.visit(f"/schedules/{schedule.id}").text

        assert "Would run:" in text
        assert picture_label(text, "timeline") == "No runs. Nothing to come."

    def test_marks_a_run_in_the_strip(
        self, viewer: Browser, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        made = add_runs(database, job, schedule, clock.moment)

        page = viewer.visit(f"/runs/{made[3]}").text
        text = viewer.visit(f"/schedules/{schedule.id}?run={made[3]}").text

        assert f'href="/schedules/{schedule.id}?run={made[3]}"' in page
        assert panel(text, "strip").count('class="chart-ring"') == 1

    def test_shows_an_old_run_among_those_before_it(
        self, viewer: Browser, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            made = [
                make_succeeded(session, job, now=clock.moment - hours * HOUR, schedule_id=schedule.id)
                for hours in range(40, 0, -1)
            ]

        text = panel(viewer.visit(f"/schedules/{schedule.id}?run={made[4]}").text, "strip")

        assert "Runs up to the one you came from" in text
        assert text.count('class="chart-ring"') == 1
        assert 'aria-label="5 runs over 4 h: 5 succeeded.' in text

    def test_takes_no_run_of_another_schedule(
        self, viewer: Browser, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            other = make_succeeded(session, job, now=clock.moment, schedule_id=make_schedule(session, job).id)

        text = viewer.visit(f"/schedules/{schedule.id}?run={other}&t=1y&next=99").text

        assert picture_label(text, "strip") == "No runs yet."
