"""The same person in a browser without scripts."""

import pytest
from playwright.sync_api import Page, expect

from app.jobs.models import Job
from tests.journeys.schedules.form import name_field, preview
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

        expect(plain.get_by_role("link", name="Without a script")).to_be_visible()

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
