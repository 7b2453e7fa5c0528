"""The same person in a browser without scripts."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.jobs.models import Job
from app.runs.models import Run
from tests.factories.outcomes import make_failed
from tests.factories.tenants import Member
from tests.journeys.schedules.form import name_field, preview, row_of, toasts
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


class TestThePage:
    def test_checks_and_makes_a_schedule(self, plain: Page, site: Site, job: Job) -> None:
        """A32: “Check schedule” shows the preview and saves nothing; then the whole page makes a schedule."""
        plain.goto(f"{site.url}/schedules/new")
        name_field(plain).fill("Without a script")
        plain.get_by_label("Job", exact=True).select_option(label=job.name)
        plain.get_by_role("radio", name="Weekdays").check(force=True)
        plain.get_by_label("Time", exact=True).fill("09:30")
        plain.get_by_role("button", name="Check schedule").click()
        expect(preview(plain)).to_contain_text("Every weekday at 09:30")
        expect(preview(plain).locator(".next-wall")).to_have_count(5)
        plain.get_by_role("button", name="Save schedule").click()

        expect(plain.get_by_role("link", name="Without a script", exact=True)).to_be_visible()

    def test_says_mistakes_after_saving(self, plain: Page, site: Site, job: Job) -> None:
        """A32: a mistake keeps what was typed and is named on top, with a link to its field."""
        plain.goto(f"{site.url}/schedules/new")
        name_field(plain).fill("Never")
        plain.get_by_label("Job", exact=True).select_option(label=job.name)
        plain.get_by_role("radio", name="Custom").check(force=True)
        plain.get_by_label("Cron text").fill("0 0 31 2 *")
        plain.get_by_role("button", name="Save schedule").click()

        expect(plain.get_by_role("link", name="This never happens: February has no day 31.")).to_be_visible()
        expect(name_field(plain)).to_have_value("Never")


class TestTheCore:
    def test_finds_sorts_and_opens(self, plain: Page, site: Site, ana: Member, job: Job) -> None:
        """A filter with its button, a heading that sorts, and the page behind a name."""
        for name in ("Zebra", "Aardvark", "Other thing"):
            site.add_schedule(ana, job, name, "0 6 * * *")
        plain.goto(f"{site.url}/schedules")
        plain.get_by_role("columnheader").get_by_role("link", name="Schedule").click()
        names = plain.locator("#rows .name").all_inner_texts()
        assert names.index("Aardvark") < names.index("Zebra")
        plain.get_by_label("Search by name").fill("aard")
        plain.get_by_role("button", name="Apply").click()
        expect(plain.locator("#rows .name")).to_have_text(["Aardvark"])
        plain.get_by_role("link", name="Aardvark", exact=True).click()

        expect(plain.get_by_role("heading", level=1)).to_have_text("Aardvark")

    def test_runs_deletes_and_brings_back(self, plain: Page, site: Site, ana: Member, job: Job) -> None:
        """A36: the menu of a row, the message with its way back, and what the database has."""
        made = site.add_schedule(ana, job, "By hand", "0 6 * * *")
        plain.goto(f"{site.url}/schedules")
        plain.get_by_label("Actions for By hand").click()
        row_of(plain, "By hand").get_by_role("button", name="Run now").click()
        expect(toasts(plain)).to_contain_text("View")
        plain.get_by_label("Actions for By hand").click()
        row_of(plain, "By hand").get_by_role("button", name="Delete").click()
        # It has a run, so that somebody is asked first.
        plain.get_by_role("button", name="Delete schedule").click()
        expect(plain.get_by_role("link", name="By hand", exact=True)).to_have_count(0)
        assert site.stored(made).deleted_at is not None
        toasts(plain).get_by_role("button", name="Undo").click()

        assert site.stored(made).deleted_at is None

    def test_shows_why_a_run_failed_and_retries_it(self, plain: Page, site: Site, job: Job) -> None:
        """A49: error, log and the button."""
        with site.database.transaction() as session:
            run_id = make_failed(session, job, now=site.clock.moment, error="The shop is shut", lines=["Asking"])
        plain.goto(f"{site.url}/runs/{run_id}")
        expect(plain.get_by_role("main")).to_contain_text("The shop is shut")
        expect(plain.locator("#log")).to_contain_text("Asking")
        plain.get_by_role("button", name="Retry", exact=True).click()

        with site.database.reading() as session:
            retried = session.scalars(select(Run.retry_of_run_id).where(Run.retry_of_run_id == run_id)).one()
        assert retried == run_id
