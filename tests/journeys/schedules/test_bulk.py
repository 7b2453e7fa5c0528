"""Switching, deleting and doing one thing to many schedules, in a real browser."""

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import delete

from app.events.service import Topic, append_event
from app.jobs.models import Job
from app.schedules.models import Gap, Schedule, ScheduleVersion
from app.tenants.models import Membership
from app.tenants.roles import Role
from tests.factories.outcomes import make_running, make_succeeded
from tests.factories.tenants import Member
from tests.journeys.schedules.form import dialog, row_of, toasts
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

NEXT = "Wed 6 Jan, 07:00"
NAMES = ["One", "Two", "Three"]


@pytest.fixture
def ids(site: Site, ana: Member, job: Job) -> list[UUID]:
    """Three schedules, and no others."""
    with site.database.transaction() as session:
        mine = Schedule.organization_id == ana.organization_id
        for table in (ScheduleVersion, Gap):
            session.execute(delete(table).where(table.organization_id == ana.organization_id))
        session.query(Schedule).filter(mine, Schedule.deleted_at.is_(None)).update(
            {"deleted_at": site.clock.moment - timedelta(days=99)}
        )
    return [site.add_schedule(ana, job, name, f"{number} 6 * * *") for number, name in enumerate(NAMES)]


def on(site: Site, ids: list[UUID]) -> list[bool]:
    return [site.stored(each).enabled for each in ids]


def switch_of(page: Page, name: str) -> Locator:
    return row_of(page, name).get_by_role("switch")


def tick(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("checkbox", name=f"Tick {name}", exact=True).check()


def bar(page: Page) -> Locator:
    return page.locator("#bulk")


class TestTheSwitch:
    def test_switches_off_and_undo_switches_on_again(self, page: Page, site: Site, ids: list[UUID]) -> None:
        """A33: the row says so and has no next run; Undo restores; a reload agrees."""
        page.goto(f"{site.url}/schedules")
        expect(row_of(page, "One")).to_contain_text(NEXT)
        switch_of(page, "One").click()
        expect(row_of(page, "One")).to_contain_text("— (disabled)")
        expect(switch_of(page, "One")).to_have_attribute("aria-checked", "false")
        toasts(page).get_by_role("button", name="Undo").click()
        expect(switch_of(page, "One")).to_have_attribute("aria-checked", "true")
        page.reload()

        expect(row_of(page, "One")).to_contain_text(NEXT)
        assert on(site, ids) == [True] * 3

    def test_works_without_scripts(self, plain: Page, site: Site, ids: list[UUID]) -> None:
        """A33: with JavaScript off, to and fro."""
        plain.goto(f"{site.url}/schedules")
        switch_of(plain, "One").click()
        expect(row_of(plain, "One")).to_contain_text("— (disabled)")
        plain.get_by_role("button", name="Undo").click()

        expect(switch_of(plain, "One")).to_have_attribute("aria-checked", "true")

    def test_shows_the_truth_and_the_reason_where_it_is_refused(
        self, browser: Browser, page: Page, site: Site, ana: Member, ids: list[UUID]
    ) -> None:
        """A34: somebody took the right away while the page was open."""
        # A window of its own: Chromium complains of what the server refuses.
        window = browser.new_context(storage_state=page.context.storage_state())
        tab = window.new_page()
        tab.goto(f"{site.url}/schedules")
        set_role(site, ana, Role.VIEWER)
        switch_of(tab, "One").click()
        expect(toasts(tab)).to_contain_text("Your role here is viewer")
        set_role(site, ana, Role.OWNER)

        expect(switch_of(tab, "One")).to_have_attribute("aria-checked", "true")
        expect(switch_of(tab, "One")).to_be_enabled()
        assert on(site, ids) == [True] * 3
        window.close()


def set_role(site: Site, person: Member, role: Role) -> None:
    with site.database.transaction() as session:
        session.get_one(Membership, (person.organization_id, person.user_id)).role = role.value


class TestDeleting:
    def test_takes_the_row_away_and_undo_brings_it_back(
        self, page: Page, site: Site, job: Job, ids: list[UUID]
    ) -> None:
        """A36: the same id, history and next run."""
        with site.database.transaction() as session:
            make_succeeded(session, job, now=site.clock.moment - timedelta(hours=1), schedule_id=ids[0])
        page.goto(f"{site.url}/schedules")
        expect(row_of(page, "One")).to_contain_text(NEXT)
        delete_in_list(page, "One")
        expect(page.get_by_role("link", name="One", exact=True)).to_have_count(0)
        toasts(page).get_by_role("button", name="Undo").click()

        expect(row_of(page, "One")).to_have_attribute("id", f"s-{ids[0]}")
        expect(row_of(page, "One")).to_contain_text(NEXT)
        expect(row_of(page, "One")).to_contain_text("1 of 1")

    def test_is_taken_back_among_the_recently_deleted(self, page: Page, site: Site, ids: list[UUID]) -> None:
        """A36: from Recently deleted."""
        at = site.stored(ids[0]).next_run_at
        page.goto(f"{site.url}/schedules")
        delete_in_list(page, "One")
        page.get_by_role("link", name="Recently deleted").click()
        page.get_by_role("button", name="Restore One").click()
        expect(toasts(page)).to_contain_text("One is back.")
        expect(page.get_by_role("button", name="Restore One")).to_have_count(0)

        found = site.stored(ids[0])
        assert (found.enabled, found.next_run_at, found.deleted_at) == (True, at, None)

    def test_is_taken_back_from_the_audit(self, page: Page, site: Site, ids: list[UUID]) -> None:
        """A36: from the entry of the deletion."""
        page.goto(f"{site.url}/schedules")
        delete_in_list(page, "One")
        page.goto(f"{site.url}/audit?action=schedule.deleted")
        page.get_by_role("button", name="Deleted schedule “One”: Restore").first.click()

        expect(page.get_by_role("heading", level=1)).to_have_text("One")

    def test_asks_where_runs_of_it_go_on(self, page: Page, site: Site, job: Job, ids: list[UUID]) -> None:
        with site.database.transaction() as session:
            make_running(session, job, now=site.clock.moment, schedule_id=ids[1])
        page.goto(f"{site.url}/schedules")
        delete_in_list(page, "Two", wait=False)

        expect(page.get_by_role("heading", level=1)).to_have_text("Delete Two?")


def delete_in_list(page: Page, name: str, *, wait: bool = True) -> None:
    row_of(page, name).get_by_label(f"Actions for {name}").click()
    row_of(page, name).get_by_role("button", name="Delete").click()
    if wait:
        expect(toasts(page)).to_contain_text(f"{name} deleted.")


class TestTheBar:
    def test_comes_with_the_first_tick_and_counts(self, page: Page, site: Site, ids: list[UUID]) -> None:
        page.goto(f"{site.url}/schedules")
        expect(bar(page)).to_be_hidden()
        tick(page, "One", "Three")
        expect(bar(page).get_by_role("button", name="Disable 2")).to_be_visible()
        bar(page).get_by_label("This page").check()
        expect(bar(page).get_by_role("button", name="Delete 3")).to_be_visible()
        bar(page).get_by_label("This page").uncheck()

        expect(bar(page)).to_be_hidden()

    def test_keeps_ticks_while_the_list_refreshes(self, page: Page, site: Site, ana: Member, ids: list[UUID]) -> None:
        page.goto(f"{site.url}/schedules")
        tick(page, "Two")
        with site.database.transaction() as session:
            session.get_one(Schedule, ids[0]).enabled = False
            append_event(
                session, organization_id=ana.organization_id, topic=Topic.SCHEDULES, kind="schedule.disabled",
                subject_id=ids[0], now=site.clock.moment,
            )  # fmt: skip
        expect(row_of(page, "One")).to_contain_text("— (disabled)")

        expect(page.get_by_role("checkbox", name="Tick Two", exact=True)).to_be_checked()
        expect(bar(page).get_by_role("button", name="Disable 1")).to_be_visible()

    def test_disables_many_after_a_question_and_undo_all_brings_them_back(
        self, page: Page, site: Site, ids: list[UUID]
    ) -> None:
        page.goto(f"{site.url}/schedules")
        tick(page, "One", "Two")
        bar(page).get_by_role("button", name="Disable 2").click()
        expect(dialog(page)).to_contain_text("Disable 2 schedules?")
        expect(dialog(page)).to_contain_text("“One”")
        dialog(page).get_by_label("Why").fill("Moving house")
        dialog(page).get_by_role("button", name="Disable 2 schedules").click()
        expect(toasts(page)).to_contain_text("2 schedules disabled.")
        expect(dialog(page)).to_be_hidden()
        expect(bar(page)).to_be_hidden()
        expect(switch_of(page, "Two")).to_have_attribute("aria-checked", "false")
        disabled = on(site, ids)
        toasts(page).get_by_role("button", name="Undo all").click()
        expect(toasts(page)).to_contain_text("2 schedules as before.")

        expect(switch_of(page, "Two")).to_have_attribute("aria-checked", "true")
        assert (disabled, on(site, ids)) == ([False, False, True], [True] * 3)

    def test_asks_again_for_a_tag_that_cannot_be(self, page: Page, site: Site, ids: list[UUID]) -> None:
        page.goto(f"{site.url}/schedules")
        tick(page, "One")
        bar(page).get_by_role("button", name="Tag 1", exact=True).click()
        dialog(page).get_by_label("Tag", exact=True).fill("a b")
        dialog(page).get_by_role("button", name="Add a tag to 1 schedule").click()
        expect(dialog(page).locator("#tag-error")).to_contain_text("has something else")
        dialog(page).get_by_label("Tag", exact=True).fill("nightly")
        dialog(page).get_by_role("button", name="Add a tag to 1 schedule").click()
        expect(toasts(page)).to_contain_text("1 schedule tagged “nightly”.")

        assert site.stored(ids[0]).tags == ["nightly"]

    def test_selects_all_that_match_as_they_are_now(
        self, page: Page, site: Site, ana: Member, job: Job, ids: list[UUID]
    ) -> None:
        page.goto(f"{site.url}/schedules?q=T")
        tick(page, "Two")
        bar(page).get_by_role("button", name="Select all 2 that match").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("2 schedules selected")
        later = site.add_schedule(ana, job, "Ten", "0 6 * * *")
        page.get_by_role("link", name="Disable 2").click()
        page.get_by_role("button", name="Disable 2 schedules").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Disable 2 schedules")

        assert on(site, [*ids, later]) == [True, False, False, True]

    def test_shows_progress_of_many_as_it_goes(
        self, page: Page, site: Site, ana: Member, job: Job, ids: list[UUID]
    ) -> None:
        for number in range(30):
            site.add_schedule(ana, job, f"Many {number}", "0 6 * * *")
        page.goto(f"{site.url}/schedules?q=Many")
        tick(page, "Many 0")
        bar(page).get_by_role("button", name="Select all 30 that match").click()
        page.get_by_role("link", name="Disable 30").click()
        page.get_by_role("button", name="Disable 30 schedules").click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        site.carry()

        expect(page.locator("#progress")).to_contain_text("30 of 30. 30 schedules disabled.")
        expect(page.get_by_role("progressbar")).to_have_count(0)

    def test_works_without_scripts(self, plain: Page, site: Site, ids: list[UUID]) -> None:
        plain.goto(f"{site.url}/schedules")
        tick(plain, "One", "Two")
        bar(plain).get_by_role("button", name="Delete").click()
        expect(plain.get_by_role("heading", level=1)).to_have_text("Delete 2 schedules?")
        plain.get_by_role("button", name="Delete 2 schedules").click()
        expect(plain.locator("#progress")).to_contain_text("2 schedules deleted.")
        gone = [site.stored(each).deleted_at is not None for each in ids]
        plain.get_by_role("button", name="Undo all 2").click()
        expect(plain.locator("#progress")).to_contain_text("2 schedules as before.")

        assert gone == [True, True, False]
        assert [site.stored(each).deleted_at for each in ids] == [None] * 3
