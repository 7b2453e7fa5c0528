"""How often pages ask the database, however much there is to show."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.core.ids import new_id
from app.edge.runtime import EXTENSION
from app.events.service import Topic, append_event
from app.jobs.models import Job
from app.ops.models import Heartbeat
from app.schedules.models import Schedule
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.statements import counted
from tests.web.conftest import Browser

pytestmark = pytest.mark.usefixtures("real_kinds")

MINUTE = timedelta(minutes=1)
MOST_OF_A_LIST = 12
# It has a history, pictures and what will be.
MOST_OF_A_SCHEDULE = 20
LISTS = (
    "/", "/schedules", "/schedules?q=a", "/schedules?status=failing", "/schedules?page=2", "/schedules/rows",
    "/schedules/tiles", "/schedules/deleted", "/schedules?owner=ana@example.com", "/bulk", "/views",
    "/runs", "/runs?state=failed", "/runs?q=boom", "/runs?trigger=retry&last=7d", "/queue", "/queue?tab=failed",
    "/jobs", "/data", "/audit", "/settings/team", "/account/tokens", "/live",
)  # fmt: skip


@pytest.fixture
def job(database: OpenDatabase, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id)


@pytest.fixture
def schedules(database: OpenDatabase, job: Job, clock: ManualClock) -> list[Schedule]:
    """More than fit on one page, with runs of every kind."""
    now = clock.moment
    with database.transaction() as session:
        found = [make_schedule(session, job, name=f"Schedule {number}", next_run_at=now) for number in range(60)]
        for schedule in found[:12]:
            made = {"now": now - 5 * MINUTE, "schedule_id": schedule.id}
            make_succeeded(session, job, **made)
            make_failed(session, job, **made)
            make_running(session, job, **made)
            make_run(session, job, **made)
    return found


@pytest.fixture
def asked(owner: Browser, database: OpenDatabase, schedules: list[Schedule], clock: ManualClock) -> Browser:
    """A browser whose process asked already what it asks once in its life, and to which something just happened."""
    owner.visit("/")
    owner.visit("/schedules")
    with database.transaction() as session:
        # As usual, somebody keeps time: what a banner says besides is no part of it.
        session.add(
            Heartbeat(
                process_id=new_id(), name="tower:7", version="1.0", slots=5, schedules=True,
                **dict.fromkeys(("started_at", "beat_at", "ticked_at"), clock.moment),
            )
        )  # fmt: skip
        append_event(
            session, organization_id=owner.organization_id, topic=Topic.RUNS, kind="run.succeeded",
            subject_id=schedules[0].id, now=clock.moment,
        )  # fmt: skip
    return owner


class TestAListIsReadWithFewStatements:
    @pytest.mark.parametrize("path", LISTS)
    def test_however_long_it_is(self, asked: Browser, path: str) -> None:
        with counted(asked.application.extensions[EXTENSION].database) as statements:
            assert asked.visit(path).status_code == 200

        assert len(statements) <= MOST_OF_A_LIST, "\n".join(statements)


def test_the_page_of_a_schedule_is_read_with_few_more(asked: Browser, schedules: list[Schedule]) -> None:
    with counted(asked.application.extensions[EXTENSION].database) as statements:
        asked.visit(f"/schedules/{schedules[0].id}")

    assert len(statements) <= MOST_OF_A_SCHEDULE, "\n".join(statements)
