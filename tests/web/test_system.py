"""The system page: how the installation stands, pausing all of it, and the file for somebody who helps."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.core.clock_words import absolute_time
from app.core.demo import SENTENCE
from app.core.ids import new_id
from app.core.scopes import PLATFORM
from app.core.version import VERSION
from app.edge.runtime import EXTENSION
from app.ops.heartbeats import ProcessFacts, beat
from app.ops.models import CanaryGap, CanaryState
from app.runs.switches import list_switches, pause_queue
from app.schedules.stops import current_stop
from tests.factories.outcomes import make_running
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser, OpenBrowser
from tests.web.test_scheduling import text_of

PAGE = "/admin/system"


def report(database: OpenDatabase, clock: ManualClock, *, version: str = "0.1.0", **more: Any) -> None:
    facts = ProcessFacts(new_id(), "worker-1:42", version, 5, True, host="worker-1", pid=42)
    with database.transaction() as session:
        beat(session, facts, now=clock.moment, ticked_at=clock.moment, tick_ms=12, **more)


class TestADemo:
    @pytest.fixture
    def demo(self, app: Flask) -> None:
        runtime = app.extensions[EXTENSION]
        app.extensions[EXTENSION] = replace(runtime, settings=replace(runtime.settings, is_demo=True))

    @pytest.mark.parametrize("path", ["/", "/schedules", "/runs", "/connections", "/data", PAGE, "/nowhere"])
    def test_is_marked_on_every_page(self, demo: None, platform_admin: Browser, path: str) -> None:
        assert SENTENCE in text_of(platform_admin, path)

    def test_is_marked_before_anybody_signed_in(self, demo: None, anonymous: Browser) -> None:
        assert SENTENCE in text_of(anonymous, "/login")

    def test_is_told_by_the_api(self, demo: None, platform_admin: Browser) -> None:
        assert platform_admin.get("/api/v1/admin/system").json["data"]["is_demo"] is True

    def test_is_nothing_else(self, platform_admin: Browser) -> None:
        assert "Demo data" not in text_of(platform_admin, "/")
        assert platform_admin.get("/api/v1/admin/system").json["data"]["is_demo"] is False


class TestThePage:
    def test_is_for_platform_admins_alone(self, owner: Browser) -> None:
        assert owner.visit(PAGE).status_code == 403
        assert f'href="{PAGE}"' not in owner.visit("/").text

    def test_tells_of_processes_with_memory_and_runs(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        report(database, clock, running=1, memory_mib=123)
        with database.transaction() as session:
            job = make_job(session, platform_admin.organization_id, name="Nightly export")
            make_running(session, job, now=clock.moment)

        text = text_of(platform_admin, PAGE)

        assert "Keeping time" in text
        assert "123 MiB" in text
        assert "1 of 5" in text
        assert "Nightly export, workflow" in text or "Nightly export, code" in text

    def test_says_how_to_start_a_scheduler_that_is_down(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        report(database, clock)
        clock.advance(minutes=10)

        text = text_of(platform_admin, PAGE)

        assert "State Down" in text
        assert "start one with belfry up" in text

    def test_tells_of_what_serves_pages(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        for number, ago in ((7, 0), (8, 40)):
            facts = ProcessFacts(new_id(), f"web-1:{number}", VERSION, 0, False, host="web-1", pid=number)
            with database.transaction() as session:
                beat(session, facts, now=clock.moment - timedelta(seconds=ago), ticked_at=None, tick_ms=None)

        text = text_of(platform_admin, PAGE)

        assert "No worker and no scheduler is running" in text
        assert "web-1:7 OK Pages" in text
        assert "web-1:8 Silent Pages" in text
        assert "Two versions" not in text

    def test_names_versions_that_differ(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        report(database, clock, version="9.9.9")

        assert "other processes of 9.9.9" in text_of(platform_admin, PAGE)

    def test_says_what_is_kept_and_when_old_rows_go(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        report(database, clock)
        clock.advance(seconds=80)

        found = text_of(platform_admin, PAGE)

        assert "Runs and their logs 365 days · events 30 days" in found
        # A minute after the start, and then every hour.
        assert f"about {_clock(clock, timedelta(seconds=3_580))}" in found


def _clock(clock: ManualClock, ahead: timedelta) -> str:
    return absolute_time(clock.moment + ahead, zone="Europe/Riga", now=clock.moment)


class TestPausing:
    def test_asks_with_the_consequences(self, platform_admin: Browser) -> None:
        page, dialog = platform_admin.visit(f"{PAGE}/pause").text, _in_dialog(platform_admin)

        assert "No schedule of any organization starts anything" in page
        assert 'id="dialog-title">Pause everything?' in dialog
        assert "<html" not in dialog

    def test_stops_scheduling_and_every_queue(self, platform_admin: Browser, database: OpenDatabase) -> None:
        platform_admin.send(f"{PAGE}/pause", {"reason": "Moving house", "queues": "yes"})

        with database.reading(PLATFORM) as session:
            stop, switches = current_stop(session), list_switches(session)
        assert stop is not None
        assert {row.paused_at for row in switches} == {stop.stopped_at}
        assert {"sync", "workflow", "code"} <= {row.name for row in switches}

    def test_leaves_the_queues_open_where_that_is_wanted(self, platform_admin: Browser, database: OpenDatabase) -> None:
        platform_admin.send(f"{PAGE}/pause", {"reason": "Moving house"})

        with database.reading(PLATFORM) as session:
            assert list_switches(session) == []

    @pytest.mark.parametrize(
        ("queues", "words"),
        [
            ({"queues": "yes"}, "all queues are paused: runs by hand wait, too"),
            ({}, "Nothing is planned; runs by hand still start."),
        ],
    )
    def test_tells_everybody_whether_runs_by_hand_start(
        self, platform_admin: Browser, owner: Browser, queues: dict[str, str], words: str
    ) -> None:
        platform_admin.send(f"{PAGE}/pause", {"reason": "Moving house"} | queues)

        assert [words in owner.visit(path).text for path in ("/", "/runs", "/live/scheduling")] == [True] * 3

    def test_tells_of_single_queues_that_are_paused_and_refreshes_the_banner(
        self, platform_admin: Browser, owner: Browser
    ) -> None:
        platform_admin.send(f"{PAGE}/pause", {"reason": "Moving house"})
        before = owner.visit("/live").json["health"]
        platform_admin.send("/queue/code/pause")

        assert owner.visit("/live").json["health"] != before
        assert "1 queue is paused: runs by hand wait there, and start in the other queues." in owner.visit("/").text

    def test_needs_a_reason(self, platform_admin: Browser, database: OpenDatabase) -> None:
        answer = platform_admin.send(f"{PAGE}/pause", {"reason": " ", "queues": "yes"})

        assert answer.status_code == 422
        with database.reading(PLATFORM) as session:
            assert (current_stop(session), list_switches(session)) == (None, [])

    def test_ends_with_all_but_what_was_paused_before(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction(PLATFORM) as session:
            pause_queue(session, actor=platform_admin.actor, name="code", now=clock.moment - timedelta(hours=1))
        platform_admin.send(f"{PAGE}/pause", {"reason": "Moving house", "queues": "yes"})

        answer = platform_admin.send(f"{PAGE}/resume")

        assert answer.status_code == 303
        with database.reading(PLATFORM) as session:
            assert current_stop(session) is None
            assert [row.name for row in list_switches(session)] == ["code"]

    @pytest.mark.parametrize("path", [f"{PAGE}/pause", f"{PAGE}/resume", f"{PAGE}/pause/undo"])
    def test_is_for_platform_admins_alone(self, owner: Browser, path: str) -> None:
        assert owner.send(path, {"reason": "Mine"}).status_code == 403


class TestTakingAPauseBack:
    def test_ends_all_that_it_paused(self, platform_admin: Browser, database: OpenDatabase) -> None:
        platform_admin.send(f"{PAGE}/pause", {"reason": "Moving house", "queues": "yes"})

        platform_admin.send(_undo_of(platform_admin))

        with database.reading(PLATFORM) as session:
            assert (current_stop(session), list_switches(session)) == (None, [])
        assert "Everything goes on, as it was before." in platform_admin.visit(PAGE).text

    def test_leaves_the_stop_of_somebody_else(
        self, platform_admin: Browser, open_browser: OpenBrowser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        other = open_browser(email="abel@example.com", is_platform_admin=True)
        other.send("/scheduling/stop", {"reason": "Restoring, do not start"})
        clock.advance(minutes=1)
        platform_admin.send(f"{PAGE}/pause", {"reason": "Power", "queues": "yes"})
        undo, said = _undo_of(platform_admin), text_of(platform_admin, PAGE)

        platform_admin.send(undo)

        assert "Scheduling was stopped already." in said
        assert "Everything is paused" not in said
        with database.reading(PLATFORM) as session:
            stop = current_stop(session)
            assert list_switches(session) == []
        assert stop is not None
        assert (stop.stopped_by, stop.reason) == ("abel@example.com", "Restoring, do not start")

    def test_leaves_what_was_paused_anew(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        platform_admin.send(f"{PAGE}/pause", {"reason": "Power", "queues": "yes"})
        undo = _undo_of(platform_admin)
        platform_admin.send(f"{PAGE}/resume")
        clock.advance(minutes=1)
        platform_admin.send(f"{PAGE}/pause", {"reason": "Power again", "queues": "yes"})

        platform_admin.send(undo)

        with database.reading(PLATFORM) as session:
            assert current_stop(session) is not None
            assert "code" in {row.name for row in list_switches(session)}
        assert "Nothing of that is paused any more." in platform_admin.visit(PAGE).text

    def test_needs_to_know_which(self, platform_admin: Browser) -> None:
        assert platform_admin.send(f"{PAGE}/pause/undo?at=yesterday").status_code == 422


def _undo_of(browser: Browser) -> str:
    """Where the Undo of the notice leads that waits for the next page."""
    with browser.session_transaction() as cookie:
        [(_kind, said)] = cookie["_flashes"]
    return str(said["action"]["url"])


def _in_dialog(browser: Browser) -> str:
    headers = {"HX-Target": "dialog#dialog"}
    return str(browser.visit(f"{PAGE}/pause", htmx=True, headers=headers).text)


class TestDiagnostics:
    def test_are_a_file_without_secrets_and_names(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        report(database, clock)
        with database.transaction() as session:
            make_job(session, platform_admin.organization_id, name="Canary job")

        answer = platform_admin.visit(f"{PAGE}/diagnostics")

        found = json.loads(answer.text)
        settings = platform_admin.application.extensions["belfry"].settings
        secrets = [settings.secret_key, settings.database_url, settings.broker_url, *settings.vault_keys]
        assert "attachment" in answer.headers["Content-Disposition"]
        assert [one for one in (*secrets, "Canary job", "@example.com") if one and one in answer.text] == []
        assert found["database"]["engine"] in {"SQLite", "PostgreSQL"}
        assert found["settings"]["retention_days"] == 365
        assert [row["name"] for row in found["processes"]] == ["worker-1:42"]


class TestTheCanary:
    def test_is_off_in_these_tests_and_says_so(self, platform_admin: Browser) -> None:
        said = text_of(platform_admin, PAGE)

        assert "so only what waits is looked at." in said
        assert "an event waits to be told: none" in said

    def test_is_shown_hop_by_hop_with_its_gaps(
        self, app: Flask, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        runtime = app.extensions[EXTENSION]
        app.extensions[EXTENSION] = replace(runtime, settings=replace(runtime.settings, canary=True))
        now = clock.moment
        with database.transaction() as session:
            session.add(CanaryState(id=1, began_at=now - timedelta(days=40), looked_at=now, ping_error="Answered 404."))
            session.add(CanaryGap(began_at=now - timedelta(hours=5), ended_at=now - timedelta(hours=2), cause="off"))
            session.add(CanaryGap(began_at=now - timedelta(minutes=9), ended_at=None, cause="not_started"))

        said = text_of(platform_admin, PAGE)

        assert "a run was planned: never" in said
        assert "Answered 404." in said
        assert "2 gaps, 3 h 9 min in all, one goes on." in said
        assert "3 h: nothing ran that keeps time" in said
        assert "now: its runs were not started" in said
        told = platform_admin.get("/api/v1/admin/system").json["data"]["canary"]
        assert (told["on"], told["well"], [gap["cause"] for gap in told["gaps"]]) == (
            True,
            False,
            ["not_started", "off"],
        )
