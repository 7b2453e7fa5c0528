"""`belfry schedules show`: what comes next and how long it takes."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.jobs.models import Job
from app.schedules.models import Schedule
from app.tenants.models import Organization
from tests.cli.conftest import Terminal
from tests.factories.outcomes import make_succeeded
from tests.factories.work import make_job, make_schedule

NAME = "At noon"
POLICIES = (
    "Of missed runs the latest is made up for, unless it is older than 1 day.",
    "While a run goes on, the next one is skipped, and says which run was in the way.",
)


@pytest.fixture
def schedule(terminal: Terminal) -> Schedule:
    with terminal.database.transaction() as session:
        organization_id = session.scalars(select(Organization.id).where(Organization.is_system.is_(False))).one()
        return make_schedule(session, make_job(session, organization_id, name="Orders"), name=NAME, cron="0 12 * * *")


class TestShow:
    def test_tells_the_next_runs(self, terminal: Terminal, schedule: Schedule) -> None:
        shown = terminal.json("schedules", "show", NAME, "--next", "3")

        assert (shown["id"], shown["description"]) == (str(schedule.id), "Every day at 12:00, UTC")
        assert [at[10:] for at in shown["next_runs"]] == ["T12:00:00Z"] * 3
        assert shown["typical_seconds"] is None

    def test_tells_how_long_runs_take(self, terminal: Terminal, schedule: Schedule) -> None:
        now = datetime.now(UTC)
        with terminal.database.transaction() as session:
            job = session.get_one(Job, schedule.job_id)
            for hours in (3, 2, 1):
                make_succeeded(session, job, now=now - timedelta(hours=hours), schedule_id=schedule.id)

        printed = terminal.run("schedules", "show", str(schedule.id), "--next", "1").stdout.splitlines()

        assert printed[:5] == [
            "At noon: Every day at 12:00, UTC",
            "Runs Orders. Enabled.",
            *POLICIES,
            "Typical 3.0 s, longest in 30 days 3.0 s. The last one took 3.0 s.",
        ]
        assert printed[5] == "Next:"

    def test_of_one_that_cannot_be_read_says_why(self, terminal: Terminal, schedule: Schedule) -> None:
        with terminal.database.transaction() as session:
            row = session.get_one(Schedule, schedule.id)
            row.cron, row.problem, row.enabled = "nonsense", "Nobody can read this.", False

        printed = terminal.run("schedules", "show", NAME).stdout.splitlines()

        assert printed[1:] == ["Runs Orders. Disabled.", *POLICIES, "Nobody can read this."]

    def test_of_one_that_is_not_there(self, terminal: Terminal) -> None:
        assert terminal.run("schedules", "show", "Never heard of").exit_code == 1
