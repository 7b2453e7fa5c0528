"""How many elements a page with fifty rows has: a browser lays them all out, and goes through them at each refresh."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from app.core.schema import SchemaGate, newest_migration
from app.ops.bookkeeping import Bookkeeper
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.tenants import Member
from tests.factories.work import make_run, make_schedule, make_workflow
from tests.journeys.schedules.site import QUARTER, Site, open_site

pytestmark = pytest.mark.journey

ROWS, MOST_NODES = 50, 2_000
CAUSES = "abcdefghijklmnopqrstuvwxyz"
LISTS = {
    "/schedules": "#rows tr",
    "/jobs": "#rows tr",
    "/runs": "#run-rows tr",
    "/queue?tab=all": "#queue-runs tbody tr",
    "/queue?tab=dead": "#queue-runs tbody tr",
    "/queue?tab=waiting": "#queue-runs tbody tr",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With the real kinds of jobs, whose words the list of jobs shows."""
    with open_site(tmp_path_factory.mktemp("site"), kinds=None) as site:
        yield site


@pytest.fixture(scope="module", autouse=True)
def filled(site: Site, ana: Member) -> None:
    """Somebody who has every button, and as many of everything as a page shows, with ends of many kinds."""
    with site.database.transaction() as session:
        for number in range(ROWS):
            add_work(session, site, ana, number)
    # As a running installation has done by now.
    Bookkeeper(site.database, site.clock, SchemaGate(site.database, expected=newest_migration())).count()


def add_work(session: Session, site: Site, ana: Member, number: int) -> None:
    """A job with two schedules, and runs of one of them that went well, failed, go on and wait."""
    now, name = site.clock.moment, f"Export of shop {number:02}"
    job = make_workflow(session, ana.organization_id, name)
    make_schedule(session, job, name=f"Night of shop {number:02}", enabled=False)
    # Half of them are late.
    due = now + QUARTER if number % 2 else now - QUARTER
    schedule_id = make_schedule(session, job, name=name, next_run_at=due, timezone="Europe/Riga").id
    make_failed(session, job, now=now - 4 * QUARTER, schedule_id=schedule_id, error=cause(number))
    for back in (3, 2):
        make_succeeded(session, job, now=now - back * QUARTER, schedule_id=schedule_id)
    make_running(session, job, now=now - QUARTER, schedule_id=schedule_id)
    make_run(session, job, now=now - timedelta(minutes=1), schedule_id=schedule_id)


def cause(number: int) -> str:
    return f"The shop {CAUSES[number % len(CAUSES)] * 3} did not answer."


class TestFiftyRows:
    @pytest.mark.parametrize("path", LISTS)
    def test_have_at_most_two_thousand_elements_with_their_page(self, page: Page, site: Site, path: str) -> None:
        page.goto(f"{site.url}{path}")
        expect(page.locator(LISTS[path])).to_have_count(ROWS)
        nodes = page.evaluate("document.querySelectorAll('*').length")

        assert nodes <= MOST_NODES
