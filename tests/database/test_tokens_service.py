"""API tokens: who may make which, what they open, how they end, and what of them is kept."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, func, select, update

from app.core.errors import AppError
from app.core.ids import digest
from app.core.scopes import IDENTITY, Scope
from app.tenants.access import Actor, Permission, PermissionMissing
from app.tenants.members import remove_member
from app.tenants.models import ApiToken, AuditEntry, User
from app.tenants.roles import Role
from app.tenants.token_queries import SignedInToken, TokenRow, find_signed_in_token, list_tokens
from app.tenants.tokens import (
    MOST_TOKENS,
    HolderMissing,
    NewToken,
    TokenDraft,
    TokenInvalid,
    TokenNotFound,
    TokenWiderThanOwn,
    TooManyTokens,
    create_token,
    note_used,
    revoke_token,
    scopes_open_to,
)
from tests.factories.tenants import Member, make_member
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

DEPLOYS = TokenDraft("Deploys", ("view", "run"))


class Desk:
    """Does things as requests do: for a tenant, or as somebody who signs in."""

    def __init__(self, database: OpenDatabase, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock

    def make(self, member: Member, draft: TokenDraft = DEPLOYS, *, actor: Actor | None = None) -> NewToken:
        actor = actor or member.actor
        return self._tenant(actor, create_token, user_id=member.user_id, draft=draft)  # type: ignore[no-any-return]

    def revoke(self, actor: Actor, made: NewToken) -> None:
        self._tenant(actor, revoke_token, token_id=made.id)

    def remove(self, actor: Actor, member: Member) -> None:
        self._tenant(actor, remove_member, user_id=member.user_id)

    def sign_in(self, made: NewToken) -> SignedInToken | None:
        with self.database.reading(IDENTITY) as session:
            return find_signed_in_token(session, token_digest=digest(made.token), now=self.clock.moment)

    def listed(self, member: Member, **more: Any) -> list[TokenRow]:
        with self.database.reading(Scope.tenant(member.organization_id, member.user_id)) as session:
            return list_tokens(session, organization_id=member.organization_id, user_id=member.user_id, **more)

    def _tenant(self, actor: Actor, work: Callable[..., Any], **arguments: Any) -> Any:
        scope = Scope.tenant(actor.organization_id, actor.user_id)
        return self.database.run(scope, lambda s: work(s, actor=actor, now=self.clock.moment, **arguments))


@pytest.fixture
def desk(database: OpenDatabase, clock: ManualClock) -> Desk:
    return Desk(database, clock)


@pytest.fixture
def owner(database: OpenDatabase) -> Member:
    with database.transaction() as session:
        return make_member(session, name="Olga", email="olga@example.com")


@pytest.fixture
def viewer(database: OpenDatabase, owner: Member) -> Member:
    with database.transaction() as session:
        return make_member(
            session,
            role=Role.VIEWER,
            name="Vera",
            email="vera@example.com",
            organization_id=owner.organization_id,
        )


@pytest.fixture
def stranger(database: OpenDatabase) -> Member:
    with database.transaction() as session:
        return make_member(session, name="Sven", email="sven@example.org")


class TestMaking:
    def test_keeps_a_digest_and_nothing_of_the_secret(self, desk: Desk, owner: Member, database: OpenDatabase) -> None:
        made = desk.make(owner)

        with database.reading() as session:
            (row,) = session.execute(select(ApiToken.__table__)).all()
            told = str(session.execute(select(AuditEntry.__table__)).all())
        assert row.token_digest == digest(made.token)
        assert made.token.removeprefix(made.prefix + "_") not in str(row) + told

    def test_is_told_in_the_audit_with_its_scopes(self, desk: Desk, owner: Member, database: OpenDatabase) -> None:
        made = desk.make(owner)

        with database.reading() as session:
            entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.subject_id, entry.actor_user_id) == ("token.created", made.id, owner.user_id)
        assert entry.summary == "Made the API token Deploys: view, run"

    @pytest.mark.parametrize(
        ("draft", "field", "message"),
        [
            (replace(DEPLOYS, name="  "), "name", "Give the token a name."),
            (replace(DEPLOYS, name="x" * 121), "name", "The name is too long. Use at most 120 characters."),
            (replace(DEPLOYS, scopes=()), "scopes", "Choose at least one scope."),
            (replace(DEPLOYS, days=0), "expires_in_days", "A token lives 1 to 365 days, or never expires."),
            (replace(DEPLOYS, days=366), "expires_in_days", "A token lives 1 to 365 days, or never expires."),
        ],
    )
    def test_says_what_is_wrong_where(
        self, desk: Desk, owner: Member, draft: TokenDraft, field: str, message: str
    ) -> None:
        with pytest.raises(AppError) as refusal:
            desk.make(owner, draft)

        assert (refusal.value.field, refusal.value.message) == (field, message)  # type: ignore[attr-defined]

    @pytest.mark.parametrize("scope", ["run", "manage_team", "platform_admin", "nothing"])
    def test_gives_no_scope_above_the_role(self, desk: Desk, viewer: Member, scope: str) -> None:
        with pytest.raises(TokenInvalid, match="The role viewer allows these scopes: view"):
            desk.make(viewer, replace(DEPLOYS, scopes=("view", scope)))

    def test_is_for_oneself(self, desk: Desk, owner: Member, viewer: Member) -> None:
        with pytest.raises(HolderMissing):
            desk.make(viewer, actor=owner.actor)

    def test_is_for_members(self, desk: Desk, owner: Member, stranger: Member) -> None:
        nobody = replace(owner.actor, user_id=None, label="command line")

        with pytest.raises(HolderMissing, match="Only members"):
            desk.make(stranger, actor=nobody)

    def test_ends_at_a_bound(self, desk: Desk, owner: Member) -> None:
        for _ in range(MOST_TOKENS):
            last = desk.make(owner)
        with pytest.raises(TooManyTokens):
            desk.make(owner)

        desk.revoke(owner.actor, last)

        assert desk.make(owner).name == "Deploys"

    def test_of_a_program_makes_none_with_more_scopes(self, desk: Desk, owner: Member) -> None:
        program = replace(owner.actor, scopes=frozenset({Permission.VIEW, Permission.MANAGE_TEAM}))

        assert desk.make(owner, replace(DEPLOYS, scopes=("view",)), actor=program).scopes == ("view",)
        with pytest.raises(TokenWiderThanOwn):
            desk.make(owner, actor=program)

    def test_of_a_program_needs_the_scope_for_it(self, desk: Desk, owner: Member) -> None:
        program = replace(owner.actor, scopes=frozenset({Permission.VIEW, Permission.RUN}))

        with pytest.raises(PermissionMissing, match="manage_team"):
            desk.make(owner, actor=program)


class TestScopesOpenTo:
    @pytest.mark.parametrize(
        ("role", "last"),
        [
            (Role.VIEWER, "view"),
            (Role.OPERATOR, "edit_schedules"),
            (Role.ADMIN, "manage_team"),
            (Role.OWNER, "manage_organization"),
        ],
    )
    def test_grow_with_the_role(self, role: Role, last: str) -> None:
        assert scopes_open_to(role, is_platform_admin=False)[-2:] == (last, "account")

    def test_hold_the_installation_for_those_who_look_after_it(self) -> None:
        assert scopes_open_to(Role.VIEWER, is_platform_admin=True) == ("view", "account", "platform_admin")


class TestSigningIn:
    def test_tells_who_it_is_and_what_is_allowed(self, desk: Desk, owner: Member) -> None:
        found = desk.sign_in(desk.make(owner))

        assert found is not None
        assert (found.user_id, found.organization_id) == (owner.user_id, owner.organization_id)
        assert found.actor.scopes == {Permission.VIEW, Permission.RUN}

    def test_ends_with_the_expiry_to_the_second(self, desk: Desk, owner: Member, clock: ManualClock) -> None:
        made = desk.make(owner, replace(DEPLOYS, days=1))
        clock.advance(days=1, seconds=-1)
        before = desk.sign_in(made)

        clock.advance(seconds=1)

        assert before is not None
        assert desk.sign_in(made) is None

    def test_goes_on_for_ever_without_one(self, desk: Desk, owner: Member, clock: ManualClock) -> None:
        made = desk.make(owner, replace(DEPLOYS, days=None))

        clock.advance(days=4_000)

        assert desk.sign_in(made) is not None

    def test_ends_with_the_membership(self, desk: Desk, owner: Member, viewer: Member, database: OpenDatabase) -> None:
        made = desk.make(viewer, TokenDraft("Board", ("view",)))

        desk.remove(owner.actor, viewer)

        with database.reading() as session:
            left = session.scalar(select(func.count()).select_from(ApiToken))
        assert (desk.sign_in(made), left) == (None, 0)

    def test_is_refused_while_the_account_is_disabled(
        self, desk: Desk, owner: Member, database: OpenDatabase, clock: ManualClock
    ) -> None:
        made = desk.make(owner)

        with database.transaction() as session:
            session.execute(update(User).values(disabled_at=clock.moment))

        assert desk.sign_in(made) is None


class TestRevoking:
    def test_ends_a_token_at_once_and_once(self, desk: Desk, owner: Member, database: OpenDatabase) -> None:
        made = desk.make(owner)

        desk.revoke(owner.actor, made)

        with database.reading() as session:
            actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
        assert desk.sign_in(made) is None
        assert actions == ["token.created", "token.revoked"]
        with pytest.raises(TokenNotFound):
            desk.revoke(owner.actor, made)

    def test_is_for_those_who_manage_the_team_too(self, desk: Desk, owner: Member, viewer: Member) -> None:
        made = desk.make(viewer, TokenDraft("Board", ("view",)))

        desk.revoke(owner.actor, made)

        assert desk.sign_in(made) is None

    def test_finds_no_token_of_somebody_else(self, desk: Desk, owner: Member, viewer: Member, stranger: Member) -> None:
        made = desk.make(owner)

        for actor in (viewer.actor, stranger.actor):
            with pytest.raises(TokenNotFound):
                desk.revoke(actor, made)

        assert desk.sign_in(made) is not None

    def test_finds_no_token_that_does_not_exist(self, desk: Desk, owner: Member) -> None:
        with pytest.raises(TokenNotFound):
            desk.revoke(owner.actor, replace(desk.make(owner), id=uuid4()))


class TestUse:
    def test_is_written_once_a_minute(
        self, desk: Desk, owner: Member, database: OpenDatabase, clock: ManualClock
    ) -> None:
        made = desk.make(owner)
        changed: list[int] = []
        event.listen(
            database.write,
            "after_cursor_execute",
            lambda _connection, cursor, sql, *_: changed.append(cursor.rowcount) if "last_used_at" in sql else None,
        )

        for _ in range(5):
            with database.transaction(IDENTITY) as session:
                note_used(session, token_id=made.id, now=clock.moment)
            clock.advance(seconds=20)

        assert changed == [1, 0, 0, 1, 0]


class TestList:
    def test_shows_the_newest_first(self, desk: Desk, owner: Member, clock: ManualClock) -> None:
        for name in ("First", "Second"):
            desk.make(owner, replace(DEPLOYS, name=name))
            clock.advance(minutes=1)

        assert [row.name for row in desk.listed(owner)] == ["Second", "First"]

    def test_shows_nothing_of_others(self, desk: Desk, owner: Member, viewer: Member, stranger: Member) -> None:
        desk.make(owner)

        assert desk.listed(viewer) == []
        assert desk.listed(stranger) == []

    def test_says_what_a_token_is_good_for(self, desk: Desk, owner: Member, clock: ManualClock) -> None:
        desk.make(owner, replace(DEPLOYS, days=10))

        found = []
        for days in (0, 3, 7):
            clock.advance(days=days)
            found.append(desk.listed(owner)[0].state(clock.moment).value)

        assert found == ["active", "expires soon", "expired"]

    def test_keeps_what_ended_lately_when_asked(self, desk: Desk, owner: Member, clock: ManualClock) -> None:
        desk.revoke(owner.actor, desk.make(owner, replace(DEPLOYS, name="Revoked")))
        desk.make(owner, replace(DEPLOYS, name="Expired", days=1))
        clock.advance(days=2)

        late = desk.listed(owner, ended_since=clock.moment - timedelta(days=3))
        later = desk.listed(owner, ended_since=clock.moment)

        assert {row.name: row.state(clock.moment).value for row in late} == {
            "Expired": "expired",
            "Revoked": "revoked",
        }
        assert [row.name for row in desk.listed(owner)] == ["Expired"]
        assert later == []
