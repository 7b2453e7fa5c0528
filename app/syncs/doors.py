"""Where logins of a service are tried, without knowing which service it is. What is asked for: signs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from app.syncs.calls.troubles import TroubleClass
from app.syncs.logins import Login
from app.syncs.standing import Tried

TEST_SECONDS = 10.0
# Whoever reads more chooses by typing the id.
MOST_ACCOUNTS = 500
LONGEST_SHOWN = 120


@dataclass(frozen=True)
class FoundAccount:
    """An account that a login reads. What the service does not say in its list is empty or None."""

    id: str
    name: str
    currency: str | None
    zone: str


@dataclass(frozen=True)
class FoundAccounts:
    """The accounts that a login reads, or why they could not be read. `is_cut` says that there are more."""

    accounts: tuple[FoundAccount, ...] = ()
    is_cut: bool = False
    problem: str | None = None
    trouble: TroubleClass | None = None


class ServiceDoor(Protocol):
    """Tries logins of one service: within TEST_SECONDS, and never raising for what the service says or leaves out."""

    def try_login(self, secret: str, account_id: str, *, now: datetime) -> Tried:
        """Read an account with a login. Both are clean."""

    def find_accounts(self, secret: str, *, now: datetime) -> FoundAccounts:
        """The accounts that a clean login reads, by name."""


@runtime_checkable
class RenewingDoor(Protocol):
    """The door of a service whose logins are other ones after their use."""

    def try_stored(self, login: Login, *, now: datetime) -> Tried:
        """Try the login of a connection; where it has to be renewed, with its `renewals`."""
