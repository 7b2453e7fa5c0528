"""Ten tabs of one browser ask as one does, and go on when the one that asked is closed."""

import re
from collections.abc import Callable, Iterator
from time import monotonic

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.factories.outcomes import make_failed
from tests.factories.work import make_job
from tests.journeys.conftest import ELSEWHERE, wait_until
from tests.journeys.live.conftest import Visits
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

TABS = 10
POLLS = 5
PERIOD_SECONDS = 2.5
TAKEOVER_SECONDS = 10
FOUR_POLLS_MS = 10_000

# This very machine, which browsers trust, and a plain address in a network, on which they offer no locks.
ADDRESSES = pytest.mark.parametrize("host", ["127.0.0.1", ELSEWHERE])
OpenTabs = Callable[[str], list[Page]]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def open_tabs(site: Site, context: BrowserContext) -> OpenTabs:
    """Opens them at addresses that differ, so that each request tells which tab sent it."""

    def open_them(host: str) -> list[Page]:
        site.enter(context)
        address = site.url.replace("127.0.0.1", host)
        cookie = context.cookies()[0]
        context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": address}])
        tabs = [context.new_page() for _ in range(TABS)]
        for number, tab in enumerate(tabs):
            tab.goto(f"{address}/runs?q=tab{number}")
            expect(tab.locator("[data-live-pill]")).to_have_text("Live")
        return tabs

    return open_them


def tab_of(referrer: str) -> int:
    return int(referrer.rpartition("tab")[2])


@ADDRESSES
class TestTenTabs:
    def test_ask_as_often_as_one(self, open_tabs: OpenTabs, visits: Visits, host: str) -> None:
        """A11: the polls of all together are a period apart."""
        tabs = open_tabs(host)
        assert tabs[0].evaluate("'locks' in navigator") == (host != ELSEWHERE)
        before, began = len(visits.to("/live")), monotonic()

        wait_until(lambda: len(visits.to("/live")) >= before + POLLS, "polls")

        # Ten that ask for themselves would have sent as many within one period.
        assert monotonic() - began > PERIOD_SECONDS * (POLLS - 2)

    def test_go_on_without_the_one_that_asked(self, open_tabs: OpenTabs, visits: Visits, host: str) -> None:
        """A11: another one takes over within ten seconds."""
        tabs = open_tabs(host)
        before = len(visits.to("/live"))
        wait_until(lambda: len(visits.to("/live")) > before, "the first poll")
        leader = tab_of(visits.to("/live")[-1])
        tabs[leader].close()
        seen = len(visits.to("/live"))

        wait_until(
            lambda: any(tab_of(page) != leader for page in visits.to("/live")[seen:]),
            "another tab to ask",
            TAKEOVER_SECONDS,
        )

        expect(tabs[leader - 1].locator("[data-live-pill]")).to_have_text("Live")


class TestThreeTabs:
    """Whatever is the matter, no tab goes on saying that it is live, whichever of them asked."""

    @ADDRESSES
    @pytest.mark.parametrize(
        ("fails", "words"),
        [
            (lambda route: route.fulfill(status=500, body=""), "Could not refresh – showing"),
            (lambda route: route.abort("internetdisconnected"), "Offline – showing"),
            (lambda route: route.fulfill(status=401, body=""), "Signed out – sign in again"),
        ],
        ids=["broken", "offline", "signed-out"],
    )
    def test_all_say_what_is_the_matter_and_when_it_is_over(
        self, open_tabs: OpenTabs, context: BrowserContext, host: str, fails: Callable[[Route], None], words: str
    ) -> None:
        """A12, A13: each within four polls."""
        pills = [tab.locator("[data-live-pill]") for tab in open_tabs(host)[:3]]

        context.route("**/live?*", fails)
        for pill in pills:
            expect(pill).to_contain_text(words, timeout=FOUR_POLLS_MS)
        context.unroute_all()

        for pill in pills:
            expect(pill).to_have_text("Live", timeout=FOUR_POLLS_MS)


class TestATabBehindOthers:
    def test_tells_the_worst_and_refreshes_when_it_is_looked_at(
        self, site: Site, context: BrowserContext, visits: Visits
    ) -> None:
        """A11: one that nobody sees fetches nothing, but its title and icon go on; seen again, it catches up."""
        person = site.enter(context)
        with site.database.transaction() as session:
            job = make_job(session, person.organization_id)
        schedule_id = site.add_schedule(person, job, "Nightly", "0 6 * * *")
        behind, front = context.new_page(), context.new_page()
        behind.goto(f"{site.url}/schedules?q=night")
        behind.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
        front.goto(f"{site.url}/runs")
        with site.database.transaction() as session:
            make_failed(session, job, now=site.clock.moment, schedule_id=schedule_id)
        expect(behind).to_have_title("(1 failing) Schedules · Belfry")
        expect(behind.locator("link[rel=icon]")).to_have_attribute("href", re.compile("favicon-failing"))
        expect(behind.locator("[data-count=failing]")).to_have_text("1 failing")
        expect(front).to_have_title("(1 failing) Runs · Belfry")
        hidden = visits.to("/schedules/rows")
        behind.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")

        expect(behind.locator("#rows .badge").first).to_have_text("Failed")
        assert hidden == []
