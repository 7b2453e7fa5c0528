"""Leaving a form that was filled and not saved: the browser asks, whichever way somebody goes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Dialog, Page, expect

from app.jobs.models import Job
from tests.factories.tenants import Member
from tests.journeys.schedules.form import dialog, name_field, open_new
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


@pytest.fixture
def asked(page: Page) -> Iterator[list[str]]:
    """The kinds of questions that the browser asked; each is answered with staying."""
    kinds: list[str] = []

    def stay(question: Dialog) -> None:
        kinds.append(question.type)
        question.dismiss()

    page.on("dialog", stay)
    yield kinds
    page.remove_listener("dialog", stay)
    page.goto("about:blank")


@pytest.fixture
def typed(page: Page, site: Site, ana: Member) -> None:
    """The whole page of the form, with half a name in it."""
    with page.expect_response(lambda answer: "/form.js" in answer.url):
        page.goto(f"{site.url}/schedules/new")
    page.wait_for_load_state("networkidle")
    name_field(page).press_sequentially("Half a name")


class TestAFormThatIsFilled:
    @pytest.mark.parametrize("link", ["Cancel", "Runs"])
    def test_is_not_lost_by_a_link(self, page: Page, typed: None, asked: list[str], link: str) -> None:
        page.get_by_role("link", name=link, exact=True).first.click(no_wait_after=True)

        expect(name_field(page)).to_have_value("Half a name")
        assert asked == ["beforeunload"]

    def test_is_not_lost_by_a_reload_behind_the_dialog(
        self, page: Page, site: Site, ana: Member, asked: list[str]
    ) -> None:
        open_new(page, site)
        page.wait_for_load_state("networkidle")
        name_field(page).press_sequentially("Half a name")
        with page.expect_event("dialog"):
            page.evaluate("setTimeout(() => location.reload())")

        expect(dialog(page)).to_be_visible()
        expect(name_field(page)).to_have_value("Half a name")
        page.evaluate("document.querySelector('[data-dialog]').close()")
        # Closing goes back in the history, which takes a moment and must not meet the next page.
        page.wait_for_url(f"{site.url}/schedules")
        assert asked == ["beforeunload"]

    def test_is_left_unasked_once_it_is_saved(
        self, page: Page, site: Site, typed: None, job: Job, asked: list[str]
    ) -> None:
        page.get_by_label("Job", exact=True).select_option(label=job.name)
        page.get_by_role("button", name="Save schedule").click()

        page.wait_for_url(f"{site.url}/schedules")
        assert asked == []

    def test_that_nobody_touched_is_left_unasked(self, page: Page, site: Site, ana: Member, asked: list[str]) -> None:
        page.goto(f"{site.url}/schedules/new")
        page.wait_for_load_state("networkidle")
        page.get_by_role("link", name="Cancel").click()

        page.wait_for_url(f"{site.url}/schedules")
        assert asked == []
