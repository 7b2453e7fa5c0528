"""Every trouble of Google Analytics ends a run in its class, after its number of requests, with its event and state."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from app.schedules.models import Schedule
from app.syncs.ga4.error_budget import MOST_ERRORS
from tests.database.ga4_syncs import GA4, ga4_sources
from tests.database.sync_world import SyncWorld
from tests.database.test_sync_troubles import REFUSED, told
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.google.keys import PRIVATE_KEY, READER, SECRETS
from tests.unit.syncs.ga4_world import google_world

# Signing in, and what the property says of itself.
OPENED = ["token", "glance"]
# Early in the day of the property: no wait leads into the next one, in which more is known.
MORNING = utc("2026-11-20 00:30")


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database, google_world(MORNING), GA4)


def fail(syncs: SyncWorld, fault: str, *, provider: str = "ga4", route: str = "report", **options: Any) -> None:
    syncs.world.fail(provider, fault, **{"times": None, "match": {"route": route}} | options)


class TestEndsARun:
    """What asking again cannot mend is not asked again."""

    @pytest.mark.parametrize(
        ("fault", "options", "trouble", "error_class", "events", "state", "routes"),
        [
            (
                "expired_token", {}, "auth_expired", "refused", REFUSED, "refused",
                [*OPENED, "report", "token", "report"],
            ),
            ("no_permission", {}, "permission_missing", "refused", REFUSED, "refused", [*OPENED, "report"]),
            (
                "no_permission", {"variant": "disabled"}, "setup_error", "rejected", [], "connected",
                [*OPENED, "report"],
            ),
            ("invalid_field", {}, "setup_error", "rejected", [], "connected", [*OPENED, "report"]),
            ("account_state", {}, "account_unavailable", "refused", REFUSED, "refused", [*OPENED, "report"]),
            ("revoked", {"variant": "signature"}, "auth_revoked", "refused", REFUSED, "refused", ["token"]),
            ("revoked", {"variant": "account"}, "auth_revoked", "refused", REFUSED, "refused", ["token"]),
            ("revoked", {"variant": "expired"}, "auth_revoked", "refused", REFUSED, "refused", ["token"]),
            # The operator's trouble: nobody has to reconnect anything.
            ("clock_skew", {}, "clock_wrong", "rejected", [], "connected", ["token"]),
        ],
    )  # fmt: skip
    def test_in_its_class(self, syncs, fault, options, trouble, error_class, events, state, routes) -> None:
        is_sign_in = routes == ["token"]
        where = {"provider": "google", "route": "token"} if is_sign_in else {}
        fail(syncs, fault, **where, **options)

        run = syncs.sync()

        (attempt,) = syncs.attempts(run.id)
        assert (run.state, attempt.error_class, attempt.result["trouble"]["class"]) == ("failed", error_class, trouble)
        assert (syncs.routes, told(syncs), syncs.table()) == (routes, events, set())
        assert syncs.connection().state == state
        assert [row.enabled for row in syncs.rows(Schedule)] == [state == "connected"]

    def test_of_somebody_who_was_not_let_in_and_says_whom_to_let_in(self, syncs: SyncWorld) -> None:
        syncs.world.provider("ga4").properties[GA4.account].viewers.clear()

        run = syncs.sync()

        assert (run.state, syncs.routes, told(syncs)) == ("failed", OPENED, REFUSED)
        assert READER in (run.error or "")

    @pytest.mark.parametrize("fault", ["currency_change", "zone_change"])
    def test_whose_property_means_other_days_or_money(self, syncs: SyncWorld, fault: str) -> None:
        syncs.sync()
        before = syncs.everything()
        syncs.world.fail("ga4", fault, times=None)

        run = syncs.sync()

        assert (run.state, syncs.attempts(run.id)[0].error_class) == ("failed", "rejected")
        assert (syncs.everything(), syncs.connection().state, told(syncs)) == (before, "connected", [])

    def test_of_a_zone_that_this_version_does_not_know(self, syncs: SyncWorld) -> None:
        fail(syncs, "zone_change", route="glance", zone="Mars/Olympus")

        run = syncs.sync()

        assert (run.state, syncs.report(run.id)["trouble"]["class"]) == ("failed", "internal")
        assert (syncs.connection().state, told(syncs)) == ("connected", [])


class TestPassesByItself:
    @pytest.mark.parametrize(
        ("fault", "options", "error_class"),
        [
            ("5xx", {"variant": "500"}, "server"),
            ("5xx", {"variant": "503"}, "server"),
            ("5xx", {"variant": "html"}, "server"),
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
        assert (run.attempt, syncs.routes) == (1, [*OPENED, *["report"] * 4])
        assert run.ready_at == syncs.world.now + timedelta(minutes=10)
        assert (syncs.sync_at_last(run.id).state, syncs.table()) == ("succeeded", syncs.oracle())

    def test_where_a_page_lacks_rows(self, syncs: SyncWorld) -> None:
        fail(syncs, "truncated_page", times=1, offset_over=0)
        run = syncs.sync()
        assert (run.state, run.attempt, syncs.table()) == ("waiting_retry", 1, set())

        assert (syncs.sync_at_last(run.id).state, syncs.table()) == ("succeeded", syncs.oracle())

    @pytest.mark.parametrize("fault", ["reordered", "duplicate_page", "zone_change", "schema_drift"])
    def test_at_once_where_pages_do_not_fit_together(self, syncs: SyncWorld, fault: str) -> None:
        fail(syncs, fault, times=1, offset_over=0)

        run = syncs.sync()

        assert (run.state, run.attempt, syncs.table()) == ("succeeded", 1, syncs.oracle())

    @pytest.mark.parametrize("has_landed", [True, False])
    def test_no_more_often_in_an_hour_by_several_workers_together(self, syncs: SyncWorld, has_landed: bool) -> None:
        if has_landed:
            syncs.sync()
        fail(syncs, "5xx")
        before = len(syncs.routes)

        runs = []
        for _ in range(3):
            # Another process, that remembers nothing itself.
            syncs.sources = ga4_sources(syncs.world)
            runs.append(syncs.sync())

        assert syncs.routes[before:].count("report") == MOST_ERRORS
        assert [run.reason for run in runs] == ["error", "deferred", "deferred"]

    def test_only_so_often_in_an_hour_as_google_forgives(self, syncs: SyncWorld) -> None:
        fail(syncs, "5xx", times=8)
        run = syncs.sync()
        syncs.let_time_pass(run)

        run = syncs.attempt(run.id)

        (_, second) = syncs.attempts(run.id)
        assert (run.reason, second.result["trouble"]["class"]) == ("deferred", "rate_limited")
        assert run.ready_at <= MORNING + timedelta(hours=1, minutes=2)
        assert (syncs.sync_at_last(run.id).state, syncs.table()) == ("succeeded", syncs.oracle())


class TestQuotas:
    @pytest.mark.parametrize(
        ("variant", "trouble", "minutes"),
        [
            ("hour", "rate_limited", 30),
            ("project", "rate_limited", 30),
            ("thresholded", "rate_limited", 30),
            # To midnight in California it would be longer than a run is put off at once.
            ("day", "quota_exhausted", 360),
        ],
    )
    def test_put_the_run_off_without_using_a_try(self, syncs, variant, trouble, minutes) -> None:
        fail(syncs, "rate_limit_nohint", variant=variant, times=1)

        run = syncs.sync()

        (attempt,) = syncs.attempts(run.id)
        assert (run.state, run.reason, run.attempt) == ("waiting_retry", "deferred", 0)
        assert (attempt.state, attempt.result["trouble"]["class"]) == ("released", trouble)
        assert run.ready_at == syncs.world.now + timedelta(minutes=minutes)
        assert (syncs.routes, told(syncs)) == ([*OPENED, "report"], [])

    def test_that_are_nearly_reached_put_it_off_before_google_does(self, syncs: SyncWorld) -> None:
        fail(syncs, "near_limit", times=1)

        run = syncs.sync()

        assert (run.reason, run.ready_at) == ("deferred", syncs.world.now + timedelta(minutes=30))
        assert syncs.sync_at_last(run.id).state == "succeeded"

    def test_of_requests_at_the_same_time_are_waited_for_in_place(self, syncs: SyncWorld) -> None:
        fail(syncs, "rate_limit_nohint", variant="concurrent", times=1)

        assert (syncs.sync().state, syncs.table()) == ("succeeded", syncs.oracle())


class TestTheKey:
    def test_stands_in_no_log_and_no_row_but_sealed(self, syncs: SyncWorld, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        fail(syncs, "echo", text=f"Cannot sign with {PRIVATE_KEY}", times=1)
        syncs.sync()
        fail(syncs, "echo", provider="google", route="token", text=PRIVATE_KEY, times=1)
        syncs.sync()

        everything = syncs.whole_database() + caplog.text
        assert not [secret for secret in SECRETS if secret in everything]
        assert "ya29.fake" not in everything
