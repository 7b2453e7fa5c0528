"""Failed and succeeded are told apart without colours, as Chromium shows pages to who sees fewer or none."""

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page

from app.jobs.models import Job
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.tenants import Member
from tests.journeys.looks import THEMES, Theme
from tests.journeys.schedules.form import row_of
from tests.journeys.schedules.site import QUARTER, Site

pytestmark = pytest.mark.journey

WAYS = pytest.mark.parametrize("way", ["deuteranopia", "achromatopsia"])
# A slot of a strip is five pixels wide, and whole where it is drawn at its own size.
SLOT, WIDTH, HEIGHT = 5, 150, 24
# How far apart two of 256 shades must be to be told apart side by side.
TELLS = 40
# The brightness of each pixel of a picture, row by row, and how wide it is.
BRIGHTNESS = """async (png) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height), found = [];
  for (let at = 0; at < data.length; at += 4)
    found.push(Math.round(0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2]));
  return [image.width, found];
}"""


@pytest.fixture(scope="module", autouse=True)
def _work(site: Site, ana: Member, job: Job) -> None:
    """One schedule whose last run failed, and one where all is well. They took as long. Another one is off."""
    site.add_schedule(ana, job, "Off", "0 6 * * *", enabled=False)
    for name, last in (("Broken", make_failed), ("Sound", make_succeeded)):
        made = site.add_schedule(ana, job, name, "0 6 * * *")
        with site.database.transaction() as session:
            for back in range(30, 1, -1):
                make_succeeded(session, job, now=site.clock.moment - back * QUARTER, schedule_id=made)
            last(session, job, now=site.clock.moment - QUARTER, schedule_id=made)


@pytest.fixture
def seen(page: Page, site: Site, way: str, theme: Theme) -> Iterator[CDPSession]:
    """The list as somebody sees it."""
    page.emulate_media(color_scheme=theme)
    page.goto(f"{site.url}/schedules")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setEmulatedVisionDeficiency", {"type": way})
    yield devtools
    devtools.send("Emulation.setEmulatedVisionDeficiency", {"type": "none"})
    page.emulate_media(color_scheme="light")


def shades(browser: Browser, picture: Locator) -> tuple[int, list[int]]:
    """How bright each pixel is. Read in an empty tab, where no content policy is in the way."""
    png = base64.b64encode(picture.screenshot()).decode()
    tab = browser.new_page()
    width, found = tab.evaluate(BRIGHTNESS, png)
    tab.close()
    return width, found


def differing(one: tuple[int, list[int]], other: tuple[int, list[int]], columns: range) -> int:
    """How many pixels of these columns are told apart."""
    (width, mine), (_, theirs) = one, other
    return sum(
        abs(shade - against) > TELLS
        for at, (shade, against) in enumerate(zip(mine, theirs, strict=False))
        if at % width in columns
    )


@THEMES
@WAYS
class TestFailedAndSucceeded:
    def test_differ_in_strips_by_shape(
        self, page: Page, browser: Browser, seen: CDPSession, way: str, theme: str
    ) -> None:
        """A42: the last slot of the strip has other pixels dark, over a part of its height."""
        broken, sound = (shades(browser, row_of(page, name).locator("svg.strip")) for name in ("Broken", "Sound"))

        last = range(WIDTH - SLOT, WIDTH)
        assert differing(broken, sound, last) >= HEIGHT / 2

    def test_differ_in_badges_by_word_and_icon(
        self, page: Page, browser: Browser, seen: CDPSession, way: str, theme: str
    ) -> None:
        """A42: the icons alone are told apart, and the words beside them."""
        icons = [row_of(page, name).locator(".badge .icon").first for name in ("Broken", "Sound")]
        broken, sound = (shades(browser, icon) for icon in icons)

        words = [row_of(page, name).locator(".badge").first.inner_text() for name in ("Broken", "Sound")]
        assert words == ["Failed", "Succeeded"]
        assert differing(broken, sound, range(broken[0])) >= 10


@THEMES
def test_what_is_on_is_told_from_what_is_off_in_the_colours_of_the_system(
    page: Page, browser: Browser, site: Site, theme: Theme
) -> None:
    """A42: switches by where their knob is, and the choice that is taken by its frame."""
    page.emulate_media(color_scheme=theme, forced_colors="active")
    page.goto(f"{site.url}/schedules")
    on, off = (shades(browser, row_of(page, name).get_by_role("switch")) for name in ("Sound", "Off"))
    choices = page.get_by_label("Whose clock").get_by_role("button")
    frames = choices.evaluate_all("found => found.map(one => getComputedStyle(one).outlineStyle)")
    page.emulate_media(color_scheme="light", forced_colors="none")

    # The left half holds the knob of what is off, and the right one that of what is on.
    half = on[0] // 2
    assert differing(on, off, range(half)) >= 50
    assert differing(on, off, range(half, on[0])) >= 50
    assert frames == ["solid", "none", "none"]
