"""How much of every fault: the short form of each test run, and the long one of `make soak`."""

import os
import platform
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.checker import Verdict

IS_LONG = os.environ.get("FAULTS") == "long"
REPORT = os.environ.get("FAULTS_REPORT")
BEGIN, END = "<!-- report -->", "<!-- end of report -->"
# Until then everything has to have come to its end, on a machine that is busy with other things too.
PATIENCE_SECONDS = 1_200.0 if IS_LONG else 150.0

COLUMNS = (
    "fault", "engine", "slots", "executions", "lost", "concurrent", "overdue", "duplicates", "lost tries", "given up",
    "seconds",
)  # fmt: skip


def scaled(short: int, long: int) -> int:
    """The number for the form that runs."""
    return long if IS_LONG else short


@dataclass
class Report:
    """A row for each fault that was survived, in the order of the tests."""

    rows: list[tuple[object, ...]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        self.began = time.monotonic()

    def add(self, fault: str, engine: str, verdict: Verdict) -> None:
        seconds = round(time.monotonic() - self.began)
        found = verdict.lost, verdict.concurrent, verdict.overdue, verdict.duplicates + verdict.invented
        counts = verdict.slots, verdict.executions, *found, verdict.lost_attempts, verdict.given_up, seconds
        self.rows.append((fault, engine, *counts))

    def write(self, path: Path) -> None:
        """Put the table where the page has its place for it."""
        text = path.read_text()
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        path.write_text(f"{before}{BEGIN}\n{self.text}\n{END}{after}")

    @property
    def text(self) -> str:
        form = "long" if IS_LONG else "short"
        machine = (
            f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
        )
        # What else went on says more about the seconds than the machine does.
        busy = f"on average {os.getloadavg()[2]:.0f} processes wanted to run"
        lines = [COLUMNS, ("---",) * len(COLUMNS), *self.rows]
        table = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
        return f"The {form} form, on {time.strftime('%Y-%m-%d', time.gmtime())}: {machine}; {busy}.\n\n{table}"
