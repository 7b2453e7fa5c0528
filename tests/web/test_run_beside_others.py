"""A run's page among the runs around it, and the page that compares it."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest

from app.core.db import Database
from app.schedules.models import Schedule
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.work import load_run, make_gap, make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def runs(database: Database, organization_id: UUID, clock: ManualClock) -> list[UUID]:
    """Forty of one schedule, the oldest first: all good but the last one."""
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Export", note=HOSTILE)
        schedule_id = make_schedule(session, job).id
        ages = [timedelta(hours=number) for number in range(40, 0, -1)]
        good = [make_succeeded(session, job, now=clock.moment - age, schedule_id=schedule_id) for age in ages[:-1]]
        lines = ["begin", HOSTILE]
        last = make_failed(session, job, now=clock.moment - ages[-1], schedule_id=schedule_id, lines=lines)
        return [*good, last]


class TestThePage:
    def test_leads_to_the_runs_beside_it(self, viewer: Browser, runs: list[UUID]) -> None:
        text = viewer.visit(f"/runs/{runs[20]}").text

        assert f'rel="prev" href="/runs/{runs[19]}"' in text
        assert f'rel="next" href="/runs/{runs[21]}"' in text

    def test_marks_an_old_run_in_the_middle_of_the_strip(self, viewer: Browser, runs: list[UUID]) -> None:
        text = viewer.visit(f"/runs/{runs[20]}").text
        path = text.split('class="chart-ring"')[0].rsplit("<path", 1)[1]

        # The sixteenth of thirty slots, five wide each.
        assert 'd="M74.5 ' in path

    def test_shows_slots_that_were_missed_between_the_runs(
        self, viewer: Browser, database: Database, runs: list[UUID], clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            schedule = session.get_one(Schedule, load_run(session, runs[0]).schedule_id)
            missed = clock.moment - timedelta(hours=36, minutes=30)
            make_gap(session, schedule, missed, missed + timedelta(minutes=10), slots=2)

        run, of_schedule = f"/runs/{runs[4]}", f"/schedules/{schedule.id}?run={runs[5]}"

        labels = [
            re.findall(r'aria-label="([^"]* runs over [^"]*)"', viewer.visit(at).text) for at in (run, of_schedule)
        ]

        assert [each[0].split(": ")[1].split(".")[0] for each in labels] == [
            "28 succeeded, 2 missed",
            "6 succeeded, 2 missed",
        ]

    def test_leads_to_the_comparison_and_offers_its_address(self, viewer: Browser, runs: list[UUID]) -> None:
        text = viewer.visit(f"/runs/{runs[-1]}").text

        assert f'href="/runs/{runs[-1]}/compare"' in text
        assert "data-copy-link" in text

    def test_says_what_was_usual(self, viewer: Browser, runs: list[UUID]) -> None:
        assert "usually 3.0 s" in viewer.visit(f"/runs/{runs[20]}").text

    def test_says_before_it_is_cancelled_what_stays(
        self, operator: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_running(session, make_job(session, organization_id), now=clock.moment)

        assert "What it has written so far stays." in operator.visit(f"/runs/{run_id}").text


class TestTheComparison:
    def test_shows_what_differs_from_the_last_good_run(self, viewer: Browser, runs: list[UUID]) -> None:
        text = unescape(viewer.visit(f"/runs/{runs[-1]}/compare").text)

        assert f'href="/runs/{runs[-2]}"' in text
        assert "The shop did not answer." in text
        assert "They part at line 1." in text
        assert ">queue<" not in text

    def test_shows_all_where_that_is_asked_for(self, viewer: Browser, runs: list[UUID]) -> None:
        text = viewer.visit(f"/runs/{runs[-1]}/compare?all=1&with={runs[3]}").text

        assert ">queue<" in text
        assert f'href="/runs/{runs[3]}"' in text
        assert f'href="/runs/{runs[-1]}/compare?with={runs[3]}#compare"' in text

    def test_prints_what_jobs_write_as_text(self, viewer: Browser, runs: list[UUID]) -> None:
        assert HOSTILE not in viewer.visit(f"/runs/{runs[-1]}/compare?all=1").text

    @pytest.mark.parametrize("query", ["with=7", "with=%00"])
    def test_ignores_what_is_no_run(self, viewer: Browser, runs: list[UUID], query: str) -> None:
        assert viewer.visit(f"/runs/{runs[-1]}/compare?{query}").status_code == 200

    def test_offers_runs_where_none_went_well_before(self, viewer: Browser, runs: list[UUID]) -> None:
        answer = viewer.visit(f"/runs/{runs[0]}/compare")

        assert answer.status_code == 200
        assert "No run of its schedule went well before this one." in answer.text
        assert f'href="/runs/{runs[0]}"' in answer.text
        assert f'href="/runs/{runs[0]}/compare?with={runs[3]}"' in answer.text
        assert f"?with={runs[0]}" not in answer.text

    def test_is_off_with_its_reason_where_none_went_well_before(self, viewer: Browser, runs: list[UUID]) -> None:
        first, second = (viewer.visit(f"/runs/{run_id}").text for run_id in runs[:2])

        assert 'disabled title="No run of its schedule went well before this one."' in first
        assert "Compare with another run" in first
        assert "went well before this one" not in second

    def test_takes_the_address_of_a_page(self, viewer: Browser, runs: list[UUID]) -> None:
        text = viewer.visit(f"/runs/{runs[0]}/compare?with=https://example.org/runs/{runs[5]}%23L3").text

        assert f'href="/runs/{runs[5]}"' in text
        assert "side by side" in text

    def test_offers_others_where_the_named_one_is_not_here(
        self, viewer: Browser, stranger: Browser, database: OpenDatabase, runs: list[UUID], clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            theirs = make_succeeded(session, make_job(session, stranger.organization_id), now=clock.moment)

        text = viewer.visit(f"/runs/{runs[-1]}/compare?with={theirs}").text

        assert "The other run is not here." in text
        assert f"?with={runs[-2]}" in text

    def test_is_nothing_for_strangers(self, stranger: Browser, runs: list[UUID]) -> None:
        assert stranger.visit(f"/runs/{runs[-1]}/compare").status_code == 404
