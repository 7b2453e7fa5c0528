"""Every trouble of Google Sheets ends a push in its class, after its number of requests, with its event and state.

Whatever it is, the tab says what it said before.
"""

import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.events.models import Event
from app.runs.models import LogLine, Run
from app.schedules.models import Schedule
from app.syncs.models import Connection
from tests.database.push_world import PushWorld
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.google.keys import SECRETS
from tests.fakes.providers.sheets.fake import PER_MINUTE

REFUSED = ["connection.refused"]


@pytest.fixture
def pushes(database: OpenDatabase) -> PushWorld:
    pushes = PushWorld(database)
    pushes.sync()
    pushes.push(days=3)
    # There is something to write again.
    pushes.change_plan(days=9)
    pushes.world.asked.clear()
    return pushes


def fail(pushes: PushWorld, fault: str, *, provider: str = "sheets", **options: Any) -> None:
    pushes.world.fail(provider, fault, **{"times": None} | options)


def told(pushes: PushWorld) -> list[str]:
    with pushes.database.reading() as session:
        return list(session.scalars(select(Event.kind).where(Event.topic == "connections").order_by(Event.id)))


def sheet(pushes: PushWorld) -> Connection:
    with pushes.database.reading() as session:
        return session.get_one(Connection, pushes.sheet_id)


def trouble_of(pushes: PushWorld, run: Run) -> str:
    return str(pushes.report(run.id)["trouble"]["class"])


class TestEndsAPush:
    @pytest.mark.parametrize(
        ("fault", "options", "trouble", "error_class", "requests", "events"),
        [
            # A token may end before its time, so another one is asked for, once.
            ("expired_token", {}, "auth_expired", "refused", 2, REFUSED),
            ("no_permission", {}, "permission_missing", "refused", 1, REFUSED),
            ("no_permission", {"variant": "404"}, "account_unavailable", "refused", 1, REFUSED),
            ("no_permission", {"variant": "disabled"}, "setup_error", "rejected", 1, []),
            ("account_state", {}, "account_unavailable", "refused", 1, REFUSED),
            ("office_file", {}, "setup_error", "rejected", 1, []),
            ("protected", {"match": {"route": "batch_update", "nth": 2}}, "setup_error", "rejected", 5, []),
            ("unknown_400", {}, "internal", "job", 1, []),
        ],
    )
    def test_that_asking_again_cannot_mend(
        self, pushes: PushWorld, fault: str, options: Any, trouble: str, error_class: str, requests: int, events: Any
    ) -> None:
        fail(pushes, fault, **options)
        before = pushes.seen()

        run = pushes.push()

        (attempt,) = pushes.attempts(run.id)
        assert (run.state, attempt.error_class, trouble_of(pushes, run)) == ("failed", error_class, trouble)
        assert (len(pushes.asked), told(pushes), pushes.seen()) == (requests, events, before)
        assert sheet(pushes).state == ("refused" if events else "connected")

    @pytest.mark.parametrize(
        ("fault", "variant", "trouble"),
        [
            ("revoked", "signature", "auth_revoked"),
            ("revoked", "account", "auth_revoked"),
            ("revoked", "expired", "auth_revoked"),
        ],
    )
    def test_whose_key_google_no_longer_takes(self, pushes: PushWorld, fault: str, variant: str, trouble: str) -> None:
        fail(pushes, fault, provider="google", variant=variant)

        run = pushes.push()

        assert (run.state, trouble_of(pushes, run), pushes.asked) == ("failed", trouble, [])
        assert (sheet(pushes).state, told(pushes)) == ("refused", REFUSED)

    def test_names_the_address_to_share_the_spreadsheet_with(self, pushes: PushWorld) -> None:
        fail(pushes, "no_permission", variant="writes", match={"route": "batch_update"})

        run = pushes.push()

        assert f"Share it with {pushes.email} as Editor" in (run.error or "")

    def test_switches_the_schedules_of_the_spreadsheet_off_and_no_others(self, pushes: PushWorld) -> None:
        fail(pushes, "no_permission")

        pushes.push()

        enabled = {row.id: row.enabled for row in pushes.rows(Schedule)}
        assert enabled == {pushes.schedule_id: True, pushes.push_schedule_id: False}

    def test_whose_headings_somebody_changed(self, pushes: PushWorld) -> None:
        pushes.world.mutate("sheets", book=pushes.spreadsheet, tab="Spend", cell="E1", text="Spend €")
        before = pushes.seen()

        run = pushes.push()

        (attempt,) = pushes.attempts(run.id)
        assert (run.state, attempt.error_class, pushes.seen()) == ("failed", "rejected", before)
        assert "E1 says “Spend €”, where Belfry wrote “Spend”" in (run.error or "")
        assert (sheet(pushes).state, pushes.asked) == ("connected", ["get", "values_get"])


class TestPassesByItself:
    @pytest.mark.parametrize("route", ["get", "values_get", "batch_update", "values_batch_update"])
    @pytest.mark.parametrize(
        ("fault", "options", "error_class"),
        [
            ("5xx", {}, "server"),
            ("5xx", {"variant": "503"}, "server"),
            ("5xx", {"variant": "html"}, "server"),
            ("slow", {}, "network"),
            ("truncated", {"variant": "garbage"}, "server"),
        ],
    )
    def test_and_the_run_is_tried_again(
        self, pushes: PushWorld, fault: str, options: Any, error_class: str, route: str
    ) -> None:
        before = pushes.seen()
        fail(pushes, fault, match={"route": route}, **options)

        run = pushes.push()

        (attempt,) = pushes.attempts(run.id)
        assert (run.state, attempt.error_class, pushes.seen()) == ("waiting_retry", error_class, before)
        pushes.world.faults.clear()
        assert (pushes.sync_at_last(run.id).state, len(pushes.book.tabs)) == ("succeeded", 2)

    def test_when_fewer_cells_were_taken_than_sent(self, pushes: PushWorld) -> None:
        before = pushes.seen()
        fail(pushes, "truncated_page", times=1)

        run = pushes.push()

        assert (run.state, trouble_of(pushes, run), pushes.seen()) == ("waiting_retry", "transient", before)
        done = pushes.sync_at_last(run.id)
        assert (done.state, len(pushes.book.tabs)) == ("succeeded", 2)

    def test_when_a_token_ends_before_its_time(self, pushes: PushWorld) -> None:
        fail(pushes, "expired_token", times=1, match={"route": "values_batch_update"})

        run = pushes.push()

        assert (run.state, sheet(pushes).state) == ("succeeded", "connected")


class TestLimits:
    def test_of_a_minute_are_waited_for_in_place(self, pushes: PushWorld) -> None:
        fail(pushes, "rate_limit_nohint", times=2)
        started = pushes.world.now

        run = pushes.push()

        assert (run.state, pushes.report(run.id)["throttles"]) == ("succeeded", 2)
        assert pushes.world.now - started == timedelta(minutes=2)

    def test_that_do_not_end_put_the_run_off(self, pushes: PushWorld) -> None:
        before = pushes.seen()
        fail(pushes, "rate_limit_nohint")

        run = pushes.push()

        assert (run.state, run.reason, run.attempt, pushes.seen()) == ("waiting_retry", "deferred", 0, before)
        assert (run.ready_at, told(pushes)) == (pushes.world.now + timedelta(minutes=5), [])

    def test_of_the_fake_are_those_of_the_service(self, pushes: PushWorld) -> None:
        spent = {("Write", PER_MINUTE - 1)}
        for kind, count in spent:
            key = pushes.email, kind, pushes.world.now.strftime("%Y-%m-%d %H:%M")
            pushes.world.provider("sheets")._asked[key] = count

        run = pushes.push()

        assert (run.state, pushes.report(run.id)["throttles"]) == ("succeeded", 1)


class TestSecrets:
    def test_stand_in_no_log_and_no_row_but_sealed(self, pushes: PushWorld, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        token = next(iter(pushes.world.provider("google").tokens))
        fail(pushes, "echo", text=f"{token} {SECRETS[0]} {SECRETS[1]}", times=1)
        fail(pushes, "echo", provider="google", text=SECRETS[1], times=1)

        for _ in range(3):
            pushes.push()

        whole = pushes.whole_database()
        assert not any(secret in whole or secret in caplog.text for secret in (*SECRETS, "ya29."))


def test_a_push_says_what_was_changed_by_hand(pushes: PushWorld) -> None:
    pushes.world.mutate("sheets", book=pushes.spreadsheet, tab="Spend", cell="E3", text="99999")

    run = pushes.push(days=3)

    with pushes.database.reading() as session:
        lines = list(session.scalars(select(LogLine.text).where(LogLine.run_id == run.id)))
    assert any("had been changed by hand" in line for line in lines)
    assert pushes.report(run.id)["cells_changed"] == 1
