"""Which HTTP statuses are expected, written as people write them: "200-299, 304". Pure."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

ANY_SUCCESS = "200-299"
LONGEST_TEXT = 200
_RANGE = re.compile(r"([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?")


@dataclass(frozen=True)
class ExpectedStatus:
    """A set of statuses, as ranges whose ends are included."""

    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, status: int) -> bool:
        return any(low <= status <= high for low, high in self.ranges)

    def __str__(self) -> str:
        return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in self.ranges)


def parse_expected_status(text: str) -> ExpectedStatus:
    """The statuses that text like "200-299" or "200, 204" names. Raises ValueError with a sentence."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"The expected statuses take more than {LONGEST_TEXT} characters.")
    return ExpectedStatus(tuple(_range(word.strip()) for word in text.split(",")))


def _range(word: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(word)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if low > high:
        raise ValueError("Write the expected statuses like 200-299 or 200, 204. They lie between 100 and 599.")
    return low, high


def _normalised(text: str) -> str:
    return str(parse_expected_status(text))


# For fields of definitions: checked, and stored in one spelling.
ExpectedStatusText = Annotated[str, AfterValidator(_normalised)]
