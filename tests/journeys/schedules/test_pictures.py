"""The pictures on the page of a schedule in a real browser, over data that stands still."""

import base64
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from app.jobs.models import Job
from app.runs.models import Run
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_schedule
from tests.fakes.clock import utc
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

RUNS = 40
SLOT = 5
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


@pytest.fixture(scope="module")
def schedule_id(site: Site, job: Job) -> UUID:
    """Of a schedule that runs every hour in New York."""
    with site.database.transaction() as session:
        return make_schedule(
            session, job, name="Every hour", cron="30 * * * *", timezone="America/New_York",
            next_run_at=utc("2027-01-05 12:30"),
        ).id  # fmt: skip


@pytest.fixture(scope="module")
def run_ids(site: Site, job: Job, schedule_id: UUID) -> list[UUID]:
    """Of one run an hour up to now, the oldest first."""
    made = []
    with site.database.transaction() as session:
        for number in range(RUNS):
            now = site.clock.moment - timedelta(hours=RUNS - number)
            if number == FAILED:
                made.append(make_failed(session, job, now=now, schedule_id=schedule_id, seconds=0.1))
            else:
                made.append(make_succeeded(session, job, now=now, schedule_id=schedule_id))
    return made


@pytest.fixture(scope="module")
def address(site: Site, schedule_id: UUID, run_ids: list[UUID]) -> str:
    return f"{site.url}/schedules/{schedule_id}"


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
    def test_count_as_the_database_does(self, page: Page, site: Site, schedule_id: UUID, address: str) -> None:
        """A37: the numbers in the label of the strip are those of the last thirty runs."""
        with site.database.reading() as session:
            last = select(Run.state).where(Run.schedule_id == schedule_id).order_by(Run.due_at.desc()).limit(30)
            counts = Counter(session.scalars(last))
        page.goto(address)

        words = (
            f"Last 30 runs over 1 d: {counts['succeeded']} succeeded, {counts['failed']} failed (latest 2 h ago). "
            "Last took 3.0 s, typical 3.0 s."
        )
        assert counts.total() == 30
        expect(strip(page)).to_have_attribute("aria-label", words)

    def test_show_a_failure_after_a_moment_over_the_whole_height(
        self, page: Page, browser: Browser, address: str
    ) -> None:
        """A37: at the top of its slot a failed run is dark, and a good one is not there."""
        page.goto(address)

        top_of_failed, top_of_good = greys(browser, strip(page), (142, 2), (147, 1))

        assert (top_of_failed < 100, top_of_good > 240) == (True, True)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_tell_failed_from_good_without_colours(
        self, page: Page, browser: Browser, address: str, scheme: str
    ) -> None:
        """A42: a grey picture of the strip still tells them apart."""
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(address)

        failed = greys(browser, strip(page), *((142, y) for y in (2, 6, 23)))
        good = greys(browser, strip(page), *((137, y) for y in (2, 6, 23)))

        page.emulate_media(color_scheme="light")
        assert max(abs(one - other) for one, other in zip(failed, good, strict=True)) > 40

    def test_come_with_badges_of_words_and_shapes(self, page: Page, address: str) -> None:
        """A42: each state has a badge with its own word and its own icon."""
        page.goto(address)

        icons = {}
        for word in ("Succeeded", "Failed"):
            badge = page.locator("#runs .badge").filter(has_text=word).first
            expect(badge).to_be_visible()
            icons[word] = badge.locator("use").get_attribute("href")
        assert len(set(icons.values())) == 2

    def test_mark_an_old_run_one_came_from(self, page: Page, site: Site, address: str, run_ids: list[UUID]) -> None:
        """A50: the link from the page of an old run leads to the strip with that run ringed."""
        page.goto(f"{site.url}/runs/{run_ids[5]}")
        page.get_by_role("link", name="Every hour").click()

        expect(page.get_by_role("heading", name="Runs up to the one you came from")).to_be_visible()
        expect(page.locator("#strip .chart-ring")).to_have_count(1)
        # The strip ends with that run, so the ring is around the last of its thirty slots.
        ring, whole = page.locator("#strip .chart-ring").bounding_box(), strip(page).bounding_box()
        assert ring is not None
        assert whole is not None
        assert abs(ring["x"] + ring["width"] - whole["x"] - whole["width"]) <= SLOT / 2
        assert ring["width"] <= 3 * SLOT

    @pytest.mark.parametrize("query", ["", "?t=7d"])
    def test_fit_a_phone(self, page: Page, address: str, query: str) -> None:
        """A03: the page of a schedule is not wider than a phone."""
        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(address + query)

        width = page.evaluate("document.documentElement.scrollWidth")

        page.set_viewport_size({"width": 1360, "height": 900})
        assert width == 360


class TestLookingElsewhere:
    def test_changes_the_picture_in_place(self, page: Page, address: str) -> None:
        page.goto(address)
        page.locator("#timeline-table summary").click()
        page.get_by_role("link", name="7 days").click()

        expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
        expect(page.locator("#timeline-table")).to_have_attribute("open", "")
        expect(page).to_have_url(f"{address}?t=7d")

    def test_and_a_dialog_over_it_is_closed_by_back(self, page: Page, address: str) -> None:
        page.get_by_role("link", name="Edit", exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.go_back()

        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(page).to_have_url(f"{address}?t=7d")

    def test_stays_when_the_page_refreshes_itself(self, page: Page, address: str) -> None:
        page.get_by_role("link", name="7 days").focus()
        with page.expect_response(lambda answer: answer.url == f"{address}?t=7d"):
            page.evaluate("document.body.dispatchEvent(new CustomEvent('live:runs', {bubbles: true}))")

        expect(page.get_by_role("link", name="7 days")).to_be_focused()
        expect(page.locator("#timeline-table")).to_have_attribute("open", "")
        expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")

    def test_shows_twenty_next_runs_and_goes_back(self, page: Page, address: str) -> None:
        page.get_by_role("link", name="Show 20").click()
        expect(page.locator(".next-runs li")).to_have_count(20)
        page.go_back()

        expect(page.locator(".next-runs li")).to_have_count(5)
