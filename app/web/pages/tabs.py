"""The tabs above a list. Each is an address of its own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tab:
    """One view of a list. A count of 0 is not printed; “10,000+” is one that nobody finished."""

    label: str
    href: str
    is_current: bool
    count: int | str = 0
