"""One attempt of a sync: window by window, each landed by itself, so that a kill at any moment costs one window.

Figures are read without a transaction and landed without a call: neither waits for the other.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.sealing import Sealer
from app.events.service import Topic, append_event, newest_kind
from app.jobs.kinds.base import Level, RunContext
from app.jobs.kinds.sync.definition import SyncDefinition
from app.jobs.kinds.sync.report import SyncReport
from app.jobs.kinds.sync.windows import left_to_read
from app.syncs.calls.client import Watch
from app.syncs.connections import Account, refuse_other_account
from app.syncs.days import DayRange
from app.syncs.doubts import doubt_words
from app.syncs.figures import FetchedWindow, Stream
from app.syncs.landing import Landed, LedgerWindow, land_window
from app.syncs.logins import Login, by_belfry, note_login_facts, note_used, open_login
from app.syncs.renewals import StoredRenewals
from app.syncs.service_errors import StoredErrors
from app.syncs.sources import OtherVersion, Reading, Source
from app.syncs.standing import LoginFacts
from app.syncs.stream_reads import Progress, has_landed_figures, has_landed_version, landed_by, read_progress

log = logging.getLogger(__name__)

# A service answers with another version of its API than it was asked for; and the other way round again.
VERSION_RETIRED, VERSION_SERVED = "connection.version_retired", "connection.version_served"


@dataclass
class SyncRun:
    """Reads what a definition names, and lands it."""

    definition: SyncDefinition
    connection_id: UUID
    source: Source
    sealer: Sealer
    context: RunContext
    watch: Watch
    report: SyncReport
    login: Login | None = field(default=None, init=False)

    def go(self) -> None:
        """Read and land everything. Raises what reading and landing raise; what has landed by then stays."""
        self.watch.go_on()
        login = self.login = self._open_login()
        self.report.connection = login.name
        reading = self.source.begin(login, watch=self.watch, shelf=self.report.shelf)
        self.report.spent = reading.spent
        account = reading.open()
        if account.login is not None:
            self._note_facts(login, account.login)
        if account.for_operator is None:
            self._tell_version_is_served()
        else:
            self._tell_operator(account.for_operator)
        # Looked at again when figures land; but none need be asked for that could not.
        refuse_other_account(login, Account(account.zone, account.currency))
        self.report.account = account
        self.context.log(f"Reading {account.name}: days of {account.zone}, money in {account.currency}.")
        streams = [self.source.streams[name] for name in self.definition.streams or self.source.streams]
        for number, stream in enumerate(streams):
            self.context.progress(number, len(streams), stream.name)
            self._read(reading, stream)
        self.context.progress(len(streams), len(streams), "all read")
        self._note_used()

    def _tell_operator(self, other: OtherVersion) -> None:
        service = self.definition.service.value
        self.context.log(other.words, Level.WARNING)
        log.warning("a service has news", extra={"service": service, "problem": other.words})
        here = {"organization_id": self.context.organization_id, "connection_id": self.connection_id}
        with self.context.transaction() as session:
            # As soon as figures of that version are there, it was told.
            if has_landed_version(session, **here, version=other.version):
                return
            append_event(
                session, organization_id=self.context.organization_id, topic=Topic.CONNECTIONS,
                kind=VERSION_RETIRED, subject_id=self.connection_id, now=self.context.now(session),
                data={"service": service, "version": other.version, "text": other.words},
            )  # fmt: skip

    def _tell_version_is_served(self) -> None:
        here = {"organization_id": self.context.organization_id, "subject_id": self.connection_id}
        with self.context.transaction() as session:
            kinds = (VERSION_RETIRED, VERSION_SERVED)
            if newest_kind(session, topic=Topic.CONNECTIONS, kinds=kinds, **here) == VERSION_RETIRED:
                now = self.context.now(session)
                append_event(session, topic=Topic.CONNECTIONS, kind=VERSION_SERVED, data={}, now=now, **here)

    def _has_landed(self, session: Session) -> bool:
        """Whether this run has brought any figures: an attempt that was killed reported none of its own."""
        return self.report.rows_seen > 0 or has_landed_figures(
            session, organization_id=self.context.organization_id, connection_id=self.connection_id,
            run_id=self.context.run_id,
        )  # fmt: skip

    def _note_facts(self, login: Login, facts: LoginFacts) -> None:
        with self.context.transaction() as session:
            note_login_facts(session, login, facts, organization_id=self.context.organization_id)

    def _open_login(self) -> Login:
        with self.context.transaction() as session:
            login = open_login(
                session, sealer=self.sealer, organization_id=self.context.organization_id,
                connection_id=self.connection_id, run_id=self.context.run_id, now=self.context.now(session),
            )  # fmt: skip
        errors = StoredErrors(self._transact, self.context.organization_id, self.connection_id)
        return replace(login, renewals=self._renewals(), errors=errors)

    def _renewals(self) -> StoredRenewals:
        return StoredRenewals(
            self._transact, self.context.now, self.watch.pause, self.sealer, by_belfry(self.context.organization_id),
            self.connection_id, f"for run {self.context.run_id}",
        )  # fmt: skip

    def _transact(self, work: Callable[[Session], object]) -> None:
        with self.context.transaction() as session:
            work(session)

    def _read(self, reading: Reading, stream: Stream) -> None:
        now = self.watch.now()
        progress, landed = self._state_of(stream)
        self.report.of(stream.name).data_through = progress.high_water
        for days in left_to_read(reading.windows(progress, now=now), landed):
            for window in reading.read(stream, days):
                self._say(stream, self._land(stream, window))

    def _state_of(self, stream: Stream) -> tuple[Progress, Sequence[DayRange]]:
        here = {"organization_id": self.context.organization_id, "connection_id": self.connection_id}
        with self.context.transaction() as session:
            progress = read_progress(session, **here, stream=stream.name)
            assert self.report.account is not None
            zone = self.report.account.zone
            return progress, landed_by(session, **here, stream=stream.name, run_id=self.context.run_id, zone=zone)

    def _land(self, stream: Stream, window: FetchedWindow | LedgerWindow) -> Landed:
        with self.context.transaction() as session:
            now = self.context.now(session)
            landed = land_window(
                session, organization_id=self.context.organization_id, connection_id=self.connection_id,
                run_id=self.context.run_id, window=window, hold_run=self.context.hold_run, now=now,
            )  # fmt: skip
            if landed.is_newly_doubted:
                self._tell_doubt(session, stream, landed, now)
        return landed

    def _tell_doubt(self, session: Session, stream: Stream, landed: Landed, now: datetime) -> None:
        append_event(
            session, organization_id=self.context.organization_id, topic=Topic.CONNECTIONS, kind="figures.doubted",
            subject_id=self.connection_id, now=now,
            data={
                "stream": stream.name, "doubt": landed.doubt and landed.doubt.value,
                "text": doubt_words(landed), "run_id": str(self.context.run_id),
            },
        )  # fmt: skip

    def _say(self, stream: Stream, landed: Landed) -> None:
        self.report.of(stream.name).add(landed)
        days = f"{landed.days.first} to {landed.days.last}"
        self.context.log(f"{stream.name}, {days}: {landed.rows_seen:,} figures, {landed.rows_changed:,} changed.")
        if landed.doubt is not None:
            self.context.log(doubt_words(landed), Level.WARNING)

    def _note_used(self) -> None:
        with self.context.transaction() as session:
            self.report.has_landed_before = self._has_landed(session)
            note_used(
                session, organization_id=self.context.organization_id, connection_id=self.connection_id,
                now=self.context.now(session),
            )  # fmt: skip
