"""Cells of a spreadsheet by name, as people and its API write them. Pure; rows and columns count from 0."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Box:
    """Some cells: from a row and column, up to but without another."""

    top: int
    left: int
    bottom: int
    right: int

    def __contains__(self, place: tuple[int, int]) -> bool:
        return self.top <= place[0] < self.bottom and self.left <= place[1] < self.right

    @property
    def is_empty(self) -> bool:
        return self.top >= self.bottom or self.left >= self.right

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def cells(self) -> int:
        return 0 if self.is_empty else (self.bottom - self.top) * self.width

    def grid(self, sheet_id: int) -> dict[str, int]:
        """As requests that name a tab by its id write it."""
        return {
            "sheetId": sheet_id, "startRowIndex": self.top, "endRowIndex": self.bottom,
            "startColumnIndex": self.left, "endColumnIndex": self.right,
        }  # fmt: skip

    def range_of(self, title: str) -> str:
        """`'Spend ''26'!A1:D6`."""
        last = cell_name(self.bottom - 1, self.right - 1)
        return f"{quoted_title(title)}!{cell_name(self.top, self.left)}:{last}"


def cell_name(row: int, column: int) -> str:
    """`B7`."""
    letters, rest = "", column + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(65 + digit) + letters
    return f"{letters}{row + 1}"


def quoted_title(title: str) -> str:
    """The title of a tab as ranges name it, whatever is in it."""
    return "'" + title.replace("'", "''") + "'"


def values_of(title: str, box: Box, rows: list[list[Any]]) -> dict[str, Any]:
    """Rows for a box, as values are written."""
    return {"range": box.range_of(title), "majorDimension": "ROWS", "values": rows}
