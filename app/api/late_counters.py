"""Counts requests from the first one on, and loads nothing before."""

from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from app.api.rates import Allowance, PerMinute

if TYPE_CHECKING:
    from app.api.counters import Counters


class RateLimits:
    """What may be asked for in a minute, and who asked for how much. Counts nothing before somebody asks."""

    def __init__(self, *, broker_url: str, requests_per_minute: int) -> None:
        self.requests = PerMinute(requests_per_minute, "requests")
        self._broker_url = broker_url
        self._making = Lock()

    def hit(self, rate: PerMinute, who: str) -> Allowance:
        """Count a request, unless there were too many already."""
        return self._counters.hit(rate, who)

    def look(self, rate: PerMinute, who: str) -> Allowance:
        """Count nothing."""
        return self._counters.look(rate, who)

    @cached_property
    def _counters(self) -> "Counters":
        # What counts, and Redis's client with it, takes megabytes; many an installation is never asked by a program.
        from app.api.counters import Counters  # noqa: PLC0415

        with self._making:
            # Whoever waited finds them made: two would each let the full number pass.
            own = self.__dict__
            counters: Counters = own.get("_counters") or own.setdefault("_counters", Counters(self._broker_url))
            return counters
