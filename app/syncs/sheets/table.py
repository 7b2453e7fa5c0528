"""What a push puts into its tab: a heading, rows, and beside them how new they are, with a checksum. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from app.syncs.sheets.a1 import Box
from app.syncs.sheets.cells import checksum_of, encode_row

# Right of the table stay one empty column, and then how new it is, and its checksum.
GAP = 1
INFO_CELLS = 2


@dataclass(frozen=True)
class Extent:
    """Which cells of a tab are ours: a table with so many rows below its headings, and two cells right of them."""

    columns: int
    rows: int

    @property
    def table(self) -> Box:
        return Box(0, 0, self.rows + 1, self.columns)

    @property
    def info(self) -> Box:
        return Box(0, self.columns + GAP, 1, self.columns + GAP + INFO_CELLS)

    @property
    def around(self) -> Box:
        """Everything between the first of our cells and the last."""
        return Box(0, 0, self.rows + 1, self.info.right)

    def holds(self, place: tuple[int, int]) -> bool:
        return place in self.table or place in self.info


@dataclass(frozen=True)
class PushTable:
    """The whole of it. `rows` are encoded, below the headings; `data_through` is the last day of which all is there."""

    headings: tuple[str, ...]
    rows: Sequence[str] = field(repr=False)
    data_through: date
    zone: str

    @property
    def extent(self) -> Extent:
        return Extent(len(self.headings), len(self.rows))

    @cached_property
    def checksum(self) -> str:
        return checksum_of(self.lines())

    def lines(self) -> list[str]:
        """The headings and all rows, encoded."""
        return [encode_row(self.headings), *self.rows]

    @property
    def through_words(self) -> str:
        return f"Data through {self.data_through}, "

    @property
    def checksum_words(self) -> str:
        return f"{len(self.rows)} rows, checksum {self.checksum}"

    def info(self, pushed_at: datetime) -> list[str]:
        """The two cells beside the table."""
        at = pushed_at.astimezone(ZoneInfo(self.zone))
        return [f"{self.through_words}pushed at {at:%Y-%m-%d %H:%M} {self.zone} by Belfry", self.checksum_words]

    def is_said_by(self, info: Sequence[object]) -> bool:
        """Whether two cells beside a table speak of this one, whenever it was pushed."""
        said = [str(cell) for cell in info]
        return len(said) == INFO_CELLS and said[0].startswith(self.through_words) and said[1] == self.checksum_words
