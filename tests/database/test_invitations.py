"""Inviting and joining: who may, how often a link works, and which addresses it lets in."""

from collections.abc import Callable
from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core.errors import AppError
from app.core.ids import digest
from app.core.scopes import IDENTITY, Scope
from app.tenants.access import Actor, PermissionMissing
from app.tenants.invitations import (
    AlreadyInvited,
    AlreadyMember,
    NewInvitation,
    invite,
    renew_invitation,
    revoke_invitation,
)
from app.tenants.joining import (
    InvitationForAnother,
    InvitationOver,
    accept_invitation,
    join_as_new_person,
    read_invitation,
)
from app.tenants.models import AuditEntry, Invitation, Membership, Organization
from app.tenants.people import PersonInvalid
from app.tenants.queries import list_own_organizations
from app.tenants.roles import Role
from app.tenants.roster import InvitationNotFound, RoleAboveOwn, TeamOfNobody, list_invitations
from tests.factories.tenants import make_member, make_organization, make_user
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

GRACE = "grace@example.com"
ACCOUNT = {"name": "Grace", "password": "copper-lantern-77", "timezone": "UTC"}


@pytest.fixture
def owner(database: OpenDatabase) -> Actor:
    with database.transaction() as session:
        return make_member(session, name="Olga", email="olga@example.com").actor


class Desk:
    """Does things as requests do: for a tenant, or as somebody who signs in."""

    def __init__(self, database: OpenDatabase, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock

    def tenant(self, actor: Actor, work: Callable[..., Any], **arguments: Any) -> Any:
        scope = Scope.tenant(actor.organization_id, actor.user_id)
        return self.database.run(scope, lambda s: work(s, actor=actor, now=self.clock.moment, **arguments))

    def invite(self, actor: Actor, email: str = GRACE, role: Role = Role.OPERATOR) -> NewInvitation:
        made: NewInvitation = self.tenant(actor, invite, email=email, role=role)
        return made

    def person(self, work: Callable[..., Any], **arguments: Any) -> Any:
        return self.database.run(IDENTITY, lambda s: work(s, now=self.clock.moment, **arguments))


@pytest.fixture
def desk(database: OpenDatabase, clock: ManualClock) -> Desk:
    return Desk(database, clock)


@pytest.fixture
def grace(database: OpenDatabase) -> dict[str, Any]:
    """An account that is a member nowhere yet."""
    with database.transaction() as session:
        return {"user_id": make_user(session, email=GRACE, name="Grace"), "email": GRACE}


class TestInvite:
    def test_keeps_only_a_digest_of_the_link(self, desk: Desk, owner: Actor, clock: ManualClock) -> None:
        made = desk.invite(owner, " Grace@Example.com ")

        with desk.database.reading() as session:
            row = session.scalars(select(Invitation)).one()
        assert (row.email, row.token_digest) == (GRACE, digest(made.token))
        assert (row.expires_at - clock.moment).days == 7

    def test_is_in_the_audit_without_the_link(self, desk: Desk, owner: Actor) -> None:
        made = desk.invite(owner)

        with desk.database.reading() as session:
            entry = session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.summary) == ("invitation.created", "Invited grace@example.com as operator")
        assert made.token not in f"{entry.summary} {entry.changes}"

    def test_gives_no_role_above_ones_own(self, desk: Desk, owner: Actor) -> None:
        with pytest.raises(RoleAboveOwn):
            desk.invite(replace(owner, role=Role.ADMIN), role=Role.OWNER)

    def test_needs_an_admin(self, desk: Desk, owner: Actor) -> None:
        with pytest.raises(PermissionMissing):
            desk.invite(replace(owner, role=Role.OPERATOR), role=Role.VIEWER)

    def test_refuses_what_is_no_address(self, desk: Desk, owner: Actor) -> None:
        with pytest.raises(PersonInvalid):
            desk.invite(owner, "grace")

    def test_refuses_a_member(self, desk: Desk, owner: Actor) -> None:
        with pytest.raises(AlreadyMember):
            desk.invite(owner, "OLGA@example.com")

    def test_refuses_an_address_twice_and_can_go_on(self, desk: Desk, owner: Actor) -> None:
        desk.invite(owner)

        with pytest.raises(AlreadyInvited):
            desk.invite(owner)

        desk.invite(owner, "other@example.com")

    def test_replaces_one_that_has_expired(self, desk: Desk, owner: Actor, clock: ManualClock) -> None:
        desk.invite(owner)
        clock.advance(days=7)

        desk.invite(owner)

        with desk.database.reading() as session:
            assert len(list_invitations(session, organization_id=owner.organization_id)) == 1

    def test_is_not_for_a_personal_organization(self, desk: Desk, database: OpenDatabase) -> None:
        with database.transaction() as session:
            home = make_organization(session, name="Ada", is_personal=True)
            ada = make_member(session, organization_id=home)

        with pytest.raises(TeamOfNobody):
            desk.invite(ada.actor)


class TestOpenInvitation:
    def test_gets_a_new_link_and_loses_the_old_one(self, desk: Desk, owner: Actor, clock: ManualClock) -> None:
        old = desk.invite(owner)
        clock.advance(days=8)

        new = desk.tenant(owner, renew_invitation, invitation_id=old.id)

        assert desk.person(read_invitation, token=new.token).email == GRACE
        with pytest.raises(InvitationOver, match="replaced by a newer one"):
            desk.person(read_invitation, token=old.token)

    def test_of_another_organization_is_not_there(self, desk: Desk, owner: Actor, database: OpenDatabase) -> None:
        made = desk.invite(owner)
        with database.transaction() as session:
            stranger = make_member(session, email="sven@example.org").actor

        with pytest.raises(InvitationNotFound):
            desk.tenant(stranger, revoke_invitation, invitation_id=made.id)
        with pytest.raises(InvitationNotFound):
            desk.tenant(stranger, renew_invitation, invitation_id=made.id)

    def test_for_an_owner_is_beyond_an_admin(self, desk: Desk, owner: Actor) -> None:
        made = desk.invite(owner, role=Role.OWNER)

        with pytest.raises(RoleAboveOwn):
            desk.tenant(replace(owner, role=Role.ADMIN), renew_invitation, invitation_id=made.id)


class TestLink:
    def test_says_what_it_is_for(self, desk: Desk, owner: Actor) -> None:
        found = desk.person(read_invitation, token=desk.invite(owner).token)

        assert (found.organization_name, found.email, found.role) == ("Northwind", GRACE, Role.OPERATOR)
        assert found.invited_by == "Olga"

    def test_that_was_never_made_says_so(self, desk: Desk) -> None:
        with pytest.raises(InvitationOver, match="not valid"):
            desk.person(read_invitation, token="guess")

    def test_that_was_revoked_says_so(self, desk: Desk, owner: Actor) -> None:
        made = desk.invite(owner)
        desk.tenant(owner, revoke_invitation, invitation_id=made.id)

        with pytest.raises(InvitationOver, match="revoked"):
            desk.person(read_invitation, token=made.token)

    def test_that_has_expired_says_so(self, desk: Desk, owner: Actor, clock: ManualClock) -> None:
        made = desk.invite(owner)
        clock.advance(days=7)

        with pytest.raises(InvitationOver, match="expired"):
            desk.person(read_invitation, token=made.token)

    def test_that_was_used_says_so(self, desk: Desk, owner: Actor, grace: dict[str, Any]) -> None:
        made = desk.invite(owner)
        desk.person(accept_invitation, **grace, token=made.token)

        with pytest.raises(InvitationOver, match="accepted already"):
            desk.person(accept_invitation, **grace, token=made.token)


class TestAccept:
    def test_makes_a_member_with_the_promised_role(self, desk: Desk, owner: Actor, grace: dict[str, Any]) -> None:
        made = desk.invite(owner)

        desk.person(accept_invitation, **grace, token=made.token)

        with desk.database.reading() as session:
            (found,) = list_own_organizations(session, user_id=grace["user_id"])
            actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert (found.id, found.role) == (owner.organization_id, Role.OPERATOR)
        assert actions == ["invitation.created", "invitation.accepted"]

    def test_is_refused_to_another_address(self, desk: Desk, owner: Actor, database: OpenDatabase) -> None:
        made = desk.invite(owner)
        with database.transaction() as session:
            eve = make_user(session, email="eve@example.com", name="Eve")

        with pytest.raises(InvitationForAnother):
            desk.person(accept_invitation, user_id=eve, email="eve@example.com", token=made.token)

        assert desk.person(read_invitation, token=made.token).email == GRACE

    def test_changes_nothing_for_a_member(self, desk: Desk, owner: Actor, database: OpenDatabase) -> None:
        made = desk.invite(owner, role=Role.VIEWER)
        with database.transaction() as session:
            abel = make_member(session, email=GRACE, role=Role.ADMIN, organization_id=owner.organization_id)

        desk.person(accept_invitation, user_id=abel.user_id, email=GRACE, token=made.token)

        with database.reading() as session:
            held = select(Membership.role).where(Membership.user_id == abel.user_id)
            assert session.scalars(held).one() == "admin"

    def test_of_eight_browsers_at_once_lets_one_in(self, desk: Desk, owner: Actor, grace: dict[str, Any]) -> None:
        made = desk.invite(owner)
        start, outcomes = Barrier(8), []

        def accept() -> None:
            start.wait()
            try:
                outcomes.append(desk.person(accept_invitation, **grace, token=made.token).email)
            except AppError as error:
                outcomes.append(type(error).__name__)

        threads = [Thread(target=accept) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with desk.database.reading() as session:
            members = select(func.count()).where(Membership.user_id == grace["user_id"])
            assert session.scalar(members) == 1
        assert sorted(outcomes) == ["InvitationOver"] * 7 + [GRACE]


class TestNewPerson:
    def test_gets_an_account_an_organization_of_their_own_and_the_membership(self, desk: Desk, owner: Actor) -> None:
        made = desk.invite(owner)
        found = desk.person(read_invitation, token=made.token)

        user_id = desk.person(join_as_new_person, invitation=found, token=made.token, **ACCOUNT)

        with desk.database.reading() as session:
            own = list_own_organizations(session, user_id=user_id)
        assert [(row.name, row.role, row.is_personal) for row in own] == [
            ("Grace", Role.OWNER, True),
            ("Northwind", Role.OPERATOR, False),
        ]

    def test_leaves_nothing_behind_when_the_link_was_used_meanwhile(
        self, desk: Desk, owner: Actor, database: OpenDatabase
    ) -> None:
        made = desk.invite(owner)
        found = desk.person(read_invitation, token=made.token)
        desk.tenant(owner, revoke_invitation, invitation_id=made.id)

        with pytest.raises(InvitationOver):
            desk.person(join_as_new_person, invitation=found, token=made.token, **ACCOUNT)

        with database.reading() as session:
            assert session.scalars(select(Organization.name).where(Organization.is_personal)).all() == []
