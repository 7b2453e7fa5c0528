"""Tries logins while somebody waits for the answer: outside of any transaction, a few at a time, ten seconds each.

What is done with the answer is in connecting.py.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from threading import Event
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.db import Database
from app.core.errors import Invalid, Unavailable
from app.core.fair_turns import FairTurns
from app.core.key_rings import key_ring
from app.core.scopes import Scope
from app.core.sealing import KeyUnknown, SealBroken, SealContext, Sealer
from app.jobs.services import SERVICE_NAMES, Service
from app.ops.doors import Doors, make_doors, service_sender
from app.syncs.calls.client import Sender
from app.syncs.calls.troubles import TroubleClass
from app.syncs.connections import load_connection
from app.syncs.doors import FoundAccounts, RenewingDoor
from app.syncs.logins import open_for_test
from app.syncs.renewals import StoredRenewals
from app.syncs.signs.registry import SIGNS, sign_of
from app.syncs.standing import Tried
from app.tenants.access import Actor, Permission, require
from app.vault.service import SecretNotFound

# A process that serves pages has eight threads; some have to be left for those who ask for nothing outside.
MOST_AT_ONCE = 3
# One organization whose services are slow leaves a turn for the others.
MOST_OF_AN_ORGANIZATION = 2
DRAFT_KEPT = timedelta(minutes=30)
CONNECTABLE = tuple(service for service in Service if service.value in SIGNS)
_DRAFT = "connection_draft"
# For as long as somebody waits who tests, and a run renews the same login at that moment.
_POLLS = 15


class TooManyTests(Unavailable):
    """Others are trying logins at this moment, or several of the same organization."""


class ServiceNotConnectable(Invalid):
    """There is no such service, or this version cannot read it."""


class LoginNotGood(Invalid):
    """The service does not take the login, or it cannot read the account."""


class LoginUntried(Unavailable):
    """The service did not say whether the login is good: it is down, slow or limits requests."""


class DraftLost(Invalid):
    """The login that a form kept is too old, or was kept for somebody else."""


@dataclass(frozen=True)
class StoredTried:
    """What came of trying a connection's own login. `set_at` is since when it has been that login."""

    tried: Tried
    set_at: datetime | None


@dataclass
class LoginDesk:
    """The one of a process. `make_sender` gives what carries requests; it is asked for when the first is sent."""

    settings: Settings
    database: Database
    make_sender: Callable[[], Sender] | None = None
    _turns: FairTurns = field(
        default_factory=lambda: FairTurns(MOST_AT_ONCE, most_of_each=MOST_OF_AN_ORGANIZATION), init=False
    )

    @cached_property
    def sealer(self) -> Sealer:
        return Sealer(key_ring(self.settings))

    @cached_property
    def _doors(self) -> Doors:
        return make_doors(self.settings, self.make_sender() if self.make_sender else service_sender(self.settings))

    def try_login(self, owner: UUID, service: str, secret: str, account_id: str, *, now: datetime) -> Tried:
        """Try what somebody gave there. Raises what it refuses without asking anybody, and TooManyTests."""
        known = connectable(service)
        sign = sign_of(known)
        account_id, secret = sign.clean_account_id(account_id), sign.clean_secret(secret)
        with self._turn(owner):
            return self._doors[known].try_login(secret, account_id, now=now)

    def find_accounts(self, owner: UUID, service: str, secret: str, *, now: datetime) -> FoundAccounts:
        """The accounts that a login reads. Raises what it refuses without asking anybody, and TooManyTests."""
        known = connectable(service)
        secret = sign_of(known).clean_secret(secret)
        with self._turn(owner):
            return self._doors[known].find_accounts(secret, now=now)

    def try_replacement(self, actor: Actor, connection_id: UUID, secret: str, *, now: datetime) -> Tried:
        """Try another login on the account of a connection. Raises ConnectionNotFound or ConnectionEnded as well."""
        require(actor, Permission.MANAGE_CONNECTIONS)
        with self.database.reading(_scope(actor)) as session:
            found = load_connection(session, organization_id=actor.organization_id, connection_id=connection_id)
            service, account_id = found.service, found.account_id
        return self.try_login(actor.organization_id, service, secret, account_id, now=now)

    def try_stored(self, actor: Actor, connection_id: UUID, *, now: datetime) -> StoredTried:
        """Try the login that a connection has, which is audited. Raises ConnectionNotFound, ConnectionEnded and more.

        A login that does not open is told as one that failed.
        """
        require(actor, Permission.RUN)
        with self._turn(actor.organization_id):
            try:
                login = self.database.run(
                    _scope(actor),
                    lambda session: open_for_test(
                        session, sealer=self.sealer, actor=actor, connection_id=connection_id, now=now
                    ),
                )
            except (SecretNotFound, SealBroken, KeyUnknown) as error:
                return StoredTried(Tried(error.message, 0.0), None)
            door = self._doors[connectable(login.service)]
            if not isinstance(door, RenewingDoor):
                return StoredTried(door.try_login(login.secret, login.account_id, now=now), login.set_at)
            login = replace(login, renewals=self._renewals(actor, connection_id, now))
            return StoredTried(door.try_stored(login, now=now), login.set_at)

    def _renewals(self, actor: Actor, connection_id: UUID, now: datetime) -> StoredRenewals:
        def transact(work: Callable[[Session], object]) -> None:
            self.database.run(_scope(actor), work)

        return StoredRenewals(
            transact, lambda session: now, _wait, self.sealer, actor, connection_id, "for a test",
            most_polls=_POLLS,
        )  # fmt: skip

    def keep_draft(self, actor: Actor, secret: str, *, now: datetime) -> str:
        """A login that was typed in, sealed for this person, so that a form can be sent again without it."""
        content = json.dumps([secret, now.isoformat()])
        return self.sealer.seal(content, _draft_place(actor)).text

    def open_draft(self, actor: Actor, sealed: str, *, now: datetime) -> str:
        """The login of `keep_draft`. Raises DraftLost."""
        try:
            secret, kept_at = json.loads(self.sealer.open(sealed, _draft_place(actor)))
        except (SealBroken, KeyUnknown):
            raise _lost() from None
        if now - datetime.fromisoformat(kept_at) > DRAFT_KEPT:
            raise _lost()
        return str(secret)

    @contextmanager
    def _turn(self, owner: UUID) -> Iterator[None]:
        with self._turns.taken(owner) as is_mine:
            if not is_mine:
                raise TooManyTests("Several logins are being tried at this moment. Try again in a few seconds.")
            yield


def refuse_bad(tried: Tried) -> None:
    """Raises LoginNotGood or LoginUntried for a login that was tried and did not turn out good."""
    if tried.is_good:
        return
    if tried.trouble in _SAYS_NOTHING:
        raise LoginUntried(f"{tried.words} Nothing was saved.")
    raise LoginNotGood(tried.words, field="account_id" if tried.trouble in _OF_THE_ACCOUNT else "token")


_SAYS_NOTHING = {TroubleClass.TRANSIENT, TroubleClass.RATE_LIMITED, TroubleClass.QUOTA_EXHAUSTED}
_OF_THE_ACCOUNT = {
    TroubleClass.PERMISSION_MISSING, TroubleClass.SETUP_ERROR, TroubleClass.ACCOUNT_UNAVAILABLE,
}  # fmt: skip


def connectable(service: str) -> Service:
    """The service of a word. Raises ServiceNotConnectable."""
    if service not in CONNECTABLE:
        known = ", ".join(CONNECTABLE)
        name = f" to {SERVICE_NAMES[Service(service)]}" if service in set(Service) else ""
        raise ServiceNotConnectable(f"Belfry cannot connect{name} yet. Services: {known}", field="service")
    return Service(service)


def _wait(seconds: float) -> None:
    Event().wait(seconds)


def _lost() -> DraftLost:
    return DraftLost("The login is no longer here. Paste it again.", field="token")


def _draft_place(actor: Actor) -> SealContext:
    person = actor.user_id or UUID(int=0)
    return SealContext(actor.organization_id, person, _DRAFT, person, "token")


def _scope(actor: Actor) -> Scope:
    return Scope.tenant(actor.organization_id, actor.user_id)
