"""Two people at one schedule, in two real browsers: both values are shown, either can be kept, nothing is lost."""

from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.jobs.models import Job
from tests.factories.tenants import Member
from tests.journeys.schedules.form import (
    choice,
    dialog,
    name_field,
    save,
    save_and_close,
    text_field,
    toasts,
)
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

BEFORE, THEIRS, MINE = "0 2 * * *", "30 2 * * *", "0 5 * * *"


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


@pytest.fixture
def schedule_id(site: Site, ana: Member, job: Job, name: str) -> UUID:
    return site.add_schedule(ana, job, name, BEFORE)


@pytest.fixture
def conflict(page: Page, browser: Browser, site: Site, name: str, schedule_id: UUID) -> Locator:
    """What a person sees whose save comes second."""
    address = f"{site.url}/schedules/{schedule_id}"
    page.goto(address)
    page.get_by_role("link", name="Edit", exact=True).click()
    name_field(page).fill("Mine")
    text_field(page).fill(MINE)
    other = browser.new_context(storage_state=page.context.storage_state()).new_page()
    other.goto(f"{address}/edit")
    text_field(other).fill(THEIRS)
    save(other)
    expect(toasts(other)).to_contain_text(f"{name} saved.")
    other.context.close()

    answer = save(page)

    assert answer.status == 409
    return page.locator("#conflict")


def saved(site: Site, schedule_id: UUID) -> tuple[str, str]:
    return site.stored(schedule_id).name, site.stored(schedule_id).cron


class TestTheSecondSave:
    def test_shows_both_values_and_saves_nothing_yet(
        self, page: Page, site: Site, ana: Member, name: str, schedule_id: UUID, conflict: Locator
    ) -> None:
        """A31: the second save gets the conflict view; what was typed still stands in the form."""
        expect(conflict).to_contain_text(f"{ana.email} changed this schedule meanwhile")
        expect(conflict.locator("dd").filter(has_text=THEIRS)).to_have_text(f"Theirs: {THEIRS}Yours: {MINE}")
        expect(text_field(page)).to_have_value(MINE)
        expect(name_field(page)).to_have_value("Mine")
        assert saved(site, schedule_id) == (name, THEIRS)

    def test_saves_what_was_typed_where_keep_mine_is_pressed(
        self, page: Page, site: Site, schedule_id: UUID, conflict: Locator
    ) -> None:
        """A31: Keep mine."""
        conflict.get_by_role("button", name="Keep mine").click()

        expect(dialog(page)).to_be_hidden()
        assert saved(site, schedule_id) == ("Mine", MINE)

    def test_opens_the_newer_version_where_use_theirs_is_pressed(
        self, page: Page, site: Site, name: str, schedule_id: UUID, conflict: Locator
    ) -> None:
        """A31: Use theirs opens what they saved, clean: there is nothing to ask about when it is closed."""
        conflict.get_by_role("link", name="Use theirs").click()

        expect(conflict).to_have_count(0)
        expect(text_field(page)).to_have_value(THEIRS)
        expect(name_field(page)).to_have_value(name)
        expect(choice(page, "Every day")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog(page)).to_be_hidden()
        expect(page).to_have_url(f"{site.url}/schedules/{schedule_id}")
        assert saved(site, schedule_id) == (name, THEIRS)

    def test_can_be_followed_by_another_edit_of_theirs(
        self, page: Page, site: Site, name: str, schedule_id: UUID, conflict: Locator
    ) -> None:
        """A31: what was opened by Use theirs can be changed and saved."""
        conflict.get_by_role("link", name="Use theirs").click()
        expect(text_field(page)).to_have_value(THEIRS)
        text_field(page).fill("45 2 * * *")

        save_and_close(page)

        assert saved(site, schedule_id) == (name, "45 2 * * *")
