"""`belfry health` and the processes in `belfry queue status`, for people and for programs."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.core.clock import DatabaseClock
from app.core.ids import new_id
from app.ops.heartbeats import ProcessFacts, beat
from app.ops.models import CanaryGap
from tests.cli.conftest import Terminal

PROBLEM = "The database was upgraded by a newer version."


def report(terminal: Terminal, name: str = "tower:7", *, ago: float = 0, slots: int = 5, **more: Any) -> None:
    facts = ProcessFacts(new_id(), name, "1.2.3", slots, True, "tower", 7)
    with terminal.database.transaction() as session:
        at = DatabaseClock().now(session) - timedelta(seconds=ago)
        beat(session, facts, now=at, **({"ticked_at": at, "tick_ms": 12} | more))


class TestHealth:
    def test_is_exit_status_0_while_all_is_well(self, terminal: Terminal) -> None:
        report(terminal)

        result = terminal.run("health")

        assert (result.exit_code, result.stdout) == (0, "healthy\n")

    def test_is_exit_status_1_with_the_reason_when_no_scheduler_was_heard_of_for_five_minutes(
        self, terminal: Terminal
    ) -> None:
        report(terminal, ago=301)

        result = terminal.run("health")

        assert result.exit_code == 1
        assert result.stdout.startswith("No scheduler has reported since ")

    def test_is_said_to_programs_with_remarks(self, terminal: Terminal) -> None:
        report(terminal)
        report(terminal, "old:9", problem=PROBLEM)

        said = terminal.json("health")

        remark = f"old:9 (version 1.2.3) starts nothing: {PROBLEM}"
        assert said == {"healthy": True, "problem": None, "remarks": [remark]}

    def test_names_what_is_wrong_with_the_database(self, terminal: Terminal) -> None:
        with terminal.database.transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        result = terminal.run("health", "--json")

        assert result.exit_code == 1
        assert "newer version of Belfry" in json.loads(result.stdout)["problem"]


class TestQueueStatus:
    def test_shows_who_does_the_work(self, terminal: Terminal) -> None:
        report(terminal, running=2)

        said = terminal.run("queue", "status").stdout

        assert "tower:7: 0 of 5 slots in use, version 1.2.3, last report 20" in said
        assert "took 12 ms" in said

    def test_says_who_starts_nothing_and_why(self, terminal: Terminal) -> None:
        report(terminal, problem=PROBLEM, is_stopping=True)

        said = terminal.run("queue", "status").stdout

        assert f"stopping. It starts nothing: {PROBLEM}" in said

    def test_tells_programs_all_of_it(self, terminal: Terminal) -> None:
        report(terminal, running=2)

        (process,) = terminal.json("queue", "status")["processes"]

        assert (process["host"], process["pid"], process["running"], process["tick_ms"]) == ("tower", 7, 0, 12)


class TestJobs:
    def test_are_made_with_what_follows_a_lost_worker(self, terminal: Terminal) -> None:
        step = {"name": "Ask", "method": "GET", "url": "https://example.com/"}
        words = ["--kind", "workflow", "--definition", json.dumps({"steps": [step]}), "--when-lost", "fail"]
        terminal.json("jobs", "create", "Ask", *words)

        (job,) = [job for job in terminal.json("jobs", "list") if job["name"] == "Ask"]

        assert job["when_lost"] == "fail"

    def test_explain_the_choice(self, terminal: Terminal) -> None:
        said = " ".join(terminal.run("jobs", "create", "--help").stdout.split())

        assert "If its worker dies or loses touch in the middle" in said


class TestDeepHealth:
    def test_says_how_far_the_canary_came(self, terminal: Terminal) -> None:
        result = terminal.run("health", "--deep")

        # Those of the tests have none.
        assert result.stdout.splitlines() == [
            "ok        an event waits to be told: none",
            "ok        a message waits to be sent: none",
        ]
        assert result.exit_code == 0

    def test_is_exit_status_1_when_it_does_not_come_through(
        self, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BELFRY_CANARY", "on")

        result = terminal.run("health", "--deep")

        assert result.exit_code == 1
        assert result.stdout.splitlines()[0] == "TOO LATE  a run was planned: never"

    def test_tells_gaps(self, terminal: Terminal) -> None:
        with terminal.database.transaction() as session:
            now = DatabaseClock().now(session)
            began_at, ended_at = now - timedelta(hours=2), now - timedelta(hours=1)
            session.add(CanaryGap(began_at=began_at, ended_at=ended_at, cause="off"))
            session.add(CanaryGap(began_at=now, ended_at=None, cause="failed"))

        said = terminal.run("health", "--deep").stdout.splitlines()
        assert said[2].startswith("gap       since ")
        assert said[2].endswith(" UTC: its runs failed")
        assert said[3].endswith(" UTC: nothing ran that keeps time")
        assert [gap["cause"] for gap in terminal.json("health", "--deep")["gaps"]] == ["failed", "off"]
