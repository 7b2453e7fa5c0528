"""`belfry schedules`: what a page can do, the terminal can do too."""

from datetime import timedelta
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from app.cli.root import belfry
from app.core.errors import Invalid
from app.runs import cursors, planner
from app.schedules.models import Schedule
from app.schedules.queries import ScheduleNotFound
from tests.cli.conftest import Terminal
from tests.fakes.clock import utc

WORKFLOW = '{"steps": [{"name": "Ask", "method": "GET", "url": "https://example.com/"}]}'


@pytest.fixture
def job_id(terminal: Terminal) -> str:
    made = terminal.json("jobs", "create", "Ask", "--kind", "workflow", "--definition", WORKFLOW)
    return str(made["job"])


def missing_three(terminal: Terminal, job_id: str) -> str:
    """A schedule that missed three slots while it was off."""
    words = ["--job", job_id, "--cron", "0 * * * *", "--disabled"]
    made = terminal.json("schedules", "create", "Hourly", *words)["schedule"]
    with terminal.database.transaction() as session:
        row = session.scalars(select(Schedule)).one()
        assert row.next_run_at is not None
        row.next_run_at -= timedelta(hours=3)
    return str(made)


class TestPreview:
    def test_prints_the_instants_over_a_clock_change(self, terminal: Terminal) -> None:
        shown = terminal.json(
            "schedules", "preview", "30 2 * * *", "--zone", "America/New_York", "--from", "2027-03-13", "--count", "3"
        )

        assert shown["instants"] == ["2027-03-13T07:30:00Z", "2027-03-14T07:00:00Z", "2027-03-15T06:30:00Z"]

    def test_says_how_to_avoid_a_clock_change(self, terminal: Terminal) -> None:
        words = "schedules", "preview", "30 2 * * *", "--zone", "America/New_York", "--from", "2027-03-13"

        shown, printed = terminal.json(*words), terminal.run(*words).stdout

        assert shown["ways_out"] == [
            {"cron": "30 3 * * *", "zone": "America/New_York"},
            {"cron": "30 2 * * *", "zone": "UTC"},
        ]
        assert "Avoid it: “30 3 * * *” in America/New_York, or “30 2 * * *” in UTC." in printed
        assert terminal.json("schedules", "preview", "30 2 * * *", "--from", "2027-03-13")["ways_out"] == []

    def test_counts_the_start_itself(self, terminal: Terminal) -> None:
        shown = terminal.json("schedules", "preview", "0 0 * * *", "--from", "2027-03-13", "--count", "1")

        assert shown["instants"] == ["2027-03-13T00:00:00Z"]

    def test_takes_an_instant_as_its_start(self, terminal: Terminal) -> None:
        shown = terminal.json(
            "schedules", "preview", "0 * * * *", "--from", "2027-03-13T08:10:00+01:00", "--count", "1"
        )

        assert shown["instants"] == ["2027-03-13T08:00:00Z"]

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["60 * * * *"], "Minute 60 does not exist. Use 0 to 59."),
            (["0 0 * * *", "--zone", "Europe/Berln"], "There is no time zone"),
            (["0 0 * * *", "--from", "yesterday"], "is neither a date nor an instant"),
            (["* " * 50_000], "at most 100"),
            (["0 0 * * *", "--from", "0001-01-01"], "Use the years 1970 to 9990."),
            (["0 0 * * *", "--from", "9999-12-31T23:59:59-12:00"], "Use the years 1970 to 9990."),
        ],
    )
    def test_says_what_is_wrong(self, terminal: Terminal, words: list[str], message: str) -> None:
        result = terminal.run("schedules", "preview", *words)

        assert isinstance(result.exception, Invalid)
        assert message in result.exception.message

    def test_says_for_a_job_what_else_starts_then(self, terminal: Terminal, job_id: str) -> None:
        for number in range(11):
            terminal.run("schedules", "create", f"Nightly {number}", "--job", job_id, "--cron", "0 0 * * *")

        shown = terminal.json("schedules", "preview", "@daily", "--timezone", "UTC", "--job", job_id)
        text = terminal.run("schedules", "preview", "@daily", "--job", job_id).output

        assert (shown["load"]["others"], shown["load"]["offer"]["cron"]) == (11, "7 0 * * *")
        assert "11 other schedules start at 00:00. Move to 00:07? Then nobody else starts. (7 0 * * *)" in text
        assert "This job has the same times already: “Nightly 0”" in text

    def test_asks_no_database_without_one(self, terminal: Terminal) -> None:
        assert "load" not in terminal.json("schedules", "preview", "0 0 * * *")


def test_policies_are_told_in_words(terminal: Terminal, job_id: str) -> None:
    policies = ["--missed", "all", "--missed-limit", "25", "--max-age", "36 hours", "--overlap", "queue_one"]
    terminal.json("schedules", "create", "Nightly", "--job", job_id, "--cron", "0 2 * * *", *policies)
    missed = "Missed runs of the last 36 hours are made up for, the newest 25 at most."

    shown = terminal.run("schedules", "show", "Nightly").output

    assert missed in shown
    assert "While a run goes on, one more waits for it" in shown
    for found in (terminal.json("schedules", "show", "Nightly"), terminal.json("schedules", "list")[0]):
        assert found["policies_in_words"][0] == missed


class TestWhatHStandsFor:
    LINE = "H H(0-6) * * *"

    def preview(self, terminal: Terminal, *words: str) -> tuple[list[str], list[str]]:
        found = terminal.json("schedules", "preview", self.LINE, *words)
        return found["instants"], found["notes"]

    def coming(self, terminal: Terminal) -> list[str]:
        found: list[str] = terminal.json("schedules", "show", "Nightly")["next_runs"]
        return found

    def test_is_told_before_it_is_made(self, terminal: Terminal, job_id: str) -> None:
        said, notes = self.preview(terminal, "--job", job_id, "--name", "Nightly")

        terminal.json("schedules", "create", "Nightly", "--job", job_id, "--cron", self.LINE)

        assert (said, notes) == (self.coming(terminal), [])

    def test_may_be_said_by_a_key(self, terminal: Terminal, job_id: str) -> None:
        said, notes = self.preview(terminal, "--spread-key", "mine")

        terminal.json("schedules", "create", "Nightly", "--job", job_id, "--cron", self.LINE, "--spread-key", "mine")

        assert (said, notes) == (self.coming(terminal), [])

    def test_is_told_before_it_is_edited(self, terminal: Terminal, job_id: str) -> None:
        made = terminal.json(
            "schedules", "create", "Nightly", "--job", job_id, "--cron", "@daily", "--zone", "Asia/Tokyo"
        )
        said, notes = self.preview(terminal, "--schedule", "Nightly")

        terminal.run("schedules", "edit", made["schedule"], "--cron", self.LINE)

        assert (said, notes) == (self.coming(terminal), [])

    def test_is_an_example_where_nothing_decides_it_yet(self, terminal: Terminal) -> None:
        assert "an example" in self.preview(terminal)[1][0]
        assert "an example" in terminal.run("schedules", "validate", self.LINE).output


class TestSchedules:
    def test_are_made_listed_switched_and_deleted(self, terminal: Terminal, job_id: str) -> None:
        made = terminal.json("schedules", "create", "Hourly", "--job", job_id, "--cron", "0 * * * *")["schedule"]
        states = [terminal.json("schedules", "list")[0]["state"]]
        terminal.run("schedules", "disable", made)
        states.append(terminal.json("schedules", "list")[0]["state"])
        terminal.run("schedules", "delete", made)

        assert states == ["enabled", "disabled"]
        assert terminal.json("schedules", "list") == []

    def test_are_listed_in_the_order_that_is_asked_for(self, terminal: Terminal, job_id: str) -> None:
        for name, cron in (("b", "0 0 1 1 *"), ("a", "* * * * *")):
            terminal.run("schedules", "create", name, "--job", job_id, "--cron", cron)

        orders = [terminal.json("schedules", "list", "--sort", sort) for sort in ("name", "-name", "next", "-next")]

        assert ["".join(row["name"] for row in rows) for rows in orders] == ["ab", "ba", "ab", "ba"]

    def test_keep_what_an_edit_does_not_name(self, terminal: Terminal, job_id: str) -> None:
        made = terminal.json(
            "schedules", "create", "Hourly", "--job", job_id, "--cron", "0 * * * *", "--zone", "Asia/Tokyo"
        )["schedule"]

        terminal.run("schedules", "edit", made, "--cron", "30 * * * *")

        (row,) = terminal.json("schedules", "list")
        assert (row["name"], row["cron"], row["zone"]) == ("Hourly", "30 * * * *", "Asia/Tokyo")

    def test_take_every_policy_and_name_the_one_that_cannot_be(self, terminal: Terminal, job_id: str) -> None:
        made = terminal.json(
            "schedules", "create", "Hourly", "--job", job_id, "--cron", "0 * * * *", "--overlap", "queue_one",
            "--missed", "all", "--missed-limit", "5", "--max-age", "36h", "--notes", "Ask Ben first.",
        )["schedule"]  # fmt: skip
        refused = terminal.run("schedules", "edit", made, "--max-age", "5 minutes")
        terminal.run("schedules", "edit", made, "--overlap", "cancel_previous")

        with terminal.database.reading() as session:
            row = session.scalars(select(Schedule)).one()
        assert (row.overlap, row.missed, row.missed_limit, row.notes) == ("cancel_previous", "all", 5, "Ask Ben first.")
        assert row.missed_max_age_seconds == 129_600
        assert "Use at least 1 hour" in str(refused.exception)

    @pytest.mark.parametrize(
        ("words", "said", "runs"),
        [
            ([], "3 slots missed while it was off", 0),
            (["--missed", "latest"], "the latest runs now, the rest is left in a gap", 1),
            (["--missed", "all"], "all run now", 3),
        ],
    )
    def test_run_what_they_missed_only_where_that_is_said(
        self, terminal: Terminal, job_id: str, words: list[str], said: str, runs: int
    ) -> None:
        made = missing_three(terminal, job_id)

        result = terminal.run("schedules", "enable", made, *words)

        assert said in result.output
        assert len(terminal.json("runs", "list")) == runs

    def test_ask_at_a_terminal_what_becomes_of_what_they_missed(
        self, terminal: Terminal, job_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.cli.resuming._is_at_terminal", lambda: True)
        made = missing_three(terminal, job_id)

        result = CliRunner().invoke(belfry, ["schedules", "enable", made], input="latest\n")

        assert "run the newest 3 (all)?" in result.output
        assert "the latest runs now, the rest is left in a gap" in result.output

    def test_say_in_figures_what_became_of_what_they_missed(self, terminal: Terminal, job_id: str) -> None:
        made = missing_three(terminal, job_id)

        said = terminal.json("schedules", "enable", made, "--missed", "latest")

        assert said == {"missed": 3, "started": 1, "skipped": 0, "left": 2, "why_skipped": None}

    def test_start_a_run_that_shows_up_with_its_state(self, terminal: Terminal, job_id: str) -> None:
        made = terminal.json("schedules", "create", "Hourly", "--job", job_id, "--cron", "0 * * * *")["schedule"]

        run_id = terminal.json("schedules", "run", made)["run"]

        shown = terminal.json("runs", "show", run_id)
        assert (shown["state"], shown["trigger"], shown["schedule"]) == ("ready", "manual", "Hourly")
        assert terminal.json("queue", "status")["ready"] == 1

    def test_are_an_empty_list_with_a_note_before_the_database_is_there(self, bare_terminal: None) -> None:
        result = CliRunner().invoke(belfry, ["schedules", "list", "--json"])

        assert (result.exit_code, result.stdout.strip()) == (0, "[]")
        assert "belfry db upgrade" in result.stderr


class TestValidate:
    def test_says_what_it_means(self, terminal: Terminal) -> None:
        shown = terminal.json("schedules", "validate", "0 9 * * 1-5", "--zone", "Europe/Berlin")

        assert shown["description"] == "Every weekday at 09:00, Berlin time"
        assert (shown["valid"], len(shown["next_runs"]), shown["error"]) == (True, 5, None)

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["60 * * * *"], "Minute 60 does not exist. Use 0 to 59."),
            (["at 2001-01-01 08:00"], "This time has passed. Choose one that lies ahead."),
            (["0 0 * * *", "--zone", "Europe/Berln"], "There is no time zone"),
            (["* * * * *", "--ends", "2001-01-01"], "The end has passed already. Choose a later one, or none."),
        ],
    )
    def test_fails_with_what_to_write_instead(self, terminal: Terminal, words: list[str], message: str) -> None:
        result = terminal.run("schedules", "validate", *words)

        assert (result.exit_code, message in result.output) == (1, True)

    def test_says_so_to_programs(self, terminal: Terminal) -> None:
        result = terminal.run("schedules", "validate", "0 0 0 * * *", "--json")

        assert result.exit_code == 1
        assert '"valid": false' in result.output
        assert "Seconds are not supported. Remove the first field." in result.output


class TestHistory:
    @pytest.fixture
    def name(self, terminal: Terminal, job_id: str) -> str:
        """A schedule with a run, a gap and a repair behind it."""
        terminal.run("schedules", "create", "Every hour", "--job", job_id, "--cron", "0 * * * *")
        with terminal.database.transaction() as session:
            schedule = session.scalars(select(Schedule)).one()
            began = utc("2027-01-05 09:00")
            schedule.created_at = schedule.updated_at = schedule.next_run_at = began
            session.flush()
            planner.tick(session, now=began)
            planner.tick(session, now=began + timedelta(hours=3))
            session.execute(text("UPDATE schedules SET next_run_at = NULL"))
            cursors.repair(
                session, schedule.id, problem=cursors.MISSING, now=began + timedelta(hours=3, minutes=1)
            )  # fmt: skip
        return "Every hour"

    def test_shows_runs_gaps_and_repairs_the_newest_first(self, terminal: Terminal, name: str) -> None:
        shown = terminal.json("schedules", "history", name)

        assert [next(key for key in ("run", "gap", "repair", "change") if entry[key]) for entry in shown] == [
            "repair", "run", "gap", "run", "change",
        ]  # fmt: skip
        assert shown[2]["gap"] == {
            "first_slot": "2027-01-05T10:00:00Z", "last_slot": "2027-01-05T11:00:00Z", "slots": 2,
            "reason": "scheduler_down", "explanation": None,
        }  # fmt: skip
        assert "was missing and was worked out again" in shown[0]["repair"]

    def test_says_the_same_in_words(self, terminal: Terminal, name: str) -> None:
        printed = terminal.run("schedules", "history", name, "--limit", "3").stdout.splitlines()

        assert len(printed) == 4
        assert printed[3].endswith("  scheduler down")

    def test_of_gaps_alone_is_found_by_the_id_as_well(self, terminal: Terminal, name: str) -> None:
        (row,) = terminal.json("schedules", "list")

        shown = [terminal.json("schedules", "gaps", known) for known in (name, row["id"])]

        assert shown[0] == shown[1]
        assert [gap["slots"] for gap in shown[0]] == [2]

    def test_of_what_was_missed_of_all_schedules_is_listed(self, terminal: Terminal, name: str) -> None:
        (found,) = terminal.json("schedules", "missed", "--since", "2027-01-05")
        printed = terminal.run("schedules", "missed").stdout.splitlines()
        before = terminal.run("schedules", "missed", "--until", "2027-01-04").stdout

        assert (found["schedule"], found["slots"], found["reason"]) == (name, 2, "scheduler_down")
        assert [line.split()[0] for line in printed] == ["SCHEDULE", "Every"]
        assert before == "Nothing was missed.\n"

    def test_of_a_schedule_that_is_not_there_says_so(self, terminal: Terminal) -> None:
        result = terminal.run("schedules", "gaps", "Never heard of")

        assert isinstance(result.exception, ScheduleNotFound)
        assert "“Never heard of”" in result.exception.message


class TestHealth:
    def test_names_the_command_before_the_database_is_there(self, bare_terminal: None) -> None:
        result = CliRunner().invoke(belfry, ["health"])

        assert result.exit_code == 1
        assert "belfry db upgrade" in result.output

    def test_says_that_no_scheduler_runs(self, terminal: Terminal) -> None:
        result = terminal.run("health")

        assert result.exit_code == 1
        assert "No scheduler is running" in result.output


class TestJobs:
    def test_refuse_a_definition_that_is_no_json(self, terminal: Terminal) -> None:
        result = terminal.run("jobs", "create", "Ask", "--kind", "workflow", "--definition", "{")

        assert isinstance(result.exception, Invalid)
        assert "is not JSON" in result.exception.message

    def test_are_deleted_with_their_schedules(self, terminal: Terminal, job_id: str) -> None:
        terminal.json("schedules", "create", "Hourly", "--job", job_id, "--cron", "0 * * * *")

        terminal.run("jobs", "delete", job_id)

        assert (terminal.json("jobs", "list"), terminal.json("schedules", "list")) == ([], [])


class TestRhythms:
    def create(self, terminal: Terminal, job_id: str, name: str, *words: str) -> str:
        made = terminal.json("schedules", "create", name, "--job", job_id, *words)
        return str(made["schedule"])

    def stored(self, terminal: Terminal, schedule_id: str) -> Schedule:
        with terminal.database.reading() as session:
            return session.scalars(select(Schedule).where(Schedule.id == UUID(schedule_id))).one()

    def test_are_said_line_by_line_with_all_that_decides(self, terminal: Terminal, job_id: str) -> None:
        words = ["--cron", "0 9 * * 1-5", "--cron", "30 0 11 * * 6", "--seconds", "--clock-change", "twice"]
        bounds = ["--zone", "Europe/Berlin", "--starts", "2060-02-01", "--ends", "2060-03-01T00:00:00Z"]
        schedule = self.stored(
            terminal, self.create(terminal, job_id, "A", *words, *bounds, "--tag", "X", "--tag", "b")
        )

        assert (schedule.cron, schedule.has_seconds) == ("0 9 * * 1-5\n30 0 11 * * 6", True)
        assert (schedule.clock_change, schedule.tags) == ("twice", ["b", "x"])
        assert (schedule.starts_at, schedule.ends_at) == (utc("2060-01-31 23:00"), utc("2060-03-01 00:00"))

    def test_change_in_parts(self, terminal: Terminal, job_id: str) -> None:
        words = ["--cron", "0 9 * * *", "--ends", "2060-03-01", "--tag", "a", "--clock-change", "skip"]
        schedule_id = self.create(terminal, job_id, "A", *words)

        terminal.run("schedules", "edit", schedule_id, "--ends", "none", "--tag", "")

        schedule = self.stored(terminal, schedule_id)
        assert (schedule.ends_at, schedule.tags, schedule.clock_change) == (None, [], "skip")

    def test_are_listed_by_tag(self, terminal: Terminal, job_id: str) -> None:
        self.create(terminal, job_id, "A", "--cron", "0 9 * * *", "--tag", "a")
        self.create(terminal, job_id, "B", "--cron", "every 2 hours", "--tag", "b")

        found = terminal.json("schedules", "list", "--tag", "B")

        assert [(row["name"], row["tags"]) for row in found] == [("B", ["b"])]

    def test_are_listed_by_whose_they_are(self, terminal: Terminal, job_id: str) -> None:
        self.create(terminal, job_id, "A", "--cron", "0 9 * * *")

        assert [row["name"] for row in terminal.json("schedules", "list", "--owner", "nobody")] == ["A"]
        assert terminal.json("schedules", "list", "--owner", "ana@example.com") == []

    def test_are_previewed_with_seconds_and_bounds(self, terminal: Terminal) -> None:
        words = ["*/30 * * * * *", "--seconds", "--starts", "2027-03-13", "--from", "2027-01-01", "--count", "2"]

        shown = terminal.json("schedules", "preview", *words)

        assert shown["instants"] == ["2027-03-13T00:00:00Z", "2027-03-13T00:00:30Z"]
