"""How a connection stands, the worst first, and what was seen when its login was tried. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.syncs.calls.troubles import TroubleClass
from app.syncs.runway import WARNING_DAYS, days_left


class ConnectionState(StrEnum):
    """What is stored of how a connection stands."""

    CONNECTED = "connected"
    REFUSED = "refused"  # the service no longer takes its login
    DISCONNECTED = "disconnected"  # somebody ended it; what it brought stays


class Standing(StrEnum):
    """How a connection stands, in the order in which a list shows them."""

    REFUSED = "refused"  # the service no longer takes its login
    EXPIRED = "expired"  # its login has ended by the clock
    FAILING = "failing"  # its last test failed for another reason
    EXPIRES_SOON = "expires_soon"  # its login ends within two weeks
    UNTESTED = "untested"  # nobody ever tried it
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"

    @property
    def is_problem(self) -> bool:
        """Whether somebody has to do something, soon or now."""
        return self in _PROBLEMS

    @property
    def is_broken(self) -> bool:
        """Whether nothing comes in any more, as far as is known."""
        return self in {Standing.REFUSED, Standing.EXPIRED}

    @property
    def needs_login(self) -> bool:
        """Whether another login is what helps, now or soon."""
        return self.is_broken or self is Standing.EXPIRES_SOON


_PROBLEMS = {Standing.REFUSED, Standing.EXPIRED, Standing.FAILING, Standing.EXPIRES_SOON}
ORDER = tuple(Standing)
SOON_DAYS = max(WARNING_DAYS)


def standing_of(
    state: ConnectionState, *, ends_at: datetime | None, last_test_good: bool | None, now: datetime
) -> Standing:
    """The worst of what is true of it."""
    if state is ConnectionState.DISCONNECTED:
        return Standing.DISCONNECTED
    if state is ConnectionState.REFUSED:
        return Standing.REFUSED
    if ends_at is not None and ends_at <= now:
        return Standing.EXPIRED
    if last_test_good is False:
        return Standing.FAILING
    if ends_at is not None and days_left(ends_at, now=now) < SOON_DAYS:
        return Standing.EXPIRES_SOON
    return Standing.UNTESTED if last_test_good is None else Standing.CONNECTED


def first_end(*ends: datetime | None) -> datetime | None:
    """The one that comes first of those that are known."""
    return min((end for end in ends if end is not None), default=None)


@dataclass(frozen=True)
class LoginFacts:
    """What a service says of a login. `known_at` is when it said so; None where it did not."""

    app_id: str | None = None
    expires_at: datetime | None = None
    data_expires_at: datetime | None = None
    known_at: datetime | None = None

    @property
    def ends_at(self) -> datetime | None:
        return first_end(self.expires_at, self.data_expires_at)


NOTHING_KNOWN = LoginFacts()


@dataclass(frozen=True)
class Seen:
    """The account that a login reads, and what is known of the login. A spreadsheet has neither days nor money."""

    account_id: str
    account_name: str
    zone: str | None
    currency: str | None
    login: LoginFacts = NOTHING_KNOWN


@dataclass(frozen=True)
class Tried:
    """What came of trying a login, in one sentence that holds no secret. `seen` is there when it is good.

    `trouble` is None for a good one, and where no answer came in time. `secret` is there where the login is another one
    after the test: whoever had it keeps this instead.
    """

    words: str
    seconds: float
    seen: Seen | None = None
    trouble: TroubleClass | None = None
    secret: str | None = field(default=None, repr=False, compare=False)

    @property
    def is_good(self) -> bool:
        return self.seen is not None
