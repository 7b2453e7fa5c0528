"""Profile, team and the pages of platform admins: what they show at any size, and what the profile changes."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.core.ids import new_id
from app.jobs.models import Job
from app.ops.heartbeats import ProcessFacts, beat
from app.schedules.models import Gap
from app.tenants.models import SYSTEM_ORGANIZATION_ID, Membership, User
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.tenants import LONG_AGO, Member
from tests.factories.work import make_job, make_schedule
from tests.journeys.axe import violations
from tests.journeys.looks import THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.site import QUARTER, Site

pytestmark = pytest.mark.journey

PAGES = ["/", "/account", "/settings/team", "/account/tokens", "/admin/system", "/admin/system/pause"]
SKIPPED = 3


@pytest.fixture(scope="module", autouse=True)
def installation(site: Site, ana: Member, job: Job) -> None:
    """Ana looks after it; a worker, runs, and a schedule in code that missed something."""
    now = site.clock.moment
    says = {"cron": "0 2 * * *", "timezone": "UTC", "missed": "skip", "overlap": "skip", "run": "x", "description": ""}
    with site.database.transaction() as session:
        session.get_one(User, ana.user_id).is_platform_admin = True
        session.add(
            Membership(organization_id=SYSTEM_ORGANIZATION_ID, user_id=ana.user_id, role="owner", created_at=LONG_AGO)
        )
        facts = ProcessFacts(new_id(), "worker-1:42", "0.1.0", 5, True, host="worker-1", pid=42)
        beat(session, facts, now=now, ticked_at=now, tick_ms=5, memory_mib=123)
        for number in range(1, 9):
            (make_failed if number == 3 else make_succeeded)(session, job, now=now - number * QUARTER)
        make_running(session, job, now=now)
        in_code = make_job(session, SYSTEM_ORGANIZATION_ID, name="x")
        made = make_schedule(
            session, in_code, name="nightly", code_id="nightly", code_source="jobs.py:3", code_says=says,
            cron="0 2 * * *", missed="skip", next_run_at=now + QUARTER,
        )  # fmt: skip
        session.add(
            Gap(
                organization_id=SYSTEM_ORGANIZATION_ID, schedule_id=made.id, first_slot_at=now - 4 * QUARTER,
                last_slot_at=now - 2 * QUARTER, slots=SKIPPED, reason="scheduler_down", at=now - QUARTER,
            )
        )  # fmt: skip


@THEMES
@WIDTHS
class TestNothingIsWrong:
    @pytest.mark.parametrize("path", PAGES)
    def test_with_the_pages_of_people_and_of_the_installation(
        self, page: Page, site: Site, path: str, theme: Theme, width: int
    ) -> None:
        """A02, A03: no violation, and not wider than the screen."""
        show(page, theme, width)
        page.goto(f"{site.url}{path}")

        assert violations(page) == []
        assert not is_too_wide(page)


class TestTheSkipNotice:
    @pytest.mark.parametrize("size", [(1360, 800), (360, 740)])
    def test_is_seen_at_once_and_stays(self, page: Page, site: Site, size: tuple[int, int]) -> None:
        """A46: visible without scrolling, nobody can close it, and its count is the database's."""
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(f"{site.url}/admin/schedules")
        notice = page.locator("#skip-policy")

        expect(notice).to_be_in_viewport()
        expect(notice).to_contain_text(f"Skipped in the last 7 days: {SKIPPED}.")
        expect(notice.get_by_role("button")).to_have_count(0)


class TestTheProfile:
    def test_counts_hours_to_twelve_everywhere(self, page: Page, site: Site) -> None:
        page.set_viewport_size({"width": 1360, "height": 900})
        page.goto(f"{site.url}/account")
        page.get_by_label("12 hours: 2:30 pm").check()
        page.get_by_role("button", name="Save profile").click()
        expect(page.get_by_text("Profile saved.")).to_be_visible()

        for path in ("/", "/runs", "/schedules", "/queue", "/audit", "/admin/schedules", "/admin/system"):
            page.goto(f"{site.url}{path}")
            shown = page.locator("main").inner_text()
            assert re.findall(r".*\d{1,2} [A-Z][a-z]{2}, \d\d:\d\d(?::\d\d)?(?!:| [ap]m).*", shown) == [], path

        page.goto(f"{site.url}/account")
        page.get_by_label("24 hours: 14:30").check()
        page.get_by_role("button", name="Save profile").click()
        expect(page.get_by_text("Profile saved.")).to_be_visible()

    def test_takes_the_theme_of_the_menu_to_other_browsers(self, page: Page, site: Site, ana: Member) -> None:
        page.goto(f"{site.url}/runs")
        page.locator("summary", has_text="Account").click()
        with page.expect_response("**/account/theme"):
            page.get_by_role("button", name="Dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")

        page.evaluate("localStorage.clear()")
        page.reload()

        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        with site.database.reading() as session:
            assert session.scalar(select(User.theme).where(User.id == ana.user_id)) == "dark"


class TestPausingEverything:
    def test_asks_in_a_dialog_and_says_it_on_every_page(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}/admin/system")
        page.get_by_role("link", name="Pause everything").click()
        question = page.get_by_role("dialog")
        expect(question).to_contain_text("No schedule of any organization starts anything")
        question.get_by_label("Why").fill("Moving house")
        question.get_by_role("button", name="Pause everything").click()

        expect(page.get_by_text("Everything is paused.")).to_be_visible()
        page.goto(f"{site.url}/runs")
        banner = page.locator("#scheduling-stop .note")
        expect(banner).to_contain_text("Moving house")
        banner.get_by_role("button", name="Resume").click()
        expect(page.locator("#scheduling-stop .note")).to_have_count(0)
