"""How the organization fares, by API."""

from datetime import timedelta

from tests.api.conftest import Caller, OpenApi
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.work import make_gap, make_job, make_schedule
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

    def test_follows_how_schedules_fare(self, open_api: OpenApi, database: OpenDatabase, clock: ManualClock) -> None:
        caller = open_api()
        with database.transaction() as session:
            job = make_job(session, caller.organization_id)
            soon = clock.moment + timedelta(hours=1)
            well = make_schedule(session, job, name="Well", next_run_at=soon)
            make_failed(session, job, now=clock.moment - timedelta(hours=2), schedule_id=well.id)
            make_succeeded(session, job, now=clock.moment - timedelta(hours=1), schedule_id=well.id)
            noisy = make_schedule(session, job, name="Noisy", next_run_at=soon)
            for minutes in range(101):
                made = clock.moment - timedelta(minutes=minutes)
                make_failed(session, job, now=made, schedule_id=noisy.id)
            missed = make_schedule(session, job, name="Missed", next_run_at=soon)
            make_gap(session, missed, clock.moment - timedelta(hours=9), clock.moment - timedelta(hours=1), slots=9)
            for number in range(5):
                make_schedule(session, job, name=f"Late {number}", next_run_at=clock.moment - timedelta(hours=1))

        found = caller.get("/overview").json["data"]

        told = [(one["kind"], one["name"], one["failed_runs"]) for one in found["needs_attention"]]
        assert sorted(told[:2]) == [("failed", "Noisy", 100), ("missed", "Missed", 0)]
        assert [kind for kind, _, _ in told[2:]] == ["late"] * 3
        assert found["more_need_attention"] == 2
        assert {one["has_more_failed_runs"] for one in found["needs_attention"][:2]} == {True, False}
        assert (found["last_7_days"]["missed"], found["failing"]) == (9, 2)

    def test_tells_of_runs_that_look_stuck(self, open_api: OpenApi, database: OpenDatabase, clock: ManualClock) -> None:
        caller = open_api()
        with database.transaction() as session:
            job = make_job(session, caller.organization_id, name="Orders")
            run_id = make_running(session, job, now=clock.moment - timedelta(hours=1))

        (only,) = caller.get("/overview").json["data"]["needs_attention"]

        assert (only["kind"], only["name"], only["run_id"]) == ("stuck", "Orders", str(run_id))
        assert only["text"].startswith("It has run 1 h (typical length not known yet). Worker ")

    def test_shows_nothing_of_others(
        self, open_api: OpenApi, stranger_api: Caller, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            make_failed(session, make_job(session, open_api().organization_id, name="Theirs"), now=clock.moment)

        assert "Theirs" not in stranger_api.get("/overview").text
