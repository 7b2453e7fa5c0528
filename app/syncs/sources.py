"""What every service's reader offers to whoever syncs it, without knowing which service it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.syncs.calls.client import Spent, Watch
from app.syncs.days import DayRange
from app.syncs.figures import FetchedWindow, Stream
from app.syncs.landing import LedgerWindow
from app.syncs.logins import Login
from app.syncs.standing import LoginFacts
from app.syncs.stream_reads import Progress


@dataclass(frozen=True)
class OrderedReport:
    """A report that the service makes for us. What it says was known when it was ordered, and perhaps not later."""

    id: str
    ordered_at: datetime


@dataclass
class ReportShelf:
    """Reports that were ordered and not fetched yet, by what was asked for, so that a later attempt goes on with them.

    Holds no secret: it is written down with the run.
    """

    waiting: dict[str, OrderedReport] = field(default_factory=dict)

    @classmethod
    def read(cls, said: Any) -> "ReportShelf":
        """What `as_json` wrote. Whatever cannot be read is ordered again."""
        try:
            reports = {key: OrderedReport(str(id_), datetime.fromisoformat(at)) for key, (id_, at) in said.items()}
        except (AttributeError, TypeError, ValueError):
            return cls()
        return cls({key: report for key, report in reports.items() if report.ordered_at.tzinfo is not None})

    def as_json(self) -> dict[str, list[str]]:
        return {key: [report.id, report.ordered_at.isoformat()] for key, report in self.waiting.items()}


@dataclass(frozen=True)
class OtherVersion:
    """A service answers with another version of its API than it was asked for. `words` say what to do about it."""

    version: str
    words: str


@dataclass(frozen=True)
class AccountFacts:
    """What an account says of itself now: days are those of its zone (IANA), money is in its currency.

    `login` is what the service says of the login; None where it was not asked, because it is known. `for_operator` is
    what whoever runs Belfry has to change some time, though everything goes on.
    """

    name: str
    zone: str
    currency: str | None
    login: LoginFacts | None = None
    for_operator: OtherVersion | None = None


class Reading(Protocol):
    """One account being read with one sign-in."""

    @property
    def spent(self) -> Spent:
        """What it cost, so far and from now on."""

    def open(self) -> AccountFacts:
        """Ask the account about itself, first of all. Raises SyncFailed, also when it cannot be read for now."""

    def windows(self, progress: Progress, *, now: datetime) -> list[DayRange]:
        """What to read of a stream that has come so far, oldest first."""

    def read(self, stream: Stream, days: DayRange) -> Iterator[FetchedWindow | LedgerWindow]:
        """The windows of these days, each whole, oldest first. Raises SyncFailed and ReadStopped."""


class Source(Protocol):
    """One service."""

    @property
    def streams(self) -> Mapping[str, Stream]:
        """What can be read of an account, by name, in the order in which it is read."""

    def begin(self, login: Login, *, watch: Watch, shelf: ReportShelf) -> Reading:
        """Nothing is asked yet."""
