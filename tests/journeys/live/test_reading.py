"""Pages for who enlarges them, spaces letters out, taps with a finger or sees the system's own colours."""

import pytest
from playwright.sync_api import Page

from app.jobs.models import Job
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.tenants import Member
from tests.journeys.looks import PHONE, WIDE, is_too_wide, show
from tests.journeys.schedules.site import QUARTER, Site

pytestmark = pytest.mark.journey

# A screen of 1360 pixels at 200 and at 400 per cent.
TWICE, FOUR_TIMES = 680, 320
NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft <b>" + "x" * 36
# Asked for by WCAG 1.4.12.
SPACING = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`p { margin-block-end: 2em !important; }
    * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }`);
  document.adoptedStyleSheets.push(sheet);
}"""
# What stands out of its own box where nothing scrolls, though it is no wider than the screen.
CUT_OFF = """() => [...document.querySelectorAll("main *")].filter(one => {
  const style = getComputedStyle(one);
  return style.overflowX === "hidden" && style.textOverflow !== "ellipsis"
    && !one.closest(".visually-hidden, svg, thead") && one.scrollWidth > one.clientWidth + 1;
}).map(one => one.outerHTML.slice(0, 120))"""
# Links within a sentence are left out, as WCAG 2.5.8 does, and so are ticks, around which 24 pixels are free.
# A switch is as large as what lies around it.
PRESSED = "button, .button, select, input:not([type=hidden], .tick), summary, .nav a, .tabs a"
SMALL = """([pressed, least]) => [...document.querySelectorAll(pressed)].filter(one => {
  const { width, height } = one.getBoundingClientRect(), around = getComputedStyle(one, "::before");
  const grown = around.position === "absolute" ? -2 * parseFloat(around.top) || 0 : 0;
  const label = one.closest("label")?.getBoundingClientRect().height ?? 0;
  return one.checkVisibility() && width > 1 && Math.max(height + grown, label) < least;
}).map(one => one.outerHTML.slice(0, 160))"""


@pytest.fixture(scope="module", autouse=True)
def _work(site: Site, ana: Member, job: Job) -> None:
    """One schedule whose name is as long as can be, with runs of every kind."""
    made = site.add_schedule(ana, job, NAME, "*/7 3-5,9 1-7 * MON", "America/Argentina/Buenos_Aires")
    with site.database.transaction() as session:
        for back in range(1, 9):
            make = make_failed if back % 2 else make_succeeded
            make(session, job, now=site.clock.moment - back * QUARTER, schedule_id=made)
        make_running(session, job, now=site.clock.moment, schedule_id=made)


@pytest.fixture(scope="module")
def addresses(site: Site, page: Page) -> list[str]:
    """The pages of the menu, those of the account, and one of each thing."""
    page.goto(f"{site.url}/")
    found = page.locator("nav[aria-label=Main] a").evaluate_all("links => links.map(link => link.pathname)")
    page.goto(f"{site.url}/schedules")
    schedule = page.locator("#rows .name").first.get_attribute("href")
    page.goto(f"{site.url}/runs?state=failed")
    run = page.locator("tbody .name").first.get_attribute("href")
    more = [f"{schedule}{part}" for part in ("", "/edit", "/versions", "/slots", "/history", "/delete")]
    return [*found, *more, str(run), "/account", "/account/tokens", "/organizations", "/help", "/views", "/bulk"]


def wrong(page: Page, site: Site, addresses: list[str], *ask: str) -> dict[str, list[str]]:
    """What is wrong, by page: wider than the screen, or cut off where nobody can scroll."""
    found = {}
    for path in addresses:
        page.goto(f"{site.url}{path}")
        for script in ask:
            page.evaluate(script)
        found[path] = [*page.evaluate(CUT_OFF), *(["wider than the screen"] if is_too_wide(page) else [])]
    return {path: words for path, words in found.items() if words}


@pytest.mark.parametrize("width", [TWICE, FOUR_TIMES])
def test_pages_that_are_enlarged_scroll_one_way_alone(page: Page, site: Site, addresses: list[str], width: int) -> None:
    """A03: at 200 and 400 per cent, with a name that has no place to break."""
    show(page, width=width)
    found = wrong(page, site, addresses)
    show(page)

    assert found == {}


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_letters_may_be_spaced_out(page: Page, site: Site, addresses: list[str], width: int) -> None:
    """A03: nothing is cut off with the spacing that readers may choose."""
    show(page, width=width)
    found = wrong(page, site, addresses, SPACING)
    show(page)

    assert found == {}


def test_what_is_pressed_is_large_enough(page: Page, site: Site, addresses: list[str]) -> None:
    """A02: 24 pixels for a pointer."""
    found = {}
    for path in addresses:
        page.goto(f"{site.url}{path}")
        found[path] = page.evaluate(SMALL, [PRESSED, 24])

    assert {path: words for path, words in found.items() if words} == {}
