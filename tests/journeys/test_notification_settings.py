"""Quiet hours, the daily summary and maintenance in a real browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.factories.notifications import make_channel, make_window
from tests.journeys.axe import violations
from tests.journeys.looks import PHONE, THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


def enter(site: Site, page: Page) -> None:
    """Somebody new, with a channel."""
    page.context.clear_cookies()
    person = site.enter(page.context)
    now = site.clock.moment
    with site.database.transaction() as session:
        make_channel(session, person.organization_id, name="#data")
        # Whose reason is one long word.
        times = {"starts_at": now, "ends_at": now + timedelta(hours=4)}
        make_window(session, person.organization_id, reason="W" * 70, scope_kind="tag", scope_value="y" * 60, **times)


def settle(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/notifications/settings")
    page.get_by_label("Quiet from").fill("22:00")
    page.get_by_label("Quiet until").fill("07:00")
    page.get_by_label("Daily summary at").fill("08:00")
    page.get_by_label("#data").check()
    page.get_by_role("button", name="Save settings").click()
    expect(page.locator("#telling .facts")).to_contain_text("22:00 to 07:00, Europe/Riga.")
    expect(page.locator("#telling .facts")).to_contain_text("by #data.")
    page.get_by_label("From", exact=True).fill("2027-01-06T10:00")
    page.get_by_label("Until", exact=True).fill("2027-01-06T12:00")
    page.get_by_label("Why").fill("Moving the shop")
    page.get_by_role("button", name="Plan maintenance").click()
    expect(page.get_by_role("row").filter(has_text="Moving the shop")).to_contain_text("Everything here")


def test_are_settled_and_ended(page: Page, site: Site) -> None:
    show(page)
    enter(site, page)
    settle(page, site)

    page.get_by_role("row").filter(has_text="Moving the shop").get_by_role("button").click()

    expect(page.get_by_role("row").filter(has_text="Moving the shop")).to_have_count(0)


@THEMES
@WIDTHS
def test_the_page_is_clean(page: Page, site: Site, theme: Theme, width: int) -> None:
    show(page, theme, width)
    enter(site, page)
    wrong = []
    settle(page, site)
    page.get_by_role("button", name="Plan maintenance").click()
    expect(page.get_by_role("alert")).to_be_visible()
    wrong += violations(page)

    assert (wrong, is_too_wide(page)) == ([], False)


def test_works_without_scripts(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": PHONE, "height": 900})
    page = context.new_page()
    enter(site, page)

    settle(page, site)
    page.get_by_role("row").filter(has_text="Moving the shop").get_by_role("button").click()
    expect(page.get_by_role("row").filter(has_text="Moving the shop")).to_have_count(0)
    context.close()
