"""The list of runs, narrowed to a schedule or a job by what it is called."""

from html import unescape
from urllib.parse import urlencode
from uuid import UUID

import pytest

from app.core.db import Database
from app.jobs.models import Job
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

NAMES = ("Orders", "Orders to the warehouse", "100% of stock", "Stock")


@pytest.fixture
def ids(database: Database, organization_id: UUID, clock: ManualClock) -> dict[str, UUID]:
    """Schedules by their names, each with a job and a run of its own."""
    found = {}
    with database.transaction() as session:
        for name in NAMES:
            job = make_job(session, organization_id, name=f"Job of {name}")
            found[name] = make_schedule(session, job, name=name).id
            make_run(session, job, now=clock.moment, schedule_id=found[name])
    return found


def location(browser: Browser, **typed: str) -> str:
    return browser.visit(f"/runs?{urlencode(typed)}").location or ""


class TestAName:
    @pytest.mark.parametrize(
        ("typed", "name"),
        [
            ("Orders", "Orders"),
            (" orders ", "Orders"),
            ("ware", "Orders to the warehouse"),
            ("100%", "100% of stock"),
            ("0% OF", "100% of stock"),
        ],
    )
    def test_leads_to_the_runs_of_what_it_means(
        self, viewer: Browser, ids: dict[str, UUID], typed: str, name: str
    ) -> None:
        assert location(viewer, schedule_name=typed) == f"/runs?schedule={ids[name]}"

    def test_keeps_what_the_list_is_narrowed_to_besides(
        self, viewer: Browser, ids: dict[str, UUID], database: Database
    ) -> None:
        before = {"state": "ready", "schedule": str(ids["Stock"]), "last": "24h", "q": "x", "job_name": ""}

        found = location(viewer, schedule_name="Orders", **before)

        assert found == f"/runs?state=ready&schedule={ids['Orders']}&q=x&last=24h"

    def test_may_be_that_of_a_job(self, viewer: Browser, ids: dict[str, UUID], database: Database) -> None:
        address = location(viewer, job_name="Job of Orders")
        text = viewer.visit(address).text

        with database.reading() as session:
            assert session.get_one(Job, UUID(address.partition("job=")[2])).name == "Job of Orders"
        assert "Job: Job of Orders" in text
        assert "Job of Stock" not in text

    def test_that_several_have_a_part_of_offers_them(self, viewer: Browser, ids: dict[str, UUID]) -> None:
        text = unescape(viewer.visit("/runs?schedule_name=stoc&state=ready").text)

        assert "Several schedules have “stoc” in their name." in text
        assert f'<a href="/runs?state=ready&schedule={ids["Stock"]}">Stock</a>' in text
        assert 'value="stoc"' in text

    @pytest.mark.parametrize("typed", ["nothing", "J%b", "_", "<script>alert(1)</script>", "x" * 500], ids=len)
    def test_that_nothing_has_says_so(self, viewer: Browser, ids: dict[str, UUID], typed: str) -> None:
        text = viewer.visit(f"/runs?{urlencode({'job_name': typed})}").text

        assert "No job is called" in text
        assert "<script>alert" not in text

    def test_of_another_organization_means_nothing(self, stranger: Browser, ids: dict[str, UUID]) -> None:
        assert "No schedule is called “Orders”." in stranger.visit("/runs?schedule_name=Orders").text
        assert "Orders" not in stranger.visit("/runs/filter-names?of=schedule_name").text


class TestOffers:
    def test_are_what_has_the_text_in_its_name(self, viewer: Browser, ids: dict[str, UUID]) -> None:
        text = viewer.visit("/runs/filter-names?of=schedule_name&schedule_name=ord", htmx=True).text

        assert [name for name in NAMES if f'value="{name}"' in text] == ["Orders", "Orders to the warehouse"]

    def test_are_twenty_at_most_and_begin_with_what_begins_so(
        self, viewer: Browser, database: Database, organization_id: UUID
    ) -> None:
        with database.transaction() as session:
            for number in range(25):
                make_job(session, organization_id, name=f"A nightly one {number:02}")
            make_job(session, organization_id, name="nightly")
            make_job(session, organization_id, name="Nightly one")

        text = viewer.visit("/runs/filter-names?of=job_name&job_name=Nightly", htmx=True).text
        found = [part.partition('"')[0] for part in text.split('value="')[1:]]

        assert found[:3] == ["nightly", "Nightly one", "A nightly one 00"]
        assert len(found) == 20

    def test_are_there_before_anything_is_typed(self, viewer: Browser, ids: dict[str, UUID]) -> None:
        text = viewer.visit("/runs/filter-names?of=schedule_name", htmx=True).text

        assert [name for name in NAMES if f'value="{name}"' not in text] == []
