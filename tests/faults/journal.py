"""What the jobs themselves wrote down: who started and ended when, whatever the ledger says."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from tests.faults.jobs import JOURNAL


@dataclass(frozen=True)
class Journal:
    """Starts and ends by run, and how often one began while another of the same run went on."""

    starts: Counter[UUID]
    ends: Counter[UUID]
    overlaps: int


def read_journal(folder: Path) -> Journal:
    """Of all the lines that are there by now."""
    path = folder / JOURNAL
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    starts, ends = (Counter(UUID(line["run"]) for line in lines if line["what"] == what) for what in ("start", "end"))
    overlaps = sum(line["what"] == "overlap" for line in lines)
    return Journal(starts, ends, overlaps + _crossed(lines))


def _crossed(lines: list[dict[str, str]]) -> int:
    """Processes that ended after another one of the same run had started: the lock should have kept those away."""
    latest: dict[str, str] = {}
    crossed = 0
    for line in lines:
        if line["what"] == "start":
            latest[line["run"]] = line["pid"]
        elif line["what"] == "end":
            crossed += latest[line["run"]] != line["pid"]
    return crossed
