"""`belfry overview`."""

from datetime import timedelta

from sqlalchemy import select

from app.core.clock import DatabaseClock
from app.tenants.models import Organization
from tests.cli.conftest import Terminal
from tests.factories.outcomes import make_failed
from tests.factories.work import make_job, make_schedule


class TestOverview:
    def test_says_what_is_broken_and_what_runs_next(self, terminal: Terminal) -> None:
        with terminal.database.transaction() as session:
            now = DatabaseClock().now(session)
            ours = session.scalars(select(Organization.id).where(~Organization.is_system)).one()
            job = make_job(session, ours, name="Nightly export")
            make_schedule(session, job, name="Soon", next_run_at=now + timedelta(minutes=3))
            make_failed(session, job, now=now, error="Refused")

        text, found = terminal.run("overview").output, terminal.json("overview")

        assert "Next run: Soon at " in text
        assert "Needs attention: Nightly export, failed since " in text
        assert (found["last_7_days"]["finished"], len(found["hours"])) == (1, 24)
