"""Whatever a function does, and whatever is done to what runs it: nothing of it stays, and the next run is well."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.http import OutboundClient
from app.jobs.kinds.base import Outcome, OutcomeStatus, StopReason
from app.jobs.kinds.code import process
from app.jobs.kinds.code.fork_server import ForkServer
from app.jobs.kinds.code.process import run_function
from app.jobs.kinds.code.supply import GuardSupply
from tests.fakes.run_context import FakeRunContext
from tests.faults.conftest import Lock, comes_true
from tests.unit.jobs.calls import HOSTILE, MODULE, call_of

ROOT = Path(__file__).parents[2]
Run = Callable[..., Outcome]
# Made once, because it reads the certificates of the machine.
HTTP = OutboundClient()


@pytest.fixture
def run(supply: GuardSupply, settings: Settings, lock: Lock) -> Run:
    """Run a hostile function, which locks the lock."""

    def run(function: str, context: FakeRunContext | None = None, **arguments: object) -> Outcome:
        call = call_of(function, settings=settings, module=HOSTILE, path=str(lock.path), **arguments)
        return run_function(call, context or FakeRunContext(http=HTTP), supply)

    return run


def greets(supply: GuardSupply, settings: Settings) -> bool:
    """Whether an ordinary function runs as it should."""
    outcome = run_function(call_of("greet", settings=settings, who="Ada"), FakeRunContext(http=HTTP), supply)
    return outcome.status is OutcomeStatus.SUCCEEDED


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def server_pid(supply: GuardSupply) -> int:
    assert comes_true(lambda: supply.fork_server.pid is not None)
    pid = supply.fork_server.pid
    assert pid is not None
    return pid


class TestTree:
    def test_fifty_daemons_are_ended_when_the_function_returns(self, run: Run, lock: Lock) -> None:
        outcome = run("haunt", count=50)

        assert outcome.status is OutcomeStatus.SUCCEEDED
        assert lock.is_free()

    @pytest.mark.parametrize("reason", list(StopReason))
    def test_what_listens_to_nobody_is_ended_whyever_it_has_to_stop(
        self, run: Run, lock: Lock, reason: StopReason
    ) -> None:
        outcome = run("possess", FakeRunContext(stop_with=reason), count=5)

        assert outcome.status in {OutcomeStatus.TIMED_OUT, OutcomeStatus.STOPPED, OutcomeStatus.CANCELLED}
        assert lock.is_free()

    def test_a_guard_that_was_made_to_stand_still_does_its_work_all_the_same(self, run: Run, lock: Lock) -> None:
        outcome = run("stun", FakeRunContext(stop_with=StopReason.TIME_LIMIT))

        assert outcome.status is OutcomeStatus.TIMED_OUT
        assert lock.is_free()

    def test_a_guard_that_is_killed_leaves_nothing_behind(self, run: Run, lock: Lock) -> None:
        outcome = run("betray")

        assert outcome.message == "The guard of the function's process was killed, and the function with it."
        assert comes_true(lock.is_free)

    def test_the_end_is_not_told_before_what_a_killed_guard_left_is_ended(self, run: Run, lock: Lock) -> None:
        for _ in range(3):
            run("desert", count=30)

            assert lock.is_free()

    @pytest.mark.parametrize("function", ["possess", "stun", "await_word"])
    def test_all_of_it_goes_with_a_worker_that_is_killed(self, tmp_path: Path, lock: Lock, function: str) -> None:
        arguments = json.dumps({"path": str(lock.path), "count": 5})
        command = [sys.executable, "-m", "tests.unit.jobs.lonely_worker", function, str(tmp_path), HOSTILE, arguments]

        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
            tree = f"server\0{worker.pid}\0"
            assert processes_called(tree)
            worker.kill()

        assert comes_true(lock.is_free)
        assert comes_true(lambda: not processes_called(tree))


def processes_called(text: str) -> list[int]:
    """Those whose command has the text in it."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and text in Path(f"/proc/{name}/cmdline").read_text():
                found.append(int(name))
        except OSError:
            continue
    return found


class TestLimits:
    @pytest.mark.parametrize("scatters", [False, True])
    def test_a_fork_bomb_costs_its_run_alone(
        self, run: Run, lock: Lock, supply: GuardSupply, settings: Settings, scatters: bool
    ) -> None:
        outcome = run("bomb", scatters=scatters)

        assert "64 are allowed. Have it start fewer" in outcome.message
        assert lock.is_free()
        assert greets(supply, settings)

    def test_memory_is_counted_over_all_it_starts(self, run: Run, lock: Lock) -> None:
        outcome = run("hoard", count=200)

        assert "MiB of memory and was ended: 512 MiB are allowed" in outcome.message
        assert lock.is_free()

    def test_more_memory_than_can_be_is_refused_to_the_function(self, run: Run) -> None:
        outcome = run("gulp", count=8_000)

        assert outcome.message.startswith("The function asked for more memory than there is for it and was ended:")
        assert outcome.detail is not None
        assert "bytearray(arguments.count * MIB)" in outcome.detail

    @pytest.mark.parametrize("function", ["pour", "scream"])
    def test_a_gigabyte_of_output_takes_no_room(self, run: Run, function: str) -> None:
        context = FakeRunContext()
        before = resident_mib()

        outcome = run(function, context, count=1_024)

        assert outcome.status is OutcomeStatus.SUCCEEDED
        assert sum(map(len, context.lines)) < 2**21
        assert resident_mib() - before < 50


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class TestForkServer:
    def test_a_run_goes_on_when_it_dies_and_the_next_one_starts(
        self, run: Run, lock: Lock, supply: GuardSupply, settings: Settings
    ) -> None:
        context = FakeRunContext()
        with ThreadPoolExecutor(1) as pool:
            going = pool.submit(run, "await_word", context)
            assert comes_true(lambda: "ready" in context.lines)
            os.kill(server_pid(supply), signal.SIGKILL)
            lock.say_word()

            assert going.result().result == {"heard": True}
        assert all(greets(supply, settings) for _ in range(5))

    def test_runs_start_when_it_and_all_that_waits_died_before(self, supply: GuardSupply, settings: Settings) -> None:
        server = server_pid(supply)
        for pid in [*map(int, children(server)), server]:
            os.kill(pid, signal.SIGKILL)

        assert all(greets(supply, settings) for _ in range(5))

    def test_one_that_does_not_answer_is_replaced(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "START_SECONDS", 4.0)
        supply = GuardSupply(ForkServer([MODULE]), slots=0)
        assert greets(supply, settings)
        stopped = server_pid(supply)
        os.kill(stopped, signal.SIGSTOP)

        try:
            assert greets(supply, settings)
            assert server_pid(supply) != stopped
        finally:
            supply.close()

    def test_it_knows_no_password(
        self, supply: GuardSupply, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        canary = "canary-7f3a"
        for name in ("BELFRY_DATABASE_URL", "BELFRY_BROKER_URL", "BELFRY_SECRET_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.setenv(name, canary)
        fresh = GuardSupply(ForkServer([MODULE]), slots=1)
        assert greets(fresh, settings)

        told = [Path(f"/proc/{server_pid(fresh)}/{name}").read_text() for name in ("environ", "cmdline")]

        fresh.close()
        assert not any(canary in text for text in told)

    def test_a_module_that_starts_threads_is_loaded_by_each_run(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = (ROOT / "tests" / "fakes" / "code_functions.py").read_text()
        thread = "\nthreading.Thread(target=time.sleep, args=(FOREVER,), daemon=True).start()\n"
        (tmp_path / "threaded_functions.py").write_text(source + thread)
        monkeypatch.syspath_prepend(str(tmp_path))
        supply = GuardSupply(ForkServer(["threaded_functions"]), slots=1)
        call = call_of("greet", settings=settings, module="threaded_functions", who="Ada")

        outcome = run_function(call, FakeRunContext(http=HTTP), supply)

        threads = os.listdir(f"/proc/{server_pid(supply)}/task")
        supply.close()
        assert outcome.status is OutcomeStatus.SUCCEEDED
        assert len(threads) == 1


class TestManyRuns:
    def test_eight_at_once_do_not_meet(self, supply: GuardSupply, settings: Settings) -> None:
        def greet(name: str) -> str:
            call = call_of("greet", settings=settings, who=name)
            return str(run_function(call, FakeRunContext(http=HTTP), supply).result["greeting"])

        names = [f"Ada {number}" for number in range(64)]
        with ThreadPoolExecutor(8) as pool:
            greetings = list(pool.map(greet, names))

        assert greetings == [f"Hello {name}" for name in names]

    def test_two_hundred_leave_no_process_and_no_handle(self, supply: GuardSupply, settings: Settings) -> None:
        def held() -> tuple[int, int, int]:
            server = server_pid(supply)
            own = len(os.listdir("/proc/self/fd"))
            return own, len(os.listdir(f"/proc/{server}/fd")), len(children(server))

        assert greets(supply, settings)
        assert comes_true(lambda: held()[2] == 2)
        before = held()

        assert all(greets(supply, settings) for _ in range(200))

        # A few come and go with those that wait for the next run.
        assert comes_true(lambda: all(now < then + 10 for now, then in zip(held(), before, strict=True)))
