"""Meta as one of the services that are synced."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.syncs.calls.client import ServiceClient, Spent, Watch
from app.syncs.days import DayRange
from app.syncs.figures import FetchedWindow, Stream
from app.syncs.logins import Login
from app.syncs.lost_days import lost_words
from app.syncs.meta.accounts import read_account
from app.syncs.meta.ad_account import MetaAccount
from app.syncs.meta.days import KEPT_MONTHS, lost_to_meta, meta_windows
from app.syncs.meta.door import MetaDoor
from app.syncs.meta.reader import MetaReader
from app.syncs.meta.rows import STREAMS
from app.syncs.sources import AccountFacts, Reading, ReportShelf
from app.syncs.standing import LoginFacts
from app.syncs.stream_reads import Progress

# So often it is asked when a login ends.
LOOK_AGAIN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class MetaSource:
    """Meta as this installation speaks with it."""

    door: MetaDoor
    streams: Mapping[str, Stream] = field(default_factory=lambda: {stream.name: stream for stream in STREAMS})

    def begin(self, login: Login, *, watch: Watch, shelf: ReportShelf) -> Reading:
        client = self.door.client(login.secret, app_id=login.app_id, watch=watch)
        return _MetaReading(client, login, self.door, shelf)


@dataclass
class _MetaReading:
    client: ServiceClient
    login: Login
    door: MetaDoor
    shelf: ReportShelf
    _account: MetaAccount | None = field(default=None, init=False)
    # Of the stream that is being read.
    _lost: DayRange | None = field(default=None, init=False)

    @property
    def spent(self) -> Spent:
        return self.client.spent

    def open(self) -> AccountFacts:
        account = self._opened
        return AccountFacts(account.name, account.zone, account.currency, self._login_facts())

    def windows(self, progress: Progress, *, now: datetime) -> list[DayRange]:
        today = self._opened.today(now)
        self._lost = lost_to_meta(progress.high_water, today=today)
        if self._lost is not None:
            self.client.watch.log(f"Meta keeps {KEPT_MONTHS} months: {lost_words([self._lost])}.")
        return meta_windows(progress.high_water, today=today)

    def read(self, stream: Stream, days: DayRange) -> Iterator[FetchedWindow]:
        reader = MetaReader(self.client, self._opened, stream, self.door.version, shelf=self.shelf)
        for window in reader.read(days):
            yield window if self._lost is None else replace(window, lost=self._lost)

    def _login_facts(self) -> LoginFacts | None:
        """When the login ends, asked about once a day: somebody may have prolonged it or shortened it at Meta."""
        known_at, watch = self.login.end_known_at, self.client.watch
        if known_at is not None and watch.now() - known_at < LOOK_AGAIN_AFTER:
            return None
        return self.door.look_at_login(self.login.secret, watch=watch, spent=self.client.spent)

    @property
    def _opened(self) -> MetaAccount:
        if self._account is None:
            self._account = read_account(self.client, self.login.account_id)
        return self._account
