"""Meta as one of the services that are synced."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.syncs.calls.client import ServiceClient, Spent, Watch
from app.syncs.days import DayRange
from app.syncs.figures import FetchedWindow, Stream
from app.syncs.logins import Login
from app.syncs.meta.accounts import read_account
from app.syncs.meta.ad_account import MetaAccount
from app.syncs.meta.days import meta_windows
from app.syncs.meta.door import MetaDoor
from app.syncs.meta.reader import MetaReader
from app.syncs.meta.rows import STREAMS
from app.syncs.sources import AccountFacts, Reading, ReportShelf
from app.syncs.stream_reads import Progress


@dataclass(frozen=True)
class MetaSource:
    """Meta as this installation speaks with it."""

    door: MetaDoor
    streams: Mapping[str, Stream] = field(default_factory=lambda: {stream.name: stream for stream in STREAMS})

    def begin(self, login: Login, *, watch: Watch, shelf: ReportShelf) -> Reading:
        client = self.door.client(login.secret, app_id=login.app_id, watch=watch)
        return _MetaReading(client, login.account_id, self.door.version, shelf)


@dataclass
class _MetaReading:
    client: ServiceClient
    account_id: str
    version: str
    shelf: ReportShelf
    _account: MetaAccount | None = field(default=None, init=False)

    @property
    def spent(self) -> Spent:
        return self.client.spent

    def open(self) -> AccountFacts:
        account = self._opened
        return AccountFacts(account.name, account.zone, account.currency)

    def windows(self, progress: Progress, *, now: datetime) -> list[DayRange]:
        return meta_windows(progress.high_water, today=self._opened.today(now))

    def read(self, stream: Stream, days: DayRange) -> Iterator[FetchedWindow]:
        return MetaReader(self.client, self._opened, stream, self.version, shelf=self.shelf).read(days)

    @property
    def _opened(self) -> MetaAccount:
        if self._account is None:
            self._account = read_account(self.client, self.account_id)
        return self._account
