"""What a spreadsheet of the fake is: tabs with cells of numbers, texts and formulas, and marks that nobody sees."""

import re
from dataclasses import dataclass, field
from typing import Any

MOST_CELLS = 10_000_000
LONGEST_CELL = 50_000
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_RANGE = re.compile(r"(?:(?P<tab>'(?:[^']|'')+'|[^'!]+)!)?(?:(?P<first>[A-Z]+[0-9]+)(?::(?P<last>[A-Z]+[0-9]+))?)?")
_CELL = re.compile(r"([A-Z]+)([0-9]+)")


class BadRequest(Exception):
    """What the service answers with 400."""


@dataclass(frozen=True)
class Formula:
    """What somebody meant to be computed. Nobody computes it here: that it is one is what counts."""

    text: str


Cell = str | float | bool | Formula
Place = tuple[int, int]  # row and column, from 0


@dataclass(frozen=True)
class Box:
    """Some cells: from a row and column, up to but without another. From 0."""

    top: int
    left: int
    bottom: int
    right: int

    def __contains__(self, place: Place) -> bool:
        return self.top <= place[0] < self.bottom and self.left <= place[1] < self.right


@dataclass
class Mark:
    """Developer metadata: a key and a value at a tab, or at the whole spreadsheet."""

    id: int
    key: str
    value: str
    visibility: str


@dataclass
class Tab:
    """One tab. `cells` holds those that are not empty."""

    id: int
    title: str
    rows: int = 1_000
    columns: int = 26
    is_hidden: bool = False
    frozen_rows: int = 0
    cells: dict[Place, Cell] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)

    @property
    def properties(self) -> dict[str, Any]:
        grid: dict[str, Any] = {"rowCount": self.rows, "columnCount": self.columns}
        said: dict[str, Any] = {"sheetId": self.id, "title": self.title, "sheetType": "GRID", "gridProperties": grid}
        if self.frozen_rows:
            grid["frozenRowCount"] = self.frozen_rows
        # As the service does: what is false is left out.
        return said | ({"hidden": True} if self.is_hidden else {})

    def put(self, place: Place, value: Cell | None) -> None:
        """Set a cell, or empty it."""
        if value is None or value == "":
            self.cells.pop(place, None)
        else:
            self.cells[place] = value

    def clear(self, box: Box) -> None:
        for place in [place for place in self.cells if place in box]:
            del self.cells[place]

    def shown(self, box: Box, *, is_formatted: bool) -> list[list[Any]]:
        """The rows of a box as the service writes them: without what is empty at the end of each, and at the end."""
        rows = []
        for row in range(box.top, min(box.bottom, self.rows)):
            found = [
                _shown(self.cells.get((row, column)), is_formatted=is_formatted)
                for column in range(box.left, min(box.right, self.columns))
            ]
            while found and found[-1] == "":
                found.pop()
            rows.append(found)
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def table(self) -> list[list[Any]]:
        """All of it."""
        return self.shown(Box(0, 0, self.rows, self.columns), is_formatted=False)


@dataclass
class Book:
    """A spreadsheet, and who may do what with it, by e-mail."""

    id: str
    title: str
    zone: str = "Europe/Berlin"
    tabs: list[Tab] = field(default_factory=list)
    editors: set[str] = field(default_factory=set)
    viewers: set[str] = field(default_factory=set)
    marks: list[Mark] = field(default_factory=list)
    is_trashed: bool = False
    next_mark: int = 1

    @property
    def cells(self) -> int:
        return sum(tab.rows * tab.columns for tab in self.tabs)

    def tab(self, title: str) -> Tab:
        """The tab of a title; titles differ in more than upper and lower case. Raises KeyError."""
        for tab in self.tabs:
            if tab.title.casefold() == title.casefold():
                return tab
        raise KeyError(title)

    def by_id(self, id_: int) -> Tab:
        for tab in self.tabs:
            if tab.id == id_:
                return tab
        raise BadRequest(f"No sheet with id: {id_}")

    def place(self, text: str) -> tuple[Tab, Box]:
        """The cells that a range in A1 notation means."""
        found = _RANGE.fullmatch(text)
        title = found["tab"] if found else None
        if found is None or not (title or found["first"]):
            raise BadRequest(f"Unable to parse range: {text}")
        if title and title.startswith("'"):
            title = title[1:-1].replace("''", "'")
        try:
            tab = self.tab(title) if title else self.tabs[0]
        except KeyError:
            raise BadRequest(f"Unable to parse range: {text}") from None
        if not found["first"]:
            return tab, Box(0, 0, tab.rows, tab.columns)
        top, left = _place(found["first"])
        bottom, right = _place(found["last"] or found["first"])
        return tab, Box(min(top, bottom), min(left, right), max(top, bottom) + 1, max(left, right) + 1)


def refuse_outside(tab: Tab, box: Box, range_: str) -> None:
    """Raises BadRequest for cells that are not there."""
    if box.bottom > tab.rows or box.right > tab.columns:
        raise BadRequest(
            f"Range ({range_}) exceeds grid limits. Max rows: {tab.rows}, max columns: {tab.columns}"
        )  # fmt: skip


def read_cell(said: Any, option: str) -> Cell | None:
    """A cell as somebody sent it: RAW keeps what it is, USER_ENTERED takes it as if it had been typed in."""
    if isinstance(said, bool):
        return said
    if isinstance(said, int | float):
        return float(said)
    if not isinstance(said, str):
        raise BadRequest("Invalid values[0][0]: struct_value or list_value")
    if len(said) > LONGEST_CELL:
        raise BadRequest(f"Your input contains more than the maximum of {LONGEST_CELL} characters in a single cell.")
    return said if option == "RAW" else _typed(said)


def _typed(text: str) -> Cell:
    if text.startswith("'"):
        return text[1:]
    if text.startswith("=") and len(text) > 1:
        return Formula(text)
    if text.upper() in {"TRUE", "FALSE"}:
        return text.upper() == "TRUE"
    if _NUMBER.fullmatch(text):
        return float(text)
    if _DAY.fullmatch(text):
        # A date becomes the number of its day, and is no text any more.
        year, month, day = map(int, text.split("-"))
        return float(year * 372 + month * 31 + day)
    return text


def _shown(cell: Cell | None, *, is_formatted: bool) -> Any:
    match cell:
        case None:
            return ""
        case Formula():
            return "#computed"
        case bool():
            return ("TRUE" if cell else "FALSE") if is_formatted else cell
        case float():
            number = int(cell) if cell.is_integer() and abs(cell) < 1e15 else cell
            return str(number) if is_formatted else number
    return cell


def _place(text: str) -> Place:
    found = _CELL.fullmatch(text)
    assert found is not None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    if int(found[2]) < 1:
        raise BadRequest(f"Unable to parse range: {text}")
    return int(found[2]) - 1, column - 1
