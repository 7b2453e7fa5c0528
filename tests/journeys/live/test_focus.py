"""Where the focus is, for who goes by Tab alone: always drawn, never behind what stays in place, never kept."""

import pytest
from playwright.sync_api import Page, expect

from app.jobs.models import Job
from tests.factories.outcomes import make_failed, make_running
from tests.factories.tenants import Member
from tests.journeys.looks import WIDTHS, show
from tests.journeys.schedules.site import QUARTER, Site

pytestmark = pytest.mark.journey

# More than any of these pages has to stop at.
MOST = 400
ROWS = 12
# What is wrong with whatever has the focus; null where that is the browser itself.
LOOK = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const { left, top, width, height } = one.getBoundingClientRect(), style = getComputedStyle(one);
  const parts = [0.1, 0.5, 0.9], label = one.closest("label");
  const isSeen = parts.some((across) => parts.some((down) => {
    const found = document.elementFromPoint(left + width * across, top + height * down);
    return found && (one.contains(found) || found.contains(one) || label?.contains(found));
  }));
  const isDrawn = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const isNew = !("stopped" in one.dataset);
  one.dataset.stopped ??= document.querySelectorAll("[data-stopped]").length;
  const isFirst = one.dataset.stopped === "0", hasParts = /date|time/.test(one.type ?? "");
  return { isSeen, isDrawn, isNew, isFirst, hasParts, words: one.outerHTML.slice(0, 120) };
}"""
# From the very beginning, or end.
BEGIN = """() => {
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
  scrollTo(0, 0);
}"""
UNREACHED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter((one) =>
  one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0
  && !["radio", "hidden"].includes(one.type) && !("stopped" in one.dataset)
).map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module", autouse=True)
def _work(site: Site, ana: Member, job: Job) -> None:
    """More rows than a screen has room for."""
    made = [site.add_schedule(ana, job, f"Export of shop {number:02}", "0 6 * * *") for number in range(ROWS)]
    with site.database.transaction() as session:
        for schedule_id in made:
            make_failed(session, job, now=site.clock.moment - QUARTER, schedule_id=schedule_id)
        make_running(session, job, now=site.clock.moment)


def walk(page: Page, key: str) -> list[str]:
    """Press it until the focus leaves the page, or begins anew. Returns what was wrong on the way."""
    wrong = []
    for _ in range(MOST):
        page.keyboard.press(key)
        stop = page.evaluate(LOOK)
        if stop is None or (stop["isFirst"] and not stop["isNew"]):
            return wrong
        if not stop["isNew"] and not stop["hasParts"]:
            return [*wrong, f"back at {stop['words']}"]
        # The parts of a date have their own frame, which the page cannot ask for.
        if not stop["isDrawn"] and not stop["hasParts"]:
            wrong.append(f"not drawn: {stop['words']}")
        if not stop["isSeen"]:
            wrong.append(f"behind something: {stop['words']}")
    return [*wrong, "does not end"]


@WIDTHS
@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
class TestTheFocus:
    @pytest.mark.parametrize("path", ["/", "/schedules", "/runs", "/queue?tab=dead", "/jobs", "/schedules/new"])
    def test_is_seen_wherever_it_goes(self, page: Page, site: Site, path: str, key: str, width: int) -> None:
        """A54: on a page, with the bar of what is ticked at the bottom where there is one."""
        show(page, width=width)
        page.goto(f"{site.url}{path}")
        tick = page.locator("tbody .tick").first
        if tick.is_visible():
            tick.check()
            expect(page.locator(".bulk")).to_be_visible()
        page.evaluate(BEGIN)
        wrong = walk(page, key)
        show(page)

        assert wrong == []

    def test_is_seen_in_a_dialog(self, page: Page, site: Site, key: str, width: int) -> None:
        """A54: with its head, its buttons and its next runs in place while the rest scrolls."""
        show(page, width=width)
        page.goto(f"{site.url}/schedules")
        page.get_by_role("link", name="New schedule").first.click()
        expect(page.get_by_label("Name", exact=True)).to_be_focused()
        wrong = walk(page, key)
        show(page)

        assert wrong == []


@pytest.mark.parametrize(
    ("path", "opener"),
    [
        ("/schedules", "New schedule"),
        ("/schedules", "Disable 1"),
        ("/schedules", "Delete 1"),
        ("/queue?tab=dead", "Retry 1"),
        ("/queue?tab=dead", "Remove 1"),
        ("/runs?state=running", "Cancel run…"),
        ("/admin/system", "Pause everything"),
    ],
)
@pytest.mark.parametrize("leave", ["Escape", "Close"])
def test_a_dialog_takes_it_and_gives_it_back(page: Page, site: Site, path: str, opener: str, leave: str) -> None:
    """A30, A54: opened by Enter, left by Escape or by the button, it leads back to where it was opened."""
    page.goto(f"{site.url}{path}")
    if opener.endswith(" 1"):
        page.locator("tbody .tick").first.check()
    if opener == "Cancel run…":
        page.locator("tbody .name").first.click()
    pressed = page.get_by_role("button", name=opener).or_(page.get_by_role("link", name=opener)).first
    pressed.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(":focus")).to_have_count(1)
    if leave == "Close":
        dialog.get_by_label("Close").focus()
    page.keyboard.press("Escape" if leave == "Escape" else "Enter")

    expect(dialog).to_be_hidden()
    expect(pressed).to_be_focused()


@pytest.mark.parametrize("path", ["/", "/schedules", "/runs", "/queue?tab=dead", "/jobs", "/audit", "/settings/team"])
def test_everything_that_can_be_pressed_is_reached(page: Page, site: Site, path: str) -> None:
    """A54: Tab alone leads to all of it."""
    page.goto(f"{site.url}{path}")
    walk(page, "Tab")

    assert page.evaluate(UNREACHED) == []
