"""How long a function takes to start in a process of its own: from the request to its first line in the log.

Alone, and eight at the same moment; in between the machine comes to rest.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

from app.core.config import Settings
from app.core.http import OutboundClient
from app.jobs.kinds.base import Level, OutcomeStatus
from app.jobs.kinds.code.fork_server import ForkServer
from app.jobs.kinds.code.limits import Limits
from app.jobs.kinds.code.process import run_function
from app.jobs.kinds.code.protocol import FunctionCall
from app.jobs.kinds.code.supply import GuardSupply
from app.ops.code_definitions import BUILT_IN_JOB_MODULES
from bench.figures import ROUNDS, median_of_rounds, percentile, print_figures
from bench.installation import installation
from bench.services import Engine
from tests.fakes.run_context import FakeRunContext

AT_ONCE = 8
REST_SECONDS = 0.2


class Watch(FakeRunContext):
    """Notes when the first line came."""

    first_line_at = 0.0

    def log(self, text: str, level: Level = Level.INFO) -> None:
        self.first_line_at = self.first_line_at or time.perf_counter()


# Made once, as a worker does: it reads the machine's certificates.
HTTP = OutboundClient()


def start(settings: Settings, supply: GuardSupply, together: Barrier) -> float:
    """Run the function once others are ready, too. Milliseconds until its first line."""
    limits = Limits(settings.function_memory_mib, settings.function_processes)
    call = FunctionCall("bench.functions", "say", {}, uuid4(), uuid4(), "key", settings, limits)
    watch = Watch(http=HTTP)
    time.sleep(REST_SECONDS)
    together.wait()
    begin = time.perf_counter()
    outcome = run_function(call, watch, supply)
    if outcome.status is not OutcomeStatus.SUCCEEDED:
        raise SystemExit(f"a run failed: {outcome.message}")
    return (watch.first_line_at - begin) * 1000


def measure(settings: Settings, supply: GuardSupply, *, starts: int, at_once: int) -> list[float]:
    """Start so many, so many at a time."""
    together = Barrier(at_once)
    with ThreadPoolExecutor(at_once) as pool:
        # Full rows alone, because each row waits until it is full.
        waiting = [pool.submit(start, settings, supply, together) for _ in range(starts // at_once * at_once)]
        return [one.result() for one in waiting]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    # The engine has no part in it; every bench takes one.
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--starts", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with installation() as place:
        supply = GuardSupply(ForkServer([*BUILT_IN_JOB_MODULES, "bench.functions"]), slots=AT_ONCE)
        measure(place.settings, supply, starts=20, at_once=1)

        def percentiles() -> dict[str, float]:
            figures = {}
            for at_once, suffix in ((1, ""), (AT_ONCE, f"_{AT_ONCE}")):
                found = measure(place.settings, supply, starts=options.starts, at_once=at_once)
                figures |= {f"p{percent}_ms{suffix}": percentile(found, percent) for percent in (50, 99)}
            return figures

        figures = median_of_rounds(percentiles, rounds=options.rounds)
        supply.close()
    print_figures("start", options.engine, {"starts": options.starts, **figures})


if __name__ == "__main__":
    main()
