"""`belfry schedules bulk`, `deleted`, `undelete` and `belfry bulk`."""

from typing import Any

import pytest
from sqlalchemy import select

from app.core.errors import Conflict, Invalid, NotFound
from app.jobs.kinds.base import KindName
from app.ops.bulk.service import NotStoppable, NotUndoable
from app.schedules.models import Schedule
from tests.cli.conftest import Terminal
from tests.factories.tenants import make_member
from tests.factories.work import make_job, make_schedule

WORKFLOW = '{"steps": [{"name": "Ask", "method": "GET", "url": "https://example.com/"}]}'


@pytest.fixture
def names(terminal: Terminal) -> list[str]:
    """Three schedules, the last one tagged."""
    job = terminal.json("jobs", "create", "Ask", "--kind", "workflow", "--definition", WORKFLOW)["job"]
    for name, more in [("One", []), ("Two", []), ("Three", ["--tag", "nightly"])]:
        terminal.json("schedules", "create", name, "--job", str(job), "--cron", "0 2 * * *", *more)
    return ["One", "Two", "Three"]


def states(terminal: Terminal) -> dict[str, Any]:
    return {row["name"]: row["state"] for row in terminal.json("schedules", "list")}


class TestBulk:
    def test_changes_those_that_are_named(self, terminal: Terminal, names: list[str]):
        result = terminal.run("schedules", "bulk", "disable", "One", "Two", "--reason", "Moving house")

        assert "Disable 2 schedules: 2 of 2. 2 schedules disabled." in result.output
        assert states(terminal) == {"One": "disabled", "Two": "disabled", "Three": "enabled"}
        assert "Moving house" in terminal.run("audit", "list").output

    def test_changes_all_that_match(self, terminal: Terminal, names: list[str]):
        found = terminal.json("schedules", "bulk", "add-tag", "--all", "--with-tag", "nightly", "--tag", "late")

        assert (found["total"], found["done"]) == (1, 1)

    def test_changes_those_of_an_owner_or_a_service(self, terminal: Terminal, names: list[str]):
        with terminal.database.transaction() as session:
            one = session.scalars(select(Schedule).where(Schedule.name == "One")).one()
            make_member(session, organization_id=one.organization_id, email="ada@example.com", name="Ada")
            job = make_job(session, one.organization_id, name="Shop", kind=KindName.SYNC)
            job.service = "shopify"
            make_schedule(session, job, name="Shopify")
        terminal.json("schedules", "owner", "One", "ada@example.com")

        def tagged(*words: str) -> Any:
            return terminal.json("schedules", "bulk", "add-tag", "--all", "--tag", "x", *words, "--dry-run")[
                "schedules"
            ]

        assert tagged("--with-owner", "ada@example.com") == ["One"]
        assert sorted(tagged("--with-owner", "nobody")) == ["Shopify", "Three", "Two"]
        assert tagged("--with-service", "shopify") == ["Shopify"]

    def test_changes_those_that_are_on(self, terminal: Terminal, names: list[str]):
        terminal.run("schedules", "bulk", "disable", "Two")

        found = terminal.json("schedules", "bulk", "run", "--all", "--status", "enabled", "--dry-run")["schedules"]

        assert sorted(found) == ["One", "Three"]
        assert {row["name"] for row in terminal.json("schedules", "list", "--status", "enabled")} == {"One", "Three"}

    def test_names_what_could_not_be_and_ends_with_one(self, terminal: Terminal, names: list[str]):
        for number in range(11):
            terminal.run("schedules", "bulk", "add-tag", "Three", "--tag", f"t{number}")

        result = terminal.run("schedules", "bulk", "add-tag", "--all", "--tag", "more")

        assert result.exit_code == 1
        assert "2 schedules tagged “more”, 1 could not be." in result.output
        assert "Three: A schedule has at most 12 tags." in result.output

    def test_says_before_what_it_would_be_done_to(self, terminal: Terminal, names: list[str]):
        result = terminal.run("schedules", "bulk", "delete", "--all", "--dry-run")

        assert all(name in result.output for name in names)
        assert "For 30 days they can be restored" in result.output
        assert (len(states(terminal)), terminal.json("bulk", "list")) == (3, [])

    def test_carries_out_more_than_one_piece(self, terminal: Terminal, names: list[str]):
        job = terminal.json("jobs", "create", "Other", "--kind", "workflow", "--definition", WORKFLOW)["job"]
        for number in range(25):
            terminal.json("schedules", "create", f"N{number}", "--job", str(job), "--cron", "0 2 * * *")

        assert terminal.json("schedules", "bulk", "disable", "--all")["done"] == 28

    def test_leaves_what_is_paced_to_a_scheduler(self, terminal: Terminal, names: list[str]):
        result = terminal.run("schedules", "bulk", "disable", "--all", "--per-minute", "1")
        (row,) = terminal.json("bulk", "list")
        stopped = terminal.run("bulk", "stop", row["id"])

        assert "1 of 3" in result.output
        assert "It goes on by itself." in result.output
        assert "2 left as they were" in stopped.output
        assert isinstance(terminal.run("bulk", "stop", row["id"]).exception, NotStoppable)

    @pytest.mark.parametrize(
        "words",
        [
            ["disable"], ["disable", "One", "--all"], ["disable", "One", "--search", "x"],
            ["disable", "--all", "--search", "nothing"], ["add-tag", "One"], ["move-zone", "One", "--zone", "Mars"],
        ],
    )  # fmt: skip
    def test_refuses_what_is_not_clear(self, terminal: Terminal, names: list[str], words: list[str]):
        assert isinstance(terminal.run("schedules", "bulk", *words).exception, Invalid)

    def test_does_nothing_where_one_name_is_unknown(self, terminal: Terminal, names: list[str]):
        result = terminal.run("schedules", "bulk", "disable", "One", "Nobody")

        assert isinstance(result.exception, NotFound)
        assert set(states(terminal).values()) == {"enabled"}


class TestUndo:
    def test_brings_everything_back(self, terminal: Terminal, names: list[str]):
        found = terminal.json("schedules", "bulk", "delete", "--all")
        gone = states(terminal)

        result = terminal.run("bulk", "undo", found["id"])

        assert (gone, len(states(terminal))) == ({}, 3)
        assert "3 schedules as before." in result.output

    def test_of_runs_is_refused(self, terminal: Terminal, names: list[str]):
        found = terminal.json("schedules", "bulk", "run", "One")

        assert isinstance(terminal.run("bulk", "undo", found["id"]).exception, NotUndoable)

    def test_tells_what_became_of_each(self, terminal: Terminal, names: list[str]):
        found = terminal.json("schedules", "bulk", "run", "One", "Two")

        items = terminal.json("bulk", "show", found["id"])["items"]

        assert [(item["name"], item["state"], item["result"] is not None) for item in items] == [
            ("One", "done", True), ("Two", "done", True),
        ]  # fmt: skip
        assert terminal.json("bulk", "show", found["id"], "--state", "refused")["items"] == []


class TestDeleted:
    def test_come_back_by_name_or_id(self, terminal: Terminal, names: list[str]):
        for name in ("One", "Two"):
            terminal.run("schedules", "delete", name)
        first, second = terminal.json("schedules", "deleted")

        terminal.run("schedules", "undelete", "One")
        terminal.run("schedules", "undelete", first["id"])

        assert (first["name"], second["name"], first["deleted_by"]) == ("Two", "One", "command line")
        assert (len(states(terminal)), terminal.json("schedules", "deleted")) == (3, [])

    def test_of_one_name_have_to_be_told_apart(self, terminal: Terminal, names: list[str]):
        for _ in range(2):
            job = terminal.json("jobs", "list")[0]["id"]
            terminal.run("schedules", "delete", "One")
            terminal.run("schedules", "create", "One", "--job", str(job), "--cron", "0 2 * * *")
        result = terminal.run("schedules", "undelete", "One")

        assert isinstance(result.exception, Conflict)
        assert "Say the id" in str(result.exception)

    def test_that_are_none_are_not_found(self, terminal: Terminal, names: list[str]):
        assert isinstance(terminal.run("schedules", "undelete", "One").exception, NotFound)
        assert "Nothing was deleted" in terminal.run("schedules", "deleted").output
