"""What is wrong with a text, or surprises, said while somebody types, and what a refused save leaves alone."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import func, select

from app.jobs.models import Job
from app.schedules.models import Schedule
from app.tenants.models import AuditEntry
from tests.factories.mistakes import CRON_MISTAKES
from tests.factories.outcomes import make_succeeded
from tests.factories.tenants import Member
from tests.journeys.schedules.form import name_field, open_edit, open_new, preview, save, text_field
from tests.journeys.schedules.site import QUARTER, Site

pytestmark = pytest.mark.journey

MISTAKES = {
    **CRON_MISTAKES,
    "x * * * *": "“X” is not a minute. Use 0 to 59.",
    "0 0 6 * * *": "Seconds are not supported. Remove the first field. Or allow seconds for this schedule.",
}
# Where no one cell is to blame, none is marked.
CELLS = ["", "minute", "hour", "day", "weekday", "weekday", "minute", "minute", "day", "minute", "second"]
REMARKS = {
    "0 0 29 2 *": "Only in leap years. Next: 29 Feb 2028.",
    "0 0 13 * 5": "Runs on the 13th and also every Friday. Cron joins day and weekday with “or”.",
    "*/7 * * * *": "7 does not divide 60: gaps are 7 min, but 4 min at each full hour.",
    "* * * * *": "1,440 runs a day. Typical run takes 3 s.",
}


@pytest.fixture(scope="module", autouse=True)
def _runs(site: Site, job: Job) -> None:
    with site.database.transaction() as session:
        for number in range(1, 8):
            make_succeeded(session, job, now=site.clock.moment - number * QUARTER)


@pytest.fixture(scope="module")
def form(page: Page, site: Site, job: Job) -> Page:
    """Open, with a job chosen."""
    open_new(page, site)
    page.get_by_label("Job", exact=True).select_option(label=job.name)
    return page


class TestATextThatIsTyped:
    @pytest.mark.parametrize(
        ("text", "message", "cell"), [(*one, cell) for one, cell in zip(MISTAKES.items(), CELLS, strict=True)]
    )
    def test_has_its_mistake_said_at_the_field(self, form: Page, text: str, message: str, cell: str) -> None:
        """A21: every row of the table of mistakes, in full, bound to its field, and the offending cell marked."""
        text_field(form).fill(text)

        expect(form.locator("#cron-error")).to_have_text(message)
        expect(marked_cells(form)).to_have_text([re.compile(f"{cell}$")] if cell else [])
        expect(text_field(form)).to_have_attribute("aria-invalid", "true")
        expect(text_field(form)).to_have_attribute("aria-describedby", re.compile("cron-error"))

    @pytest.mark.parametrize(("text", "remark"), REMARKS.items())
    def test_is_told_where_it_is_valid_and_surprises(self, form: Page, text: str, remark: str) -> None:
        """A21: the rows that are no mistakes, in full; the mistake before is gone with the first good text."""
        text_field(form).fill(text)

        expect(preview(form).locator(".note").get_by_text(remark, exact=True)).to_be_visible()
        expect(form.locator("#cron-error")).to_have_count(0)
        expect(text_field(form)).not_to_have_attribute("aria-invalid", "true")


class TestARefusedSave:
    def test_of_an_old_schedule_changes_nothing_and_leads_to_the_mistake(
        self, page: Page, site: Site, ana: Member, job: Job
    ) -> None:
        """A22: 422, not a byte of the row or a line of the audit is new, and the focus is on the mistake."""
        schedule_id = site.add_schedule(ana, job, "Nightly", "0 6 * * *")
        before = as_stored(site, schedule_id)
        open_edit(page, site, "Nightly")
        name_field(page).fill("Nightly at last")
        text_field(page).fill("60 * * * *")

        answer = save(page)

        assert answer.status == 422
        expect(text_field(page)).to_be_focused()
        expect(page.locator("#cron-error")).to_have_text(MISTAKES["60 * * * *"])
        expect(name_field(page)).to_have_value("Nightly at last")
        assert as_stored(site, schedule_id) == before

    def test_of_a_new_schedule_makes_none(self, page: Page, site: Site, ana: Member, job: Job) -> None:
        """A22: a new one with a mistake is not made."""
        before = count_schedules(site, ana)
        open_new(page, site)
        name_field(page).fill("Never")
        page.get_by_label("Job", exact=True).select_option(label=job.name)
        text_field(page).fill("0 0 31 2 *")

        answer = save(page)

        assert answer.status == 422
        expect(text_field(page)).to_be_focused()
        assert count_schedules(site, ana) == before


class TestTheCellToBlame:
    def test_is_marked_while_the_caret_is_in_its_line(self, form: Page) -> None:
        text_field(form).fill("0 9 * * *\n0 25 * * *")
        expect(marked_cells(form)).to_have_text([re.compile("hour$")])

        text_field(form).press("Control+Home")

        expect(form.locator("#cron-error")).to_have_text(f"Line 2: {MISTAKES['0 25 * * *']}")
        expect(marked_cells(form)).to_have_count(0)

    def test_is_marked_where_the_server_draws_the_form(self, page: Page, site: Site, ana: Member) -> None:
        open_new(page, site)
        text_field(page).fill("0 9 * * MON-SUN")
        save(page)

        expect(marked_cells(page)).to_have_text([re.compile("weekday$")])


def marked_cells(page: Page) -> Locator:
    return page.locator("[data-cron-cell][data-state=failed]:visible")


def as_stored(site: Site, schedule_id: object) -> tuple[dict[str, object], int]:
    """Every column of a schedule, and how much the audit knows of it."""
    with site.database.reading() as session:
        found = session.get_one(Schedule, schedule_id)
        entries = select(func.count()).select_from(AuditEntry).where(AuditEntry.subject_id == schedule_id)
        columns = {column.key: getattr(found, column.key) for column in Schedule.__mapper__.column_attrs}
        return columns, session.scalars(entries).one()


def count_schedules(site: Site, person: Member) -> int:
    with site.database.reading() as session:
        query = select(func.count()).select_from(Schedule).where(Schedule.organization_id == person.organization_id)
        return session.scalars(query).one()
