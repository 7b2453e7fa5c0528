"""The page of landed figures in a real browser: what it shows, without scripts, on a phone, and by keys."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect

from app.core.ids import new_id
from tests.database.kpi_world import KpiWorld
from tests.factories.outcomes import make_succeeded
from tests.factories.tenants import Member
from tests.factories.work import make_job
from tests.journeys.axe import violations
from tests.journeys.looks import THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.site import Site
from tests.web.data_world import TODAY, connect, correct, land_all, promise

pytestmark = pytest.mark.journey

LONG = "Campaign_without_a_single_space_" * 6


@pytest.fixture(scope="module")
def run_id(site: Site, ana: Member) -> UUID:
    """The run that corrected a day, of an account with figures."""
    with site.database.transaction() as session:
        made = make_succeeded(session, make_job(session, ana.organization_id), now=site.clock.moment)
    world = connect(site.database, ana.organization_id)
    land_all(world)
    promise(world, 7 * 60)
    correct(world, TODAY - timedelta(days=10), "12.00", run_id=made)
    return made


@pytest.fixture(scope="module", autouse=True)
def _landed(run_id: UUID) -> None:
    """Figures there are before any page is opened."""


class TestThePage:
    def test_is_reached_by_g_and_d_and_shows_a_picture_with_its_table(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}/")
        page.keyboard.press("g")
        page.keyboard.press("d")

        expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible()
        expect(page.get_by_role("img", name="Spend, EUR, 8 Dec 2026 – 4 Jan 2027, by day.")).to_be_visible()
        page.get_by_text("View as table").click()
        expect(page.get_by_role("cell", name="Mon 4 Jan 2027")).to_be_visible()

    def test_keeps_in_its_address_what_was_chosen(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}/data")
        page.get_by_label("Metric").select_option("reach")
        apply_filter(page)

        expect(page).to_have_url(re.compile("metric=reach"))
        page.get_by_role("link", name="Last 7 days").click()
        expect(page).to_have_url(re.compile("metric=reach"))
        expect(page.get_by_text("29 Dec 2026 – 4 Jan 2027").first).to_be_visible()
        page.reload()
        expect(page.get_by_label("Metric")).to_have_value("reach")

    def test_leads_from_a_correction_to_its_run(self, page: Page, site: Site, run_id: UUID) -> None:
        page.goto(f"{site.url}/data?level=campaign")
        page.get_by_role("link", name="The run that changed Sat 26 Dec 2026").click()

        expect(page).to_have_url(f"{site.url}/runs/{run_id}")

    def test_works_without_scripts(self, browser: Browser, page: Page, site: Site) -> None:
        plain = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
        tab = plain.new_page()
        tab.goto(f"{site.url}/data")
        tab.get_by_label("Level").select_option("campaign")
        tab.get_by_role("button", name="Apply").click()
        tab.get_by_role("link", name="Campaign 0").click()

        expect(tab.get_by_text("Acme EU · Campaign 0: Spend")).to_be_visible()
        plain.close()

    @THEMES
    @WIDTHS
    @pytest.mark.parametrize(
        "path",
        [
            "/data",
            "/data?level=campaign&range=this_month",
            "/data/changes?level=campaign",
            "/data?from=2026-10-20&to=x",
        ],
    )
    def test_is_read_by_everybody(self, page: Page, site: Site, theme: Theme, width: int, path: str) -> None:
        show(page, theme, width)
        page.goto(f"{site.url}{path}")
        for details in page.locator("main details").all():
            details.locator("summary").click()

        assert violations(page) == []
        assert not is_too_wide(page)


class TestNames:
    def test_that_are_long_stay_inside(self, page: Page, site: Site, ana: Member) -> None:
        long = connect(site.database, ana.organization_id, name=LONG[:110])
        land_all(KpiWorld(site.database, ana.organization_id, long.connection_id))
        correct(long, TODAY - timedelta(days=10), "12.00", run_id=new_id())
        show(page, "light", 360)

        page.goto(f"{site.url}/data?source={long.connection_id}&level=campaign")

        assert not is_too_wide(page)


def apply_filter(page: Page) -> None:
    button = page.get_by_role("button", name="Apply")
    if button.is_visible():
        button.click()
