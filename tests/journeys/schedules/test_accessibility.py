"""axe-core finds nothing wrong with the dialog of a schedule, its page and what lies behind it, light and dark."""

from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect

from app.jobs.models import Job
from app.ops.bulk.carrying import carry_piece
from app.ops.bulk.service import select_objects, start
from app.runs import service
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.tenants import Member
from tests.journeys.axe import violations
from tests.journeys.looks import THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.form import (
    choose_zone,
    dialog,
    open_edit,
    open_new,
    preview,
    save,
    save_and_close,
    text_field,
    type_text,
)
from tests.journeys.schedules.site import QUARTER, Site

pytestmark = pytest.mark.journey

CRON, ZONE = "30 2 * * *", "America/New_York"
# More at one moment than nobody is told of.
CROWD = 12


@pytest.fixture(scope="module")
def schedule_id(site: Site, page: Page, ana: Member, job: Job) -> UUID:
    """Of a schedule with runs, two versions, a twin and a crowd around midnight."""
    made = site.add_schedule(ana, job, "Nightly", CRON, ZONE)
    site.add_schedule(ana, job, "Twin", CRON, ZONE)
    for number in range(CROWD):
        site.add_schedule(ana, job, f"Midnight {number}", "0 0 * * *")
    with site.database.transaction() as session:
        for number in range(1, 13):
            make = make_failed if number == 3 else make_succeeded
            make(session, job, now=site.clock.moment - number * QUARTER, schedule_id=made)
    open_edit(page, site, "Nightly")
    page.get_by_label("Notes").fill("Ask Ben before you switch it off.")
    save_and_close(page)
    return made


@pytest.fixture(scope="module")
def address(site: Site, schedule_id: UUID) -> str:
    return f"{site.url}/schedules/{schedule_id}"


@pytest.fixture(scope="module")
def paused(site: Site, ana: Member, job: Job) -> UUID:
    """Of a schedule that was switched off for three days, and missed as many slots."""
    site.clock.advance(days=-3)
    made = site.add_schedule(ana, job, "Paused", "0 6 * * *")
    with site.database.transaction() as session:
        service.switch_schedule(session, actor=ana.actor, schedule_id=made, enabled=False, now=site.clock.moment)
    site.clock.advance(days=3)
    return made


@pytest.fixture(scope="module")
def bulk_ids(site: Site, ana: Member, job: Job) -> dict[str, UUID]:
    """Of a bulk action that deleted one of two schedules, and of a selection."""
    gone = site.add_schedule(ana, job, "Gone", "0 6 * * *")
    many = {"actor": ana.actor, "now": site.clock.moment}
    with site.database.transaction() as session:
        chosen = [select_objects(session, family="schedules", object_ids=[gone, uuid4()], **many) for _ in range(2)]
        start(session, bulk_id=chosen[0], kind="schedules.delete", parameters={}, reason="Moving house", **many)
        carry_piece(
            session, organization_id=ana.organization_id, bulk_id=chosen[0], now=site.clock.moment, seconds=60.0
        )
    return {"BULK": chosen[0], "DRAFT": chosen[1]}


def unfold(page: Page, width: int) -> None:
    """On a phone, show what will happen."""
    if width == 360:
        page.get_by_role("button", name="Show the next runs").click()


@pytest.fixture(scope="module")
def endless(site: Site, ana: Member, job: Job) -> str:
    """The address of a schedule whose name and notes have no place to break."""
    notes = f"See https://example.com/{'runbook_' * 30}"
    made = site.add_schedule(ana, job, "hourly_export_of_orders_and_prices_to_the_warehouse_eu_west", CRON, notes=notes)
    with site.database.transaction() as session:
        make_succeeded(session, job, now=site.clock.moment - QUARTER, schedule_id=made)
    return f"{site.url}/schedules/{made}"


class TestAnEndlessName:
    @WIDTHS
    @pytest.mark.parametrize("part", ["", "/edit", "/delete", "/history", "/versions", "/slots"])
    def test_keeps_to_the_screen(self, page: Page, endless: str, part: str, width: int) -> None:
        show(page, "light", width)
        page.goto(f"{endless}{part}")

        assert not is_too_wide(page)

    @WIDTHS
    def test_keeps_to_the_screen_in_the_list(self, page: Page, site: Site, endless: str, width: int) -> None:
        show(page, "light", width)
        page.goto(f"{site.url}/schedules")

        assert not is_too_wide(page)


@THEMES
@WIDTHS
class TestNothingIsWrong:
    @pytest.mark.parametrize(
        "part",
        ["", "?t=7d&tz=schedule", "/edit", "/delete", "/history", "/versions", "/versions/1/restore", "/slots"],
    )
    def test_with_the_page_of_a_schedule_and_those_behind_it(
        self, page: Page, address: str, part: str, theme: Theme, width: int
    ) -> None:
        """A02, A03: no violation, and not wider than the screen."""
        show(page, theme, width)
        answer = page.goto(f"{address}{part}")

        assert answer is not None
        assert answer.ok
        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_many_ticked_and_the_question_about_them(
        self, page: Page, site: Site, schedule_id: UUID, theme: Theme, width: int
    ) -> None:
        """A02, A03: the bar under the list, and what is asked before all of them are deleted."""
        show(page, theme, width)
        page.goto(f"{site.url}/schedules")
        page.get_by_role("checkbox", name="Tick Nightly").check()
        # At the end of the list the bar covers no row.
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        found = violations(page)
        is_wide = is_too_wide(page)
        page.locator("#bulk").get_by_role("button", name="Delete 1").click()
        expect(dialog(page)).to_contain_text("Delete 1 schedule?")

        assert (found, is_wide) == ([], False)
        assert violations(page) == []
        assert not is_too_wide(page)

    @pytest.mark.parametrize("part", ["", "/BULK", "/BULK?show=refused", "/DRAFT", "/DRAFT/start", "/deleted"])
    def test_with_bulk_actions_and_deleted_schedules(
        self, page: Page, site: Site, bulk_ids: dict[str, UUID], part: str, theme: Theme, width: int
    ) -> None:
        """A02, A03: the list of them, one with its outcomes, a selection, the question as a page, what is deleted."""
        show(page, theme, width)
        address = part.replace("/start", "/start?action=schedules.move_zone")
        for name, bulk_id in bulk_ids.items():
            address = address.replace(name, str(bulk_id))
        page.goto(f"{site.url}/schedules/deleted" if part == "/deleted" else f"{site.url}/bulk{address}")

        assert violations(page) == []
        assert not is_too_wide(page)

    @pytest.mark.parametrize("query", ["", "?action=schedule", "?actor=nobody", "?since=yesterday"])
    def test_with_the_audit(
        self, page: Page, site: Site, schedule_id: UUID, query: str, theme: Theme, width: int
    ) -> None:
        """A02, A03: entries with all that they changed, none, and a filter that cannot be read."""
        show(page, theme, width)
        page.goto(f"{site.url}/audit{query}")
        for summary in page.locator("td summary").all():
            summary.click()

        assert violations(page) == []
        assert not is_too_wide(page)

    @pytest.mark.parametrize("path", ["/schedules", "/schedules/new"])
    def test_with_the_list_and_the_form_as_a_page(
        self, page: Page, site: Site, address: str, path: str, theme: Theme, width: int
    ) -> None:
        """A02, A03: the list, and the form as a page of its own."""
        show(page, theme, width)
        page.goto(f"{site.url}{path}")

        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_the_question_before_it_is_enabled_again(
        self, page: Page, site: Site, paused: UUID, theme: Theme, width: int
    ) -> None:
        """A02, A03: what is to become of the slots that it missed."""
        show(page, theme, width)
        page.goto(f"{site.url}/schedules/{paused}/resume")
        expect(page.get_by_text("3 slots were missed since")).to_be_visible()

        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_the_dialog_and_all_it_can_say(
        self, page: Page, site: Site, address: str, theme: Theme, width: int
    ) -> None:
        """A02, A03: as it opens, and with everything unfolded and a clock change named."""
        show(page, theme, width)
        open_new(page, site)
        found = violations(page)
        for summary in dialog(page).locator("summary").all():
            summary.click()
        text_field(page).fill(CRON)
        choose_zone(page, ZONE)
        unfold(page, width)
        expect(preview(page)).to_contain_text("does not exist")

        assert found == []
        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_the_picture_of_a_crowded_hour(
        self, page: Page, site: Site, address: str, theme: Theme, width: int
    ) -> None:
        """A02, A03: the hint that others start at the same minute, with the bars of that hour."""
        show(page, theme, width)
        open_new(page, site)
        choose_zone(page, "UTC")
        type_text(page, "0 0 * * *")
        unfold(page, width)
        expect(preview(page).locator("#load-note svg.hour")).to_be_visible()
        preview(page).locator("#load-table summary").click()
        expect(preview(page).locator("#load-table table")).to_be_visible()

        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_next_runs_now_and_after_saving(
        self, page: Page, site: Site, address: str, theme: Theme, width: int
    ) -> None:
        """A02, A03: both lists side by side."""
        show(page, theme, width)
        open_edit(page, site, "Nightly")
        type_text(page, "0 5 * * *")
        unfold(page, width)
        expect(page.locator("#effect")).to_be_visible()

        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_the_values_of_two_people(
        self, page: Page, site: Site, address: str, theme: Theme, width: int
    ) -> None:
        """A02, A03: the view of a conflict, as a form gets it that was opened before the last change."""
        show(page, theme, width)
        open_edit(page, site, "Nightly")
        page.locator("#schedule-form [name=version]").evaluate("field => { field.value = '1' }")
        text_field(page).fill("0 5 * * *")
        save(page)
        expect(page.locator("#conflict")).to_be_visible()

        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_the_list_of_time_zones(self, page: Page, site: Site, address: str, theme: Theme, width: int) -> None:
        """A02, A03: the picker of zones, open."""
        show(page, theme, width)
        open_new(page, site)
        page.get_by_role("combobox", name="Time zone").press("ArrowDown")
        expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()

        assert violations(page) == []
        assert not is_too_wide(page)

    def test_with_a_refused_save_and_the_question_before_closing(
        self, page: Page, site: Site, address: str, theme: Theme, width: int
    ) -> None:
        """A02: with the summary of mistakes, and when it is asked whether to discard."""
        show(page, theme, width)
        open_new(page, site)
        text_field(page).fill("60 * * * *")
        save(page)
        expect(page.locator(".error-summary")).to_be_visible()
        found = violations(page)
        page.keyboard.press("Escape")
        expect(page.get_by_text("Discard changes?")).to_be_visible()

        assert found == []
        assert violations(page) == []
