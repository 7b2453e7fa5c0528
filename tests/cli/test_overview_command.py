"""`belfry overview`."""

from datetime import timedelta

from sqlalchemy import select

from app.core.clock import DatabaseClock
from app.tenants.models import Organization
from tests.cli.conftest import Terminal
from tests.factories.outcomes import make_failed, make_running, make_succeeded
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
        assert [one["kind"] for one in found["needs_attention"]] == ["failed"]
        assert (found["last_7_days"]["finished"], len(found["hours"])) == (1, 24)

    def test_says_how_many_more_need_somebody(self, terminal: Terminal) -> None:
        with terminal.database.transaction() as session:
            now = DatabaseClock().now(session)
            ours = session.scalars(select(Organization.id).where(~Organization.is_system)).one()
            job = make_job(session, ours)
            well = make_schedule(session, job, name="Well", next_run_at=now + timedelta(hours=1))
            make_failed(session, job, now=now - timedelta(hours=2), schedule_id=well.id)
            make_succeeded(session, job, now=now - timedelta(hours=1), schedule_id=well.id)
            for number in range(8):
                make_schedule(session, job, name=f"Late {number}", next_run_at=now - timedelta(hours=1))

        text, found = terminal.run("overview").output, terminal.json("overview")

        assert text.count("Needs attention: Late") == 5
        assert "Needs attention: and 3 more" in text
        assert (len(found["needs_attention"]), found["more_need_attention"]) == (5, 3)

    def test_tells_of_runs_that_look_stuck(self, terminal: Terminal) -> None:
        with terminal.database.transaction() as session:
            now = DatabaseClock().now(session)
            ours = session.scalars(select(Organization.id).where(~Organization.is_system)).one()
            make_running(session, make_job(session, ours, name="Orders"), now=now - timedelta(hours=1))

        text, found = terminal.run("overview").output, terminal.json("overview")

        assert "Needs attention: Orders, stuck since " in text
        assert [one["kind"] for one in found["needs_attention"]] == ["stuck"]
