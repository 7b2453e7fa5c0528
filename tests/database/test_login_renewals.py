"""Logins that are other ones after their use, on a real database: renewed by one at a time, stored before used."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.http import OutboundRequest, OutboundResponse
from app.core.scopes import Scope
from app.syncs.calls.client import ReadStopped
from app.syncs.calls.retries import LONGEST_WAIT_IN_PLACE, MOST_TRIES
from app.syncs.calls.troubles import SyncFailed, TroubleClass
from app.syncs.connections import ConnectionEnded
from app.syncs.logins import TOKEN, Login, by_belfry
from app.syncs.models import Connection
from app.syncs.renewals import TURN, StoredRenewals
from app.syncs.shopify.door import ShopifyDoor
from app.syncs.shopify.graphql import ShopCalls
from app.syncs.shopify.shop import read_shop
from app.syncs.shopify.sign_in import SIGN_IN_LIMITS
from app.syncs.signs.shopify_logins import read_login
from app.tenants.models import AuditEntry
from app.vault import service as vault
from app.vault.service import SecretOwner
from tests.factories.figures import make_connection
from tests.factories.work import make_organization
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.inside import InsideClient
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.shopify.scenarios import ACME, CLIENT_ID, REFRESH_TOKEN
from tests.fakes.providers.world import World
from tests.fakes.vault import SEALER
from tests.fakes.watch import FakeWatch
from tests.unit.syncs.shopify_door_world import REFRESH, TEMPLATE

LONGEST_WAIT = 30


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Renewing:
    """One connection with a refresh token, and whoever uses it."""

    database: OpenDatabase
    world: World = field(default_factory=lambda: World(ShopifyFake()))
    pause: Callable[[float], None] | None = None

    def __post_init__(self) -> None:
        with self.database.transaction() as session:
            self.organization_id = make_organization(session)
            made = make_connection(session, self.organization_id, service="shopify", account_id=ACME, zone=None)
            owner = SecretOwner.connection(self.organization_id, made.id)
            made.secret_id = vault.seal(
                session, sealer=SEALER, owner=owner, field=TOKEN, value=REFRESH, now=self.world.now
            )
            self.connection_id: UUID = made.id
            self.secret_id = made.secret_id

    @property
    def scope(self) -> Scope:
        return Scope.tenant(self.organization_id)

    def clock(self, session: Session) -> datetime:
        return self.world.now

    def wait(self, seconds: float) -> None:
        self.world.advance(seconds=seconds)

    def renewals(self, **more: object) -> StoredRenewals:
        transact = more.pop("transact", lambda work: self.database.run(self.scope, work))
        return StoredRenewals(
            transact, self.clock, more.pop("pause", self.wait), SEALER, by_belfry(self.organization_id),  # type: ignore[arg-type]
            self.connection_id, "for run 1", **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def calls(self, renewals: StoredRenewals | None = None, sender: object = None) -> ShopCalls:
        """Asks the shop with the login as it is stored now."""
        login = Login(
            self.connection_id, "shopify", ACME, "Acme", None, None, None, None, self.stored,
            renewals=renewals or self.renewals(),
        )  # fmt: skip
        door = ShopifyDoor(TEMPLATE, "2026-10", sender or InsideClient(self.world), chance=lambda: 0.0)  # type: ignore[arg-type]
        return door.calls(login, watch=FakeWatch(self.world))

    def read(self, calls: ShopCalls | None = None) -> str:
        return read_shop(calls or self.calls(), domain=ACME).name

    @property
    def stored(self) -> str:
        with self.database.transaction() as session:
            owner = SecretOwner.connection(self.organization_id, self.connection_id)
            return vault.open_secret(session, sealer=SEALER, owner=owner, secret_id=self.secret_id, field=TOKEN)

    @property
    def row(self) -> Connection:
        with self.database.transaction() as session:
            return session.scalars(select(Connection).where(Connection.id == self.connection_id)).one()

    @property
    def audited(self) -> list[str]:
        with self.database.transaction() as session:
            query = select(AuditEntry.action).where(AuditEntry.organization_id == self.organization_id)
            return list(session.scalars(query.order_by(AuditEntry.id)))

    @property
    def refreshes(self) -> int:
        return len(self.world.requests("access_token"))

    def set(self, **values: object) -> None:
        with self.database.transaction() as session:
            session.execute(update(Connection).where(Connection.id == self.connection_id).values(**values))

    def store(self, secret: str) -> None:
        with self.database.transaction() as session:
            owner = SecretOwner.connection(self.organization_id, self.connection_id)
            vault.replace(session, sealer=SEALER, owner=owner, secret_id=self.secret_id, field=TOKEN, value=secret)


@pytest.fixture
def renewing(database: OpenDatabase) -> Renewing:
    return Renewing(database)


class TestARenewal:
    def test_stores_the_new_tokens(self, renewing):
        renewing.read()

        login = read_login(renewing.stored)
        assert login.refresh_token == renewing.world.provider("shopify").state.apps[CLIENT_ID].refresh_token
        assert login.refresh_token != REFRESH_TOKEN
        assert renewing.row.renewing_until is None

    def test_is_made_once_an_hour(self, renewing):
        renewing.read()
        renewing.read()
        half_an_hour_later = renewing.refreshes
        renewing.world.advance(minutes=51)
        renewing.read()

        assert (half_an_hour_later, renewing.refreshes) == (1, 2)

    def test_knows_when_the_login_ends(self, renewing):
        renewing.set(expiry_told=7)
        renewing.read()

        row = renewing.row
        assert row.expires_at == renewing.world.now + timedelta(days=90)
        assert (row.expiry_known_at, row.expiry_told) == (renewing.world.now, None)

    def test_is_in_the_audit_with_every_opening(self, renewing):
        renewing.read()

        assert renewing.audited == ["connection.opened", "connection.renewed"]

    def test_stores_before_the_new_token_is_used(self, renewing):
        seen: list[str] = []

        class Looking(InsideClient):
            def send(self, request: OutboundRequest, **more: Any) -> OutboundResponse:
                if request.url.endswith("graphql.json"):
                    token = dict(request.headers)["X-Shopify-Access-Token"]
                    seen.append("stored" if read_login(renewing.stored).access_token == token else "not yet")
                return super().send(request, **more)

        renewing.read(renewing.calls(sender=Looking(renewing.world)))

        assert seen == ["stored"]

    def test_of_a_token_that_is_refused_before_its_time_is_made_once_more(self, renewing):
        renewing.read()
        renewing.world.fail("shopify", "expired_token")
        calls = renewing.calls()

        assert renewing.read(calls)
        assert renewing.refreshes == 2

    def test_that_does_not_help_is_the_end(self, renewing):
        renewing.world.fail("shopify", "expired_token", times=None)

        with pytest.raises(SyncFailed) as refused:
            renewing.read()

        assert refused.value.trouble_class is TroubleClass.AUTH_REVOKED
        assert renewing.refreshes == 2


class TestTwoAtOnce:
    def test_make_one_renewal(self, renewing):
        """The second comes while the first is asking, waits for it, and uses what it stored."""
        asking, waited, is_done = Event(), Event(), Event()

        class Slow(InsideClient):
            def send(self, request: OutboundRequest, **more: Any) -> OutboundResponse:
                if request.url.endswith("access_token"):
                    asking.set()
                    assert waited.wait(LONGEST_WAIT)
                return super().send(request, **more)

        def pause(seconds: float) -> None:
            waited.set()
            assert is_done.wait(LONGEST_WAIT)

        first = renewing.calls(sender=Slow(renewing.world))
        second = renewing.calls(renewing.renewals(pause=pause, most_polls=100_000))
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(renewing.read, first)
            one.add_done_callback(lambda _: is_done.set())
            assert asking.wait(LONGEST_WAIT)
            other = pool.submit(renewing.read, second)
            names = {one.result(LONGEST_WAIT), other.result(LONGEST_WAIT)}

        assert len(names) == 1
        assert renewing.refreshes == 1

    def test_that_knew_the_same_login_use_the_newer_one(self, renewing):
        first, second = renewing.calls(), renewing.calls()
        renewing.read(first)
        renewing.read(second)

        assert renewing.refreshes == 1
        assert renewing.audited == ["connection.opened", "connection.renewed", "connection.opened"]

    def test_do_not_wait_for_ever(self, renewing):
        renewing.set(renewing_until=renewing.world.now + timedelta(days=1))

        with pytest.raises(SyncFailed, match="Another process is renewing") as failed:
            renewing.read(renewing.calls(renewing.renewals(most_polls=3)))

        assert failed.value.trouble_class is TroubleClass.TRANSIENT
        assert renewing.refreshes == 0

    def test_go_on_when_the_other_was_stopped(self, renewing):
        renewing.set(renewing_until=renewing.world.now + timedelta(seconds=20))

        assert renewing.read()
        assert renewing.row.renewing_until is None

    def test_do_not_overwrite_what_a_person_gave_it_meanwhile(self, renewing):
        newer = REFRESH.replace(REFRESH_TOKEN, "shprtGivenByAPersonMeanwhile0123456789")

        class Meanwhile(InsideClient):
            def send(self, request: OutboundRequest, **more: Any) -> OutboundResponse:
                response = super().send(request, **more)
                if request.url.endswith("access_token"):
                    renewing.store(newer)
                return response

        with pytest.raises(SyncFailed, match="was replaced while it was renewed"):
            renewing.read(renewing.calls(sender=Meanwhile(renewing.world)))

        assert renewing.stored == newer

    def test_of_a_connection_that_was_ended_meanwhile(self, renewing):
        calls = renewing.calls()
        renewing.set(state="disconnected")

        with pytest.raises(ConnectionEnded):
            renewing.read(calls)

        assert renewing.refreshes == 0


class TestACrash:
    def kill_before_storing(self, renewing: Renewing) -> None:
        """Shopify has answered, and the process is gone before anything was stored."""

        def transact(work: Callable[[Session], object]) -> None:
            if renewing.refreshes:
                raise Killed
            renewing.database.run(renewing.scope, work)

        with pytest.raises(Killed):
            renewing.read(renewing.calls(renewing.renewals(transact=transact)))

    def test_leaves_the_old_login_and_a_mark(self, renewing):
        self.kill_before_storing(renewing)

        assert renewing.stored == REFRESH
        assert renewing.row.renewing_until == renewing.world.now + TURN

    def test_is_over_where_the_service_takes_the_old_one_again(self, renewing):
        renewing.world.provider("shopify").state.apps[CLIENT_ID].keeps_old = True
        self.kill_before_storing(renewing)
        renewing.world.advance(seconds=TURN.total_seconds())

        assert renewing.read()
        assert read_login(renewing.stored).refresh_token != REFRESH_TOKEN

    def test_is_told_truthfully_where_it_does_not(self, renewing):
        self.kill_before_storing(renewing)
        renewing.world.advance(seconds=TURN.total_seconds())

        with pytest.raises(SyncFailed, match="ended before its answer was stored") as refused:
            renewing.read()

        assert refused.value.trouble_class is TroubleClass.AUTH_REVOKED

    @pytest.mark.parametrize("variant", [None, "garbage"])
    def test_of_the_wire_is_the_same(self, renewing, variant):
        """The answer is lost on the way, and the next try is refused."""
        match = {"route": "access_token"}
        renewing.world.fail("shopify", "truncated", variant=variant, match=match)

        with pytest.raises(SyncFailed, match="ended before its answer was stored"):
            renewing.read()

    def test_of_the_wire_for_long_leaves_a_mark(self, renewing):
        renewing.world.fail("shopify", "truncated", times=None, match={"route": "access_token"})
        renewing.world.provider("shopify").state.apps[CLIENT_ID].keeps_old = True

        with pytest.raises(SyncFailed) as failed:
            renewing.read()

        assert failed.value.trouble_class is TroubleClass.TRANSIENT
        assert renewing.row.renewing_until == renewing.world.now

    @pytest.mark.parametrize(
        ("fault", "options", "trouble"),
        [
            ("revoked", {}, TroubleClass.AUTH_REVOKED),
            ("account_state", {"variant": "402"}, TroubleClass.ACCOUNT_UNAVAILABLE),
            ("account_state", {"variant": "423"}, TroubleClass.ACCOUNT_UNAVAILABLE),
            ("rate_limit_hint", {"retry_after": "900"}, TroubleClass.RATE_LIMITED),
        ],
    )
    def test_is_none_where_shopify_refused(self, renewing, fault, options, trouble):
        renewing.world.fail("shopify", fault, match={"route": "access_token"}, **options)

        with pytest.raises(SyncFailed) as refused:
            renewing.read()

        assert refused.value.trouble_class is trouble
        assert renewing.row.renewing_until is None
        assert renewing.stored == REFRESH

    def test_a_stop_gives_the_turn_back(self, renewing):
        def stopped(secret: str, is_doubtful: bool) -> None:
            raise ReadStopped

        with pytest.raises(ReadStopped):
            renewing.renewals().renew(REFRESH, stopped)

        assert renewing.row.renewing_until == renewing.world.now
        assert renewing.read()


def test_a_turn_lasts_longer_than_all_tries_of_a_renewal() -> None:
    """Or somebody else would renew the login while it is still being renewed."""
    asking = MOST_TRIES * timedelta(seconds=SIGN_IN_LIMITS.total_seconds)

    assert asking + (MOST_TRIES - 1) * LONGEST_WAIT_IN_PLACE < TURN
