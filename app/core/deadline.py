"""Deadlines by a clock that also counts while the machine sleeps, so that a resumed worker knows it is too late."""

import time
from dataclasses import dataclass

# Where there is no such clock by name, the monotonic one counts suspension, as on macOS.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_seconds() -> float:
    """Seconds since the machine started, suspension included. Only differences mean anything."""
    return time.clock_gettime(_CLOCK)


@dataclass(frozen=True)
class Deadline:
    """A point on the boot clock after which work has to be over."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(boot_seconds() + seconds)

    @property
    def seconds_left(self) -> float:
        """Never negative."""
        return max(0.0, self.at - boot_seconds())

    @property
    def has_passed(self) -> bool:
        return boot_seconds() >= self.at
