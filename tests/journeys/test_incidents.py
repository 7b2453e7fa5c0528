"""Incidents in a real browser: seen to, snoozed, given to somebody, noted, retried and closed."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from app.core.ids import new_id
from tests.factories.notifications import (
    make_channel,
    make_incident,
    make_incident_message,
    make_incident_thing,
)
from tests.factories.outcomes import make_failed
from tests.factories.tenants import Member
from tests.factories.work import make_job
from tests.journeys.axe import violations
from tests.journeys.looks import PHONE, THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


def enter(site: Site, page: Page) -> Member:
    """Somebody new, for whom two things go wrong, and one is over."""
    page.context.clear_cookies()
    person = site.enter(page.context)
    here, ago = person.organization_id, site.clock.moment - timedelta(hours=3)
    with site.database.transaction() as session:
        job = make_job(session, here, name="Import")
        run_id = make_failed(session, job, now=site.clock.moment)
        told = {"text": "The shop did not answer: " + "x" * 80, "run_id": str(run_id)}
        moments = {"opened_at": ago, "last_at": site.clock.moment - timedelta(minutes=4)}
        bad = make_incident(session, here, title="Import failed " + "A" * 60, facts=told, happened=1234, **moments)
        make_incident_thing(session, bad, job.id, subject_kind="job", name="Import", failures=12)
        make_incident_thing(session, bad, new_id(), name="B" * 60, is_in_trouble=False)
        channel_id = make_channel(session, here, name="#data")
        make_incident_message(session, bad, channel_id, words="Delivered in 0.6 s")
        make_incident_message(session, bad, channel_id, state="given_up", last_error="C" * 90, kind="reminder")
        make_incident(session, here, title="Late figures", type="data_stale", opened_at=ago, last_at=ago)
        over = {"state": "closed", "closed_at": site.clock.moment, "has_recovered": True}
        make_incident(session, here, title="It was late", type="late", opened_at=ago, last_at=ago, **over)
    return person


def open_first(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/incidents")
    page.get_by_role("link", name="Import failed").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Import failed")


def see_to_it(page: Page, site: Site) -> None:
    """What people do, one thing after the other. The same with and without scripts."""
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Acknowledged")
    page.get_by_label("Snooze for").select_option("4h")
    page.get_by_role("button", name="Snooze", exact=True).click()
    expect(page.get_by_text("Snoozed until").first).to_be_visible()
    page.get_by_label("Given to").select_option(label="Ana Silva")
    page.get_by_role("button", name="Give", exact=True).click()
    expect(page.locator("#facts")).to_contain_text("Ana Silva")
    page.get_by_label("Note").fill("The shop is being moved.")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#timeline")).to_contain_text("The shop is being moved.")
    page.get_by_role("link", name="Close…").click()
    page.get_by_role("button", name="Close the incident").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Closed")


def test_from_open_to_closed(page: Page, site: Site) -> None:
    show(page)
    enter(site, page)
    open_first(page, site)
    expect(page.locator('[data-count="incidents"]')).to_contain_text("2")

    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Open")
    see_to_it(page, site)

    expect(page.locator('[data-count="incidents"]')).to_contain_text("1")


def test_its_runs_are_retried(page: Page, site: Site) -> None:
    show(page)
    enter(site, page)
    open_first(page, site)

    page.get_by_role("link", name="Retry all…").click()
    page.get_by_role("button", name="Retry 1 run").click()

    expect(page).to_have_url(f"{site.url}{page.url.removeprefix(site.url)}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Retry 1 run")


@THEMES
@WIDTHS
def test_every_page_is_clean(page: Page, site: Site, theme: Theme, width: int) -> None:
    show(page, theme, width)
    enter(site, page)
    wrong = []

    def look(path: str) -> None:
        page.goto(f"{site.url}{path}")
        wrong.extend(f"{path}: {line}" for line in violations(page))
        if is_too_wide(page):
            wrong.append(f"{path} is too wide")

    for query in ("", "?state=closed", "?q=nothing", "?state=all"):
        look(f"/incidents{query}")
    open_first(page, site)
    here = page.url.removeprefix(site.url)
    for path in (here, f"{here}/retry", f"{here}/close"):
        look(path)

    assert wrong == []


def test_works_without_scripts(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": PHONE, "height": 900})
    page = context.new_page()
    enter(site, page)

    open_first(page, site)
    see_to_it(page, site)
    context.close()
