"""What stands in a tab of ours, compared with what we put there last and with what is to stand there. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.syncs.calls.troubles import SyncFailed, Trouble, TroubleClass
from app.syncs.sheets.a1 import cell_name
from app.syncs.sheets.cells import checksum_of, decode_row, encode_row
from app.syncs.sheets.marks import TabMark
from app.syncs.sheets.table import Extent, PushTable

HEADING_EDITED = "heading_edited"
_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Standing:
    """How a tab differs. `crowd` is the first cell that somebody filled where the table is to grow to."""

    cells_changed: int = 0
    is_up_to_date: bool = False
    was_edited: bool = False
    crowd: tuple[int, int, str] | None = None


def compare(rows: Sequence[list[Any]], mark: TabMark, table: PushTable) -> Standing:
    """`rows` are all rows of the tab from the first, each as wide as both tables. Raises SyncFailed for headings.

    What is below the end of the tab is missing in `rows`, and empty.
    """
    before, now = mark.extent, table.extent
    _refuse_edited(rows[0] if rows else [], mark)
    wanted = table.lines()
    changed, crowd = 0, None
    for number in range(max(before.rows, now.rows) + 1):
        found = rows[number] if number < len(rows) else []
        crowd = crowd or _crowd(number, found, before, now)
        width = max(before.columns if number <= before.rows else 0, now.columns if number <= now.rows else 0)
        line = wanted[number] if number < len(wanted) else encode_row([])
        # Most rows say what they said, and are not taken apart.
        if encode_row(found[:width]) != line:
            changed += _differences(number, found, decode_row(line), now, width)
    is_told = bool(rows) and table.is_said_by(rows[0][now.info.left : now.info.right])
    changed += 0 if is_told else now.info.cells
    is_as_left = checksum_of(_old_lines(rows, before)) == mark.checksum
    is_same = changed == 0 and crowd is None and mark.headings == table.headings and mark.rows == len(table.rows)
    # Without its mark saying so as well, nobody could tell later whether somebody changed it.
    return Standing(changed, is_same and mark.checksum == table.checksum, not is_as_left, crowd)


def _refuse_edited(first: Sequence[Any], mark: TabMark) -> None:
    """Raises SyncFailed when a heading is not what we wrote: then columns may have moved, and nobody knows whereto."""
    for column, heading in enumerate(mark.headings):
        said = first[column] if column < len(first) else ""
        if said != heading:
            shown = f"“{str(said)[:_LONGEST_SHOWN]}”" if said != "" else "nothing"
            words = (
                f"Somebody changed the headings of the tab: {cell_name(0, column)} says {shown}, where Belfry wrote "
                f"“{heading}”. Nothing was pushed. Put it back, or delete the tab and Belfry makes it anew."
            )
            raise SyncFailed(Trouble(TroubleClass.SETUP_ERROR, words, HEADING_EDITED))


def _crowd(number: int, found: Sequence[Any], before: Extent, now: Extent) -> tuple[int, int, str] | None:
    """The first cell of a row that is to be ours, was not, and is not empty."""
    for column, cell in enumerate(found):
        place = (number, column)
        if cell != "" and now.holds(place) and not before.holds(place):
            return number, column, str(cell)[:_LONGEST_SHOWN]
    return None


def _differences(number: int, found: Sequence[Any], meant: Sequence[Any], now: Extent, width: int) -> int:
    """How many of the first cells of a row say something else than they are to say, our two cells apart."""
    said = [found[column] if column < len(found) else "" for column in range(width)]
    wanted = [meant[column] if column < len(meant) else "" for column in range(width)]
    ours = [column for column in range(width) if (number, column) not in now.info]
    return sum(1 for column in ours if encode_row([said[column]]) != encode_row([wanted[column]]))


def _old_lines(rows: Sequence[list[Any]], before: Extent) -> list[str]:
    """What stands where the old table was."""
    empty = [""] * before.columns
    found = [rows[number] if number < len(rows) else empty for number in range(before.rows + 1)]
    return [encode_row((row + empty)[: before.columns]) for row in found]
