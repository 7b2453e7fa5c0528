"""`belfry jobs`: what the job page can do, the terminal can do too."""

import pytest
from sqlalchemy import select

from app.core.errors import AppError
from app.jobs.models import Job
from app.tenants.models import AuditEntry
from tests.cli.conftest import Terminal

WORKFLOW = '{"steps": [{"name": "Ask", "method": "GET", "url": "https://example.com/"}]}'


@pytest.fixture
def job_id(terminal: Terminal) -> str:
    words = "jobs", "create", "Ask", "--kind", "workflow", "--definition", WORKFLOW, "--tries", "7"
    return str(terminal.json(*words)["job"])


def stored(terminal: Terminal) -> Job:
    with terminal.database.reading() as session:
        return session.scalars(select(Job)).one()


class TestEdit:
    def test_changes_what_is_named_and_keeps_the_rest(self, terminal: Terminal, job_id: str) -> None:
        before = stored(terminal)

        result = terminal.run("jobs", "edit", job_id, "--when-lost", "fail", "--name", "Ask again")

        after = stored(terminal)
        assert result.exit_code == 0, result.output
        assert (after.when_lost, after.name, after.tries) == ("fail", "Ask again", 7)
        assert (after.definition, after.revision) == (before.definition, before.revision + 1)

    def test_takes_a_whole_definition(self, terminal: Terminal, job_id: str) -> None:
        terminal.run("jobs", "edit", job_id, "--definition", WORKFLOW.replace("example.com", "example.org"))

        assert stored(terminal).definition["steps"][0]["url"] == "https://example.org/"

    def test_keeps_the_value_of_a_header_that_is_named_alone(self, terminal: Terminal, job_id: str) -> None:
        header = '"headers": [{"name": "X-Key", "value": "sesame"}]'
        with_value = WORKFLOW.replace('"method"', header + ', "method"')
        terminal.run("jobs", "edit", job_id, "--definition", with_value)
        before = stored(terminal).definition["steps"][0]["headers"]

        terminal.run("jobs", "edit", job_id, "--definition", with_value.replace(', "value": "sesame"', ""))

        assert before[0]["secret_id"]
        assert stored(terminal).definition["steps"][0]["headers"] == before

    def test_is_in_the_audit(self, terminal: Terminal, job_id: str) -> None:
        terminal.run("jobs", "edit", job_id, "--tries", "2")

        with terminal.database.reading() as session:
            assert "job.revised" in session.scalars(select(AuditEntry.action)).all()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--tries", "0"], "tries"),
            (["--definition", "{"], "not JSON"),
            (["--time-limit", "0"], "time limit"),
            (["--soft-limit", "600"], "less than the time limit"),
            (["--queue", "express"], "There is no queue “express”"),
            (["--longest-delay", "1"], "The longest wait is shorter"),
            (["--concurrency", "0"], "Let 1 to 1,000 runs"),
        ],
    )
    def test_says_what_is_wrong_and_changes_nothing(
        self, terminal: Terminal, job_id: str, words: list[str], message: str
    ) -> None:
        result = terminal.run("jobs", "edit", job_id, "--when-lost", "fail", *words)

        assert isinstance(result.exception, AppError)
        assert message in result.exception.message
        assert stored(terminal).when_lost == "kind"


class TestPolicies:
    def test_of_a_new_job_go_by_its_kind_unless_they_are_named(self, terminal: Terminal, job_id: str) -> None:
        job = stored(terminal)

        assert (job.tries, job.retry_delay_seconds, job.retry_backoff) == (7, 5, "exponential")
        assert (job.retry_has_jitter, job.priority, job.queue) == (True, 1, None)

    def test_are_changed_by_name(self, terminal: Terminal, job_id: str) -> None:
        words = "--no-jitter --longest-delay 60 --not-on server --not-on rejected --soft-limit 30 --queue sync"

        result = terminal.run("jobs", "edit", job_id, *words.split(), "--priority", "high", "--concurrency", "2")

        job = stored(terminal)
        assert result.exit_code == 0, result.output
        assert (job.retry_has_jitter, job.retry_longest_delay_seconds) == (False, 60)
        assert (job.retry_not_on, job.soft_limit_seconds, job.queue) == ("rejected,server", 30, "sync")
        assert (job.priority, job.concurrency) == (0, 2)

    def test_are_taken_away_by_the_word_none(self, terminal: Terminal, job_id: str) -> None:
        given = {"--soft-limit": "30", "--queue": "sync", "--concurrency": "2", "--not-on": "server"}
        terminal.run("jobs", "edit", job_id, *(word for pair in given.items() for word in pair))

        terminal.run("jobs", "edit", job_id, *(word for option in given for word in (option, "none")))

        job = stored(terminal)
        assert (job.soft_limit_seconds, job.queue, job.concurrency, job.retry_not_on) == (None, None, None, "")
