"""`belfry scheduling` and the switches of `belfry queue`."""

from sqlalchemy import select

from app.core.clock import DatabaseClock
from app.core.clock_watch import ClockStep
from app.schedules.clock_steps import record_step
from app.schedules.stops import StopReasonInvalid
from app.tenants.models import SYSTEM_ORGANIZATION_ID, AuditEntry
from tests.cli.conftest import Terminal


def audited(terminal: Terminal) -> list[tuple[str, str]]:
    with terminal.database.reading() as session:
        query = select(AuditEntry.actor_label, AuditEntry.action).where(
            AuditEntry.organization_id == SYSTEM_ORGANIZATION_ID
        )
        return [tuple(row) for row in session.execute(query.order_by(AuditEntry.at))]


class TestScheduling:
    def test_is_on_to_begin_with(self, terminal: Terminal) -> None:
        assert terminal.json("scheduling", "status") == {"is_stopped": False}

    def test_waits_when_the_clock_was_set(self, terminal: Terminal) -> None:
        with terminal.database.transaction() as session:
            now = DatabaseClock().now(session)
            record_step(session, step=ClockStep(3600, now), hold_seconds=60)

        facts, words = terminal.json("scheduling", "status"), terminal.run("scheduling", "status").output

        assert (facts["is_stopped"], facts["held_because"][:41]) == (False, "The database's clock was set forward by 1")
        assert words == f"Scheduling is on. {facts['held_because']} Nothing is planned until {facts['held_until']}.\n"

    def test_stops_and_says_since_when_by_whom_and_why(self, terminal: Terminal) -> None:
        stopped = terminal.run("scheduling", "stop", "--reason", "Moving house")

        facts, words = terminal.json("scheduling", "status"), terminal.run("scheduling", "status").output

        assert stopped.output == "Scheduling is stopped.\n"
        assert (facts["is_stopped"], facts["stopped_by"], facts["reason"]) == (True, "command line", "Moving house")
        assert words == f"Scheduling is stopped since {facts['stopped_at']} by command line: Moving house\n"

    def test_starts_again_and_both_are_audited(self, terminal: Terminal) -> None:
        terminal.run("scheduling", "stop", "--reason", "Moving house")

        started, again = terminal.run("scheduling", "start"), terminal.run("scheduling", "start")

        assert started.output == "Scheduling is on again.\n"
        assert again.output == "Scheduling was not stopped. Nothing was changed.\n"
        assert audited(terminal) == [
            ("command line", "scheduling.stopped"),
            ("command line", "scheduling.started"),
        ]

    def test_needs_no_reason(self, terminal: Terminal) -> None:
        terminal.run("scheduling", "stop")

        assert terminal.json("scheduling", "status")["reason"] == "No reason was given."

    def test_is_not_stopped_for_a_reason_that_says_nothing(self, terminal: Terminal) -> None:
        refused = terminal.run("scheduling", "stop", "--reason", " ")

        assert isinstance(refused.exception, StopReasonInvalid)
        assert terminal.json("scheduling", "status") == {"is_stopped": False}


class TestQueueSwitches:
    def test_pause_and_resume_a_queue(self, terminal: Terminal) -> None:
        paused = terminal.run("queue", "pause", "sync").output
        status, words = terminal.json("queue", "status"), terminal.run("queue", "status").output
        resumed = terminal.run("queue", "resume", "sync").output

        assert (paused, resumed) == ("The queue sync is paused.\n", "The queue sync is open again.\n")
        assert status["paused"] == ["sync"]
        assert "sync is paused by command line since " in words

    def test_say_when_there_was_nothing_to_do(self, terminal: Terminal) -> None:
        assert terminal.run("queue", "resume", "code").output == "The queue code was not paused.\n"

    def test_name_the_queues_there_are(self, terminal: Terminal) -> None:
        refused = terminal.run("queue", "pause", "mail")

        assert refused.exit_code == 1
        assert "There are: code, sync, workflow" in str(refused.exception)


class TestNewOrganizations:
    def test_get_default_schedules_with_an_account_or_by_name(self, terminal: Terminal) -> None:
        person = ("--name", "Grace", "--password", "quiet-harbour-42")
        terminal.run("user", "create", "grace@example.com", *person)
        terminal.run("organizations", "create", "Harbour", "--owner", "grace@example.com")

        found = [terminal.json("schedules", "list", "--organization", name) for name in ("Grace", "Harbour")]

        assert [[row["name"] for row in rows] for rows in found] == [
            ["Google Analytics sync", "Meta sync", "Shopify sync"]
        ] * 2
