"""What may stand in a cell, written exactly, and the checksum of many. Pure.

A spreadsheet keeps numbers as floats of 64 bits, which hold 15 digits of a decimal number exactly. So a number of at
most 15 digits is what it was when it is read again; one of more loses what lies beyond the cent, or is refused.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from app.syncs.calls.fractions import Fraction

MOST_DIGITS = 15
# A spreadsheet takes no longer text in one cell; no name of ours is nearly as long.
LONGEST_TEXT = 50_000
_CENTS = 2
_ROUNDING = Context(prec=MOST_DIGITS, rounding=ROUND_HALF_EVEN)
# An empty cell is the empty text.
Cell = str | int | float


class NotExact(ValueError):
    """A number of more digits than a spreadsheet keeps."""


def number_cell(value: Decimal) -> Cell:
    """The number as JSON writes it, equal to the last digit, or to the cent. Raises NotExact."""
    if len(value.normalize().as_tuple().digits) > MOST_DIGITS:
        if value.adjusted() >= MOST_DIGITS - _CENTS:
            raise NotExact(f"{value:,} has more digits than a spreadsheet keeps")
        value = _ROUNDING.plus(value)
    return _plain(float(value))


def text_cell(text: str) -> str:
    """A text as it can be read again: in one line, and without what spreadsheets drop."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown.strip()[:LONGEST_TEXT]


def read_cell(said: Any) -> Any:
    """A cell as it came in an answer, to be compared with what was sent."""
    if said is None:
        return ""
    if isinstance(said, Fraction):
        return _plain(float(said))
    if isinstance(said, int) and not isinstance(said, bool):
        return _plain(float(said))
    return said


def encode_row(cells: Sequence[Any]) -> str:
    """A row in one way only: two rows are equal when their texts are. Small, for there are many."""
    return json.dumps(list(cells), ensure_ascii=False, separators=(",", ":"))


def decode_row(text: str) -> list[Any]:
    """The cells of `encode_row`."""
    row: list[Any] = json.loads(text)
    return row


def read_row(said: Sequence[Any], width: int) -> str:
    """A row as it came, whose empty cells at the end are left out, encoded."""
    cells = [read_cell(cell) for cell in said[:width]]
    return encode_row(cells + [""] * (width - len(cells)))


@dataclass
class Checksum:
    """Of encoded rows, in their order."""

    _found: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, row: str) -> None:
        self._found.update(row.encode())
        self._found.update(b"\n")

    @property
    def text(self) -> str:
        return self._found.hexdigest()[:32]


def checksum_of(rows: Iterable[str]) -> str:
    """Of all of them at once."""
    found = Checksum()
    for row in rows:
        found.add(row)
    return found.text


def _plain(value: float) -> Cell:
    # 12 and 12.0 are one number, and are read as either.
    return int(value) if value.is_integer() and abs(value) < 10**MOST_DIGITS else value
