"""Five hundred schedules with a hundred thousand runs: pages open, and ask the database no more often than small ones.

How long they take is measured by `bench.pages` and `bench.paint`: a test that looks at the clock fails by chance.
"""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.schema import SchemaGate, newest_migration
from app.edge.runtime import EXTENSION, Runtime
from app.events.service import Topic, append_event
from app.ops.bookkeeping import Bookkeeper
from app.runs.models import Run
from app.schedules.models import Schedule
from tests.factories.outcomes import make_succeeded
from tests.factories.tenants import Member
from tests.factories.work import make_job, make_schedule
from tests.fakes.statements import counted
from tests.journeys.schedules.site import QUARTER, Site

pytestmark = pytest.mark.journey

SCHEDULES, RUNS, OF_THE_BUSY_ONE = 500, 100_000, 10_000
OF_EACH_OTHER = (RUNS - OF_THE_BUSY_ONE) // (SCHEDULES - 1) + 1
MOST_OF_A_LIST = 12
# It has a history, pictures and what will be.
MOST_OF_A_SCHEDULE = 20


@pytest.fixture(scope="module")
def busy(site: Site, ana: Member) -> UUID:
    """The schedule that has ten thousand of the runs."""
    now = site.clock.moment
    with site.database.transaction() as session:
        job = make_job(session, ana.organization_id, name="Export")
        ids = [
            make_schedule(session, job, name=f"Export {number:03}", next_run_at=now + QUARTER).id
            for number in range(SCHEDULES)
        ]
        first = make_succeeded(session, job, now=now - QUARTER, schedule_id=ids[0])
        add_earlier_runs(session, first)
        copy_runs(session, ids[0], since=now - (OF_EACH_OTHER + 0.5) * QUARTER)
        assert session.scalar(select(func.count()).select_from(Run)) >= RUNS
    # As a running installation has done by now.
    Bookkeeper(site.database, site.clock, SchemaGate(site.database, expected=newest_migration())).count()
    return ids[0]


def add_earlier_runs(session: Session, first: UUID) -> None:
    """As many like this one as make ten thousand, a quarter of an hour apart."""
    query = select(*Run.__table__.columns).where(Run.id == first)
    like = {**session.execute(query).mappings().one(), "trigger": "schedule"}
    moments = {name: value for name, value in like.items() if isinstance(value, datetime)}

    def earlier(by: timedelta) -> dict[str, object]:
        return {**like, "id": new_id(), **{name: at - by for name, at in moments.items()}}

    session.execute(insert(Run), [earlier(number * QUARTER) for number in range(1, OF_THE_BUSY_ONE)])


def copy_runs(session: Session, busy: UUID, *, since: datetime) -> None:
    """Give every other schedule the runs that one had since then."""
    copied = [column for column in Run.__table__.columns if column.name not in {"id", "schedule_id"}]
    # As the type of ids is stored in SQLite.
    new = func.lower(func.hex(func.randomblob(16)))
    rows = (
        select(new, Schedule.id, *copied)
        .select_from(Run)
        .join(Schedule, (Schedule.organization_id == Run.organization_id) & (Schedule.id != Run.schedule_id))
        .where(Run.schedule_id == busy, Run.due_at > since)
    )
    session.execute(insert(Run).from_select(["id", "schedule_id", *(each.name for each in copied)], rows))


def ask(page: Page, site: Site, ana: Member, path: str) -> list[str]:
    """The statements of one answer of a process that is at work already, just after a run has ended."""
    parts: Runtime = site.app.extensions[EXTENSION]
    # An open page would go on to ask meanwhile.
    page.goto("about:blank")
    assert page.request.get(f"{site.url}{path}").ok
    with site.database.transaction() as session:
        append_event(
            session, organization_id=ana.organization_id, topic=Topic.RUNS, kind="run.succeeded",
            subject_id=new_id(), now=site.clock.moment,
        )  # fmt: skip
    with counted(parts.database) as statements:
        assert page.request.get(f"{site.url}{path}").ok
    return statements


class TestABigList:
    @pytest.mark.parametrize("path", ["/schedules", "/schedules?page=10", "/schedules?q=Export+4", "/", "/runs"])
    def test_is_read_with_few_statements(self, page: Page, site: Site, ana: Member, busy: UUID, path: str) -> None:
        """A40: at most twelve statements, however much there is."""
        statements = ask(page, site, ana, path)

        assert 0 < len(statements) <= MOST_OF_A_LIST, "\n".join(statements)

    def test_opens_with_the_first_fifty(self, page: Page, site: Site, busy: UUID) -> None:
        """A40: the list of five hundred schedules opens."""
        page.goto(f"{site.url}/schedules")

        expect(page.locator("#rows tr")).to_have_count(50)
        expect(page.get_by_text("1–50 of 500")).to_be_visible()


class TestABusySchedule:
    def test_is_read_with_few_statements(self, page: Page, site: Site, ana: Member, busy: UUID) -> None:
        """A40: neither its page nor the list of its runs asks more because there are ten thousand."""
        of_it, of_its_runs = ask(page, site, ana, f"/schedules/{busy}"), ask(page, site, ana, f"/runs?schedule={busy}")

        assert len(of_it) <= MOST_OF_A_SCHEDULE, "\n".join(of_it)
        assert len(of_its_runs) <= MOST_OF_A_LIST, "\n".join(of_its_runs)

    def test_opens_with_its_pictures(self, page: Page, site: Site, busy: UUID) -> None:
        """A40: the page of a schedule with ten thousand runs opens."""
        page.goto(f"{site.url}/schedules/{busy}")

        expect(page.get_by_role("heading", level=1)).to_have_text("Export 000")
        expect(page.locator("#timeline svg").first).to_be_visible()
        expect(page.locator("#history tbody tr").first).to_be_visible()
