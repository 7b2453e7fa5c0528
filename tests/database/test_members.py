"""Roles and leaving: who may change whom, what ends at once, and that an owner always stays."""

from collections.abc import Callable
from threading import Barrier, Thread
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.core.db import Database
from app.core.errors import AppError
from app.core.ids import digest
from app.core.scopes import Scope
from app.tenants.access import Actor, Permission, PermissionMissing
from app.tenants.invitations import invite
from app.tenants.members import LastOwner, change_role, remove_member
from app.tenants.models import SYSTEM_ORGANIZATION_ID, ApiToken, AuditEntry, Invitation, LoginSession, Membership
from app.tenants.queries import find_signed_in
from app.tenants.roles import Role
from app.tenants.roster import MemberNotFound, RoleAboveOwn, TeamOfNobody, list_invitations, list_members
from app.tenants.sign_in import start_session
from tests.factories.tenants import LONG_AGO, Member, make_member, make_organization
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def organization_id(database: OpenDatabase) -> UUID:
    with database.transaction() as session:
        return make_organization(session, name="Northwind")


Enroll = Callable[..., Member]


@pytest.fixture
def enroll(database: OpenDatabase, organization_id: UUID) -> Enroll:
    """Makes a member of the organization, with a personal one beside it."""

    def make(role: Role, name: str, *, has_home: bool = True) -> Member:
        with database.transaction() as session:
            person = make_member(
                session, role=role, name=name, email=f"{name.lower()}@example.com", organization_id=organization_id
            )
            if has_home:
                home = make_organization(session, name=name, is_personal=True)
                session.add(Membership(organization_id=home, user_id=person.user_id, role="owner", created_at=LONG_AGO))
        return person

    return make


def as_tenant(database: Database, actor: Actor, work: Callable[..., None], **arguments: object) -> None:
    """Do it as a request does: in the organization of whoever acts, and with its rights alone."""
    scope = Scope.tenant(actor.organization_id, actor.user_id)
    database.run(scope, lambda session: work(session, actor=actor, **arguments))


def roles(database: OpenDatabase, organization_id: UUID) -> dict[str, Role]:
    with database.reading(Scope.tenant(organization_id)) as session:
        return {row.name: row.role for row in list_members(session, organization_id=organization_id)}


def at_once(*calls: Callable[[], None]) -> list[type[AppError]]:
    """Call them side by side. Returns how those that were refused were refused."""
    start = Barrier(len(calls))
    refused: list[type[AppError]] = []

    def run(call: Callable[[], None]) -> None:
        start.wait()
        try:
            call()
        except AppError as error:
            refused.append(type(error))

    threads = [Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


class TestChangeRole:
    def test_holds_at_once_and_is_in_the_audit(
        self, database: OpenDatabase, organization_id: UUID, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga, vera = enroll(Role.OWNER, "Olga"), enroll(Role.VIEWER, "Vera")

        as_tenant(database, olga.actor, change_role, user_id=vera.user_id, role=Role.ADMIN, now=clock.moment)

        with database.reading() as session:
            (entry,) = session.scalars(select(AuditEntry))
        assert roles(database, organization_id)["Vera"] is Role.ADMIN
        assert (entry.action, entry.summary) == ("member.role_changed", "Made Vera an admin")
        assert entry.changes == {"role": ["viewer", "admin"]}

    def test_to_the_same_role_leaves_no_trace(self, database: OpenDatabase, enroll: Enroll, clock: ManualClock) -> None:
        olga, vera = enroll(Role.OWNER, "Olga"), enroll(Role.VIEWER, "Vera")

        as_tenant(database, olga.actor, change_role, user_id=vera.user_id, role=Role.VIEWER, now=clock.moment)

        with database.reading() as session:
            assert session.scalars(select(AuditEntry)).all() == []

    @pytest.mark.parametrize(
        ("acting", "held", "wanted", "refusal"),
        [
            (Role.VIEWER, Role.VIEWER, Role.OPERATOR, PermissionMissing),
            (Role.OPERATOR, Role.VIEWER, Role.OPERATOR, PermissionMissing),
            (Role.ADMIN, Role.VIEWER, Role.OWNER, RoleAboveOwn),
            (Role.ADMIN, Role.OWNER, Role.VIEWER, RoleAboveOwn),
        ],
    )
    def test_is_refused_above_ones_own_role(
        self,
        database: OpenDatabase,
        organization_id: UUID,
        enroll: Enroll,
        clock: ManualClock,
        acting: Role,
        held: Role,
        wanted: Role,
        refusal: type[AppError],
    ) -> None:
        enroll(Role.OWNER, "Olga")
        actor, other = enroll(acting, "Abel"), enroll(held, "Vera")

        with pytest.raises(refusal):
            as_tenant(database, actor.actor, change_role, user_id=other.user_id, role=wanted, now=clock.moment)

        assert roles(database, organization_id)["Vera"] is held

    def test_lets_nobody_raise_themselves(self, database: OpenDatabase, enroll: Enroll, clock: ManualClock) -> None:
        enroll(Role.OWNER, "Olga")
        abel = enroll(Role.ADMIN, "Abel")

        with pytest.raises(RoleAboveOwn):
            as_tenant(database, abel.actor, change_role, user_id=abel.user_id, role=Role.OWNER, now=clock.moment)

    def test_keeps_the_last_owner(
        self, database: OpenDatabase, organization_id: UUID, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga = enroll(Role.OWNER, "Olga")

        with pytest.raises(LastOwner):
            as_tenant(database, olga.actor, change_role, user_id=olga.user_id, role=Role.ADMIN, now=clock.moment)

        assert roles(database, organization_id) == {"Olga": Role.OWNER}

    def test_of_two_owners_who_demote_each_other_at_once_leaves_one(
        self, database: OpenDatabase, organization_id: UUID, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga, otis = enroll(Role.OWNER, "Olga"), enroll(Role.OWNER, "Otis")

        def demote(actor: Member, other: Member) -> Callable[[], None]:
            words = {"user_id": other.user_id, "role": Role.ADMIN, "now": clock.moment}
            return lambda: as_tenant(database, actor.actor, change_role, **words)

        refused = at_once(demote(olga, otis), demote(otis, olga))

        assert refused == [LastOwner]
        assert sorted(roles(database, organization_id).values()) == [Role.ADMIN, Role.OWNER]

    def test_of_an_inviter_ends_the_links_they_could_no_longer_make(
        self, database: OpenDatabase, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga, abel = enroll(Role.OWNER, "Olga"), enroll(Role.ADMIN, "Abel")
        as_tenant(database, abel.actor, invite, email="new@example.com", role=Role.VIEWER, now=clock.moment)

        as_tenant(database, olga.actor, change_role, user_id=abel.user_id, role=Role.OPERATOR, now=clock.moment)

        with database.reading() as session:
            assert session.scalars(select(Invitation.revoked_at)).one() == clock.moment

    def test_of_somebody_who_invites_in_the_same_instant_leaves_no_link_behind(
        self, database: OpenDatabase, organization_id: UUID, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga, abel = enroll(Role.OWNER, "Olga"), enroll(Role.ADMIN, "Abel")
        demotion = {"user_id": abel.user_id, "role": Role.VIEWER, "now": clock.moment}
        invitation = {"email": "new@example.com", "role": Role.ADMIN, "now": clock.moment}

        at_once(
            lambda: as_tenant(database, abel.actor, invite, **invitation),
            lambda: as_tenant(database, olga.actor, change_role, **demotion),
        )

        with database.reading() as session:
            assert list_invitations(session, organization_id=organization_id) == []
        assert roles(database, organization_id)["Abel"] is Role.VIEWER

    def test_finds_nobody_of_another_organization(
        self, database: OpenDatabase, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga = enroll(Role.OWNER, "Olga")
        with database.transaction() as session:
            stranger = make_member(session, email="sven@example.org")

        with pytest.raises(MemberNotFound):
            as_tenant(database, olga.actor, change_role, user_id=stranger.user_id, role=Role.VIEWER, now=clock.moment)

    def test_is_refused_where_the_members_are_fixed(self, database: OpenDatabase, clock: ManualClock) -> None:
        with database.transaction() as session:
            petra = make_member(session, organization_id=SYSTEM_ORGANIZATION_ID, email="petra@example.com")

        with pytest.raises(TeamOfNobody):
            as_tenant(database, petra.actor, change_role, user_id=petra.user_id, role=Role.ADMIN, now=clock.moment)


class TestRemove:
    def test_ends_api_tokens_and_invitations_with_the_membership(
        self, database: OpenDatabase, organization_id: UUID, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga, abel = enroll(Role.OWNER, "Olga"), enroll(Role.ADMIN, "Abel")
        as_tenant(database, abel.actor, invite, email="new@example.com", role=Role.VIEWER, now=clock.moment)
        with database.transaction() as session:
            session.add(
                ApiToken(
                    organization_id=organization_id,
                    user_id=abel.user_id,
                    name="ci",
                    prefix="belfry_abc",
                    token_digest=digest("secret"),
                    scopes={},
                    created_at=clock.moment,
                )
            )

        as_tenant(database, olga.actor, remove_member, user_id=abel.user_id, now=clock.moment)

        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(ApiToken)) == 0
            assert session.scalars(select(Invitation.revoked_at)).one() == clock.moment
        assert roles(database, organization_id) == {"Olga": Role.OWNER}

    def test_moves_open_browsers_to_the_persons_own_organization(
        self, database: OpenDatabase, organization_id: UUID, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga, abel = enroll(Role.OWNER, "Olga"), enroll(Role.ADMIN, "Abel")
        with database.transaction() as session:
            words = {"user_id": abel.user_id, "email": abel.email, "user_agent": "", "now": clock.moment}
            token = start_session(session, **words, organization_id=organization_id)

        as_tenant(database, olga.actor, remove_member, user_id=abel.user_id, now=clock.moment)

        with database.reading() as session:
            found = find_signed_in(session, token_digest=digest(token), now=clock.moment)
        assert found is not None
        assert (found.organization_name, found.role) == ("Abel", Role.OWNER)

    def test_signs_out_whoever_has_nowhere_else_to_go(
        self, database: OpenDatabase, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga, abel = enroll(Role.OWNER, "Olga"), enroll(Role.ADMIN, "Abel", has_home=False)
        with database.transaction() as session:
            start_session(session, user_id=abel.user_id, email=abel.email, user_agent="", now=clock.moment)

        as_tenant(database, olga.actor, remove_member, user_id=abel.user_id, now=clock.moment)

        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(LoginSession)) == 0

    def test_is_refused_to_those_who_may_less_than_the_member(
        self, database: OpenDatabase, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga, abel = enroll(Role.OWNER, "Olga"), enroll(Role.ADMIN, "Abel")

        with pytest.raises(RoleAboveOwn):
            as_tenant(database, abel.actor, remove_member, user_id=olga.user_id, now=clock.moment)

    def test_of_two_owners_who_remove_each_other_at_once_leaves_one(
        self, database: OpenDatabase, organization_id: UUID, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga, otis = enroll(Role.OWNER, "Olga"), enroll(Role.OWNER, "Otis")

        def remove(actor: Member, other: Member) -> Callable[[], None]:
            return lambda: as_tenant(database, actor.actor, remove_member, user_id=other.user_id, now=clock.moment)

        refused = at_once(remove(olga, otis), remove(otis, olga))

        assert len(refused) == 1
        assert list(roles(database, organization_id).values()) == [Role.OWNER]


class TestLeave:
    def test_needs_no_permission(
        self, database: OpenDatabase, organization_id: UUID, enroll: Enroll, clock: ManualClock
    ) -> None:
        enroll(Role.OWNER, "Olga")
        vera = enroll(Role.VIEWER, "Vera")

        as_tenant(database, vera.actor, remove_member, user_id=vera.user_id, now=clock.moment)

        with database.reading() as session:
            assert session.scalars(select(AuditEntry.summary)).one() == "Left the organization"
        assert roles(database, organization_id) == {"Olga": Role.OWNER}

    def test_is_not_for_a_token_without_the_scope(
        self, database: OpenDatabase, enroll: Enroll, clock: ManualClock
    ) -> None:
        enroll(Role.OWNER, "Olga")
        vera = enroll(Role.VIEWER, "Vera")
        token = Actor(vera.organization_id, Role.VIEWER, "token", vera.user_id, scopes=frozenset({Permission.VIEW}))

        with pytest.raises(PermissionMissing):
            as_tenant(database, token, remove_member, user_id=vera.user_id, now=clock.moment)

    def test_is_refused_to_the_last_owner_and_moves_nothing(
        self, database: OpenDatabase, organization_id: UUID, enroll: Enroll, clock: ManualClock
    ) -> None:
        olga = enroll(Role.OWNER, "Olga")
        with database.transaction() as session:
            start_session(session, user_id=olga.user_id, email=olga.email, user_agent="", now=clock.moment)
            session.execute(update(LoginSession).values(organization_id=organization_id))

        with pytest.raises(LastOwner):
            as_tenant(database, olga.actor, remove_member, user_id=olga.user_id, now=clock.moment)

        with database.reading() as session:
            assert session.scalars(select(LoginSession.organization_id)).one() == organization_id
