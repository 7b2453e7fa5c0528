"""Functions in processes of their own: real children, good and bad ones."""

import os
import select
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from app.core.config import Settings
from app.jobs.kinds.base import Level, Outcome, OutcomeStatus, StopReason
from app.jobs.kinds.code.process import run_function
from app.jobs.kinds.code.supply import GuardSupply
from app.jobs.policies import ErrorClass
from tests.fakes.run_context import FakeRunContext
from tests.unit.jobs.calls import call_of, guard_supply
from tests.unit.jobs.lonely_worker import SAFE_SECONDS

ROOT = Path(__file__).parents[3]


class Run(Protocol):
    """Runs one of the fake functions."""

    def __call__(
        self, function: str, settings: Settings, context: FakeRunContext | None = None, **arguments: object
    ) -> Outcome: ...


@pytest.fixture
def run(supply: GuardSupply) -> Run:
    def run(function: str, settings: Settings, context: FakeRunContext | None = None, **arguments: object) -> Outcome:
        return run_function(call_of(function, settings=settings, **arguments), context or FakeRunContext(), supply)

    return run


def is_gone_within(seconds: float, pid: int) -> bool:
    """Whether a process has ended, waiting for it at most this long."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def pid_in(lines: list[str]) -> int:
    return next(int(line.removeprefix("pid ")) for line in lines if line.startswith("pid "))


class TestEnd:
    def test_a_function_returns_its_result(self, run: Run, settings: Settings) -> None:
        outcome = run("greet", settings, who="Ada")

        assert outcome == Outcome(OutcomeStatus.SUCCEEDED, result={"greeting": "Hello Ada", "key": "the key"})

    def test_a_function_can_say_when_to_try_again(self, run: Run, settings: Settings) -> None:
        outcome = run("come_back", settings)

        assert (outcome.message, outcome.may_retry) == ("The shop opens at nine.", True)
        assert outcome.come_back_after == timedelta(seconds=900)
        assert outcome.error_class is ErrorClass.RATE_LIMITED

    def test_a_function_says_how_far_it_has_come_as_often_as_it_likes(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext()

        run("proceed", settings, context)

        assert (context.said_progress[0], context.said_progress[-1]) == ((1, 10_000, "Row 1"), (10_000, 10_000, "Done"))
        assert len(context.said_progress) < 100

    def test_what_a_function_says_last_of_its_progress_is_told_when_it_ends(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext()

        run("begin", settings, context, seconds=0)

        assert context.said_progress == [(1, 10, "Orders"), (2, 10, "Customers")]

    def test_what_a_function_says_last_of_its_progress_is_told_while_it_goes_on(
        self, run: Run, settings: Settings
    ) -> None:
        context = FakeRunContext(
            seconds=20, stop_with=StopReason.CANCELLED, stop_when=lambda _: len(context.said_progress) == 2
        )

        outcome = run("begin", settings, context, seconds=60)

        assert outcome.status is OutcomeStatus.CANCELLED
        assert context.said_progress[-1] == (2, 10, "Customers")

    def test_all_it_writes_comes_into_the_log(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext()

        run("greet", settings, context, who="Ada")

        assert sorted(context.lines) == ["logged", "printed", "to the other stream"]
        assert context.levels[context.lines.index("logged")] is Level.WARNING

    def test_an_exception_is_named_and_its_trace_begins_in_the_function(self, run: Run, settings: Settings) -> None:
        outcome = run("explode", settings)

        assert (outcome.status, outcome.message) == (OutcomeStatus.FAILED, "ValueError: the number is odd")
        assert outcome.may_retry
        assert outcome.detail is not None
        assert "code_functions.py" in outcome.detail.splitlines()[1]

    def test_a_function_can_fail_in_its_own_words_and_for_good(self, run: Run, settings: Settings) -> None:
        outcome = run("give_up", settings)

        assert (outcome.status, outcome.message) == (OutcomeStatus.FAILED, "The shop is closed.")
        assert not outcome.may_retry

    def test_wrong_arguments_fail_for_good(self, run: Run, settings: Settings) -> None:
        outcome = run("greet", settings, who="Ada", how_many=10)

        assert outcome.message == "“how many” has to be 9 or less."
        assert not outcome.may_retry

    def test_an_exit_status_is_told(self, run: Run, settings: Settings) -> None:
        outcome = run("leave", settings)

        assert outcome.message == "The function's process ended with exit status 3 before it returned."

    def test_a_crash_is_named(self, run: Run, settings: Settings) -> None:
        outcome = run("crash", settings)

        assert outcome.message == "The function's process was ended by SIGSEGV before it returned."

    def test_a_result_that_is_too_large_is_refused(self, run: Run, settings: Settings) -> None:
        outcome = run("boast", settings)

        assert outcome.message == "The function returned 100,011 bytes; at most 65,536 are kept. Return less."

    def test_a_result_is_what_json_makes_of_it(self, run: Run, settings: Settings) -> None:
        outcome = run("count", settings)

        assert outcome.result == {"words": {"a": 2, "b": 1}, "lists": {"x": [1]}, "text": "half ?"}

    def test_a_result_that_is_nested_too_deeply_is_refused(self, run: Run, settings: Settings) -> None:
        outcome = run("bury_deep", settings)

        assert outcome.message.endswith("cannot be stored as JSON: it is nested too deeply.")

    def test_a_message_of_broken_text_is_told_as_text(self, run: Run, settings: Settings) -> None:
        outcome = run("mumble", settings)

        assert outcome.message == "half ?"

    def test_a_function_may_close_its_output(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext()

        outcome = run("fall_silent", settings, context)

        assert outcome.result == {"done": True}
        assert context.lines == ["last words"]

    def test_the_return_of_a_process_it_forked_is_not_the_functions(self, run: Run, settings: Settings) -> None:
        outcome = run("double", settings)

        assert outcome.result == {"is_child": False}

    def test_an_exception_that_cannot_be_told_is_named(self, run: Run, settings: Settings) -> None:
        outcome = run("puzzle", settings)

        assert outcome.message == "Sphinx: it cannot say why, because of LookupError"

    def test_many_run_at_once_from_many_threads(self, run: Run, settings: Settings) -> None:
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(lambda name: run("greet", settings, who=name), "ABCD"))

        assert [outcome.result["greeting"][-1] for outcome in outcomes] == ["A", "B", "C", "D"]


class TestSurroundings:
    def test_a_function_sees_the_settings_without_the_secret_key(
        self, run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BELFRY_SECRET_KEY", "s" * 40)
        monkeypatch.setenv("BELFRY_POLL_SECONDS", "7")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "hush")

        seen = run("look_around", settings).result

        assert (seen["database_url"], seen["secret_key"], seen["stdin"]) == (settings.database_url, None, "")
        assert {"PATH", "BELFRY_POLL_SECONDS"} <= set(seen["environment"])
        assert not {"BELFRY_SECRET_KEY", "AWS_SESSION_TOKEN"} & set(seen["environment"])


class TestOutput:
    def test_of_a_flood_the_beginning_and_the_end_are_kept(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext()

        outcome = run("flood", settings, context)

        assert outcome.status is OutcomeStatus.SUCCEEDED
        assert (context.lines[0], context.lines[-1]) == ("line 0", "line 199999")
        assert len(context.lines) == 2_001
        assert context.lines[1_500].startswith("… 198,000 lines left out")

    def test_bytes_that_are_no_text_survive_as_text(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext()

        outcome = run("babble", settings, context)

        assert outcome.status is OutcomeStatus.SUCCEEDED
        assert set(context.lines) == {
            "ab \ufffd\ufffd c",
            "z" * 8_192 + " … (991,808 bytes cut)",
            "last without end",
            "half a ? character",
        }


class TestStop:
    def test_the_time_limit_ends_a_function_that_ignores_it(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext(stop_with=StopReason.TIME_LIMIT)

        outcome = run("spin", settings, context)

        assert (outcome.status, outcome.error_class) == (OutcomeStatus.TIMED_OUT, ErrorClass.TIMED_OUT)
        assert is_gone_within(1, pid_in(context.lines))

    @pytest.mark.parametrize("function", ["spin", "nest", "escape"])
    def test_a_cancel_ends_a_function_and_all_that_it_started(
        self, run: Run, settings: Settings, function: str
    ) -> None:
        context = FakeRunContext(stop_with=StopReason.CANCELLED)

        outcome = run(function, settings, context)

        assert outcome.status is OutcomeStatus.CANCELLED
        assert is_gone_within(1, pid_in(context.lines))

    def test_a_function_that_left_its_group_is_ended_as_well(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext(stop_with=StopReason.LEASE_LOST)

        run("escape", settings, context)

        assert is_gone_within(5, pid_in(context.lines))

    def test_a_function_may_clean_up_when_the_worker_stops(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext(stop_with=StopReason.WORKER_STOPPING)

        outcome = run("tidy", settings, context)

        assert outcome.status is OutcomeStatus.STOPPED
        assert context.lines == ["working", "cleaned up"]

    def test_a_worker_that_stops_before_it_could_start_hands_the_run_back(self, settings: Settings) -> None:
        closed = guard_supply()
        closed.close()
        context = FakeRunContext(stop_with=StopReason.WORKER_STOPPING, stop_when=lambda _: True)

        outcome = run_function(call_of("greet", settings=settings, who="Ada"), context, closed)

        assert outcome.status is OutcomeStatus.STOPPED

    def test_a_lost_lease_leaves_no_time_for_that(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext(stop_with=StopReason.LEASE_LOST)

        outcome = run("tidy", settings, context)

        assert outcome.status is OutcomeStatus.STOPPED
        assert context.lines == ["working"]

    def test_a_function_that_is_not_safe_any_more_is_ended_by_its_guard(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext(safe_seconds=1.5)

        outcome = run("nest", settings, context)

        assert outcome == Outcome(OutcomeStatus.STOPPED, "Its worker lost the right to go on, and stopped it.")
        assert is_gone_within(1, pid_in(context.lines))

    def test_a_function_goes_on_for_as_long_as_that_is_renewed(self, run: Run, settings: Settings) -> None:
        context = FakeRunContext(safe_seconds=1, is_renewed=True)

        outcome = run("nap", settings, context, seconds=2)

        assert outcome == Outcome(OutcomeStatus.SUCCEEDED, result={"slept": True})

    def test_a_process_the_function_left_behind_is_ended(self, run: Run, settings: Settings) -> None:
        outcome = run("breed", settings)

        assert is_gone_within(5, outcome.result["pid"])

    def test_a_thread_the_function_left_behind_does_not_hold_the_run_up(self, run: Run, settings: Settings) -> None:
        outcome = run("linger", settings)

        assert outcome == Outcome(OutcomeStatus.SUCCEEDED, result={"done": True})

    @pytest.mark.parametrize("function", ["spin", "nest", "escape"])
    def test_a_function_and_its_processes_die_with_their_worker(self, tmp_path: Path, function: str) -> None:
        command = [sys.executable, "-m", "tests.unit.jobs.lonely_worker", function, str(tmp_path)]

        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            pid = pid_in([worker.stdout.readline()])
            worker.send_signal(signal.SIGKILL)

        assert is_gone_within(5, pid)

    @pytest.mark.parametrize("function", ["nest", "walk_off", "escape"])
    def test_a_function_and_its_processes_go_in_time_when_their_worker_stands_still(
        self, tmp_path: Path, function: str
    ) -> None:
        command = [sys.executable, "-m", "tests.unit.jobs.lonely_worker", function, str(tmp_path)]

        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            pid = pid_in([worker.stdout.readline()])
            worker.send_signal(signal.SIGSTOP)
            was_ended = is_gone_within(SAFE_SECONDS + 1, pid)
            worker.kill()

        assert was_ended
