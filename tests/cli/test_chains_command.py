"""`belfry jobs chain`, and what `belfry runs show` tells of the runs around a run."""

import pytest
from sqlalchemy import select

from app.core.errors import AppError
from app.jobs.models import Job
from app.tenants.models import AuditEntry
from app.tenants.organizations import list_organizations
from tests.cli.conftest import Terminal
from tests.factories.outcomes import make_succeeded
from tests.factories.work import LONG_AGO, make_job, make_run

CHECK = {"function": "http_check", "arguments": {"url": "https://example.com/"}}


@pytest.fixture
def jobs(terminal: Terminal) -> dict[str, str]:
    with terminal.database.transaction() as session:
        here = next(row.id for row in list_organizations(session) if not row.is_system)
        made = {name: make_job(session, here, name=name) for name in ("Load", "Check")}
        for job in made.values():
            job.definition = CHECK
        return {name: str(job.id) for name, job in made.items()}


class TestChain:
    def test_adds_lists_and_removes(self, terminal: Terminal, jobs: dict[str, str]) -> None:
        parameters = '{"url": "https://example.org/"}'
        words = "jobs", "chain", "add", jobs["Load"], jobs["Check"], "--on", "failure", "--parameters", parameters
        made = terminal.json(*words)["chain"]
        listed = terminal.json("jobs", "chain", "list", jobs["Load"])

        terminal.run("jobs", "chain", "remove", jobs["Load"], made)

        (row,) = listed
        assert (row["on"], row["starts"]) == ("failure", "Check")
        assert row["parameters"] == {"url": "https://example.org/"}
        assert terminal.json("jobs", "chain", "list", jobs["Load"]) == []

    def test_is_in_the_audit(self, terminal: Terminal, jobs: dict[str, str]) -> None:
        terminal.json("jobs", "chain", "add", jobs["Load"], jobs["Check"])

        with terminal.database.reading() as session:
            assert session.scalars(select(AuditEntry.action)).all() == ["job.chained"]

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ("{", "not JSON"),
            ("[]", "JSON object"),
            ('{"url": 7}', "cannot take these parameters"),
            ('{"colour": "red"}', "colour” is not known here"),
        ],
    )
    def test_says_what_is_wrong_with_parameters(
        self, terminal: Terminal, jobs: dict[str, str], parameters: str, message: str
    ) -> None:
        words = "jobs", "chain", "add", jobs["Load"], jobs["Check"], "--parameters", parameters

        result = terminal.run(*words)

        assert isinstance(result.exception, AppError)
        assert message.lower() in result.exception.message.lower()

    def test_refuses_a_circle(self, terminal: Terminal, jobs: dict[str, str]) -> None:
        result = terminal.run("jobs", "chain", "add", jobs["Load"], jobs["Load"])

        assert isinstance(result.exception, AppError)
        assert "Load → Load would start itself for ever" in result.exception.message


class TestRunsShow:
    def test_tells_of_children_and_of_what_the_end_started(self, terminal: Terminal, jobs: dict[str, str]) -> None:
        with terminal.database.transaction() as session:
            load, check = (session.scalars(select(Job).where(Job.name == name)).one() for name in ("Load", "Check"))
            first = make_run(session, load, now=LONG_AGO)
            child = make_succeeded(session, check, now=LONG_AGO, parent_run_id=first)
            follower = make_run(session, check, now=LONG_AGO, cause_run_id=first)

        text = terminal.run("runs", "show", str(first)).stdout
        value = terminal.json("runs", "show", str(child))

        assert "children: 1 of 1 ended: 1 succeeded" in text
        assert f"started: run {follower} of Check ready" in text
        assert (value["parent"], value["children"]) == (str(first), [])
