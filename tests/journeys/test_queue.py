"""The queue in a real browser: retrying exactly what was ticked, removing what a filter matches, and a stuck run."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from app.jobs.models import Job
from app.ops.heartbeats import ProcessFacts, beat
from app.runs.models import Run
from app.tenants.models import AuditEntry
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.tenants import Member
from tests.factories.work import load_run, make_job, make_schedule
from tests.journeys.axe import violations
from tests.journeys.looks import THEMES, WIDTHS, Theme, is_too_wide
from tests.journeys.schedules.form import dialog, go
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

SEEN_MS = 8_000


@pytest.fixture
def ana(site: Site, page: Page) -> Member:
    """Somebody new for each test, whose queue is empty."""
    page.context.clear_cookies()
    return site.enter(page.context)


@pytest.fixture
def job(site: Site, ana: Member) -> Job:
    with site.database.transaction() as session:
        return make_job(session, ana.organization_id, name="Ads")


def fail(site: Site, job: Job, number: int, error: str = "Meta (#17)", **request: Any) -> list[UUID]:
    with site.database.transaction() as session:
        moment = site.clock.moment
        return [
            make_failed(session, job, now=moment - timedelta(seconds=place), error=error, **request)
            for place in range(number)
        ]


def rows(page: Page) -> Locator:
    return page.get_by_test_id("queue.run")


def make_stuck(site: Site, job: Job) -> UUID:
    """A run of a worker that was last heard of three minutes ago, of a job that usually takes three seconds."""
    now = site.clock.moment
    facts = ProcessFacts(UUID(int=42), "worker-1:42", "1.2.3", slots=5, schedules=False)
    with site.database.transaction() as session:
        beat(session, facts, now=now - timedelta(minutes=3), ticked_at=None, tick_ms=None)
        for hours in (2, 3, 4):
            make_succeeded(session, job, now=now - timedelta(hours=hours))
        return make_running(session, job, now=now - timedelta(minutes=5))


class TestTickedRuns:
    def test_are_retried_and_no_other_that_fails_meanwhile(self, page: Page, site: Site, job: Job) -> None:
        """A43: three are ticked, a fourth fails, “Retry 3” retries exactly those three."""
        failed = fail(site, job, 3)
        page.goto(f"{site.url}/queue?tab=dead")
        for run_id in failed:
            page.locator(f"#tick-{run_id}").check()
        [fourth] = fail(site, job, 1)
        expect(rows(page)).to_have_count(4, timeout=SEEN_MS)
        page.get_by_role("button", name="Retry 3", exact=True).click()
        expect(dialog(page)).to_contain_text("Retry 3 runs?")
        dialog(page).get_by_role("button", name="Retry 3 runs").click()
        expect(rows(page)).to_have_count(1, timeout=SEEN_MS)
        site.carry()

        with site.database.reading() as session:
            mine = Run.organization_id == job.organization_id
            retried = set(session.scalars(select(Run.retry_of_run_id).where(mine, Run.retry_of_run_id.is_not(None))))
        assert retried == set(failed)
        expect(page.locator(f"#run-{fourth}")).to_be_visible()


class TestKeys:
    def test_tick_the_page(self, page: Page, site: Site, job: Job) -> None:
        fail(site, job, 3)
        go(page, f"{site.url}/queue?tab=dead")
        page.keyboard.press("a")
        expect(page.get_by_role("button", name="Retry 3", exact=True)).to_have_count(1)
        page.keyboard.press("a")

        expect(page.locator(".tick:checked")).to_have_count(0)


class TestAllThatMatch:
    def test_are_removed_and_nothing_else(self, page: Page, site: Site, job: Job) -> None:
        """A44: a filter, “Select all 38 matching”, Remove: the dialog says 38, and only matching ones go."""
        matching = fail(site, job, 38, error="The rate limit was reached")
        others = fail(site, job, 2, error="The shop is shut")
        page.goto(f"{site.url}/queue?tab=dead")
        page.get_by_label("Name, error or id").fill("rate limit")
        page.get_by_label("Name, error or id").press("Enter")
        expect(rows(page)).to_have_count(38)
        page.locator(f"#tick-{matching[0]}").check()
        page.get_by_role("button", name="Select all 38 matching").click()
        page.get_by_role("link", name="Remove 38").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Remove 38 runs?")
        page.get_by_role("button", name="Remove 38 runs").click()
        expect(page.locator("#progress")).to_be_visible()
        site.carry()

        with site.database.reading() as session:
            mine = Run.organization_id == job.organization_id
            removed = set(session.scalars(select(Run.id).where(mine, Run.removed_at.is_not(None))))
        assert removed == set(matching)
        go(page, f"{site.url}/queue?tab=dead")
        expect(rows(page)).to_have_count(len(others))


class TestAStuckRun:
    def test_is_removed_by_its_evidence(self, page: Page, site: Site, job: Job) -> None:
        """A45: the dialog has run time, usual length and last report; removing is in the audit and in Removed."""
        run_id = make_stuck(site, job)
        page.goto(f"{site.url}/queue?tab=running")
        page.locator(f"#look-{run_id}").click()
        expect(dialog(page)).to_contain_text("It has run 5 min (typical 3.0 s).")
        expect(dialog(page)).to_contain_text("Worker worker-1:42 last reported 3 min ago.")
        expect(dialog(page)).to_contain_text("it does not stop code that may still run on worker-1:42")
        dialog(page).get_by_role("button", name="Remove", exact=True).click()
        expect(page).to_have_url(f"{site.url}/queue?tab=removed")

        expect(page.locator(f"#run-{run_id}")).to_contain_text("Ads")
        with site.database.reading() as session:
            assert load_run(session, run_id).state == "cancelled"
            entry = session.scalars(select(AuditEntry).where(AuditEntry.subject_id == run_id)).one()
            assert "It has run 5 min" in entry.summary


class TestNothingIsWrong:
    @THEMES
    @WIDTHS
    def test_with_the_queue(self, browser: Browser, page: Page, site: Site, job: Job, theme: Theme, width: int) -> None:
        """A02, A03: every tab, the causes, the dialog of a stuck run and the question before many are retried."""
        with site.database.transaction() as session:
            schedule_id = make_schedule(session, job, name="Every hour").id
        fail(site, job, 3, schedule_id=schedule_id)
        run_id = make_stuck(site, job)
        context = browser.new_context(
            storage_state=page.context.storage_state(),
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            bypass_csp=True,
        )
        tab = context.new_page()
        found: list[str] = []
        for name in ("waiting", "running", "retrying", "dead", "removed", "all"):
            tab.goto(f"{site.url}/queue?tab={name}")
            found += violations(tab)
            assert not is_too_wide(tab)
        tab.goto(f"{site.url}/queue/hours/code")
        found += violations(tab)
        tab.goto(f"{site.url}/queue?tab=running")
        tab.locator(f"#look-{run_id}").click()
        expect(dialog(tab)).to_be_visible()
        found += violations(tab)
        tab.goto(f"{site.url}/queue?tab=dead")
        tab.get_by_role("button", name="Retry 3 runs").click()
        expect(dialog(tab)).to_contain_text("Retry 3 runs?")
        found += violations(tab)
        context.close()

        assert found == []
