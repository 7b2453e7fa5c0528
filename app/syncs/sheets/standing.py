"""What stands in a tab of ours, compared with what we put there last and with what is to stand there. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.syncs.calls.troubles import SyncFailed, Trouble, TroubleClass
from app.syncs.sheets.a1 import cell_name
from app.syncs.sheets.cells import Checksum, decode_row, encode_row
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


def compare(rows: Iterator[list[Any]], mark: TabMark, table: PushTable) -> Standing:
    """`rows` are all rows of the tab from the first, each as wide as both tables. Raises SyncFailed for headings.

    What is below the end of the tab is missing in `rows`, and empty. One row is held at a time: there may be many.
    """
    found = _Comparison(mark, table)
    for number in range(max(mark.rows, len(table.rows)) + 1):
        found.add(number, next(rows, []))
    return found.standing()


@dataclass
class _Comparison:
    mark: TabMark
    table: PushTable
    changed: int = 0
    crowd: tuple[int, int, str] | None = None
    was: Checksum = field(default_factory=Checksum)

    def __post_init__(self) -> None:
        self.before, self.now = self.mark.extent, self.table.extent
        self.headings = encode_row(self.table.headings)
        self.nothing = [""] * self.before.columns

    def add(self, number: int, found: list[Any]) -> None:
        """Compare a row."""
        if number == 0:
            _refuse_edited(found, self.mark)
            is_told = self.table.is_said_by(found[self.now.info.left : self.now.info.right])
            self.changed += 0 if is_told else self.now.info.cells
        if number <= self.before.rows:
            self.was.add(encode_row((found + self.nothing)[: self.before.columns]))
        self.crowd = self.crowd or _crowd(number, found, self.before, self.now)
        was_width = self.before.columns if number <= self.before.rows else 0
        width = max(was_width, self.now.columns if number <= self.now.rows else 0)
        line = self._line(number)
        # Most rows say what they said, and are not taken apart.
        if encode_row(found[:width]) != line:
            self.changed += _differences(number, found, decode_row(line), self.now, width)

    def standing(self) -> Standing:
        mark, table = self.mark, self.table
        is_marked = (mark.headings, mark.rows, mark.checksum) == (table.headings, len(table.rows), table.checksum)
        # Without its mark saying so as well, nobody could tell later whether somebody changed it.
        is_up_to_date = self.changed == 0 and self.crowd is None and is_marked
        return Standing(self.changed, is_up_to_date, self.was.text != mark.checksum, self.crowd)

    def _line(self, number: int) -> str:
        if number == 0:
            return self.headings
        return self.table.rows[number - 1] if number <= self.now.rows else "[]"


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
