"""The slot ledger of a day as CSV, safe to open in a spreadsheet. Pure."""

import csv
import io
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.spreadsheets import safe_cell
from app.ops.slots.ledger import SlotLedger
from app.ops.slots.outcomes import SlotOutcome, SlotRow

HEADINGS = (
    "slot", "local_time", "time_zone", "outcome", "reason", "run", "state", "trigger", "tries", "started", "finished",
    "late_seconds", "duration_seconds",
)  # fmt: skip


def csv_text(ledger: SlotLedger, outcome: SlotOutcome | None = None) -> str:
    """All slots, or those with one outcome, one a line, also those that a page tells as one."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    zone = ZoneInfo(ledger.day.zone)
    for row in ledger.chosen(outcome):
        writer.writerow([safe_cell(value) for value in _values(row, zone)])
    return out.getvalue()


def _values(row: SlotRow, zone: ZoneInfo) -> tuple[object, ...]:
    run = row.run
    said = (_instant(row.slot_at), row.slot_at.astimezone(zone).isoformat(), zone.key, row.outcome.value, row.reason)
    if run is None:
        return (*said, *[""] * (len(HEADINGS) - len(said)))
    late, took = (None if each is None else each.total_seconds() for each in (run.lateness, run.duration))
    return (
        *said, run.id, run.state.value, run.trigger.value, run.attempt, _instant(run.started_at),
        _instant(run.finished_at), late, took,
    )  # fmt: skip


def _instant(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%dT%H:%M:%S}Z"
