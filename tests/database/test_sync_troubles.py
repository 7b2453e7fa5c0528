"""Every trouble of Meta ends a run in its class, after its number of requests, with its event and its state."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.events.models import Event
from app.ops.why.answers import why_schedule
from app.ops.why.reasons import in_utc
from app.runs.retries import MOST_DEFERRALS
from app.schedules.models import Schedule
from app.tenants.models import AuditEntry
from tests.database.sync_world import SyncWorld
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.meta.scenarios import TOKEN

REFUSED = ["connection.refused"]


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database)


def fail(syncs: SyncWorld, fault: str, *, route: str = "insights", **options: Any) -> None:
    syncs.world.fail("meta", fault, **{"times": None, "match": {"route": route}} | options)


def told(syncs: SyncWorld) -> list[str]:
    """The events about connections and their figures."""
    with syncs.database.reading() as session:
        return list(session.scalars(select(Event.kind).where(Event.topic == "connections").order_by(Event.id)))


class TestEndsARun:
    """One request for the account, and one for its figures: what asking again cannot mend is not asked again."""

    @pytest.mark.parametrize(
        ("fault", "variant", "trouble", "error_class", "events"),
        [
            ("expired_token", None, "auth_expired", "refused", REFUSED),
            ("revoked", "460", "auth_revoked", "refused", REFUSED),
            ("revoked", "467", "auth_revoked", "refused", REFUSED),
            ("revoked", "458", "auth_revoked", "refused", REFUSED),
            ("revoked", "493", "auth_revoked", "refused", REFUSED),
            ("no_permission", "10", "permission_missing", "refused", REFUSED),
            ("no_permission", "200", "permission_missing", "refused", REFUSED),
            ("no_permission", "100-33", "permission_missing", "refused", REFUSED),
            ("blocked", None, "account_unavailable", "refused", REFUSED),
        ],
    )
    def test_and_its_connection(self, syncs, fault, variant, trouble, error_class, events) -> None:
        fail(syncs, fault, variant=variant)

        run = syncs.sync()

        (attempt,) = syncs.attempts(run.id)
        assert (run.state, attempt.error_class, attempt.result["trouble"]["class"]) == ("failed", error_class, trouble)
        assert (syncs.routes, told(syncs), syncs.table()) == (["account", "insights"], events, set())
        assert syncs.connection().state == "refused"

    @pytest.mark.parametrize("status", [2, 3, 7, 101])
    def test_of_an_account_that_is_not_active_with_one_request(self, syncs: SyncWorld, status: int) -> None:
        fail(syncs, "account_state", route="account", status=status)

        run = syncs.sync()

        assert (run.state, syncs.routes, told(syncs)) == ("failed", ["account"], REFUSED)
        assert "Meta says that this ad account is" in (run.error or "")

    @pytest.mark.parametrize(
        ("fault", "options"),
        [("currency_change", {"currency": "EUR"}), ("zone_change", {"zone": "America/New_York"})],
    )
    def test_whose_account_means_other_days_or_money(self, syncs: SyncWorld, fault: str, options: Any) -> None:
        syncs.sync()
        before = syncs.everything()
        fail(syncs, fault, route="account", **options)

        asked = len(syncs.routes)

        run = syncs.sync()

        assert (run.state, syncs.attempts(run.id)[0].error_class) == ("failed", "rejected")
        assert (syncs.routes[asked:], syncs.report(run.id)["trouble"]) == (["account"], {"class": "data_quality"})
        assert (syncs.everything(), syncs.connection().state, told(syncs)) == (before, "connected", [])

    def test_that_this_version_cannot_understand(self, syncs: SyncWorld) -> None:
        fail(syncs, "zone_change", route="account", zone="Mars/Olympus")

        run = syncs.sync()

        assert (run.state, syncs.report(run.id)["trouble"]["class"]) == ("failed", "internal")
        assert (syncs.connection().state, told(syncs)) == ("connected", [])


class TestARefusedLogin:
    def test_switches_the_schedules_of_its_connection_off_and_says_why(self, syncs: SyncWorld) -> None:
        fail(syncs, "revoked", variant="460")

        syncs.sync()

        (schedule,) = syncs.rows(Schedule)
        assert not schedule.enabled
        assert schedule.switched_by == "Belfry, because its connection can no longer be read"

    def test_is_why_a_schedule_does_not_run(self, syncs: SyncWorld) -> None:
        fail(syncs, "revoked", variant="460")
        syncs.sync()

        with syncs.database.reading() as session:
            telling = in_utc(syncs.world.now)
            why = why_schedule(
                session, organization_id=syncs.organization_id, schedule_id=syncs.schedule_id, telling=telling
            )

        at = f"{syncs.world.now:%Y-%m-%d %H:%M:%S} UTC"
        assert why.words == (
            f"It is off: Belfry switched it off at {at}, because its connection can no longer be read. "
            "Reconnect its account, and enable it again."
        )

    def test_is_told_once_by_any_number_of_runs(self, syncs: SyncWorld) -> None:
        fail(syncs, "expired_token")
        waiting = syncs.ready_run()
        syncs.sync()
        asked = len(syncs.world.asked)

        run = syncs.attempt(waiting)

        assert (run.state, len(syncs.world.asked), told(syncs)) == ("failed", asked, REFUSED)
        assert "is refused" in (run.error or "")

    def test_leaves_the_schedules_of_other_connections_on(self, syncs: SyncWorld) -> None:
        other = syncs.schedule_for(syncs.connect("2002"))
        fail(syncs, "revoked", variant="460")

        syncs.sync()

        assert {row.id: row.enabled for row in syncs.rows(Schedule)} == {syncs.schedule_id: False, other: True}

    def test_says_nothing_when_the_run_is_no_longer_its_own(self, syncs: SyncWorld) -> None:
        fail(syncs, "revoked", variant="460")
        run_id = syncs.ready_run()

        syncs.lose_while_reading(run_id)

        assert (told(syncs), syncs.connection().state) == ([], "connected")


class TestPassesByItself:
    @pytest.mark.parametrize(
        ("fault", "options", "error_class"),
        [
            ("5xx", {"variant": "1"}, "server"),
            ("5xx", {"variant": "2"}, "server"),
            ("5xx", {"variant": "html"}, "server"),
            ("5xx", {"variant": "transient"}, "server"),
            ("slow", {}, "network"),
            ("slow", {"variant": "drip"}, "network"),
            ("truncated", {"variant": "reset"}, "network"),
            ("truncated", {"variant": "garbage"}, "server"),
        ],
    )
    def test_and_the_run_is_tried_again(self, syncs: SyncWorld, fault: str, options: Any, error_class: str) -> None:
        fail(syncs, fault, times=4, **options)

        run = syncs.sync()

        (attempt,) = syncs.attempts(run.id)
        assert (run.state, run.reason, attempt.error_class) == ("waiting_retry", "error", error_class)
        assert (run.attempt, syncs.routes) == (1, ["account", *["insights"] * 4])
        assert run.ready_at == syncs.world.now + timedelta(minutes=10)
        assert (syncs.sync_at_last(run.id).state, syncs.table()) == ("succeeded", syncs.oracle())


class TestLimits:
    @pytest.mark.parametrize("code", ["4", "17", "32", "613", "80000", "80004"])
    def test_put_the_run_off_without_using_a_try(self, syncs: SyncWorld, code: str) -> None:
        fail(syncs, "rate_limit_nohint", variant=code, times=1)

        run = syncs.sync()

        assert (run.state, run.reason, run.attempt) == ("waiting_retry", "deferred", 0)
        assert run.ready_at == syncs.world.now + timedelta(minutes=5)
        assert (syncs.routes, told(syncs)) == (["account", "insights"], [])

    @pytest.mark.parametrize(("regain", "trouble"), [(3, "rate_limited"), (31, "quota_exhausted")])
    def test_that_say_when_they_end_are_waited_for_as_long(self, syncs: SyncWorld, regain: int, trouble: str) -> None:
        fail(syncs, "rate_limit_hint", regain=regain, times=1)

        run = syncs.sync()

        (attempt,) = syncs.attempts(run.id)
        assert (attempt.state, attempt.result["trouble"]["class"]) == ("released", trouble)
        assert run.ready_at == attempt.come_back_at == syncs.world.now + timedelta(minutes=regain)

    def test_that_are_nearly_reached_put_it_off_before_meta_does(self, syncs: SyncWorld) -> None:
        fail(syncs, "near_limit", percent=96, regain=12, times=1)

        run = syncs.sync()

        assert (run.reason, run.ready_at) == ("deferred", syncs.world.now + timedelta(minutes=12))

    def test_go_on_where_the_run_stopped_and_report_it_as_one(self, syncs: SyncWorld) -> None:
        fail(syncs, "rate_limit_hint", regain=5, times=1, match={"route": "insights", "nth": 3})
        run = syncs.sync()
        landed = syncs.report(run.id)["rows_seen"]
        first = len(syncs.routes)

        done = syncs.sync_at_last(run.id)

        report = syncs.report(run.id)
        assert (done.state, done.attempt, syncs.table()) == ("succeeded", 1, syncs.oracle())
        assert 0 < landed < report["rows_seen"] == len(syncs.oracle()) == report["rows_changed"]
        assert (report["requests"], report["throttles"]) == (len(syncs.routes), 1)
        assert syncs.routes[first:] == ["account", *["insights"] * 6]

    def test_that_never_end_use_up_the_tries_at_last(self, syncs: SyncWorld) -> None:
        fail(syncs, "rate_limit_nohint")
        run_id = syncs.ready_run()

        run = syncs.sync_at_last(run_id)

        assert (run.state, run.attempt, run.token) == ("failed", 3, MOST_DEFERRALS + 3)


class TestReports:
    def test_that_take_long_are_gone_on_with_later(self, syncs: SyncWorld) -> None:
        fail(syncs, "too_large", times=1)
        syncs.world.fail("meta", "async_running", polls=6)
        run = syncs.sync()
        assert (run.state, run.reason) == ("waiting_retry", "deferred")

        done = syncs.sync_at_last(run.id)

        assert (done.state, syncs.table()) == ("succeeded", syncs.oracle())
        ordered = [asked for asked in syncs.world.requests("report_start") if "campaign_name" in asked.body]
        assert len({asked.body for asked in ordered}) == len(ordered)

    def test_that_meta_threw_away_meanwhile_are_ordered_anew(self, syncs: SyncWorld) -> None:
        fail(syncs, "too_large", times=1)
        syncs.world.fail("meta", "async_running", polls=6)
        run = syncs.sync()
        syncs.world.provider("meta").reports.clear()

        done = syncs.sync_at_last(run.id)

        assert (done.state, syncs.table()) == ("succeeded", syncs.oracle())


class TestSecrets:
    def test_stand_in_no_log_and_no_row_but_sealed(self, syncs: SyncWorld, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        fail(syncs, "echo", text=f"Malformed access token {TOKEN}", times=1)
        run = syncs.sync()
        fail(syncs, "revoked", variant="460")
        syncs.sync_at_last(run.id) if run.finished_at is None else syncs.sync()

        assert TOKEN[:25] not in syncs.whole_database()
        assert TOKEN[:25] not in caplog.text

    def test_opened_are_noted_for_each_attempt(self, syncs: SyncWorld) -> None:
        fail(syncs, "rate_limit_nohint", times=1)
        run = syncs.sync_at_last()

        with syncs.database.reading() as session:
            entries = list(session.scalars(select(AuditEntry).where(AuditEntry.action == "connection.opened")))
        assert [str(run.id) in entry.summary for entry in entries] == [True, True]
