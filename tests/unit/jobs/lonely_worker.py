"""A process that runs one function and nothing else, to be stopped by a test.

`lonely_worker FUNCTION FOLDER [MODULE [ARGUMENTS]]`, with the arguments as JSON.
"""

import json
import sys
from pathlib import Path

from app.jobs.kinds.base import Level
from app.jobs.kinds.code.process import run_function
from tests.conftest import make_settings
from tests.fakes.run_context import FakeRunContext
from tests.unit.jobs.calls import MODULE, call_of, guard_supply


class LoudContext(FakeRunContext):
    """Passes the lines on, so that the test can read the number of the function's process."""

    def log(self, text: str, level: Level = Level.INFO) -> None:
        print(text, flush=True)


# As long as this process lives and moves, the function may go on for so long.
SAFE_SECONDS = 2.0

if __name__ == "__main__":
    context = LoudContext(safe_seconds=SAFE_SECONDS, is_renewed=True)
    module = sys.argv[3] if len(sys.argv) > 3 else MODULE
    arguments = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
    call = call_of(sys.argv[1], settings=make_settings(Path(sys.argv[2])), module=module, **arguments)
    run_function(call, context, guard_supply())
