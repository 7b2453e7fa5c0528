"""Google Analytics as one of the services that are synced."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.syncs.calls.client import Spent, Watch
from app.syncs.days import DayRange
from app.syncs.figures import FetchedWindow, Stream
from app.syncs.ga4.days import ga4_windows
from app.syncs.ga4.door import Ga4Door
from app.syncs.ga4.properties import Property, PropertyCalls
from app.syncs.ga4.reader import PAGE_ROWS, Ga4Reader
from app.syncs.ga4.rows import STREAMS
from app.syncs.logins import Login
from app.syncs.sources import AccountFacts, Reading, ReportShelf
from app.syncs.stream_reads import Progress


@dataclass(frozen=True)
class Ga4Source:
    """Google Analytics as this installation speaks with it."""

    door: Ga4Door
    page_rows: int = PAGE_ROWS
    streams: Mapping[str, Stream] = field(default_factory=lambda: {stream.name: stream for stream in STREAMS})

    def begin(self, login: Login, *, watch: Watch, shelf: ReportShelf) -> Reading:
        return _Ga4Reading(
            self.door.calls(login.secret, login.account_id, watch=watch, memory=login.errors), self.page_rows
        )


@dataclass
class _Ga4Reading:
    calls: PropertyCalls
    page_rows: int
    _found: Property | None = field(default=None, init=False)

    @property
    def spent(self) -> Spent:
        return self.calls.session.spent

    def open(self) -> AccountFacts:
        found = self._opened
        return AccountFacts(found.name, found.zone, found.currency)

    def windows(self, progress: Progress, *, now: datetime) -> list[DayRange]:
        return ga4_windows(progress.high_water, today=self._opened.today(now))

    def read(self, stream: Stream, days: DayRange) -> Iterator[FetchedWindow]:
        return Ga4Reader(self.calls, self._opened, stream, self.page_rows).read(days)

    @property
    def _opened(self) -> Property:
        if self._found is None:
            self._found = self.calls.glance().found
        return self._found
