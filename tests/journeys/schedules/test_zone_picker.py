"""Choosing a time zone in a real browser, without a mouse. The tests build on each other, in order."""

import pytest
from playwright.sync_api import Locator, Page, expect

from app.schedules.zones import COMMON_ZONES
from app.tenants.models import User
from tests.factories.tenants import Member
from tests.journeys.schedules.form import open_new
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


def picker(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Time zone")


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def active(page: Page) -> Locator:
    return page.get_by_role("option", selected=True)


def zone_of(page: Page) -> str:
    """What the form would send."""
    return page.locator("select#timezone").input_value()


class TestTheZonePicker:
    def test_says_the_clock_of_what_is_chosen(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}/account")

        expect(picker(page)).to_have_value("Europe/Berlin")
        expect(page.locator("[data-zone-clock]")).to_have_text("13:00 now · UTC+1 (UTC+2 from 28 Mar)")

    def test_opens_with_yours_and_the_eleven_common_ones_first(self, page: Page) -> None:
        """A27: while nothing is typed the eleven common ones come first."""
        page.get_by_label("Name", exact=True).focus()
        page.keyboard.press("Tab")
        expect(picker(page)).to_be_focused()
        expect(page.get_by_role("listbox")).to_be_hidden()
        page.keyboard.press("ArrowDown")

        # Yours is Berlin, and one of them.
        expect(options(page)).to_have_count(30)
        expect(active(page)).to_contain_text("Berlin")
        shown = [options(page).nth(place).get_attribute("data-zone") for place in range(11)]
        assert shown[0] == "Europe/Berlin"
        assert set(shown) == set(COMMON_ZONES)

    def test_moves_by_arrows_home_and_end(self, page: Page) -> None:
        """A27: by keys alone."""
        seen = []
        for key in ("ArrowDown", "End", "ArrowDown", "ArrowUp", "Home"):
            page.keyboard.press(key)
            seen.append(active(page).get_attribute("id"))

        assert seen == [f"zone-option-{number}" for number in (2, 30, 1, 30, 1)]
        expect(picker(page)).to_have_attribute("aria-activedescendant", "zone-option-1")

    def test_escape_restores_what_was_chosen(self, page: Page) -> None:
        page.keyboard.type("tok")
        expect(active(page)).to_contain_text("Tokyo")
        page.keyboard.press("Escape")

        expect(page.get_by_role("listbox")).to_be_hidden()
        expect(picker(page)).to_have_value("Europe/Berlin")
        assert zone_of(page) == "Europe/Berlin"

    @pytest.mark.parametrize(
        ("typed", "zone", "clock"),
        [
            ("york", "America/New_York", "UTC−"),
            ("india", "Asia/Kolkata", "UTC+5:30"),
            ("calcutta", "Asia/Kolkata", "UTC+5:30"),
            ("+5:30", "Asia/Kolkata", "UTC+5:30"),
        ],
    )
    def test_finds_the_right_zone_first(self, page: Page, typed: str, zone: str, clock: str) -> None:
        """A27: by the second word of a city, by country, by a former name, by offset."""
        page.keyboard.press("ArrowDown")
        page.keyboard.type(typed)
        expect(options(page).first).to_have_attribute("data-zone", zone)
        expect(options(page).first).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")

        expect(picker(page)).to_have_value(zone.replace("_", " "))
        expect(page.locator("[data-zone-clock]")).to_contain_text(clock)
        assert zone_of(page) == zone

    def test_waits_for_the_answer_where_somebody_is_faster(self, page: Page) -> None:
        page.keyboard.press("ArrowDown")
        page.keyboard.type("lisbon")
        page.keyboard.press("Enter")

        expect(picker(page)).to_have_value("Europe/Lisbon")

    def test_leaving_it_without_a_choice_changes_nothing(self, page: Page) -> None:
        page.keyboard.type("oslo")
        page.keyboard.press("Tab")

        expect(page.get_by_role("listbox")).to_be_hidden()
        expect(picker(page)).to_have_value("Europe/Lisbon")

    def test_what_was_chosen_is_saved(self, page: Page) -> None:
        page.keyboard.press("Enter")

        expect(page.get_by_role("status").filter(has_text="saved").first).to_be_visible()
        expect(picker(page)).to_have_value("Europe/Lisbon")

    def test_a_schedule_keeps_its_wall_times(self, page: Page, site: Site) -> None:
        page.goto(f"{site.url}/schedules/new")
        picker(page).focus()
        page.keyboard.type("calcutta")
        page.keyboard.press("Enter")

        expect(page.locator("#form-preview")).to_contain_text("Still 06:00, now Kolkata time: ")
        expect(page.locator("#form-preview")).to_contain_text("Kolkata time")


class TestAZoneThatTheBrowserTells:
    def test_has_its_clock_said_below(self, page: Page, site: Site, ana: Member) -> None:
        with site.database.transaction() as session:
            session.get_one(User, ana.user_id).timezone = "UTC"

        open_new(page, site)

        expect(picker(page)).to_have_value("Europe/Berlin")
        expect(page.locator("[data-zone-clock]")).to_have_text("13:00 now · UTC+1 (UTC+2 from 28 Mar)")
