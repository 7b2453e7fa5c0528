"""`belfry runs`: cancel, retry-now, give-up, and what show and tail say of progress."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.cli.console import moment
from app.core.errors import AppError
from app.core.ids import new_id
from app.jobs.kinds.base import Level
from app.runs import run_search
from app.runs.models import Attempt
from app.runs.progress import Progress, write_progress
from app.runs.states import Reason
from tests.cli.conftest import Terminal
from tests.factories.log_lines import write_lines
from tests.factories.outcomes import make_failed, make_running, make_succeeded, make_waiting_retry
from tests.factories.quotas import tell_quota
from tests.factories.work import load_run, make_job, make_organization, make_run, make_schedule

NOW = datetime.now(UTC)


@pytest.fixture
def organization_id(terminal: Terminal) -> UUID:
    with terminal.database.transaction() as session:
        return make_organization(session)


@pytest.fixture
def running(terminal: Terminal, organization_id: UUID) -> UUID:
    with terminal.database.transaction() as session:
        run_id = make_running(session, make_job(session, organization_id), now=NOW)
        write_progress(session, run_id=run_id, token=1, progress=Progress(3, 4, "Orders"))
        return run_id


@pytest.fixture
def waiting(terminal: Terminal, organization_id: UUID) -> UUID:
    with terminal.database.transaction() as session:
        job = make_job(session, organization_id)
        return make_waiting_retry(session, job, now=NOW, ready_at=NOW + timedelta(days=1))


def test_cancel_ends_a_run_that_waits(terminal: Terminal, organization_id: UUID) -> None:
    with terminal.database.transaction() as session:
        run_id = make_run(session, make_job(session, organization_id), now=NOW)

    assert terminal.json("runs", "cancel", str(run_id), "--organization", str(organization_id)) == {"is_over": True}

    with terminal.database.reading() as session:
        run = load_run(session, run_id)
        assert (run.state, run.reason) == ("cancelled", Reason.CANCELLED.value)


def test_cancel_says_that_a_run_is_being_stopped(terminal: Terminal, organization_id: UUID, running: UUID) -> None:
    result = terminal.run("runs", "cancel", str(running), "--organization", str(organization_id))

    shown = terminal.json("runs", "show", str(running), "--organization", str(organization_id))
    assert result.output.startswith("It is being stopped.")
    assert shown["cancel_requested"]


def test_show_tells_how_far_a_try_has_come(terminal: Terminal, organization_id: UUID, running: UUID) -> None:
    words = "runs", "show", str(running), "--organization", str(organization_id)

    assert "try 1: running (3 of 4 (75 %): Orders)" in terminal.run(*words).output
    assert terminal.json(*words)["attempts"][0]["progress"] == {"done": 3, "total": 4, "text": "Orders"}


def test_show_tells_what_it_returned_and_when_it_started(terminal: Terminal, organization_id: UUID) -> None:
    with terminal.database.transaction() as session:
        here = {"organization_id": organization_id, "connection_id": organization_id}
        run_id = tell_quota(session, **here, used=74.0, now=NOW)
        attempt = session.query(Attempt).filter_by(run_id=run_id).one()
        attempt.result = attempt.result | {
            "rows_seen": 12, "token": "EAAB", "note": None, "_reports": {"k": 1},
            "streams": [{"name": "campaigns", "rows_seen": 12, "data_through": None}],
        }  # fmt: skip
    words = "runs", "show", str(run_id), "--organization", str(organization_id)

    text = terminal.run(*words).output

    assert "result, rows_seen: 12\n" in text
    assert "result, campaigns: rows_seen 12\n" in text
    assert [word in text for word in ("EAAB", "result, note", "_reports")] == [False, False, False]
    found = terminal.json(*words)
    assert (found["started"], found["started_runs"]) == (moment(NOW), [])


def test_tail_tells_how_far_it_came(terminal: Terminal, organization_id: UUID, running: UUID) -> None:
    with terminal.database.transaction() as session:
        run = load_run(session, running)
        run.state, run.finished_at = "cancelled", NOW

    result = terminal.run("runs", "tail", str(running), "--organization", str(organization_id))

    assert "progress 3 of 4 (75 %): Orders" in result.output


def test_retry_now_lets_the_next_try_start(terminal: Terminal, organization_id: UUID, waiting: UUID) -> None:
    terminal.run("runs", "retry-now", str(waiting), "--organization", str(organization_id))

    with terminal.database.reading() as session:
        assert load_run(session, waiting).state == "ready"


def test_give_up_ends_a_run_for_good(terminal: Terminal, organization_id: UUID, waiting: UUID) -> None:
    words = "runs", "give-up", str(waiting), "--organization", str(organization_id)

    terminal.run(*words)
    again = terminal.run(*words)

    with terminal.database.reading() as session:
        assert load_run(session, waiting).reason == "given_up"
    assert isinstance(again.exception, AppError)


def test_list_searches(terminal: Terminal, organization_id: UUID) -> None:
    with terminal.database.transaction() as session:
        wanted = make_run(session, make_job(session, organization_id, name="Orders"), now=NOW)
        make_run(session, make_job(session, organization_id, name="Prices"), now=NOW)

    found = terminal.json("runs", "list", "--search", "order", "--organization", str(organization_id))

    assert [one["id"] for one in found] == [str(wanted)]


class TestLog:
    @pytest.fixture
    def words(self, terminal: Terminal, organization_id: UUID, running: UUID) -> tuple[str, ...]:
        with terminal.database.transaction() as session:
            write_lines(session, running, [f"line {number:04}" for number in range(1, 1200)], at=NOW)
            write_lines(session, running, ["Line that broke"], at=NOW, level=Level.ERROR)
        return "runs", "log", str(running), "--organization", str(organization_id)

    def test_prints_every_line_with_its_number(self, terminal: Terminal, words: tuple[str, ...]) -> None:
        printed = terminal.run(*words).output.splitlines()

        assert len(printed) == 1200
        assert printed[0].split()[0] == "1"
        assert printed[-1].endswith("error   Line that broke")

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            (["--level", "warning"], [1200]),
            (["--search", "line 000"], list(range(1, 10))),
            (["--search", "Line"], [1200]),
            (["--search", "LINE 11", "--ignore-case", "--last", "2"], [1198, 1199]),
            (["--after", "1198"], [1199, 1200]),
            (["--last", "1"], [1200]),
        ],
    )
    def test_prints_what_is_looked_for(
        self, terminal: Terminal, words: tuple[str, ...], options: list[str], found: list[int]
    ) -> None:
        assert [line["number"] for line in terminal.json(*words, *options)] == found

    def test_of_no_run_is_an_error(self, terminal: Terminal, organization_id: UUID) -> None:
        result = terminal.run("runs", "log", str(UUID(int=7)), "--organization", str(organization_id))

        assert isinstance(result.exception, AppError)


def test_list_is_narrowed_by_trigger_and_time(terminal: Terminal, organization_id: UUID, running: UUID) -> None:
    with terminal.database.transaction() as session:
        job = make_job(session, organization_id, name="Other")
        make_run(session, job, now=NOW - timedelta(days=9))
        schedule_id = make_schedule(session, job).id
    here = ("--organization", str(organization_id))
    terminal.run("schedules", "run", str(schedule_id), *here)

    def found(*options: str) -> list[str]:
        return [each["job"] for each in terminal.json("runs", "list", *options, *here)]

    assert found("--trigger", "terminal") == ["Other"]
    since, until = ((NOW - timedelta(days=age)).isoformat() for age in (30, 8))
    assert found("--since", since, "--until", until) == ["Other"]
    assert found("--trigger", "chain") == []


def test_list_says_why_and_how_long(terminal: Terminal, organization_id: UUID, running: UUID) -> None:
    result = terminal.run("runs", "list", "--organization", str(organization_id))

    assert "By hand" in result.output
    assert "TOOK" in result.output


def test_again_starts_an_ended_run_once_more(terminal: Terminal, organization_id: UUID) -> None:
    with terminal.database.transaction() as session:
        run_id = make_succeeded(session, make_job(session, organization_id), now=NOW)
    here = ("--organization", str(organization_id))

    new_id = terminal.json("runs", "again", str(run_id), *here)["run"]

    shown = terminal.json("runs", "show", new_id, *here)
    assert (shown["again_of"], shown["requested_via"]) == (str(run_id), "terminal")


def test_again_with_other_parameters_keeps_the_rest(terminal: Terminal, organization_id: UUID) -> None:
    own = {"url": "https://example.com/", "method": "GET", "expected_status": "200-299"}
    with terminal.database.transaction() as session:
        job = make_job(session, organization_id)
        job.definition = {"function": "http_check", "arguments": own}
        session.flush()
        run_id = make_succeeded(session, job, now=NOW)

    new_id = terminal.json("runs", "again", str(run_id), "--set", "method=HEAD", "--organization", str(organization_id))

    with terminal.database.reading() as session:
        arguments = load_run(session, UUID(new_id["run"])).definition["arguments"]
    assert (arguments["method"], arguments["url"]) == ("HEAD", "https://example.com/")


def test_compare_puts_a_run_beside_the_last_good_one(terminal: Terminal, organization_id: UUID) -> None:
    with terminal.database.transaction() as session:
        job = make_job(session, organization_id)
        good = make_succeeded(session, job, now=NOW - timedelta(days=1))
        failed = make_failed(session, job, now=NOW, lines=["begin"])
    here = ("--organization", str(organization_id))

    found = terminal.json("runs", "compare", str(failed), *here)
    result = terminal.run("runs", "compare", str(failed), *here)

    assert found["other"]["id"] == str(good)
    assert "The logs part at line 1" in result.output
    assert "queue" not in result.output


@pytest.mark.parametrize(("error", "is_known"), [("It answered 404 Not Found.", True), ("No orders today.", False)])
def test_show_says_what_to_do_about_a_known_failure(
    terminal: Terminal, organization_id: UUID, error: str, is_known: bool
) -> None:
    with terminal.database.transaction() as session:
        run_id = make_failed(session, make_job(session, organization_id), now=NOW, error=error)

    shown = terminal.json("runs", "show", str(run_id), "--organization", str(organization_id))

    assert "Nothing is at this address." in shown["advice"] if is_known else shown["advice"] is None


class TestRunsOf:
    @pytest.mark.parametrize(
        ("option", "text"),
        [("--schedule", "nightly"), ("--schedule", "Nightly orders"), ("--job", "ord"), ("--job", "ORDERS")],
        ids=lambda text: text,
    )
    def test_a_schedule_or_a_job_are_found_by_its_name(
        self, terminal: Terminal, organization_id: UUID, running: UUID, option: str, text: str
    ) -> None:
        with terminal.database.transaction() as session:
            job = make_job(session, organization_id, name="Orders")
            schedule_id = make_schedule(session, job, name="Nightly orders").id
            run_id = make_run(session, job, now=NOW, schedule_id=schedule_id)

        found = terminal.json("runs", "list", option, text, "--organization", str(organization_id))

        assert [row["id"] for row in found] == [str(run_id)]

    def test_what_nothing_or_several_are_called_is_refused(self, terminal: Terminal, organization_id: UUID) -> None:
        with terminal.database.transaction() as session:
            for name in ("Ads of Meta", "Ads of Google"):
                make_job(session, organization_id, name=name)
        here = ("--organization", str(organization_id))

        several = terminal.run("runs", "list", "--job", "ads", *here)
        none = terminal.run("runs", "list", "--schedule", "ads", *here)

        assert "Did you mean “Ads of Google” or “Ads of Meta”?" in str(several.exception)
        assert "No schedule is called “ads”. See: belfry schedules list" in str(none.exception)


def test_no_secret_is_found_or_shown(terminal: Terminal, organization_id: UUID) -> None:
    with terminal.database.transaction() as session:
        job = make_job(session, organization_id, arguments={"city": "Rīga", "password": "hunter2"})
        run_id = make_succeeded(session, job, now=NOW, result={"token": "t-1"})
    here = ("--organization", str(organization_id))

    found = {word: len(terminal.json("runs", "list", "--search", word, *here)) for word in ("hunter", "rīga")}

    assert found == {"hunter": 0, "rīga": 1}
    assert "t-1" not in terminal.run("runs", "show", str(run_id), "--json", *here).output


def test_list_tells_nothing_of_a_secret_by_how_far_it_looked(
    terminal: Terminal, organization_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_search, "SEARCHED_AT_ONCE", 3)
    with terminal.database.transaction() as session:
        for number in range(7):
            secret = {"password": f"hunter-{number}"}
            job = make_job(session, organization_id, name=f"Job {number}", arguments=secret)
            make_run(session, job, now=NOW)
    here = ("--organization", str(organization_id))

    masked, nowhere = (terminal.run("runs", "list", "--search", word, *here).output for word in ("hunter", "walrus"))

    assert masked == nowhere
    assert "Looked through 3 runs. Go on with --older-than " in masked


class TestOlderThan:
    def test_goes_on_where_a_search_stopped(
        self, terminal: Terminal, organization_id: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_search, "SEARCHED_AT_ONCE", 3)
        with terminal.database.transaction() as session:
            make_run(session, make_job(session, organization_id, name="Rare"), now=NOW - timedelta(hours=1))
            job = make_job(session, organization_id, name="Often")
            for number in range(3):
                make_run(session, job, now=NOW - timedelta(minutes=number))
        words = ("runs", "list", "--search", "rare", "--organization", str(organization_id))

        first = terminal.run(*words)
        older = terminal.json(*words, *first.stderr.split()[-2:])

        assert first.stdout == "No runs.\n"
        assert [one["job"] for one in older] == ["Rare"]

    def test_a_run_that_is_gone_is_told(self, terminal: Terminal, organization_id: UUID) -> None:
        words = ("runs", "list", "--older-than", str(new_id()), "--organization", str(organization_id))

        error = terminal.run(*words).exception

        assert str(error) == "The run that the list was to go on behind is gone. Begin with the newest runs again."


HOSTILE = "\x1b]0;owned\x07\x1b[2J\rdone \u202egnp.exe\ttab"


def test_a_log_steers_no_terminal_unless_that_is_asked_for(terminal: Terminal, organization_id: UUID) -> None:
    with terminal.database.transaction() as session:
        run_id = make_succeeded(session, make_job(session, organization_id), now=NOW, lines=[HOSTILE])
    here = (str(run_id), "--organization", str(organization_id))

    for command in ("log", "tail"):
        shown, raw = (terminal.run("runs", command, *more, *here).output for more in ((), ("--raw",)))

        assert "\\x1b]0;owned\\x07\\x1b[2J\\rdone \\u202egnp.exe\ttab" in shown
        assert HOSTILE in raw
    assert terminal.json("runs", "log", *here)[0]["text"] == HOSTILE


def test_neither_does_an_error(terminal: Terminal, organization_id: UUID) -> None:
    with terminal.database.transaction() as session:
        run_id = make_failed(session, make_job(session, organization_id), now=NOW, error="It is\x1b[2J gone")
    here = ("--organization", str(organization_id))

    for words in (("show", str(run_id)), ("tail", str(run_id))):
        assert "It is\\x1b[2J gone" in terminal.run("runs", *words, *here).output
