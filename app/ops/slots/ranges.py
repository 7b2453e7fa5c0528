"""Neighbours that fared alike, told as one: what a page shows of a day with hundreds of slots. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.ops.slots.outcomes import SlotRow


@dataclass(frozen=True)
class SlotRange:
    """One slot, or several in a row without runs and with the same outcome for the same reason."""

    row: SlotRow
    last_slot_at: datetime
    slots: int


def collapse(rows: Iterable[SlotRow]) -> list[SlotRange]:
    """The rows in their order. One with a run always stands alone: it leads to its run."""
    found: list[SlotRange] = []
    for row in rows:
        before = found[-1] if found else None
        if before is not None and _are_alike(before.row, row):
            found[-1] = SlotRange(before.row, row.slot_at, before.slots + 1)
        else:
            found.append(SlotRange(row, row.slot_at, 1))
    return found


def _are_alike(one: SlotRow, other: SlotRow) -> bool:
    if one.run is not None or other.run is not None:
        return False
    return (one.outcome, one.reason) == (other.outcome, other.reason)
