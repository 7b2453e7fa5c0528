"""How the organization fares, by API."""

from datetime import timedelta

from tests.api.conftest import Caller, OpenApi
from tests.factories.outcomes import make_failed
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


class TestOverview:
    def test_says_what_is_broken_and_what_runs_next(
        self, open_api: OpenApi, database: OpenDatabase, clock: ManualClock
    ) -> None:
        caller = open_api()
        soon = clock.moment + timedelta(minutes=3)
        with database.transaction() as session:
            job = make_job(session, caller.organization_id, name="Nightly export")
            schedule = make_schedule(session, job, name="Soon", cron="0 * * * *", next_run_at=soon)
            run_id = make_failed(session, job, now=clock.moment, error="Refused")

        found = caller.get("/overview").json["data"]

        assert (found["next_run"]["name"], found["next_run"]["schedule_id"]) == ("Soon", str(schedule.id))
        assert [(one["kind"], one["run_id"], one["text"]) for one in found["needs_attention"]] == [
            ("failed", str(run_id), "Refused")
        ]
        assert (found["last_7_days"]["finished"], found["last_7_days"]["succeeded"]) == (1, 0)
        assert len(found["hours"]) == 24

    def test_shows_nothing_of_others(
        self, open_api: OpenApi, stranger_api: Caller, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            make_failed(session, make_job(session, open_api().organization_id, name="Theirs"), now=clock.moment)

        assert "Theirs" not in stranger_api.get("/overview").text
