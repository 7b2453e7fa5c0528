"""Saving in the dialog: nobody's text is rewritten, what was there comes back, and nothing typed is ever lost."""

from collections.abc import Iterator
from itertools import count
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from app.jobs.models import Job
from tests.factories.tenants import Member
from tests.journeys.schedules.form import (
    choice,
    choose_zone,
    dialog,
    name_field,
    open_edit,
    preview,
    row_of,
    save_and_close,
    text_field,
    toasts,
)
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

NOT_CANONICAL = ["0 9-21 * * *", "0 9,12,15 * * 1-5", "*/7 * * * *", "0 6 1,15 * *", "5 4 * * SUN"]
NUMBERS = count(1)


@pytest.fixture
def name() -> str:
    """Of a schedule of this test alone; the list is searched by it."""
    return f"Schedule {next(NUMBERS):02}"


@pytest.fixture
def schedule_id(site: Site, ana: Member, job: Job, name: str) -> UUID:
    return site.add_schedule(ana, job, name, NOT_CANONICAL[-1])


class TestATextOfNobodys:
    @pytest.mark.parametrize("text", NOT_CANONICAL)
    def test_is_saved_as_it_was(self, page: Page, site: Site, ana: Member, job: Job, name: str, text: str) -> None:
        """A17, A18: opened as Custom, and saved without a change it is identical."""
        schedule_id = site.add_schedule(ana, job, name, text)
        open_edit(page, site, name)
        expect(text_field(page)).to_have_value(text)
        expect(choice(page, "Custom")).to_be_checked()

        save_and_close(page)

        expect(toasts(page)).to_contain_text(f"{name} saved.")
        assert site.stored(schedule_id).cron == text

    def test_outlives_another_zone(self, page: Page, site: Site, name: str, schedule_id: UUID) -> None:
        """A19: only the time zone is changed."""
        open_edit(page, site, name)
        choose_zone(page, "Asia/Tokyo")
        save_and_close(page)

        assert (site.stored(schedule_id).cron, site.stored(schedule_id).timezone) == (NOT_CANONICAL[-1], "Asia/Tokyo")

    def test_outlives_another_name(self, page: Page, site: Site, name: str, schedule_id: UUID) -> None:
        """A19: only the name is changed."""
        open_edit(page, site, name)
        name_field(page).fill(f"{name}, renamed")
        save_and_close(page)

        assert (site.stored(schedule_id).cron, site.stored(schedule_id).name) == (NOT_CANONICAL[-1], f"{name}, renamed")

    def test_can_be_put_back_after_a_choice(self, page: Page, site: Site, name: str, schedule_id: UUID) -> None:
        open_edit(page, site, name)
        choice(page, "Every day").check(force=True)
        expect(page.locator("[data-was]")).to_have_text(f"Was {NOT_CANONICAL[-1]}. Put back")
        expect(preview(page)).to_contain_text("After saving")
        page.get_by_role("button", name="Put back").click()

        expect(text_field(page)).to_have_value(NOT_CANONICAL[-1])
        expect(choice(page, "Custom")).to_be_checked()


class TestASave:
    def test_is_taken_back_by_undo(self, page: Page, site: Site, name: str, schedule_id: UUID) -> None:
        open_edit(page, site, name)
        text_field(page).fill("0 3 * * *")
        save_and_close(page)
        expect(row_of(page, name)).to_contain_text("03:00")

        toasts(page).get_by_role("button", name="Undo").click()

        expect(row_of(page, name)).to_contain_text("Sunday")
        assert site.stored(schedule_id).cron == NOT_CANONICAL[-1]

    def test_that_finds_no_server_keeps_what_was_typed(
        self, page: Page, site: Site, name: str, schedule_id: UUID, back_online: None
    ) -> None:
        open_edit(page, site, name)
        name_field(page).fill(f"{name}, kept")
        page.context.set_offline(True)
        page.get_by_role("button", name="Save schedule").click()
        expect(toasts(page)).to_contain_text("Belfry cannot be reached.")
        page.context.set_offline(False)
        expect(name_field(page)).to_have_value(f"{name}, kept")

        page.keyboard.press("Control+Enter")

        expect(page.get_by_role("link", name=f"{name}, kept")).to_be_visible()

    def test_that_finds_the_session_over_keeps_what_was_typed(
        self, page: Page, site: Site, name: str, schedule_id: UUID
    ) -> None:
        open_edit(page, site, name)
        name_field(page).fill("Half a name")
        cookies = page.context.cookies()
        page.context.clear_cookies()
        page.get_by_role("button", name="Save schedule").click()

        expect(toasts(page)).to_contain_text("what you typed is still here")
        expect(dialog(page)).to_be_visible()
        expect(name_field(page)).to_have_value("Half a name")
        page.context.add_cookies([{**cookie} for cookie in cookies])  # type: ignore[typeddict-item]


@pytest.fixture
def back_online(page: Page) -> Iterator[None]:
    yield
    page.context.set_offline(False)
