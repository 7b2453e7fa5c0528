"""Notifications in a real browser, with a chat on a port of this machine."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from app.core.ids import new_id
from app.edge.runtime import EXTENSION
from app.notifications.channel_desk import ChannelDesk
from tests.factories.tenants import Member
from tests.fakes.chat.server import HOOK, Chat, ChatServer, Way
from tests.fakes.service_settings import with_services
from tests.journeys.axe import violations
from tests.journeys.looks import PHONE, THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.form import toasts
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def chat(site: Site) -> Iterator[Chat]:
    """The process tells the fake."""
    runtime = site.app.extensions[EXTENSION]
    with ChatServer() as server:
        settings = with_services(runtime.settings, discord_base_url=server.url)
        desk = ChannelDesk(settings, site.database, site.clock)
        site.app.extensions[EXTENSION] = replace(runtime, settings=settings, channels=desk)
        yield server.chat


def enter(site: Site, page: Page) -> Member:
    page.context.clear_cookies()
    return site.enter(page.context)


def add(site: Site, page: Page, name: str = "#data") -> None:
    page.goto(f"{site.url}/notifications/channels/new/discord")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Webhook URL").fill(f"https://discord.com{HOOK}")
    page.get_by_role("button", name="Add the channel").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Notifications")


def test_from_nobody_to_a_channel_that_works_and_back(page: Page, site: Site, chat: Chat) -> None:
    enter(site, page)
    page.goto(f"{site.url}/notifications")
    page.locator("#untold").get_by_role("link", name="Add a channel").click()
    page.get_by_role("link", name="Use Discord").click()
    page.get_by_role("button", name="Add the channel").click()
    expect(page.get_by_role("alert")).to_contain_text("Please check this")
    page.get_by_label("Webhook URL").fill(f"https://discord.com{HOOK}")
    page.get_by_role("button", name="Add the channel").click()
    page.get_by_role("button", name="Send test to Discord").click()
    expect(page.get_by_text("Delivered to “Discord” in")).to_be_visible()
    page.get_by_role("switch", name="Discord").click()
    expect(page.locator("#untold")).to_be_visible()
    page.get_by_role("link", name="Discord", exact=True).click()
    page.get_by_role("button", name="Delete").click()
    toasts(page).get_by_role("button", name="Undo").last.click()
    expect(page.get_by_role("link", name="Discord", exact=True)).to_be_visible()


def test_a_rule_is_looked_at_saved_and_deleted(page: Page, site: Site, chat: Chat) -> None:
    enter(site, page)
    add(site, page)
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_label("About").select_option(label="Schedules with a tag")
    page.get_by_label("Which one").fill("revenue")
    page.get_by_label("Failures in a row").fill("2")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_text("In the last 7 days this would have sent no messages.")).to_be_visible()
    page.get_by_role("button", name="Save the rule").click()
    rule = page.get_by_role("link", name="When a schedule tagged revenue")
    rule.click()
    page.get_by_role("button", name="Snooze for 24 hours").click()
    expect(page.locator("#rules")).to_contain_text("Snoozed")
    rule.click()
    page.get_by_role("button", name="Delete").click()
    toasts(page).get_by_role("button", name="Undo").last.click()
    expect(rule).to_be_visible()


@THEMES
@WIDTHS
def test_every_page_is_found_without_fault(page: Page, site: Site, chat: Chat, theme: Theme, width: int) -> None:
    """Axe-core finds nothing, and nothing is wider than the screen, with names that are too long."""
    show(page, theme, width)
    enter(site, page)
    wrong = []

    def look(path: str) -> None:
        page.goto(f"{site.url}{path}")
        wrong.extend(f"{path}: {line}" for line in violations(page))
        if is_too_wide(page):
            wrong.append(f"{path} is too wide")

    look("/notifications")
    look("/notifications/channels/new")
    look("/notifications/channels/new/telegram")
    look("/notifications/rules/new")
    look("/notifications/deliveries")
    add(site, page, "A" * 40 + new_id().hex)
    chat.plan.append(Way.UNKNOWN)
    page.get_by_role("button", name="Send test").click()
    expect(page.get_by_text("Discord does not know this webhook any more").first).to_be_visible()
    here = str(page.locator("#rows a").first.get_attribute("href"))
    add(site, page)
    rule = str(page.locator("#rules tbody a").first.get_attribute("href"))
    for path in (here, "/notifications", f"{rule}?preview=yes", "/notifications/deliveries"):
        look(path)

    assert wrong == []


def test_works_without_scripts(browser: Browser, site: Site, chat: Chat) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": PHONE, "height": 900})
    page = context.new_page()
    enter(site, page)

    add(site, page)
    page.get_by_role("button", name="Send test to #data").click()
    expect(page.get_by_text("Delivered to “#data” in")).to_be_visible()
    page.get_by_role("switch", name="#data").click()
    expect(page.locator("#untold")).to_be_visible()
    context.close()
