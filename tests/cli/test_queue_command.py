"""`belfry queue create|set|delete|status`, the limit of an organization, and workers of some queues."""

from sqlalchemy import select

from app.tenants.models import AuditEntry
from tests.cli.conftest import Terminal


def actions(terminal: Terminal) -> list[str]:
    with terminal.database.reading() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.at)))


class TestQueue:
    def test_is_made_limited_and_deleted(self, terminal: Terminal) -> None:
        made = terminal.run("queue", "create", "imports", "--at-once", "2", "--rate", "30/60s")
        changed = terminal.run("queue", "set", "imports", "--rate", "none")
        deleted = terminal.run("queue", "delete", "imports")

        assert made.output == "Made the queue imports: 2 at once, 30 starts in 60 seconds.\n"
        assert (changed.output, deleted.output) == ("The queue imports: 2 at once.\n", "Deleted the queue imports.\n")
        assert actions(terminal) == ["queue.created", "queue.changed", "queue.deleted"]

    def test_shows_its_limits(self, terminal: Terminal) -> None:
        found = terminal.json("queue", "status")["queues"]

        assert [(row["name"], row["concurrency"], row["rate_starts"]) for row in found] == [
            ("code", None, None), ("sync", 4, 4), ("workflow", 5, 10),
        ]  # fmt: skip
        assert "workflow: 5 at once, 10 starts a second" in terminal.run("queue", "status").output

    def test_refuses_a_limit_of_zero_and_says_what_to_do(self, terminal: Terminal) -> None:
        refused = terminal.run("queue", "set", "sync", "--at-once", "0")

        assert refused.exit_code != 0
        assert "Pause the queue instead" in str(refused.exception)

    def test_refuses_a_rate_that_is_none(self, terminal: Terminal) -> None:
        refused = terminal.run("queue", "set", "sync", "--rate", "fast")

        assert refused.exit_code == 2
        assert "Write for example 10/s, 30/60s or none" in refused.output

    def test_that_does_not_exist_is_told_so(self, terminal: Terminal) -> None:
        for words in (("queue", "set", "mail", "--at-once", "1"), ("queue", "pause", "mail")):
            assert "There are: code, sync, workflow" in str(terminal.run(*words).exception)


class TestOrganization:
    def test_is_limited_and_set_free_again(self, terminal: Terminal) -> None:
        limited = terminal.run("organizations", "limit", "Acme", "3")
        freed = terminal.run("organizations", "limit", "Acme", "none")

        assert limited.output == "Acme has 3 runs at once.\n"
        assert freed.output == "Acme has as many runs as there is room for.\n"
        assert actions(terminal) == ["organization.limited"] * 2


class TestWorker:
    def test_of_an_unknown_queue_does_not_start_and_names_those_there_are(self, terminal: Terminal) -> None:
        refused = terminal.run("worker", "--queues", "sync,mail")

        assert "There is no queue “mail”. There are: code, sync, workflow" in str(refused.exception)

    def test_of_no_queue_does_not_start(self, terminal: Terminal) -> None:
        refused = terminal.run("worker", "--queues", " , ")

        assert (refused.exit_code, "Name at least one queue" in refused.output) == (2, True)
