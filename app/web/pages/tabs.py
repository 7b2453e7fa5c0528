"""The tabs above a list. Each is an address of its own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tab:
    """One view of a list. A count of 0 is not printed."""

    label: str
    href: str
    is_current: bool
    count: int = 0
