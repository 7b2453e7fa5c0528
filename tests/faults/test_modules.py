"""Whatever a module of functions does when it is loaded: runs start, and nothing stays when the worker is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.http import OutboundClient
from app.jobs.kinds.base import OutcomeStatus
from app.jobs.kinds.code import process
from app.jobs.kinds.code.fork_server import ForkServer
from app.jobs.kinds.code.process import run_function
from app.jobs.kinds.code.supply import GuardSupply
from tests.fakes.run_context import FakeRunContext
from tests.faults.conftest import Lock, comes_true
from tests.unit.jobs.calls import HOSTILE, MODULE, call_of

# Made once, because it reads the certificates of the machine.
HTTP = OutboundClient()
NAME = "module_under_test"
Supplied = Callable[[str], GuardSupply]


@pytest.fixture
def supplied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supplied]:
    """What starts functions, with a module of this text loaded before the others."""
    supplies = []

    def supplied(text: str) -> GuardSupply:
        (tmp_path / f"{NAME}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        supplies.append(GuardSupply(ForkServer([NAME, MODULE, HOSTILE]), slots=1))
        return supplies[-1]

    yield supplied
    for supply in supplies:
        supply.close()


def greets(supply: GuardSupply, settings: Settings) -> bool:
    outcome = run_function(call_of("greet", settings=settings, who="Ada"), FakeRunContext(http=HTTP), supply)
    return outcome.status is OutcomeStatus.SUCCEEDED


def test_a_module_that_takes_longer_than_a_start_may_is_waited_for(
    supplied: Supplied, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "START_SECONDS", 1.0)
    supply = supplied("import time\ntime.sleep(3)\n")

    assert greets(supply, settings)


def test_a_module_that_ignores_the_end_of_children_does_not_end_the_server(
    supplied: Supplied, settings: Settings
) -> None:
    supply = supplied("import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n")
    assert greets(supply, settings)
    server = supply.fork_server.pid

    assert all(greets(supply, settings) for _ in range(3))
    assert supply.fork_server.pid == server


def test_a_request_to_end_that_goes_to_all_leaves_a_run_to_its_worker(
    supplied: Supplied, settings: Settings, lock: Lock
) -> None:
    supply = supplied("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_DFL)\n")
    call = call_of("await_word", settings=settings, module=HOSTILE, path=str(lock.path))
    context = FakeRunContext(http=HTTP)

    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(run_function, call, context, supply)
        assert comes_true(lambda: "ready" in context.lines)
        server = supply.fork_server.pid
        assert server is not None
        for guard in Path(f"/proc/{server}/task/{server}/children").read_text().split():
            os.kill(int(guard), signal.SIGTERM)
        os.kill(server, signal.SIGTERM)
        lock.say_word()

        assert going.result().result == {"heard": True}
    assert supply.fork_server.pid == server


def test_a_server_that_never_finishes_loading_goes_with_its_worker(tmp_path: Path, lock: Lock) -> None:
    (tmp_path / f"{NAME}.py").write_text(
        f"import time\nfrom tests.fakes.hostile_functions import hold\nhold({str(lock.path)!r})\n"
        "print('ready', flush=True)\ntime.sleep(60)\n"
    )
    text = f"import time; from app.jobs.kinds.code.fork_server import ForkServer as F; F([{NAME!r}]).start(); "
    command = [sys.executable, "-c", text + "time.sleep(60)"]
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        worker.kill()

    assert comes_true(lock.is_free)


def test_a_server_ends_without_a_word(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    supply = GuardSupply(ForkServer([MODULE]), slots=1)
    greeted = greets(supply, settings)

    supply.close()

    assert greeted
    assert capfd.readouterr().err == ""
