"""Renews logins that are another one after each use: one at a time, and stored before anybody uses what came of it.

The turn is taken under the lock of the connection's row, in a transaction of its own, and nobody holds a transaction
while the service is asked. Whoever is stopped in the middle leaves a mark: the next one knows that an answer may be
lost, and says so when the service then refuses.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.core.sealing import Sealer
from app.syncs.calls.client import ReadStopped
from app.syncs.calls.troubles import SyncFailed, TroubleClass, failed
from app.syncs.connections import ConnectionEnded, ConnectionNotFound
from app.syncs.logins import TOKEN, Renewed, note_opened, secret_of
from app.syncs.models import Connection
from app.syncs.standing import ConnectionState
from app.tenants.access import Actor
from app.tenants.audit import record
from app.vault import service as vault
from app.vault.service import SecretOwner

# Longer than any renewal takes, tries and all. After that whoever began it was stopped.
TURN = timedelta(minutes=5)
POLL_SECONDS = 0.5
MOST_POLLS = 120
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _Turn:
    """The right to ask. `until` is also how the holder of a turn knows it for their own."""

    until: datetime
    is_doubtful: bool


@dataclass(frozen=True)
class StoredRenewals:
    """Renews the login of one connection. `transact` does something in a transaction as its organization.

    `what_for` is what the audit says of each opening. Whoever waits for somebody else's turn pauses so often at most.
    """

    transact: Callable[[Callable[[Session], object]], object]
    clock: Callable[[Session], datetime]
    pause: Callable[[float], None]
    sealer: Sealer = field(repr=False)
    actor: Actor
    connection_id: UUID
    what_for: str
    most_polls: int = MOST_POLLS

    def renew(self, seen: str, ask: Callable[[str, bool], Renewed]) -> str:
        """See `Renewals`."""
        for _ in range(self.most_polls):
            found = self._in_transaction(lambda session: self._take_turn(session, seen))
            if isinstance(found, str):
                return found
            if found is not None:
                return self._renewed(seen, found, ask)
            self.pause(POLL_SECONDS)
        words = "Another process is renewing this login at the moment. Try again in a few minutes."
        raise failed(TroubleClass.TRANSIENT, words)

    def _renewed(self, seen: str, turn: _Turn, ask: Callable[[str, bool], Renewed]) -> str:
        try:
            renewed = ask(seen, turn.is_doubtful)
        except (SyncFailed, ReadStopped) as error:
            # A service that did not answer may have changed the login all the same.
            is_answered = isinstance(error, SyncFailed) and error.trouble_class is not TroubleClass.TRANSIENT
            self._in_transaction(lambda session: self._give_back(session, turn, is_answered=is_answered))
            raise
        return self._in_transaction(lambda session: self._store(session, seen, turn, renewed))

    def _in_transaction(self, work: Callable[[Session], _Result]) -> _Result:
        found: list[_Result] = []

        def once(session: Session) -> None:
            found[:] = [work(session)]

        self.transact(once)
        return found[0]

    def _take_turn(self, session: Session, seen: str) -> _Turn | str | None:
        """The turn; or what signs in now, where somebody was faster; or None while somebody else has the turn."""
        connection, now = self._locked(session), self.clock(session)
        before = connection.renewing_until
        if before is not None and before > now:
            return None
        note_opened(session, connection, self.actor, f"to renew it, {self.what_for}", now)
        secret = secret_of(session, self.sealer, connection)
        if secret != seen:
            return secret
        turn = _Turn(now + TURN, is_doubtful=before is not None)
        self._change(session, connection, renewing_until=turn.until)
        return turn

    def _give_back(self, session: Session, turn: _Turn, *, is_answered: bool) -> None:
        """Let the next one ask. Where the answer may be lost, the mark stays."""
        left = None if is_answered else self.clock(session)
        query = update(Connection).where(*self._mine, Connection.renewing_until == turn.until)
        session.execute(query.values(renewing_until=left))

    def _store(self, session: Session, seen: str, turn: _Turn, renewed: Renewed) -> str:
        connection, now = self._locked(session), self.clock(session)
        current = secret_of(session, self.sealer, connection)
        if current != seen:
            # Somebody gave it another login meanwhile: theirs is the newer one.
            return current
        owner = SecretOwner.connection(connection.organization_id, connection.id)
        assert connection.secret_id is not None
        vault.replace(
            session, sealer=self.sealer, owner=owner, secret_id=connection.secret_id, field=TOKEN, value=renewed.secret
        )
        left = None if connection.renewing_until == turn.until else connection.renewing_until
        told = connection.expiry_told if connection.expires_at == renewed.ends_at else None
        self._change(
            session, connection, renewing_until=left, expires_at=renewed.ends_at, expiry_known_at=now, expiry_told=told
        )
        record(
            session, actor=self.actor, action="connection.renewed", subject_kind="connection",
            subject_id=connection.id, summary=f"Renewed the login of “{connection.name}” {self.what_for}", now=now,
        )  # fmt: skip
        return renewed.secret

    def _locked(self, session: Session) -> Connection:
        """Its row, for this transaction alone. Raises ConnectionNotFound or ConnectionEnded."""
        # Rows may point at it meanwhile. SQLite has one writer anyway.
        query = select(Connection).where(*self._mine).with_for_update(key_share=True)
        connection = session.scalar(query.execution_options(populate_existing=True))
        if connection is None:
            raise ConnectionNotFound("This connection is gone.")
        if connection.state == ConnectionState.DISCONNECTED.value:
            raise ConnectionEnded(f"“{connection.name}” was disconnected.")
        return connection

    def _change(self, session: Session, connection: Connection, **values: object) -> None:
        session.execute(update(Connection).where(*self._mine).values(**values))

    @property
    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return Connection.organization_id == self.actor.organization_id, Connection.id == self.connection_id


@dataclass
class UnkeptRenewals:
    """Renews a login that nothing is stored of, because somebody just typed it in. `newest` is for them to keep."""

    newest: str | None = field(default=None, init=False, repr=False)

    def renew(self, seen: str, ask: Callable[[str, bool], Renewed]) -> str:
        """See `Renewals`. Nobody else knows it yet."""
        self.newest = ask(seen, False).secret
        return self.newest
