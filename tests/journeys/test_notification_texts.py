"""Texts of messages in a real browser: typed, looked at, saved and taken back."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.factories.tenants import Member
from tests.journeys.axe import violations
from tests.journeys.looks import PHONE, THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.form import toasts
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


def enter(site: Site, page: Page) -> Member:
    page.context.clear_cookies()
    return site.enter(page.context)


def open_text(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/notifications/texts")
    page.get_by_role("link", name="A run failed", exact=True).click()


def test_is_seen_while_it_is_typed_saved_and_taken_back(page: Page, site: Site) -> None:
    show(page)
    enter(site, page)
    open_text(site, page)
    seen = page.locator("#text-preview")
    expect(seen).to_contain_text("Example:")
    page.get_by_label("Title").fill("{{job}} is down")
    page.get_by_label("Text (optional)").fill("<b>{{error}}</b> {{7*7}}")
    expect(seen.get_by_label("Telegram")).to_contain_text("✕ Meta ads is down")
    for form in ("E-mail", "Discord", "Telegram"):
        expect(seen.get_by_label(form)).to_contain_text("<b>The service did not answer within 30 seconds.</b> {{7*7}}")
    page.get_by_label("Title").fill("{{jobb}}")
    expect(seen.get_by_role("status")).to_contain_text("Nothing is called {{jobb}}.")
    page.get_by_role("button", name="Save the text").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is called {{jobb}}.")
    page.get_by_label("Title").fill("{{job}} is down")
    page.get_by_role("button", name="Save the text").click()
    expect(toasts(page)).to_contain_text("Saved.")
    page.get_by_role("button", name="Back to the standard text").click()
    expect(toasts(page).last).to_contain_text("It is said in Belfry's words again.")
    expect(page.get_by_text("Told in Belfry's words.")).to_be_visible()


@THEMES
@WIDTHS
def test_the_pages_are_clean(page: Page, site: Site, theme: Theme, width: int) -> None:
    show(page, theme, width)
    enter(site, page)
    open_text(site, page)
    page.get_by_label("Text (optional)").fill("x" * 3_000)
    page.get_by_role("button", name="Save the text").click()
    expect(page.get_by_text("Told in your own words.")).to_be_visible()
    page.get_by_label("Title").fill("{{nothing}}")
    page.get_by_role("button", name="Save the text").click()
    expect(page.get_by_role("alert")).to_be_visible()
    wrong, is_wide = violations(page), is_too_wide(page)
    page.goto(f"{site.url}/notifications/texts")
    wrong += violations(page)

    assert (wrong, is_wide, is_too_wide(page)) == ([], False, False)


def test_works_without_scripts(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": PHONE, "height": 900})
    page = context.new_page()
    enter(site, page)
    open_text(site, page)
    page.get_by_label("Title").fill("{{job}} is down")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#text-preview")).to_contain_text("This is not saved yet.")
    expect(page.get_by_label("Telegram")).to_contain_text("Meta ads is down")
    page.get_by_role("button", name="Save the text").click()
    expect(page.get_by_text("Told in your own words.")).to_be_visible()
    page.get_by_role("button", name="Back to the standard text").click()
    expect(page.get_by_text("Told in Belfry's words.")).to_be_visible()
    context.close()
