"""Making, renaming and switching organizations."""

from threading import Thread
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.core.ids import digest
from app.core.names import NameInvalid
from app.core.scopes import IDENTITY, Scope
from app.tenants.access import Actor, PermissionMissing
from app.tenants.founding import FounderMissing, OrganizationFixed, found_organization, revise_organization
from app.tenants.models import SYSTEM_ORGANIZATION_ID, AuditEntry, LoginSession, Membership
from app.tenants.people import PersonInvalid
from app.tenants.queries import find_home, find_signed_in, list_own_organizations
from app.tenants.roles import Role
from app.tenants.roster import get_organization
from app.tenants.service import make_user
from app.tenants.sign_in import start_session
from app.tenants.switching import NotYourOrganization, switch_organization
from tests.factories.tenants import LONG_AGO, Member, make_member, make_organization
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def ada(database: OpenDatabase) -> Member:
    with database.transaction() as session:
        return make_member(session)


class TestFound:
    def test_makes_the_actor_its_owner(self, database: OpenDatabase, ada: Member, clock: ManualClock) -> None:
        with database.transaction(IDENTITY) as session:
            made = found_organization(session, actor=ada.actor, name=" Harbour ", timezone="UTC", now=clock.moment)

        with database.reading() as session:
            own = {row.id: (row.name, row.role) for row in list_own_organizations(session, user_id=ada.user_id)}
            entry = session.scalars(select(AuditEntry)).one()
        assert own[made] == ("Harbour", Role.OWNER)
        assert (entry.organization_id, entry.action) == (made, "organization.created")

    @pytest.mark.parametrize(("name", "timezone"), [("", "UTC"), ("a" * 121, "UTC"), ("Harbour", "Mars/North")])
    def test_refuses_what_cannot_be_shown(
        self, database: OpenDatabase, ada: Member, clock: ManualClock, name: str, timezone: str
    ) -> None:
        with pytest.raises((NameInvalid, PersonInvalid)), database.transaction(IDENTITY) as session:
            found_organization(session, actor=ada.actor, name=name, timezone=timezone, now=clock.moment)

    def test_needs_a_person(self, database: OpenDatabase, ada: Member, clock: ManualClock) -> None:
        nobody = Actor(ada.organization_id, Role.OWNER, "command line")

        with pytest.raises(FounderMissing), database.transaction(IDENTITY) as session:
            found_organization(session, actor=nobody, name="Harbour", timezone="UTC", now=clock.moment)


class TestRevise:
    def test_changes_name_and_zone(self, database: OpenDatabase, ada: Member, clock: ManualClock) -> None:
        with database.transaction(Scope.tenant(ada.organization_id, ada.user_id)) as session:
            revise_organization(session, actor=ada.actor, name="Southwind", timezone="UTC", now=clock.moment)

        with database.reading() as session:
            found = get_organization(session, organization_id=ada.organization_id)
            changes = session.scalars(select(AuditEntry.changes)).one()
        assert (found.name, found.timezone) == ("Southwind", "UTC")
        assert changes == {"name": ["Northwind", "Southwind"], "timezone": ["Europe/Riga", "UTC"]}

    def test_of_one_field_leaves_the_other_to_whoever_changes_it_meanwhile(
        self, database: OpenDatabase, ada: Member, clock: ManualClock
    ) -> None:
        def revise(**fields: str) -> Thread:
            scope = Scope.tenant(ada.organization_id, ada.user_id)
            words = {"actor": ada.actor, "now": clock.moment, **fields}
            return Thread(target=database.run, args=(scope, lambda s: revise_organization(s, **words)))

        threads = [revise(name="Southwind"), revise(timezone="Asia/Tokyo")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with database.reading() as session:
            found = get_organization(session, organization_id=ada.organization_id)
        assert (found.name, found.timezone) == ("Southwind", "Asia/Tokyo")

    def test_needs_an_owner(self, database: OpenDatabase, ada: Member, clock: ManualClock) -> None:
        admin = Actor(ada.organization_id, Role.ADMIN, "admin", ada.user_id)

        with pytest.raises(PermissionMissing), database.transaction() as session:
            revise_organization(session, actor=admin, name="Southwind", timezone="UTC", now=clock.moment)

    def test_leaves_the_organization_of_the_installation_alone(
        self, database: OpenDatabase, clock: ManualClock
    ) -> None:
        owner = Actor(SYSTEM_ORGANIZATION_ID, Role.OWNER, "petra")

        with pytest.raises(OrganizationFixed), database.transaction() as session:
            revise_organization(session, actor=owner, name="Ours", timezone="UTC", now=clock.moment)


class TestSwitch:
    @pytest.fixture
    def team(self, database: OpenDatabase, ada: Member) -> UUID:
        """Another organization of Ada's."""
        with database.transaction() as session:
            made = make_organization(session, name="Team")
            session.add(
                Membership(organization_id=made, user_id=ada.user_id, role=Role.VIEWER.value, created_at=LONG_AGO)
            )
        return made

    @pytest.fixture
    def session_id(self, database: OpenDatabase, ada: Member, clock: ManualClock) -> UUID:
        with database.transaction() as session:
            start_session(session, user_id=ada.user_id, email=ada.email, user_agent="", now=clock.moment)
        with database.reading() as session:
            return session.scalars(select(LoginSession.id)).one()

    def test_shows_the_other_one_with_the_role_there(
        self, database: OpenDatabase, ada: Member, team: UUID, session_id: UUID, clock: ManualClock
    ) -> None:
        words = {"actor": ada.actor, "session_id": session_id, "organization_id": team, "now": clock.moment}
        with database.transaction(IDENTITY) as session:
            token = switch_organization(session, **words)

        with database.reading() as session:
            found = find_signed_in(session, token_digest=digest(token), now=clock.moment)
        assert found is not None
        assert (found.session_id, found.organization_name, found.role) == (session_id, "Team", Role.VIEWER)

    def test_makes_the_old_cookie_worthless(
        self, database: OpenDatabase, ada: Member, team: UUID, session_id: UUID, clock: ManualClock
    ) -> None:
        with database.reading() as session:
            before = session.scalars(select(LoginSession.token_digest)).one()

        words = {"actor": ada.actor, "session_id": session_id, "organization_id": team, "now": clock.moment}
        with database.transaction(IDENTITY) as session:
            switch_organization(session, **words)

        with database.reading() as session:
            assert find_signed_in(session, token_digest=before, now=clock.moment) is None

    def test_is_refused_alike_for_strange_and_missing_ones(
        self, database: OpenDatabase, ada: Member, session_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            foreign = make_organization(session, name="Foreign")

        said = set()
        for organization_id in (foreign, uuid4()):
            words = {"actor": ada.actor, "session_id": session_id, "organization_id": organization_id}
            with pytest.raises(NotYourOrganization) as refused, database.transaction(IDENTITY) as session:
                switch_organization(session, **words, now=clock.moment)
            said.add(refused.value.message)

        assert len(said) == 1

    def test_moves_nobody_elses_browser(
        self, database: OpenDatabase, ada: Member, team: UUID, session_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            eve = make_member(session, email="eve@example.com", organization_id=team)

        with pytest.raises(NotYourOrganization), database.transaction(IDENTITY) as session:
            switch_organization(session, actor=eve.actor, session_id=session_id, organization_id=team, now=clock.moment)


class TestHome:
    def test_of_a_platform_admin_is_not_the_installations(self, database: OpenDatabase, clock: ManualClock) -> None:
        with database.transaction(IDENTITY) as session:
            user_id = make_user(
                session,
                email="petra@example.com",
                name="Petra",
                password="copper-lantern-77",
                timezone="UTC",
                is_platform_admin=True,
                now=clock.moment,
            )

        with database.reading() as session:
            own = list_own_organizations(session, user_id=user_id)
            home = find_home(session, user_id=user_id)
        assert [row.name for row in own] == ["Petra", "System"]
        assert home == (own[0].id, Role.OWNER)
