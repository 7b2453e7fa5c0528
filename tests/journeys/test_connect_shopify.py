"""Connecting a shop in a real browser, with the fake of Shopify on a port: in three ways, with and without scripts."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from app.edge.runtime import EXTENSION
from app.ops.login_desk import LoginDesk
from app.schedules.defaults import give_default_schedules
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.shopify.scenarios import ACME, CLIENT_ID, CLIENT_SECRET, NIPPON, TOKEN
from tests.fakes.providers.world import World
from tests.fakes.service_settings import with_services
from tests.journeys.axe import violations
from tests.journeys.looks import PHONE, THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def shopify(site: Site) -> Iterator[World]:
    world = World(ShopifyFake(), now=site.clock.moment)
    runtime = site.app.extensions[EXTENSION]
    with FakeServer(world) as server:
        settings = with_services(runtime.settings, shopify_base_url_template=f"{server.url}/shopify/{{shop}}")
        site.app.extensions[EXTENSION] = replace(runtime, settings=settings, logins=LoginDesk(settings, site.database))
        yield world


def enter(site: Site, page: Page) -> None:
    page.context.clear_cookies()
    person = site.enter(page.context)
    with site.database.transaction() as session:
        give_default_schedules(session, organization_id=person.organization_id, now=site.clock.moment)


def test_as_an_app_and_then_with_a_fixed_token(page: Page, site: Site, shopify: World) -> None:
    enter(site, page)
    page.goto(f"{site.url}/connections")
    page.get_by_role("link", name="Connect Shopify").click()
    page.get_by_label("Client ID").first.fill(CLIENT_ID)
    page.get_by_label("Client secret").first.fill(CLIENT_SECRET)
    page.get_by_label("Shop", exact=True).fill("evil.com/x")
    page.get_by_role("button", name="Test and connect").click()
    expect(page.get_by_role("alert")).to_contain_text("such as acme.myshopify.com")

    page.get_by_label("Shop", exact=True).fill(ACME)
    page.get_by_role("button", name="Test and connect").click()
    expect(page.get_by_text("Read 1 order from Acme").first).to_be_visible()

    page.get_by_role("link", name="Replace the login").click()
    page.get_by_text("A custom app with a fixed token").click()
    page.get_by_label("Admin API access token").fill(TOKEN)
    page.get_by_role("button", name="Test and replace").click()
    expect(page.get_by_text("The login was replaced.").first).to_be_visible()
    assert TOKEN not in page.content()


@THEMES
@WIDTHS
def test_its_form_is_clean(page: Page, site: Site, shopify: World, theme: Theme, width: int) -> None:
    show(page, theme, width)
    enter(site, page)

    page.goto(f"{site.url}/connections/new/shopify")
    page.get_by_text("An app with a refresh token").click()

    assert violations(page) == []
    assert not is_too_wide(page)


def test_works_without_scripts(browser: Browser, site: Site, shopify: World) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": PHONE, "height": 900})
    page = context.new_page()
    enter(site, page)
    page.goto(f"{site.url}/connections/new/shopify")

    page.get_by_text("A custom app with a fixed token").click()
    page.get_by_label("Admin API access token").fill(TOKEN)
    page.get_by_label("Shop", exact=True).fill(NIPPON)
    page.get_by_role("button", name="Test and connect").click()
    expect(page.get_by_text("Read 1 order from 日本商店").first).to_be_visible()
    context.close()
