"""How the dialog of a schedule opens and closes, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from app.jobs.models import Job
from tests.factories.tenants import Member
from tests.journeys.schedules.form import dialog, name_field, open_edit, open_new, preview, text_field, toasts
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

TEXT = "5 4 * * SUN"


@pytest.fixture(scope="module", autouse=True)
def _nightly(site: Site, ana: Member, job: Job) -> None:
    site.add_schedule(ana, job, "Nightly", "0 6 * * *")
    site.add_schedule(ana, job, "Sundays", TEXT)


class TestItsAddress:
    def test_is_its_own_and_back_closes_it(self, page: Page, site: Site) -> None:
        open_new(page, site)
        expect(page).to_have_url(f"{site.url}/schedules/new")

        page.go_back()

        expect(dialog(page)).to_be_hidden()
        expect(page).to_have_url(f"{site.url}/schedules")

    def test_is_a_page_as_well(self, page: Page, site: Site) -> None:
        open_new(page, site)
        page.reload()

        expect(page.get_by_role("heading", level=1)).to_have_text("New schedule")
        expect(dialog(page)).to_be_hidden()


class TestTheFocus:
    def test_of_a_new_one_is_the_name_and_escape_gives_it_back(self, page: Page, site: Site) -> None:
        """A30: the focus on opening, Escape while nothing was typed, and where the focus goes then."""
        open_new(page, site)
        expect(name_field(page)).to_be_focused()

        page.keyboard.press("Escape")

        expect(dialog(page)).to_be_hidden()
        expect(page.get_by_role("link", name="New schedule").first).to_be_focused()
        expect(page).to_have_url(f"{site.url}/schedules")

    @pytest.mark.parametrize(("name", "chosen"), [("Nightly", "Every day"), ("Sundays", "Custom")])
    def test_of_an_old_one_is_its_choice(self, page: Page, site: Site, name: str, chosen: str) -> None:
        """A30, A18: an existing one opens on the choice that its text is; whoever opened its menu is led back there."""
        open_edit(page, site, name)
        expect(page.get_by_role("radio", name=chosen, exact=True)).to_be_focused()
        expect(page.get_by_role("radio", name=chosen, exact=True)).to_be_checked()

        page.keyboard.press("Escape")

        expect(dialog(page)).to_be_hidden()
        expect(page.get_by_label(f"Actions for {name}")).to_be_focused()


class TestWhatWasTyped:
    def test_is_not_dropped_unasked(self, page: Page, site: Site) -> None:
        """A30: neither by Escape nor by Back."""
        open_new(page, site)
        name_field(page).fill("Half a name")
        page.keyboard.press("Escape")
        expect(page.get_by_text("Discard changes?")).to_be_visible()
        page.get_by_role("button", name="Keep editing").click()

        page.go_back()

        expect(page.get_by_text("Discard changes?")).to_be_visible()
        expect(name_field(page)).to_have_value("Half a name")
        expect(page).to_have_url(f"{site.url}/schedules/new")

    def test_is_saved_from_anywhere_by_control_and_enter(self, page: Page, site: Site) -> None:
        """A30: also from the field of the text, where Enter alone begins a line."""
        open_edit(page, site, "Nightly")
        text_field(page).fill("0 7 * * *")
        page.keyboard.press("Control+Enter")

        expect(dialog(page)).to_be_hidden()
        expect(toasts(page)).to_contain_text("Nightly saved.")

    def test_stays_while_the_list_behind_goes_on(self, page: Page, site: Site, ana: Member, job: Job) -> None:
        """A07: an update of the page behind leaves the dialog, its text and the focus alone."""
        open_new(page, site)
        name_field(page).fill("Half a name")
        site.add_schedule(ana, job, "A newcomer", "0 5 * * *")
        expect(page.get_by_role("link", name="A newcomer", exact=True, include_hidden=True)).to_have_count(1)

        expect(dialog(page)).to_be_visible()
        expect(name_field(page)).to_have_value("Half a name")
        expect(name_field(page)).to_be_focused()

    def test_is_also_another_zone_alone(self, page: Page, site: Site) -> None:
        open_new(page, site)
        page.get_by_role("combobox", name="Time zone").focus()
        page.keyboard.type("tokyo")
        page.get_by_role("option", name="Asia/Tokyo").click()
        expect(preview(page)).to_contain_text("Tokyo time")
        page.keyboard.press("Escape")

        expect(page.get_by_text("Discard changes?")).to_be_visible()


class TestOnAPhone:
    def test_what_will_happen_folds_to_one_line(self, page: Page, site: Site) -> None:
        page.set_viewport_size({"width": 360, "height": 740})
        open_edit(page, site, "Nightly")
        expect(preview(page).locator(".next-wall").first).to_be_hidden()
        page.get_by_role("button", name="Show the next runs").click()

        expect(preview(page).locator(".next-wall").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.set_viewport_size({"width": 1360, "height": 900})
