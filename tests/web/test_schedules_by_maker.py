"""The list of schedules: by whose they are, and what became of their runs in figures."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.jobs.models import Job
from app.schedules.models import Schedule
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser


@pytest.fixture
def job(database: Database, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Export")


@pytest.fixture
def two(database: Database, job: Job, clock: ManualClock) -> list[Schedule]:
    later = clock.moment + timedelta(days=1)
    with database.transaction() as session:
        return [
            make_schedule(
                session, job, name=f"Of {who}", made_by="ana@example.com", owner_id=new_id(),
                owner=f"{who}@example.com", next_run_at=later,
            )
            for who in ("ana", "ben")
        ]  # fmt: skip


class TestWhoseItIs:
    def test_narrows_the_list(self, viewer: Browser, two: list[Schedule]) -> None:
        text = viewer.visit("/schedules?owner=ana@example.com").text

        assert "Of ana" in text
        assert "Of ben" not in text
        assert '<option value="ana@example.com" selected>' in text

    def test_stays_in_links_and_can_be_saved(self, viewer: Browser, two: list[Schedule]) -> None:
        text = viewer.visit("/schedules?owner=ana@example.com").text

        assert "/schedules/rows?owner=ana@example.com" in text
        assert "/views/new?list=schedules&amp;owner=ana@example.com" in text

    def test_is_told_on_its_page(self, viewer: Browser, two: list[Schedule]) -> None:
        text = viewer.visit(f"/schedules/{two[1].id}").text

        assert "by ana@example.com" in text
        assert "ben@example.com" in text

    def test_is_nobody_in_the_list_of_nobodys(self, viewer: Browser, two: list[Schedule]) -> None:
        assert "No schedule matches" in viewer.visit("/schedules?owner=nobody@example.com").text

    def test_may_be_nobody(self, viewer: Browser, two: list[Schedule], database: Database, job: Job) -> None:
        with database.transaction() as session:
            left = make_schedule(session, job, name="Left behind", owner="cid@example.com").id

        text = viewer.visit("/schedules?owner=nobody").text

        assert "Left behind" in text
        assert "Of ana" not in text
        assert '<option value="nobody" selected>' in text
        assert "Nobody, since cid@example.com left" in viewer.visit(f"/schedules/{left}").text


def test_counts_say_what_became_of_the_runs(
    viewer: Browser, database: Database, job: Job, two: list[Schedule], clock: ManualClock
) -> None:
    with database.transaction() as session:
        for age in range(1, 5):
            make = make_failed if age == 1 else make_succeeded
            make(session, job, now=clock.moment - timedelta(hours=age), schedule_id=two[0].id)

    text = viewer.visit("/schedules").text

    assert "3 of 4 in 7 days\n4 runs · 1 failed" in text
