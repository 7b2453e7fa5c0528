"""The team page: who sees what, what its forms do, and how refusals read."""

import re
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app.tenants.models import Invitation, Membership, User
from app.tenants.roles import Role
from tests.factories.tenants import LONG_AGO, make_organization
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser, OpenBrowser

GRACE = {"email": "grace@example.com", "role": "operator"}


def link_in(text: str) -> str:
    found = re.search(r'value="http[^"]*(/invitation\?token=[^"]+)"', text)
    assert found is not None
    return found[1]


def role_of(database: OpenDatabase, browser: Browser) -> str | None:
    with database.reading() as session:
        held = select(Membership.role).where(
            Membership.user_id == browser.user_id, Membership.organization_id == browser.organization_id
        )
        return session.execute(held).scalar_one_or_none()


def give_home(database: OpenDatabase, browser: Browser) -> None:
    """A personal organization, as everybody has one who signed up."""
    with database.transaction() as session:
        home = make_organization(session, name="Home", is_personal=True)
        session.add(Membership(organization_id=home, user_id=browser.user_id, role="owner", created_at=LONG_AGO))


class TestPage:
    def test_names_the_members_to_everybody(self, viewer: Browser, owner: Browser) -> None:
        text = viewer.visit("/settings/team").text

        assert "Olga" in text
        assert "owner@example.com" in text
        assert "Who may do what in Northwind." in text

    def test_tells_the_time_on_the_clock_of_whoever_looks(
        self, open_browser: OpenBrowser, organization_id: UUID
    ) -> None:
        far = open_browser(organization_id=organization_id, email="far@example.com", timezone="Asia/Tokyo")
        invited = far.send("/settings/team/invitations", GRACE).text

        # The clock says noon in UTC, and the invitation is good for a week.
        assert "Tue 12 Jan, 21:00" in invited
        assert "21:00" in far.visit("/settings/team").text

    def test_offers_a_viewer_only_to_leave(self, viewer: Browser, owner: Browser) -> None:
        text = viewer.visit("/settings/team").text

        assert "Leave…" in text
        assert "Remove…" not in text
        assert "/settings/team/invitations" not in text

    def test_offers_no_role_above_ones_own(self, admin: Browser, owner: Browser, viewer: Browser) -> None:
        text = admin.visit("/settings/team").text

        assert '<option value="admin"' in text
        assert '<option value="owner"' not in text
        assert f"/settings/team/members/{owner.user_id}/role" not in text

    def test_shows_nobody_of_another_organization(self, owner: Browser, stranger: Browser) -> None:
        assert "Sven" not in owner.visit("/settings/team").text

    def test_shows_open_invitations_to_those_who_invite(self, admin: Browser, viewer: Browser) -> None:
        admin.send("/settings/team/invitations", GRACE)

        assert "grace@example.com" in admin.visit("/settings/team").text
        assert "grace@example.com" not in viewer.visit("/settings/team").text

    def test_leads_from_a_personal_organization_to_one_for_a_team(self, owner: Browser, database: OpenDatabase) -> None:
        give_home(database, owner)
        with database.reading() as session:
            home = session.scalars(select(Membership.organization_id).where(Membership.role == "owner")).all()
        (own,) = [found for found in home if found != owner.organization_id]
        owner.send(f"/organizations/{own}/switch")

        text = owner.visit("/settings/team").text

        assert "This is your personal organization." in text
        assert 'href="/organizations"' in text
        assert owner.send("/settings/team/invitations", GRACE).status_code == 409


class TestInvite:
    def test_shows_the_link_once(self, admin: Browser, anonymous: Browser) -> None:
        made = admin.send("/settings/team/invitations", GRACE)

        link = link_in(made.text)
        assert anonymous.visit(link).status_code == 200
        assert link not in admin.visit("/settings/team").text

    def test_says_what_is_wrong_at_the_field(self, admin: Browser) -> None:
        answer = admin.send("/settings/team/invitations", {"email": "grace", "role": "viewer"})

        assert answer.status_code == 422
        assert "Enter an e-mail address, for example ada@example.com." in answer.text

    def test_says_when_somebody_was_faster(self, admin: Browser) -> None:
        admin.send("/settings/team/invitations", GRACE)

        answer = admin.send("/settings/team/invitations", GRACE)

        assert answer.status_code == 409
        assert "grace@example.com is invited already." in answer.text

    def test_refuses_a_role_that_was_not_offered(self, admin: Browser) -> None:
        answer = admin.send("/settings/team/invitations", {**GRACE, "role": "owner"})

        assert answer.status_code == 422

    def test_is_not_for_operators(self, operator: Browser) -> None:
        assert operator.send("/settings/team/invitations", GRACE).status_code == 403

    def test_can_be_taken_back(self, admin: Browser, anonymous: Browser, database: OpenDatabase) -> None:
        link = link_in(admin.send("/settings/team/invitations", GRACE).text)
        with database.reading() as session:
            made = session.scalars(select(Invitation.id)).one()

        assert admin.send(f"/settings/team/invitations/{made}/revoke").location == "/settings/team"

        answer = anonymous.visit(link)
        assert answer.status_code == 404
        assert "This invitation was revoked." in answer.text

    def test_can_get_a_new_link(self, admin: Browser, anonymous: Browser, database: OpenDatabase) -> None:
        old = link_in(admin.send("/settings/team/invitations", GRACE).text)
        with database.reading() as session:
            made = session.scalars(select(Invitation.id)).one()

        new = link_in(admin.send(f"/settings/team/invitations/{made}/link").text)

        assert (anonymous.visit(old).status_code, anonymous.visit(new).status_code) == (404, 200)


class TestRole:
    def test_is_saved_without_a_script(self, owner: Browser, viewer: Browser, database: OpenDatabase) -> None:
        answer = owner.send(f"/settings/team/members/{viewer.user_id}/role", {"role": "operator"})

        assert (answer.status_code, answer.location) == (303, "/settings/team")
        assert role_of(database, viewer) == "operator"

    def test_holds_from_the_next_request_on(self, owner: Browser, admin: Browser) -> None:
        before = admin.visit("/jobs/new").status_code
        owner.send(f"/settings/team/members/{admin.user_id}/role", {"role": "viewer"})

        assert (before, admin.visit("/jobs/new").status_code) == (200, 403)

    def test_of_the_only_owner_stays(self, owner: Browser, database: OpenDatabase) -> None:
        answer = owner.send(f"/settings/team/members/{owner.user_id}/role", {"role": "admin"})

        assert answer.status_code == 409
        assert "This is the only owner. Make somebody else an owner first." in answer.text
        assert role_of(database, owner) == "owner"

    def test_above_ones_own_is_refused_in_words(self, admin: Browser, owner: Browser) -> None:
        answer = admin.send(f"/settings/team/members/{owner.user_id}/role", {"role": "viewer"})

        assert answer.status_code == 403
        assert "Your role here is admin, so you cannot give, change or take away the role owner." in answer.text

    @pytest.mark.parametrize("role", ["", "king"])
    def test_has_to_be_one_of_the_roles(self, owner: Browser, viewer: Browser, role: str) -> None:
        answer = owner.send(f"/settings/team/members/{viewer.user_id}/role", {"role": role})

        assert answer.status_code == 422


class TestRemove:
    def test_asks_first(self, owner: Browser, viewer: Browser, database: OpenDatabase) -> None:
        answer = owner.visit(f"/settings/team/members/{viewer.user_id}/remove")

        assert "Remove Vera?" in answer.text
        assert role_of(database, viewer) == "viewer"

    def test_shuts_the_organization_at_once(self, owner: Browser, viewer: Browser, database: OpenDatabase) -> None:
        give_home(database, viewer)
        viewer.visit("/settings/team")

        owner.send(f"/settings/team/members/{viewer.user_id}/remove")

        text = viewer.visit("/settings/team").text
        assert "You are no longer a member of Northwind. You see Home now." in text
        assert "Olga" not in text

    def test_signs_out_whoever_belongs_nowhere_else(self, owner: Browser, viewer: Browser) -> None:
        owner.send(f"/settings/team/members/{viewer.user_id}/remove")

        assert viewer.visit("/settings/team").location == "/login?next=/settings/team"

    def test_lets_a_viewer_leave(self, owner: Browser, viewer: Browser, database: OpenDatabase) -> None:
        give_home(database, viewer)

        answer = viewer.send(f"/settings/team/members/{viewer.user_id}/remove")

        seen = viewer.visit("/").text
        assert answer.location == "/"
        assert "You left Northwind." in seen
        assert "no longer a member" not in seen

    def test_is_refused_to_viewers(self, owner: Browser, viewer: Browser, operator: Browser) -> None:
        assert viewer.send(f"/settings/team/members/{operator.user_id}/remove").status_code == 403


class TestForeignIds:
    def test_look_like_missing_ones(self, owner: Browser, stranger: Browser, database: OpenDatabase) -> None:
        stranger.send("/settings/team/invitations", GRACE)
        with database.reading() as session:
            invitation = session.scalars(select(Invitation.id)).one()
        foreign = [
            f"/settings/team/members/{stranger.user_id}/role",
            f"/settings/team/members/{stranger.user_id}/remove",
            f"/settings/team/invitations/{invitation}/link",
            f"/settings/team/invitations/{invitation}/revoke",
        ]
        missing = [re.sub(r"[0-9a-f-]{36}", str(uuid4()), path) for path in foreign]

        answers = [owner.send(path, {"role": "viewer"}) for path in foreign + missing]

        assert {answer.status_code for answer in answers} == {404}
        assert role_of(database, stranger) == "owner"


class TestOrganization:
    def test_is_renamed_by_an_owner(self, owner: Browser) -> None:
        owner.send("/settings/team/organization", {"name": "Southwind", "timezone": "UTC"})

        assert "Who may do what in Southwind." in owner.visit("/settings/team").text

    def test_keeps_its_name_for_an_admin(self, admin: Browser) -> None:
        answer = admin.send("/settings/team/organization", {"name": "Southwind", "timezone": "UTC"})

        assert answer.status_code == 403

    def test_needs_a_name(self, owner: Browser) -> None:
        answer = owner.send("/settings/team/organization", {"name": " ", "timezone": "UTC"})

        assert answer.status_code == 422
        assert "Give the organization a name." in answer.text


class TestDisabled:
    def test_members_are_marked(
        self, owner: Browser, viewer: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            session.execute(update(User).where(User.id == viewer.user_id).values(disabled_at=clock.moment))

        assert "Disabled" in owner.visit("/settings/team").text


class TestSeen:
    def test_is_told_of_members_who_are_signed_in(self, owner: Browser) -> None:
        assert 'data-label="Last seen"><time' in owner.visit("/settings/team").text


class TestRoles:
    def test_are_offered_smallest_first(self, owner: Browser) -> None:
        text = owner.visit("/settings/team").text.partition('id="invite"')[2]

        places = [text.index(f'value="{role.value}"') for role in Role]
        assert places == sorted(places)


class TestGoingBack:
    def test_gives_the_old_role_again(self, owner: Browser, viewer: Browser, database: OpenDatabase) -> None:
        owner.send(f"/settings/team/members/{viewer.user_id}/role", {"role": "admin"})
        address = re.search(rf'action="(/settings/team/members/{viewer.user_id}/role[^"]+)"', owner.visit("/").text)

        assert address is not None
        owner.send(address[1].replace("&amp;", "&"))

        assert role_of(database, viewer) == "viewer"


class TestWhatRolesMayDo:
    def test_are_told_in_words(self, viewer: Browser) -> None:
        text = viewer.visit("/settings/team").text

        assert "What each role may do" in text
        assert "also starts runs and edits schedules" in text


class TestTokensOfTheTeam:
    def made_by(self, browser: Browser) -> str:
        form = {"once": "a" * 43, "name": "Deploys", "scopes": ["view"], "expires_in_days": "30"}
        browser.send("/account/tokens", form)
        found = re.search(r'id="t-([0-9a-f-]{36})"', browser.visit("/account/tokens").text)
        assert found is not None
        return found[1]

    def test_are_shown_to_those_who_look_after_it(self, admin: Browser, viewer: Browser) -> None:
        self.made_by(viewer)

        assert "See jobs, schedules, runs and the queue" in admin.visit("/settings/team").text
        assert "Deploys" not in viewer.visit("/settings/team").text

    def test_are_revoked_after_a_question(self, admin: Browser, viewer: Browser) -> None:
        address = f"/settings/team/tokens/{self.made_by(viewer)}/revoke"
        question = admin.visit(address).text

        answer = admin.send(address)

        assert "are refused from now on" in question
        assert answer.status_code == 303
        assert admin.visit(address).status_code == 404

    def test_of_others_cannot_be_found(self, stranger: Browser, viewer: Browser) -> None:
        address = f"/settings/team/tokens/{self.made_by(viewer)}/revoke"

        assert (stranger.visit(address).status_code, stranger.send(address).status_code) == (404, 404)
