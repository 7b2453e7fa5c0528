"""The pictures on the page of a schedule in a real browser, over data that stands still."""

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from werkzeug.serving import make_server

from app.core.scopes import ENGINE
from app.edge.runtime import EXTENSION
from app.factory import create_app
from app.tenants.sign_in import start_session
from tests.conftest import make_settings, set_up
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.tenants import make_member
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.journey

RUNS = 40
# The run before the last one failed at once.
FAILED = RUNS - 2
# What the pixels of a picture look like without colours, from black to white.
GREYS = """async ([png, points]) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return points.map(([x, y]) => {
    const [red, green, blue] = context.getImageData(x, y, 1, 1).data;
    return Math.round(0.2126 * red + 0.7152 * green + 0.0722 * blue);
  });
}"""


@dataclass(frozen=True)
class Site:
    """Pages about one schedule with a past, and the way in."""

    url: str
    schedule_id: UUID
    run_ids: list[UUID]
    cookie: dict[str, str]

    @property
    def schedule(self) -> str:
        return f"{self.url}/schedules/{self.schedule_id}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = make_settings(tmp_path_factory.mktemp("site"))
    set_up(settings)
    clock = ManualClock("2027-01-05 12:00")
    app = create_app(settings, kinds={}, clock=clock)
    with app.extensions[EXTENSION].database.transaction(ENGINE) as session:
        person = make_member(session)
        token = start_session(session, user_id=person.user_id, email=person.email, user_agent="tests", now=clock.moment)
        job = make_job(session, person.actor.organization_id)
        schedule = make_schedule(session, job, name="Every hour", cron="30 * * * *", timezone="America/New_York")
        run_ids = []
        for number in range(RUNS):
            make = make_failed if number == FAILED else make_succeeded
            now = clock.moment - timedelta(hours=RUNS - number)
            run_ids.append(make(session, job, now=now, schedule_id=schedule.id))
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
    signed_in = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert signed_in is not None
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(
        f"http://127.0.0.1:{server.port}", schedule.id, run_ids, {"name": signed_in.key, "value": signed_in.value}
    )
    server.shutdown()
    app.extensions[EXTENSION].database.dispose()


@pytest.fixture(autouse=True)
def _signed_in(page: Page, site: Site) -> None:
    page.context.add_cookies([{**site.cookie, "url": site.url}])


def strip(page: Page) -> Locator:
    return page.locator("#strip svg.strip")


def greys(browser: Browser, picture: Locator, *points: tuple[int, int]) -> list[int]:
    """How bright these points of a picture are. Read in an empty tab, where no content policy is in the way."""
    png = base64.b64encode(picture.screenshot()).decode()
    tab = browser.new_page()
    found: list[int] = tab.evaluate(GREYS, [png, [list(point) for point in points]])
    tab.close()
    return found


class TestThePictures:
    def test_a37_a_failure_after_a_moment_reaches_the_top_of_the_strip(
        self, page: Page, browser: Browser, site: Site
    ) -> None:
        page.goto(site.schedule)

        words = "Last 30 runs over 1 d: 29 succeeded, 1 failed (latest 2 h ago). Last took 3.0 s, typical 3.0 s."
        expect(strip(page)).to_have_attribute("aria-label", words)
        top_of_failed, top_of_good = greys(browser, strip(page), (142, 2), (147, 1))
        assert (top_of_failed < 100, top_of_good > 240) == (True, True)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_a42_failed_and_good_runs_differ_without_colours(
        self, page: Page, browser: Browser, site: Site, scheme: str
    ) -> None:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(site.schedule)

        failed = greys(browser, strip(page), *((142, y) for y in (2, 6, 23)))
        good = greys(browser, strip(page), *((137, y) for y in (2, 6, 23)))

        page.emulate_media(color_scheme="light")
        assert max(abs(one - other) for one, other in zip(failed, good, strict=True)) > 40

    def test_a50_an_old_run_is_marked_in_the_strip(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}/runs/{site.run_ids[5]}")
        page.get_by_role("link", name="Every hour").click()

        expect(page.get_by_role("heading", name="Runs up to the one you came from")).to_be_visible()
        expect(page.locator("#strip .chart-ring")).to_have_count(1)

    @pytest.mark.parametrize("query", ["", "?t=7d"])
    def test_fit_a_phone(self, page: Page, site: Site, query: str) -> None:
        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(site.schedule + query)

        width = page.evaluate("document.documentElement.scrollWidth")

        page.set_viewport_size({"width": 1360, "height": 900})
        assert width == 360


class TestLookingElsewhere:
    def test_changes_the_picture_in_place(self, page: Page, site: Site) -> None:
        page.goto(site.schedule)
        page.locator("#timeline-table summary").click()
        page.get_by_role("link", name="7 days").click()

        expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
        expect(page.locator("#timeline-table")).to_have_attribute("open", "")
        expect(page).to_have_url(f"{site.schedule}?t=7d")

    def test_and_a_dialog_over_it_is_closed_by_back(self, page: Page, site: Site) -> None:
        page.get_by_role("link", name="Edit", exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.go_back()

        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(page).to_have_url(f"{site.schedule}?t=7d")

    def test_stays_when_the_page_refreshes_itself(self, page: Page, site: Site) -> None:
        page.get_by_role("link", name="7 days").focus()
        with page.expect_response(lambda answer: answer.url == f"{site.schedule}?t=7d"):
            page.evaluate("document.body.dispatchEvent(new CustomEvent('live:runs', {bubbles: true}))")

        expect(page.get_by_role("link", name="7 days")).to_be_focused()
        expect(page.locator("#timeline-table")).to_have_attribute("open", "")
        expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")

    def test_shows_twenty_next_runs_and_goes_back(self, page: Page, site: Site) -> None:
        page.get_by_role("link", name="Show 20").click()
        expect(page.locator(".next-runs li")).to_have_count(20)
        page.go_back()

        expect(page.locator(".next-runs li")).to_have_count(5)
