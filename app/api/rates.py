"""How often the API may be asked, and what is left for whoever asks. counters.py counts."""

from dataclasses import dataclass
from datetime import timedelta

from app.tenants.tries import TooManyTries


@dataclass(frozen=True)
class PerMinute:
    """So many in a minute, counted under a name."""

    amount: int
    namespace: str


# Nobody guesses a token of 256 bits; the limit spares the database, and leaves room for a script with an old one.
WRONG_TOKENS = PerMinute(30, "wrong-tokens")


class TooManyRequests(TooManyTries):
    """The caller asks more often than anybody may."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.message = f"Too many requests. Go on in {self.wait_seconds} s; see the headers RateLimit-*."


@dataclass(frozen=True)
class Allowance:
    """What is left for a caller, and in how many seconds there is more."""

    limit: int
    remaining: int
    reset_seconds: int
    is_spent: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }

    def refuse_if_spent(self) -> None:
        """Raises TooManyRequests."""
        if self.is_spent:
            raise TooManyRequests(timedelta(seconds=self.reset_seconds))
