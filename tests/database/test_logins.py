"""Connections on a real database: made, opened, refused, rotated, ended; and no secret beside the vault."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.db import Base
from app.core.ids import new_id
from app.events.models import Event
from app.syncs.calls.troubles import TroubleClass
from app.syncs.connection_changes import (
    AccountTaken,
    ConnectionDraft,
    ConnectionNameTaken,
    OtherAccount,
    end_connection,
    make_connection,
    note_test,
    rename_connection,
    replace_login,
)
from app.syncs.connection_rows import broken_connections, get_connection, list_connections, list_ended
from app.syncs.connection_tests import KEPT_TESTS, list_tests
from app.syncs.connections import AccountChanged, ConnectionEnded, ConnectionNotFound, ConnectionRefused
from app.syncs.expiry import find_endings, tell_ending
from app.syncs.logins import Login, note_refused, note_used, open_login
from app.syncs.signs.sign import SecretInvalid
from app.syncs.standing import ConnectionState, LoginFacts, Seen, Standing, Tried
from app.tenants.access import Actor, PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from app.vault.models import Secret
from app.vault.service import SecretNotFound
from tests.factories.tenants import make_member, make_organization
from tests.fakes.clock import utc
from tests.fakes.vault import SEALER

NOW = utc("2026-11-20 12:00")
TOKEN = "EAAneverToBeSeenAnywhere0123456789"
NEWER = "EAAtheNextOneThatIsNotSeenEither77"
FACTS = LoginFacts("1234567890", NOW + timedelta(days=60), NOW + timedelta(days=90), NOW)
SEEN = Seen("1001", "Acme EU", "Europe/Riga", "EUR", FACTS)
GOOD = Tried("Read 1 campaign from Acme EU: ok, 0.8 s", 0.8, SEEN)
BAD = Tried("Meta refuses this login.", 0.3, trouble=TroubleClass.AUTH_REVOKED)


@pytest.fixture
def admin(session: Session) -> Actor:
    return make_member(session, organization_id=make_organization(session), role=Role.ADMIN).actor


def make(session: Session, admin: Actor, name: str = "Acme EU", seen: Seen = SEEN, token: str = TOKEN) -> UUID:
    draft = ConnectionDraft("meta", name, token)
    return make_connection(session, actor=admin, sealer=SEALER, draft=draft, tried=replace(GOOD, seen=seen), now=NOW)


def opened(session: Session, admin: Actor, connection_id: UUID, run_id: UUID | None = None) -> Login:
    return open_login(
        session, sealer=SEALER, organization_id=admin.organization_id, connection_id=connection_id,
        run_id=run_id or new_id(), now=NOW,
    )  # fmt: skip


def refused(session: Session, admin: Actor, connection_id: UUID, **more: object) -> bool:
    said: dict[str, object] = {"reason": "The sign-in at Meta has expired.", "trouble": TroubleClass.AUTH_EXPIRED}
    here = {"organization_id": admin.organization_id, "connection_id": connection_id, "now": NOW}
    return note_refused(session, **(said | here | more))  # type: ignore[arg-type]


def rotated(session: Session, admin: Actor, connection_id: UUID, token: str = NEWER, seen: Seen = SEEN) -> bool:
    return replace_login(
        session, actor=admin, sealer=SEALER, connection_id=connection_id, secret=token,
        tried=replace(GOOD, seen=seen), now=NOW + timedelta(hours=1),
    )  # fmt: skip


def audit(session: Session, action: str) -> list[str]:
    session.flush()
    return list(session.scalars(select(AuditEntry.summary).where(AuditEntry.action == action)))


def events(session: Session, kind: str) -> int:
    session.flush()
    return len(session.scalars(select(Event).where(Event.kind == kind)).all())


def row_of(session: Session, admin: Actor, connection_id: UUID):  # type: ignore[no-untyped-def]
    return get_connection(session, organization_id=admin.organization_id, connection_id=connection_id)


class TestALogin:
    def test_is_opened_for_a_run_and_each_opening_is_told(self, session: Session, admin: Actor) -> None:
        connection_id, run_id = make(session, admin), new_id()

        login = opened(session, admin, connection_id, run_id)

        found = login.secret, login.account_id, login.zone, login.app_id
        assert found == (TOKEN, "1001", "Europe/Riga", "1234567890")
        assert audit(session, "connection.opened") == [f"Opened the login of “Acme EU” for run {run_id}"]
        assert TOKEN not in repr(login)

    def test_is_nobody_elses(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)
        stranger = replace(admin, organization_id=make_organization(session, name="Other"))

        with pytest.raises(ConnectionNotFound):
            opened(session, stranger, connection_id)
        assert not refused(session, stranger, connection_id)

    def test_of_somebody_elses_row_does_not_open(self, session: Session, admin: Actor) -> None:
        first, second = make(session, admin), make(session, admin, "Acme JP", replace(SEEN, account_id="2002"), NEWER)
        session.execute(
            text("UPDATE connections SET secret_id = (SELECT b.secret_id FROM connections b WHERE b.name = 'Acme JP')")
        )

        with pytest.raises(SecretNotFound):
            opened(session, admin, first)
        assert opened(session, admin, second).secret == NEWER

    def test_that_is_refused_opens_for_no_run(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)
        refused(session, admin, connection_id)

        with pytest.raises(ConnectionRefused, match="Reconnect it"):
            opened(session, admin, connection_id)

    def test_is_refused_once_however_many_say_so(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)

        answers = [refused(session, admin, connection_id) for _ in range(3)]

        assert answers == [True, False, False]
        assert events(session, "connection.refused") == 1
        assert row_of(session, admin, connection_id).standing(NOW) is Standing.REFUSED

    def test_that_was_replaced_meanwhile_is_not_the_one_that_is_refused(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)
        before = opened(session, admin, connection_id)
        rotated(session, admin, connection_id)

        assert not refused(session, admin, connection_id, set_at=before.set_at)
        assert refused(session, admin, connection_id, set_at=opened(session, admin, connection_id).set_at)

    def test_notes_that_it_was_of_use(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)

        note_used(session, organization_id=admin.organization_id, connection_id=connection_id, now=NOW)

        assert row_of(session, admin, connection_id).last_used_at == NOW


class TestANewLogin:
    def test_is_what_waiting_runs_open(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)

        was_refused = rotated(session, admin, connection_id)

        assert not was_refused
        assert opened(session, admin, connection_id).secret == NEWER
        assert row_of(session, admin, connection_id).secret_hint == NEWER[-4:]

    def test_ends_a_refusal(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)
        refused(session, admin, connection_id)

        assert rotated(session, admin, connection_id)
        assert opened(session, admin, connection_id).secret == NEWER
        assert audit(session, "connection.reconnected") == ["Reconnected “Acme EU”"]

    def test_of_another_account_is_not_taken(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)

        with pytest.raises(OtherAccount):
            rotated(session, admin, connection_id, seen=replace(SEEN, account_id="2002"))

    def test_of_an_account_with_other_days_is_not_taken(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)

        with pytest.raises(AccountChanged, match="America/New_York"):
            rotated(session, admin, connection_id, seen=replace(SEEN, zone="America/New_York"))

    @pytest.mark.parametrize("token", ["", "  ", "two words", "line\nbreak", "x" * 5_000, "tökén"])
    def test_that_can_be_none_is_refused(self, session: Session, admin: Actor, token: str) -> None:
        with pytest.raises(SecretInvalid) as refusal:
            make(session, admin, token=token)
        assert not token.strip() or token not in str(refusal.value)


class TestATest:
    def test_that_is_good_ends_a_refusal(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)
        refused(session, admin, connection_id)

        noted = note_test(session, actor=admin, connection_id=connection_id, tried=GOOD, now=NOW)

        assert noted.has_healed
        assert row_of(session, admin, connection_id).state is ConnectionState.CONNECTED

    def test_that_fails_is_shown(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)

        note_test(session, actor=admin, connection_id=connection_id, tried=BAD, now=NOW)

        row = row_of(session, admin, connection_id)
        assert row.standing(NOW) is Standing.FAILING
        assert row.last_test_words == "Meta refuses this login."

    def test_of_an_account_with_other_money_is_no_good_one(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)
        tried = replace(GOOD, seen=replace(SEEN, currency="USD"))

        noted = note_test(session, actor=admin, connection_id=connection_id, tried=tried, now=NOW)

        assert noted.tried.trouble is TroubleClass.DATA_QUALITY
        assert row_of(session, admin, connection_id).currency == "EUR"

    def test_is_forgotten_after_many_newer_ones(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)
        for number in range(KEPT_TESTS + 3):
            at = NOW + timedelta(minutes=number)
            note_test(session, actor=admin, connection_id=connection_id, tried=GOOD, now=at)

        here = {"organization_id": admin.organization_id, "connection_id": connection_id}
        kept = list_tests(session, limit=1_000, **here)

        assert len(kept) == KEPT_TESTS
        assert kept[0].at == NOW + timedelta(minutes=KEPT_TESTS + 2)

    def test_may_be_asked_for_by_operators_and_not_by_viewers(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)
        operator, viewer = replace(admin, role=Role.OPERATOR), replace(admin, role=Role.VIEWER)

        note_test(session, actor=operator, connection_id=connection_id, tried=GOOD, now=NOW)

        with pytest.raises(PermissionMissing):
            note_test(session, actor=viewer, connection_id=connection_id, tried=GOOD, now=NOW)
        with pytest.raises(PermissionMissing):
            rename_connection(session, actor=operator, connection_id=connection_id, name="Mine", now=NOW)


class TestTheEnd:
    def test_deletes_the_login_and_leaves_the_figures(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)

        end_connection(session, actor=admin, connection_id=connection_id, now=NOW)

        assert session.scalars(select(Secret)).all() == []
        assert list_connections(session, organization_id=admin.organization_id, now=NOW) == []
        assert [row.name for row in list_ended(session, organization_id=admin.organization_id)] == ["Acme EU"]
        with pytest.raises(ConnectionEnded):
            opened(session, admin, connection_id)
        with pytest.raises(ConnectionEnded):
            rotated(session, admin, connection_id)

    def test_leaves_its_name_and_account_free(self, session: Session, admin: Actor) -> None:
        end_connection(session, actor=admin, connection_id=make(session, admin), now=NOW)

        assert make(session, admin)


class TestNamesAndAccounts:
    def test_an_account_is_connected_once(self, session: Session, admin: Actor) -> None:
        make(session, admin)

        with pytest.raises(AccountTaken, match="as “Acme EU”"):
            make(session, admin, "Another name")

    def test_a_name_is_given_once(self, session: Session, admin: Actor) -> None:
        make(session, admin)
        other = make(session, admin, "Acme JP", replace(SEEN, account_id="2002"))

        with pytest.raises(ConnectionNameTaken):
            make(session, admin, seen=replace(SEEN, account_id="3003"))
        with pytest.raises(ConnectionNameTaken):
            rename_connection(session, actor=admin, connection_id=other, name="Acme EU", now=NOW)

    def test_two_organizations_connect_the_same_account(self, session: Session, admin: Actor) -> None:
        make(session, admin)

        assert make(session, replace(admin, organization_id=make_organization(session, name="Other")))

    def test_what_needs_somebody_stands_first(self, session: Session, admin: Actor) -> None:
        soon = replace(SEEN, login=replace(FACTS, expires_at=NOW + timedelta(days=6)))
        make(session, admin, "B fine")
        make(session, admin, "A soon", replace(soon, account_id="2"))
        worst = make(session, admin, "C refused", replace(SEEN, account_id="3"))
        make(session, admin, "D over", replace(SEEN, account_id="4", login=replace(FACTS, data_expires_at=NOW)))
        refused(session, admin, worst)

        names = [row.name for row in list_connections(session, organization_id=admin.organization_id, now=NOW)]

        assert names == ["C refused", "D over", "A soon", "B fine"]
        assert session.scalar(select(broken_connections(admin.organization_id, now=NOW))) == 2


class TestWarnings:
    def tell(self, session: Session, now_in_days: float) -> list[int]:
        now = NOW + timedelta(days=now_in_days)
        return [ending.days for ending in find_endings(session, now=now) if tell_ending(session, ending, now=now)]

    def test_each_comes_once(self, session: Session, admin: Actor) -> None:
        make(session, admin)

        told = [self.tell(session, day) for day in (45, 46, 46, 50, 53, 53.5, 57, 59, 59.5, 60, 61)]

        assert told == [[], [14], [], [], [7], [], [3], [1], [], [0], []]
        assert events(session, "connection.expiring") == 4
        assert events(session, "connection.expired") == 1

    def test_a_new_login_is_warned_of_anew(self, session: Session, admin: Actor) -> None:
        connection_id = make(session, admin)
        self.tell(session, 59)

        later = replace(SEEN, login=replace(FACTS, expires_at=NOW + timedelta(days=70)))
        rotated(session, admin, connection_id, seen=later)

        assert self.tell(session, 59) == [14]

    def test_what_may_no_longer_be_read_counts_as_well(self, session: Session, admin: Actor) -> None:
        never = replace(FACTS, expires_at=None, data_expires_at=NOW + timedelta(days=2))
        make(session, admin, seen=replace(SEEN, login=never))

        assert self.tell(session, 0) == [3]

    def test_nobody_is_warned_of_what_was_ended(self, session: Session, admin: Actor) -> None:
        end_connection(session, actor=admin, connection_id=make(session, admin), now=NOW)

        assert self.tell(session, 59) == []


def test_the_token_is_nowhere_but_in_the_vault_and_sealed_there(session: Session, admin: Actor) -> None:
    connection_id = make(session, admin)
    opened(session, admin, connection_id)
    note_test(session, actor=admin, connection_id=connection_id, tried=BAD, now=NOW)
    rotated(session, admin, connection_id)
    refused(session, admin, connection_id)
    end_connection(
        session, actor=admin, connection_id=make(session, admin, "B", replace(SEEN, account_id="2")), now=NOW
    )
    session.flush()

    said = {
        table.name: json.dumps([list(row) for row in session.execute(select(table))], default=str)
        for table in Base.metadata.sorted_tables
    }

    assert [name for name, rows in said.items() if TOKEN in rows or NEWER in rows] == []
