"""The log of a run in a real browser: what is written while somebody looks, links to lines, and how much it holds."""

from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.jobs.kinds.base import Level
from app.jobs.models import Job
from app.runs import ledger
from app.runs.ledger import AttemptEnd
from app.runs.states import AttemptState
from tests.factories.log_lines import write_lines
from tests.factories.outcomes import make_failed, make_running
from tests.factories.tenants import Member
from tests.factories.work import make_job
from tests.journeys.axe import violations
from tests.journeys.looks import THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

NEXT_LINES_MS = 8_000


@pytest.fixture(scope="module")
def job(site: Site, ana: Member) -> Job:
    with site.database.transaction() as session:
        return make_job(session, ana.organization_id, name="Nightly export")


@pytest.fixture
def run_id(site: Site, job: Job) -> UUID:
    """Of a run that goes on and wrote 1,200 lines so far."""
    with site.database.transaction() as session:
        texts = [f"line {number:04}" for number in range(1, 1201)]
        return make_running(session, job, now=site.clock.moment, lines=texts)


@pytest.fixture
def address(site: Site, run_id: UUID) -> str:
    return f"{site.url}/runs/{run_id}"


def write(site: Site, run_id: UUID, *texts: str, level: Level = Level.INFO) -> None:
    with site.database.transaction() as session:
        write_lines(session, run_id, texts, at=site.clock.moment, level=level)


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def lines(page: Page) -> Locator:
    return log(page).locator("li[data-level]")


def from_end(page: Page) -> int:
    """How many pixels are below what is on the screen of the log."""
    return int(log(page).evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight"))


def scroll_up(page: Page) -> None:
    log(page).evaluate("box => box.scrollTo(0, 0)")
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")


class TestFollowing:
    def test_a_log_opened_while_it_is_written_has_all_of_it(self, page: Page, site: Site, job: Job) -> None:
        """A49: from line 1 on, and then what comes."""
        with site.database.transaction() as session:
            run_id = make_running(session, job, now=site.clock.moment, lines=["the first", "the second"])
        page.goto(f"{site.url}/runs/{run_id}")
        expect(lines(page).first).to_contain_text("the first")
        write(site, run_id, "the third")

        expect(lines(page)).to_have_count(3, timeout=NEXT_LINES_MS)
        expect(page.locator("#log-count")).to_have_text("3 lines")

    def test_stays_at_the_end(self, page: Page, site: Site, run_id: UUID, address: str) -> None:
        page.goto(address)
        expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
        write(site, run_id, *["more"] * 30)

        expect(lines(page)).to_have_count(530, timeout=NEXT_LINES_MS)
        assert from_end(page) <= 1

    def test_lets_go_above_and_counts_what_comes(self, page: Page, site: Site, run_id: UUID, address: str) -> None:
        page.goto(address)
        expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
        scroll_up(page)
        write(site, run_id, *["more"] * 14)
        news = page.get_by_role("button", name="14 new lines ↓")
        expect(news).to_be_visible(timeout=NEXT_LINES_MS)
        assert log(page).evaluate("box => box.scrollTop") == 0
        news.click()

        expect(news).to_be_hidden()
        expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
        assert from_end(page) <= 1

    def test_ends_with_the_run(self, page: Page, site: Site, run_id: UUID, address: str) -> None:
        page.goto(address)
        expect(page.get_by_role("button", name="Follow")).to_be_visible()
        with site.database.transaction() as session:
            end = AttemptEnd(AttemptState.SUCCEEDED)
            assert ledger.succeed(session, run_id=run_id, token=1, end=end, now=site.clock.moment)

        expect(page.get_by_role("button", name="Follow")).to_be_hidden(timeout=NEXT_LINES_MS)

    def test_holds_five_thousand_lines_at_most(self, page: Page, site: Site, run_id: UUID, address: str) -> None:
        page.goto(address)
        for _ in range(5):
            write(site, run_id, *["more"] * 999)

        expect(lines(page).last).to_have_attribute("id", "L6195", timeout=5 * NEXT_LINES_MS)
        expect(lines(page)).to_have_count(5000)
        expect(lines(page).first).to_have_attribute("id", "L1196")
        scroll_up(page)
        page.get_by_role("link", name="Load 500 earlier").click()
        expect(lines(page).first).to_have_attribute("id", "L696")
        expect(lines(page)).to_have_count(500)


class TestEarlierLines:
    def test_come_above_and_leave_the_screen_as_it_was(self, page: Page, address: str) -> None:
        page.goto(address)
        scroll_up(page)
        before = page.locator("#L701").bounding_box()
        page.get_by_role("link", name="Load 500 earlier").click()
        expect(lines(page)).to_have_count(1000)
        after = page.locator("#L701").bounding_box()

        assert before is not None
        assert after is not None
        assert abs(before["y"] - after["y"]) <= 30
        expect(page.get_by_role("link", name="Load 200 earlier")).to_be_focused()


class TestALine:
    def test_is_linked_to_by_its_number(self, page: Page, address: str) -> None:
        """A49: a line of the part that is shown first."""
        page.goto(f"{address}#L720")

        expect(page.locator("#L720:target")).to_be_in_viewport()
        expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")

    def test_that_is_not_on_the_page_is_fetched(self, page: Page, address: str) -> None:
        """A49: with what stands around it."""
        page.goto(f"{address}#L120")

        expect(page).to_have_url(f"{address}?line=120#L120")
        expect(page.locator("#L120:target")).to_be_in_viewport()
        expect(page.locator("#L120")).to_contain_text("line 0120")

    def test_that_does_not_exist_ends_at_the_end(self, page: Page, address: str) -> None:
        page.goto(f"{address}#L99999")

        expect(page).to_have_url(f"{address}?line=99999#L99999")
        expect(lines(page).last).to_have_attribute("id", "L1200")

    def test_is_marked_when_its_number_is_pressed(self, page: Page, address: str) -> None:
        page.goto(address)
        page.get_by_role("link", name="Line 1190", exact=True).click()

        expect(page).to_have_url(f"{address}#L1190")
        expect(page.locator("#L1190:target")).to_be_visible()


TRACEBACK = ("Traceback (most recent call last):", *["  File “shop.py”, line 4"] * 8, "ShopError: no such shop")


class TestTracebacks:
    def test_come_folded_and_are_unfolded_by_a_link_to_a_line(
        self, page: Page, site: Site, run_id: UUID, address: str
    ) -> None:
        page.goto(address)
        write(site, run_id, *TRACEBACK, *["more"] * 60, level=Level.ERROR)
        expect(page.locator("#L1201")).to_be_visible(timeout=NEXT_LINES_MS)
        expect(page.locator("#L1210")).to_contain_text("no such shop")
        expect(page.locator("#L1205")).to_be_hidden()
        assert from_end(page) <= 1
        page.evaluate("location.hash = 'L1205'")

        expect(page.locator("#L1205:target")).to_be_in_viewport()
        expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")

    def test_are_open_for_a_link_from_elsewhere(self, page: Page, site: Site, run_id: UUID, address: str) -> None:
        write(site, run_id, *TRACEBACK, level=Level.ERROR)
        write(site, run_id, *["more"] * 20)
        page.goto(f"{address}#L1205")

        expect(page.locator("#L1205:target")).to_be_in_viewport()

    def test_of_which_none_is_left_leave_nothing_behind(
        self, page: Page, site: Site, run_id: UUID, address: str
    ) -> None:
        write(site, run_id, *TRACEBACK, level=Level.ERROR)
        page.goto(address)
        expect(page.get_by_text("8 lines of the traceback")).to_have_count(1)
        for _ in range(6):
            write(site, run_id, *["more"] * 999)

        expect(lines(page).last).to_have_attribute("id", "L7204", timeout=6 * NEXT_LINES_MS)
        expect(page.get_by_text("8 lines of the traceback")).to_have_count(0)


class TestKeys:
    def test_follow_and_let_go(self, page: Page, address: str) -> None:
        page.goto(address)
        follow = page.get_by_role("button", name="Follow")
        expect(follow).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("f")
        expect(follow).to_have_attribute("aria-pressed", "false")
        page.keyboard.press("f")

        expect(follow).to_have_attribute("aria-pressed", "true")

    def test_go_from_error_to_error_and_begin_again(self, page: Page, site: Site, run_id: UUID, address: str) -> None:
        write(site, run_id, *TRACEBACK, "again", level=Level.ERROR)
        write(site, run_id, "between")
        write(site, run_id, "second", level=Level.ERROR)
        page.goto(address)
        for line in (1201, 1213, 1201):
            page.keyboard.press("e")
            expect(page).to_have_url(f"{address}#L{line}")
            expect(page.locator(f"#L{line}")).to_be_in_viewport()


class TestLookingForLines:
    def test_counts_as_grep_does(self, page: Page, site: Site, run_id: UUID, address: str) -> None:
        """A49: in the address, from the first line to the last."""
        write(site, run_id, "Line 77 broke", level=Level.ERROR)
        raw = page.request.get(f"{address}/log.txt").text()
        page.goto(address)
        page.get_by_placeholder("Search the log").fill("line 07")
        page.keyboard.press("Enter")

        expect(page).to_have_url(f"{address}?level=&q=line+07&go=#log")
        expect(page.locator("#log-count")).to_have_text(
            f"{sum('line 07' in one for one in raw.splitlines())} of 1,201 lines"
        )
        expect(lines(page)).to_have_count(100)

    def test_goes_on_with_those_that_come(self, page: Page, site: Site, run_id: UUID, address: str) -> None:
        page.goto(f"{address}?level=error")
        expect(log(page)).to_contain_text("No line matches yet.")
        write(site, run_id, "all is well")
        write(site, run_id, "It broke", level=Level.ERROR)

        expect(lines(page)).to_have_count(1, timeout=NEXT_LINES_MS)
        expect(page.locator("#log-count")).to_have_text("1 of 1,202 lines")


class TestWithoutScripts:
    def test_the_log_is_read_searched_and_linked_to(
        self, browser: Browser, site: Site, ana: Member, page: Page, address: str
    ) -> None:
        context = browser.new_context(java_script_enabled=False)
        context.add_cookies(page.context.cookies())
        plain = context.new_page()
        plain.goto(address)
        plain.get_by_role("link", name="Load 500 earlier").click()
        expect(lines(plain).first).to_have_attribute("id", "L201")
        plain.get_by_label("Go to line").fill("42")
        plain.get_by_role("button", name="Apply").click()
        expect(plain.locator("#L42:target")).to_be_in_viewport()
        plain.get_by_placeholder("Search the log").fill("line 0042")
        plain.get_by_label("Go to line").fill("")
        plain.get_by_role("button", name="Apply").click()
        expect(lines(plain)).to_have_count(1)
        expect(plain.locator("#log-count")).to_have_text("1 of 1,200 lines")
        context.close()


class TestNothingIsWrong:
    @THEMES
    @WIDTHS
    def test_with_the_page_of_a_run(
        self, page: Page, site: Site, job: Job, run_id: UUID, address: str, theme: Theme, width: int
    ) -> None:
        """A02, A03: with a log that goes on, one that was searched, and one that failed."""
        write(site, run_id, "careful", level=Level.WARNING)
        write(site, run_id, "It broke", level=Level.ERROR)
        with site.database.transaction() as session:
            failed = make_failed(session, job, now=site.clock.moment, lines=["one"])
        show(page, theme, width)
        found, wide = [], []
        for path in (
            address,
            f"{address}#L1190",
            f"{address}?line=600",
            f"{address}?level=error",
            f"{site.url}/runs/{failed}",
        ):
            page.goto(path)
            expect(log(page)).to_be_visible()
            found += violations(page)
            wide += [path] if is_too_wide(page) else []
        show(page)

        assert (found, wide) == ([], [])
