"""Connections in a real browser, with the fake of Meta on a port: from nothing to a schedule that reads, and back."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from app.core.ids import new_id
from app.edge.runtime import EXTENSION
from app.ops.login_desk import LoginDesk
from app.schedules.defaults import give_default_schedules
from tests.factories.tenants import Member
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.meta.scenarios import APP_ID, APP_SECRET, OTHER_TOKEN, SCOPELESS_TOKEN, TOKEN
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.world import World
from tests.fakes.service_settings import with_services
from tests.journeys.axe import violations
from tests.journeys.looks import PHONE, THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def meta(site: Site) -> Iterator[World]:
    """The process asks the fake, as an installation with an app of its own."""
    world = World(MetaFake(), now=site.clock.moment)
    runtime = site.app.extensions[EXTENSION]
    with FakeServer(world) as server:
        told = {"meta_base_url": f"{server.url}/meta", "meta_app_id": APP_ID, "meta_app_secret": APP_SECRET}
        settings = with_services(runtime.settings, **told)
        site.app.extensions[EXTENSION] = replace(runtime, settings=settings, logins=LoginDesk(settings, site.database))
        yield world


def enter(site: Site, page: Page) -> Member:
    """Somebody new, with an organization that has its default schedules."""
    page.context.clear_cookies()
    person = site.enter(page.context)
    with site.database.transaction() as session:
        give_default_schedules(session, organization_id=person.organization_id, now=site.clock.moment)
    return person


def connect(site: Site, page: Page, name: str = "") -> None:
    page.goto(f"{site.url}/connections/new/meta")
    page.get_by_label("Access token").fill(TOKEN)
    page.get_by_label("Ad account").fill("act_1001")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Test and connect").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name or "Acme EU")


def test_from_nothing_to_resumed_and_back(page: Page, site: Site, meta: World) -> None:
    enter(site, page)
    page.goto(f"{site.url}/connections")
    page.get_by_role("link", name="Connect Meta").click()
    page.get_by_label("Access token").fill(SCOPELESS_TOKEN)
    page.get_by_role("button", name="Find my accounts").click()
    expect(page.get_by_role("alert")).to_contain_text("ads_read")
    page.get_by_label("Access token").fill(TOKEN)
    page.get_by_role("button", name="Find my accounts").click()
    page.get_by_label("Ad account").select_option("1001")
    page.get_by_role("button", name="Test and connect").click()
    expect(page.get_by_text("Read 1 campaign from Acme EU: ok").first).to_be_visible()

    page.get_by_role("button", name="Enable Meta sync…").click()
    expect(page.get_by_role("row").filter(has_text="Meta sync")).to_contain_text("Enabled")

    meta.fail("meta", "expired_token", times=None)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Refused, 1 schedule paused")
    meta.faults.clear()
    page.get_by_role("link", name="Reconnect").click()
    page.get_by_label("Access token").fill(OTHER_TOKEN)
    page.get_by_role("button", name="Test and reconnect").click()
    page.get_by_role("button", name="Resume 1 schedule…").click()
    page.get_by_role("button", name="Enable 1 schedule").click()
    page.goto(f"{site.url}/connections")
    expect(page.get_by_role("row").filter(has_text="Acme EU")).to_contain_text("Connected")
    page.get_by_role("link", name="Acme EU").click()
    expect(page.get_by_role("row").filter(has_text="Meta sync")).to_contain_text("Enabled")

    page.get_by_role("link", name="Disconnect…").click()
    expect(page.get_by_text("is disabled with it")).to_be_visible()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("its login is deleted").first).to_be_visible()
    assert TOKEN not in page.content()


@THEMES
@WIDTHS
def test_every_page_is_clean(page: Page, site: Site, meta: World, theme: Theme, width: int) -> None:
    show(page, theme, width)
    enter(site, page)
    wrong = []

    def look(path: str) -> None:
        page.goto(f"{site.url}{path}")
        wrong.extend(f"{path}: {line}" for line in violations(page))
        if is_too_wide(page):
            wrong.append(f"{path} is too wide")

    look("/connections")
    look("/connections/new")
    look("/connections/new/meta")
    connect(site, page, "A" * 60 + new_id().hex)
    here = page.url.removeprefix(site.url)
    meta.fail("meta", "revoked", times=None)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Refused")
    meta.faults.clear()
    for path in (here, f"{here}/login", f"{here}/disconnect", "/connections"):
        look(path)

    assert wrong == []


def test_works_without_scripts(browser: Browser, site: Site, meta: World) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": PHONE, "height": 900})
    page = context.new_page()
    enter(site, page)

    connect(site, page)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("Read 1 campaign from Acme EU: ok").first).to_be_visible()
    page.get_by_role("link", name="Replace the login").click()
    page.get_by_label("Access token").fill(OTHER_TOKEN)
    page.get_by_role("button", name="Test and replace").click()
    expect(page.get_by_text("The login was replaced.").first).to_be_visible()
    context.close()
