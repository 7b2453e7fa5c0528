"""`belfry system`."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from app.core.demo import SENTENCE
from app.core.ids import new_id
from app.core.scopes import PLATFORM
from app.ops.heartbeats import ProcessFacts, beat
from app.runs.switches import list_switches
from app.schedules.stops import current_stop
from tests.cli.conftest import Terminal


class TestSystem:
    def test_is_shown(self, terminal: Terminal) -> None:
        found = terminal.json("system", "show")

        assert found["database"]["engine"] in {"SQLite", "PostgreSQL"}
        assert found["keeps_time"] is False
        assert "Kept: runs and logs 365 days, events 30 days" in terminal.run("system", "show").output

    def test_tells_of_what_serves_pages(self, terminal: Terminal) -> None:
        facts = ProcessFacts(new_id(), "web-1:8", "1.1", 0, False, "web-1", 8)
        now = datetime.now(UTC)
        with terminal.database.transaction() as session:
            beat(session, facts, now=now - timedelta(minutes=1), ticked_at=None, tick_ms=None)

        found = terminal.json("system", "show")

        assert [(one["name"], one["is_silent"]) for one in found["pages"]] == [("web-1:8", True)]
        assert found["processes"] == []
        assert "Pages web-1:8: version 1.1, - MiB" in terminal.run("system", "show").output

    def test_says_of_a_demo_that_it_is_one(self, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        assert terminal.json("system", "show")["is_demo"] is False

        monkeypatch.setenv("BELFRY_DEMO", "on")
        monkeypatch.setenv("BELFRY_META_BASE_URL", "http://127.0.0.1:8091/meta")
        monkeypatch.setenv("BELFRY_GA4_BASE_URL", "http://127.0.0.1:8091/ga4")
        monkeypatch.setenv("BELFRY_GOOGLE_TOKEN_URL", "http://127.0.0.1:8091/google/token")
        monkeypatch.setenv("BELFRY_SHEETS_BASE_URL", "http://127.0.0.1:8091/sheets")
        monkeypatch.setenv("BELFRY_SHOPIFY_BASE_URL_TEMPLATE", "http://127.0.0.1:8091/shopify/{shop}")

        assert terminal.json("system", "show")["is_demo"] is True
        assert terminal.json("overview")["is_demo"] is True
        assert terminal.run("system", "show").output.startswith(f"{SENTENCE}\n")
        assert terminal.run("overview").output.startswith(f"{SENTENCE}\n")

    def test_is_paused_and_goes_on(self, terminal: Terminal) -> None:
        said = terminal.run("system", "pause", "--reason", "Moving house").output
        with terminal.database.reading(PLATFORM) as session:
            stop, switches = current_stop(session), list_switches(session)

        assert "Everything is paused." in said
        assert stop is not None
        assert (stop.reason, stop.stopped_by, bool(switches)) == ("Moving house", "command line", True)
        assert "Everything goes on." in terminal.run("system", "resume").output
        assert "Nothing was paused." in terminal.run("system", "resume").output

    def test_says_what_it_paused_beside_a_stop_that_lasts(self, terminal: Terminal) -> None:
        terminal.run("system", "pause", "--keep-queues")

        said = terminal.run("system", "pause").output

        assert "Scheduling was stopped already. Now code, sync, workflow are paused, too." in said
        assert "Everything was paused already." in terminal.run("system", "pause").output

    def test_leaves_the_queues_open_where_that_is_wanted(self, terminal: Terminal) -> None:
        terminal.run("system", "pause", "--keep-queues")

        with terminal.database.reading(PLATFORM) as session:
            assert list_switches(session) == []

    def test_tells_somebody_who_helps(self, terminal: Terminal) -> None:
        found = json.loads(terminal.run("system", "diagnostics").output)

        assert found["belfry"]["version"] == "0.1.0"
