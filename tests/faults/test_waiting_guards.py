"""What waits for the next run may die while it waits: the next run starts all the same, and nothing is left of it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.http import OutboundClient
from app.jobs.kinds.base import OutcomeStatus
from app.jobs.kinds.code.fork_server import ForkServer
from app.jobs.kinds.code.process import run_function
from app.jobs.kinds.code.supply import MOST_WAITING, GuardSupply
from tests.fakes.run_context import FakeRunContext
from tests.faults.conftest import comes_true
from tests.unit.jobs.calls import MODULE, call_of

# Made once, because it reads the certificates of the machine.
HTTP = OutboundClient()


@pytest.fixture
def supply() -> Iterator[GuardSupply]:
    """As many as can wait, and all of them do."""
    supply = GuardSupply(ForkServer([MODULE]), slots=MOST_WAITING)
    supply.start()
    assert comes_true(lambda: len(pairs(supply)) == MOST_WAITING)
    yield supply
    supply.close()


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def pairs(supply: GuardSupply) -> dict[int, int]:
    """The guards that wait, each with its function's process."""
    server = supply.fork_server.pid
    guards = [] if server is None else children(server)
    return {guard: child for guard in guards for child in children(guard)}


def greets(supply: GuardSupply, settings: Settings, context: FakeRunContext | None = None) -> bool:
    call = call_of("greet", settings=settings, who="Ada")
    outcome = run_function(call, context or FakeRunContext(http=HTTP), supply)
    return outcome.status is OutcomeStatus.SUCCEEDED


def processes(supply: GuardSupply) -> set[int]:
    """All that the fork server has, dead ones that nobody reaped included."""
    server = supply.fork_server.pid
    guards = [] if server is None else children(server)
    return {*guards, *(child for guard in guards for child in children(guard))}


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_run_starts_when_all_guards_were_killed_while_they_waited(supply: GuardSupply, settings: Settings) -> None:
    for guard in pairs(supply):
        os.kill(guard, signal.SIGKILL)

    assert greets(supply, settings)


def test_a_run_starts_when_the_processes_of_the_functions_were_killed_while_they_waited(
    supply: GuardSupply, settings: Settings
) -> None:
    waiting = pairs(supply)
    for child in waiting.values():
        os.kill(child, signal.SIGKILL)
    # One that dies with the orders in its hands has begun, and that is the run's own end.
    assert comes_true(lambda: all(is_gone(child) for child in waiting.values()))

    assert all(greets(supply, settings) for _ in range(MOST_WAITING))
    assert comes_true(lambda: all(map(is_gone, [*waiting, *waiting.values()])))


def test_nothing_is_left_of_a_pair_whose_orders_came_too_late(supply: GuardSupply, settings: Settings) -> None:
    before = processes(supply)

    began = greets(supply, settings, FakeRunContext(http=HTTP, safe_seconds=-1))

    assert not began
    assert comes_true(lambda: len(processes(supply) - before) == 2 and len(before - processes(supply)) == 2)
