"""`belfry` about what code defines."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.cli.code_names import ScheduleNameUnclear
from app.runs.models import Run
from app.schedules.models import Schedule
from tests.cli.conftest import Terminal
from tests.factories.work import make_job, make_organization, make_schedule

MISTAKEN = """
from app.jobs.code import job, schedule
@job("fetch")
def fetch(*, days: int = 1): ...
schedule("nightly", "0 25 * * *", run="fetch")
"""


TYPED = """
from typing import Literal
from app.jobs.code import job
@job("lit")
def lit(*, who: str, days: Literal[7, 30] = 7, ids: list[int] = [], tags: dict[str, int] = {}): ...
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes a module of jobs, which BELFRY_JOBS names then."""

    def write_one(text: str) -> str:
        name = f"written_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("BELFRY_JOBS", name)
        return name

    return write_one


@pytest.fixture
def mistaken(write: Callable[[str], str]) -> str:
    """A module with a mistake in it, named by BELFRY_JOBS."""
    return write(MISTAKEN)


def stored(terminal: Terminal, code_id: str) -> Schedule:
    with terminal.database.reading() as session:
        return session.scalars(select(Schedule).where(Schedule.code_id == code_id)).one()


class TestChecking:
    def test_counts_what_there_is(self, terminal: Terminal):
        result = terminal.run("jobs", "check")

        assert (result.exit_code, result.output) == (0, "4 jobs and 4 schedules in code, 0 problems.\n")

    def test_lists_what_is_wrong_and_says_so_by_its_status(self, terminal: Terminal, mistaken: str):
        result = terminal.run("jobs", "check", "--json")

        assert result.exit_code == 1
        assert f'"source": "{mistaken}.py:5"' in result.output
        assert "Hour 25 does not exist" in result.output

    def test_needs_no_database(self, bare_terminal: None, settings):
        assert Terminal(None).run("jobs", "check").exit_code == 0

    def test_is_part_of_the_health(self, terminal: Terminal, mistaken: str):
        result = terminal.run("health")

        assert f"{mistaken}.py:5: Schedule “nightly”: Hour 25 does not exist" in result.stderr


class TestLoading:
    def test_puts_definitions_in_force_once(self, terminal: Terminal):
        first, second = terminal.run("jobs", "sync"), terminal.run("jobs", "sync")

        assert "Loaded definitions from code: 11 new" in first.output
        assert "Everything is as the code says." in second.output

    def test_goes_on_with_the_others(self, terminal: Terminal, mistaken: str):
        result = terminal.run("jobs", "sync", "--json")

        assert result.exit_code == 1
        assert '"added": [\n    "fetch"\n  ]' in result.output

    def test_names_what_the_database_refuses_as_the_health_does(self, terminal: Terminal, mistaken: str, tmp_path):
        (tmp_path / f"{mistaken}.py").write_text(
            'from app.jobs.code import job\n@job("pick", queue="picking")\ndef pick(): ...\n'
        )

        result, health = terminal.run("jobs", "sync"), terminal.run("health")

        words = f"{mistaken}.py:2: Job “pick”: there is no queue “picking”. It runs in “code”."
        assert (result.exit_code, words in result.output) == (1, True)
        assert words in health.stderr


class TestSchedules:
    def test_are_listed_with_where_they_stand(self, terminal: Terminal):
        terminal.run("jobs", "sync")

        found = terminal.json("schedules", "list", "--code")

        assert [row["name"] for row in found] == [
            "daily-full-sync",
            "dev-quick-test",
            "feed-refresh",
            "hourly-matching",
        ]
        assert found[0]["source"].startswith("app/jobs/examples.py:")

    def test_go_back_to_the_code(self, terminal: Terminal):
        terminal.run("jobs", "sync")
        schedule_id = str(stored(terminal, "feed-refresh").id)
        terminal.run("schedules", "edit", schedule_id, "--cron", "0 5 * * *", "--organization", "System")

        changed = terminal.json("schedules", "list", "--code")[2]["overrides"]
        words = [terminal.run("schedules", "revert", "feed-refresh").output for _ in range(2)]

        assert changed == "cron (in code */15 * * * *)"
        assert words == ["Reverted.\n", "It is as the code says already.\n"]
        assert stored(terminal, "feed-refresh").cron == "*/15 * * * *"

    def test_are_steered_by_their_name_in_code_and_by_their_id_alike(self, terminal: Terminal):
        terminal.run("jobs", "sync")
        schedule_id = str(stored(terminal, "feed-refresh").id)

        on = terminal.run("schedules", "enable", "feed-refresh").output
        states = [stored(terminal, "feed-refresh").enabled]
        terminal.run("schedules", "disable", schedule_id)
        states.append(stored(terminal, "feed-refresh").enabled)
        started = terminal.run("schedules", "run", "feed-refresh", "--organization", "System")

        assert (on, states) == ("Enabled.\n", [True, False])
        assert started.output.startswith("Started run ")

    def test_run_what_they_missed_where_that_is_said(self, terminal: Terminal):
        terminal.run("jobs", "sync")
        for verb in ("enable", "disable"):
            terminal.run("schedules", verb, "feed-refresh")
        with terminal.database.transaction() as session:
            row = session.scalars(select(Schedule).where(Schedule.code_id == "feed-refresh")).one()
            assert row.next_run_at is not None
            row.next_run_at -= timedelta(minutes=45)

        result = terminal.run("schedules", "enable", "feed-refresh", "--missed", "latest")

        assert "the latest runs now, the rest is left in a gap" in result.output

    @pytest.mark.parametrize("command", ["why", "history", "gaps"])
    def test_tell_about_themselves_by_their_name_in_code(self, terminal: Terminal, command: str):
        terminal.run("jobs", "sync")

        assert terminal.run("schedules", command, "feed-refresh").exit_code == 0

    def test_of_people_that_are_called_alike_are_meant_with_their_organization(self, terminal: Terminal):
        terminal.run("jobs", "sync")
        with terminal.database.transaction() as session:
            job = make_job(session, make_organization(session, name="Northwind"))
            make_schedule(session, job, name="feed-refresh")

        why = terminal.json("schedules", "why", "feed-refresh", "--organization", "Northwind")
        switched = terminal.run("schedules", "enable", "feed-refresh", "--organization", "Northwind")

        assert why["code"] != "paused"
        unclear = terminal.run("schedules", "why", "feed-refresh")
        assert switched.output == "Enabled.\n"
        assert isinstance(unclear.exception, ScheduleNameUnclear)
        assert "--organization" in unclear.exception.message
        assert "Northwind" in unclear.exception.message

    def test_that_nothing_is_called_are_not_found(self, terminal: Terminal):
        result = terminal.run("schedules", "disable", "nothing")

        assert "There is no schedule “nothing” here." in str(result.exception)

    def test_that_there_are_not_are_not_found(self, terminal: Terminal):
        assert "The code defines no such schedule." in str(terminal.run("schedules", "revert", "nothing").exception)


class TestJobs:
    def test_are_started_by_their_name_in_code(self, terminal: Terminal):
        terminal.run("jobs", "sync")

        result = terminal.run("jobs", "run", "example_quick_test", "--set", "seconds=0")

        assert result.output.startswith("Started run ")


class TestParameters:
    @pytest.fixture
    def job_id(self, terminal: Terminal) -> str:
        terminal.run("jobs", "sync")
        rows = terminal.json("jobs", "list", "--organization", "System")
        return next(row["id"] for row in rows if row["name"] == "example_quick_test")

    def test_are_for_one_run(self, terminal: Terminal, job_id: str):
        terminal.run("jobs", "run", job_id, "--set", "seconds=0.5", "--set", "fails=yes", "--organization", "System")

        with terminal.database.reading() as session:
            definition = session.scalars(select(Run.definition)).one()
        assert definition["arguments"] == {"seconds": 0.5, "fails": True}

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ("seconds=long", "“Seconds” has to be a number."),
            ("minutes=1", "“minutes” is not known here. Take it out."),
            ("seconds", "--set 'seconds' has no value. Write it as --set name=value."),
        ],
    )
    def test_of_the_wrong_kind_are_named(self, terminal: Terminal, job_id: str, given: str, words: str):
        result = terminal.run("jobs", "run", job_id, "--set", given, "--organization", "System")

        assert str(result.exception) == words


class TestParametersOfEveryType:
    @pytest.fixture(autouse=True)
    def typed(self, terminal: Terminal, write: Callable[[str], str]) -> None:
        write(TYPED)
        terminal.run("jobs", "sync")

    def test_are_typed_as_they_are_shown(self, terminal: Terminal):
        given = ["days=30", "ids=[1, 2]", 'tags={"a": 1}', "who=Ada"]

        result = terminal.run("jobs", "run", "lit", *(word for one in given for word in ("--set", one)))

        assert result.output.startswith("Started run ")
        with terminal.database.reading() as session:
            definition = session.scalars(select(Run.definition)).one()
        assert definition["arguments"] == {"days": 30, "ids": [1, 2], "tags": {"a": 1}, "who": "Ada"}

    def test_that_are_missing_are_named_before_anything_starts(self, terminal: Terminal):
        refused = terminal.run("jobs", "run", "lit")

        assert str(refused.exception) == "“who” is missing."
        with terminal.database.reading() as session:
            assert session.scalars(select(Run.id)).all() == []


class TestASchedulerThatIsSwitchedOff:
    def test_says_so_and_ends_well(self, bare_terminal: None, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("BELFRY_SCHEDULER_ENABLED", "false")

        result = Terminal(None).run("scheduler")

        assert result.exit_code == 0
        assert result.output.startswith("No scheduler was started: BELFRY_SCHEDULER_ENABLED is off here.")
