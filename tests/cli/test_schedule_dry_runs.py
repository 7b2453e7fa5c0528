"""`--dry-run` of the commands on schedules, and how schedules are named."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cli.code_names import ScheduleNameUnclear
from app.core.errors import AppError, Invalid
from app.runs.models import Run
from app.schedules.models import Schedule
from app.schedules.queries import ScheduleNotFound
from tests.cli.conftest import Terminal
from tests.factories.work import make_job, make_organization, make_schedule

WORKFLOW = '{"steps": [{"name": "Ask", "method": "GET", "url": "https://example.com/"}]}'


@pytest.fixture
def schedule_id(terminal: Terminal) -> str:
    """An hourly one that missed three slots while it was off."""
    job = terminal.json("jobs", "create", "Ask", "--kind", "workflow", "--definition", WORKFLOW)["job"]
    words = ["--job", str(job), "--cron", "0 * * * *", "--disabled"]
    made = terminal.json("schedules", "create", "Hourly", *words)["schedule"]
    with terminal.database.transaction() as session:
        row = session.scalars(select(Schedule)).one()
        assert row.next_run_at is not None
        row.next_run_at -= timedelta(hours=3)
    return str(made)


def written(terminal: Terminal) -> Any:
    with terminal.database.reading() as session:
        row = session.execute(select(Schedule.version, Schedule.enabled, Schedule.cron, Schedule.deleted_at)).one()
        return (*row, len(session.scalars(select(Run)).all()))


COMMANDS = {
    "edit": ["--cron", "30 2 * * *", "--zone", "America/New_York"],
    "enable": ["--missed", "all"],
    "disable": [],
    "delete": [],
}


class TestADryRun:
    @pytest.mark.parametrize(("command", "words"), COMMANDS.items())
    def test_does_nothing(self, terminal: Terminal, schedule_id: str, command: str, words: list[str]):
        before = written(terminal)

        result = terminal.run("schedules", command, "Hourly", *words, "--dry-run")

        assert (result.exit_code, written(terminal)) == (0, before)
        assert result.output.startswith("Nothing is done. It would do this:")

    def test_of_an_edit_says_what_then_happens(self, terminal: Terminal, schedule_id: str):
        terminal.run("schedules", "enable", "Hourly")
        said = terminal.json("schedules", "edit", "Hourly", *COMMANDS["edit"], "--dry-run")

        terminal.run("schedules", "edit", "Hourly", *COMMANDS["edit"])

        assert said["after"] == terminal.json("schedules", "show", "Hourly")["next_runs"]
        assert said["changes"][0]["words"] == "cron: 0 * * * * → 30 2 * * *"

    @pytest.mark.parametrize("missed", ["skip", "latest", "all"])
    def test_of_switching_on_says_what_then_happens(self, terminal: Terminal, schedule_id: str, missed: str):
        said = terminal.json("schedules", "enable", "Hourly", "--missed", missed, "--dry-run")["missed"]

        done = terminal.json("schedules", "enable", "Hourly", "--missed", missed)

        assert (said["slots"], len(said["runs"])) == (done["missed"], done["started"])
        assert (0 if said["lost"] is None else said["lost"]["count"]) == done["left"]

    def test_of_a_restore_says_what_then_happens(self, terminal: Terminal, schedule_id: str):
        terminal.run("schedules", "edit", "Hourly", "--cron", "30 2 * * *")
        text = terminal.run("schedules", "restore", "Hourly", "1", "--dry-run").output

        terminal.run("schedules", "restore", "Hourly", "1")

        assert "cron: 30 2 * * * → 0 * * * *" in text
        assert terminal.json("schedules", "show", "Hourly")["cron"] == "0 * * * *"

    def test_is_refused_as_the_command_itself(self, terminal: Terminal, schedule_id: str):
        results = [terminal.run("schedules", "edit", "Hourly", "--cron", "60 * * * *", *dry)
                   for dry in (["--dry-run"], [])]  # fmt: skip

        assert all(isinstance(result.exception, Invalid) for result in results)
        assert str(results[0].exception) == str(results[1].exception)

    def test_shows_both_zones_where_they_differ(self, terminal: Terminal, schedule_id: str):
        terminal.run("schedules", "enable", "Hourly")

        text = terminal.run("schedules", "edit", "Hourly", "--zone", "Asia/Tokyo", "--dry-run").output

        assert "NEXT RUNS NOW (UTC)" in text
        assert "AFTERWARDS (Asia/Tokyo)" in text


class TestNames:
    @pytest.mark.parametrize(
        "words", ["edit --notes x", "disable", "enable", "run", "show", "history", "gaps", "versions", "slots", "why"]
    )
    def test_serve_every_command_as_well_as_ids(self, terminal: Terminal, schedule_id: str, words: str):
        command, *rest = words.split()

        results = [terminal.run("schedules", command, name, *rest) for name in ("Hourly", schedule_id)]

        assert [result.exit_code for result in results] == [0, 0], results

    def test_in_other_letters_are_suggested(self, terminal: Terminal, schedule_id: str):
        result = terminal.run("schedules", "delete", "hourly")

        assert isinstance(result.exception, ScheduleNotFound)
        assert "Did you mean “Hourly”?" in result.exception.message

    def test_of_two_organizations_are_told_apart_by_their_organization(self, terminal: Terminal, schedule_id: str):
        with terminal.database.transaction() as session:
            other = make_schedule(session, make_job(session, make_organization(session, "Northwind")), name="Hourly")
            theirs = str(other.id)

        unclear = terminal.run("schedules", "show", "Hourly")
        shown = terminal.json("schedules", "show", "Hourly", "--organization", "Northwind")

        assert isinstance(unclear.exception, ScheduleNameUnclear)
        assert all(word in unclear.exception.message for word in ("--organization", theirs, schedule_id, "Northwind"))
        assert shown["id"] == theirs

    def test_that_one_organization_alone_has_need_no_organization(self, terminal: Terminal, schedule_id: str):
        with terminal.database.transaction() as session:
            make_organization(session, "Northwind")

        assert terminal.json("schedules", "show", "Hourly")["id"] == schedule_id

    def test_that_are_the_id_of_another_are_told_apart_by_id(self, terminal: Terminal, schedule_id: str):
        copy = terminal.json("schedules", "duplicate", "Hourly")["schedule"]
        terminal.run("schedules", "edit", copy, "--name", schedule_id)

        unclear = terminal.run("schedules", "show", schedule_id)

        assert isinstance(unclear.exception, ScheduleNameUnclear)
        assert copy in unclear.exception.message

    @pytest.mark.parametrize("name", ["", "\udce9", "x" * 10_000, "’; --", "H\x1b[2J"])
    def test_that_nothing_can_have_are_refused_in_words(self, terminal: Terminal, schedule_id: str, name: str):
        result = terminal.run("schedules", "show", name)

        assert result.exit_code == 2 or isinstance(result.exception, AppError)
