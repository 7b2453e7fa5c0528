"""Ten tabs of one browser ask as one does, and go on when the one that asked is closed."""

from collections.abc import Callable, Iterator
from time import monotonic

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import ELSEWHERE, wait_until
from tests.journeys.live.conftest import Visits
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

TABS = 10
POLLS = 5
PERIOD_SECONDS = 2.5
TAKEOVER_SECONDS = 10

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
