"""Times of day are written in one place, so that everybody's clock of 24 or 12 hours holds everywhere."""

import re

from app.core.paths import ROOT

# What machines read: fields of forms, files.
FOR_MACHINES = {"app/web/forms/rhythm_fields.py", "app/web/pages/runs.py"}
MACHINES = re.compile(r"%Y-%m-%dT%H")
BY_HAND = re.compile(r"%[HIp]|:02\}:\{")


def test_pages_leave_the_time_of_day_to_one_function() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "app" / "web").rglob("*.py"))
        if str(path.relative_to(ROOT)) not in FOR_MACHINES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if BY_HAND.search(line) and not MACHINES.search(line)
    ]

    assert found == []
