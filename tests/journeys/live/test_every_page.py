"""What holds for every page of the menu: its parts, its size, what it loads, and that axe-core finds nothing."""

import re

import pytest
from playwright.sync_api import Page, Response, expect

from app.jobs.models import Job
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.tenants import Member
from tests.journeys.axe import violations
from tests.journeys.looks import THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.site import QUARTER, Site

pytestmark = pytest.mark.journey

ROWS = 50
KIBIBYTE = 1_024
MOVING = "document.getAnimations().filter(one => one.playState === 'running').length"
PARTS = """() => ({
  headings: document.querySelectorAll("h1").length, mains: document.querySelectorAll("main").length,
  title: document.title, lang: document.documentElement.lang,
  skips: document.querySelector(".skip-link")?.getAttribute("href"),
})"""


@pytest.fixture(scope="module", autouse=True)
def _work(site: Site, ana: Member, job: Job) -> None:
    """As many schedules as a page shows, with runs in every state."""
    made = [site.add_schedule(ana, job, f"Export of shop {number:02}", "0 6 * * *") for number in range(ROWS)]
    with site.database.transaction() as session:
        for number, schedule_id in enumerate(made):
            for back in range(1, 12):
                make = make_failed if (number + back) % 7 == 0 else make_succeeded
                make(session, job, now=site.clock.moment - back * QUARTER, schedule_id=schedule_id)
        make_running(session, job, now=site.clock.moment)


@pytest.fixture(scope="module")
def menu(site: Site, page: Page) -> list[str]:
    """The addresses of the menu, and of those pages of the account that it has not."""
    page.goto(f"{site.url}/")
    found = page.locator("nav[aria-label=Main] a").evaluate_all("links => links.map(link => link.pathname)")
    return [*found, "/account", "/account/tokens", "/organizations", "/help"]


class TestEveryPage:
    def test_has_the_parts_of_a_page(self, page: Page, site: Site, menu: list[str]) -> None:
        """A01: status, one heading, a title, a way past the menu, a main part."""
        assert {"/", "/schedules", "/runs", "/queue", "/jobs", "/audit", "/admin/schedules"} <= set(menu)
        for path in menu:
            answer = page.goto(f"{site.url}{path}")
            parts = page.evaluate(PARTS)

            assert answer is not None
            assert (path, answer.status) == (path, 200)
            assert (parts["headings"], parts["mains"], parts["skips"], parts["lang"]) == (1, 1, "#main", "en"), path
            assert re.fullmatch(r"(\(\d+ \w+\) )?.+ · Belfry", parts["title"]), path

    def test_asks_nobody_else_and_complains_of_nothing(self, page: Page, site: Site, menu: list[str]) -> None:
        """A04: no request leaves the origin; the tab's fixture fails by whatever the console says."""
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for path in menu:
            page.goto(f"{site.url}{path}")

        assert [url for url in asked if not url.startswith((f"{site.url}/", "data:"))] == []

    @THEMES
    @WIDTHS
    def test_is_found_without_fault(self, page: Page, site: Site, menu: list[str], theme: Theme, width: int) -> None:
        """A02, A03: axe-core finds nothing, and nothing is wider than the screen."""
        show(page, theme, width)
        found = {}
        for path in menu:
            page.goto(f"{site.url}{path}")
            found[path] = [*violations(page), *(["wider than the screen"] if is_too_wide(page) else [])]
        show(page)

        assert found == {path: [] for path in menu}

    def test_moves_nothing_for_who_asks_for_stillness(self, page: Page, site: Site, menu: list[str]) -> None:
        """A15: with reduced motion no animation runs."""
        moving = {}
        for wish in ("no-preference", "reduce"):
            page.emulate_media(reduced_motion=wish)
            for path in menu:
                page.goto(f"{site.url}{path}")
                page.locator("[data-live-pill]:visible, main:not(:has([data-live-pill]))").first.wait_for()
                moving[wish, path] = page.evaluate(MOVING)
        page.emulate_media(reduced_motion="no-preference")

        assert {path: moving["reduce", path] for path in menu} == dict.fromkeys(menu, 0)
        # For all others the dot of the pill and what runs do move, or nothing would be shown by this.
        assert moving["no-preference", "/runs"] > 0


class TestFiftyRows:
    @pytest.mark.parametrize("path", ["/schedules", "/runs"])
    def test_load_as_little_as_promised(self, page: Page, site: Site, path: str) -> None:
        """A56: bytes as they travel, and requests of a browser that has nothing yet."""
        context = page.context.browser.new_context()  # type: ignore[union-attr]
        context.add_cookies(
            [{**{key: cookie[key] for key in ("name", "value")}, "url": site.url} for cookie in page.context.cookies()]  # type: ignore[literal-required,typeddict-item]
        )
        tab = context.new_page()
        answers: list[Response] = []

        def listen(answer: Response) -> None:
            answers.append(answer)

        tab.on("response", listen)
        tab.goto(f"{site.url}{path}", wait_until="networkidle")
        assert tab.locator("tbody tr[id]").count() == ROWS

        sizes = {"document": 0, "script": 0, "stylesheet": 0, "other": 0, "image": 0}
        for answer in answers:
            sizes[answer.request.resource_type] = (
                sizes.get(answer.request.resource_type, 0) + answer.request.sizes()["responseBodySize"]
            )
        context.close()
        assert sizes["document"] <= 16 * KIBIBYTE
        assert sizes["script"] <= 20 * KIBIBYTE
        assert sizes["stylesheet"] <= 12 * KIBIBYTE
        assert len(answers) <= 7

    def test_are_all_compressed(self, page: Page, site: Site) -> None:
        """A56: nothing of size travels as it is."""
        plain: list[str] = []

        def listen(answer: Response) -> None:
            length = int(answer.headers.get("content-length", "0"))
            if answer.status == 200 and length > KIBIBYTE and "content-encoding" not in answer.headers:
                plain.append(answer.url)

        page.on("response", listen)
        page.goto(f"{site.url}/schedules")
        page.remove_listener("response", listen)

        assert plain == []


class TestCharts:
    def test_have_a_table_behind_them(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}/schedules")
        page.locator("#rows .name").first.click()
        expect(page.locator("#timeline svg").first).to_be_visible()

        for part in ("#timeline-table", "#trend-table"):
            page.locator(f"{part} summary").click()
            expect(page.locator(f"{part} table")).to_be_visible()
            assert page.locator(f"{part} tbody tr").count() > 1
