"""One's organizations: the menu, the page, making one and switching."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.tenants.models import Membership
from app.tenants.roles import Role
from tests.factories.tenants import LONG_AGO, make_organization
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser


@pytest.fixture
def harbour(database: OpenDatabase, viewer: Browser) -> UUID:
    """Another organization of the viewer's, who is its admin."""
    with database.transaction() as session:
        made = make_organization(session, name="Harbour")
        session.add(
            Membership(organization_id=made, user_id=viewer.user_id, role=Role.ADMIN.value, created_at=LONG_AGO)
        )
    return made


class TestMenu:
    def test_offers_the_others_on_every_page(self, viewer: Browser, harbour: UUID) -> None:
        text = viewer.visit("/jobs").text

        assert f'action="/organizations/{harbour}/switch"' in text
        assert "Switch to Harbour, as admin" in text

    def test_does_not_offer_the_present_one(self, viewer: Browser) -> None:
        assert f"/organizations/{viewer.organization_id}/switch" not in viewer.visit("/jobs").text

    def test_says_when_there_are_more_than_it_has_room_for(self, viewer: Browser, database: OpenDatabase) -> None:
        with database.transaction() as session:
            for number in range(8):
                made = make_organization(session, name=f"Team {number}")
                session.add(
                    Membership(organization_id=made, user_id=viewer.user_id, role="viewer", created_at=LONG_AGO)
                )

        text = viewer.visit("/jobs").text

        assert "2 more organizations" in text
        assert "Team 7" not in text


class TestSwitch:
    def test_lands_on_the_overview_and_says_so(self, viewer: Browser, harbour: UUID) -> None:
        answer = viewer.send(f"/organizations/{harbour}/switch")

        assert (answer.status_code, answer.location) == (303, "/")
        assert "You see Harbour now." in viewer.visit("/").text

    def test_brings_the_role_of_the_other_organization(self, viewer: Browser, harbour: UUID) -> None:
        before = viewer.visit("/jobs/new").status_code
        viewer.send(f"/organizations/{harbour}/switch")

        assert (before, viewer.visit("/jobs/new").status_code) == (403, 200)

    def test_changes_the_cookie(self, viewer: Browser, harbour: UUID) -> None:
        with viewer.session_transaction() as cookie:
            copied = dict(cookie)
        viewer.send(f"/organizations/{harbour}/switch")

        with viewer.session_transaction() as cookie:
            cookie.clear()
            cookie.update(copied)

        assert viewer.visit("/jobs").status_code == 302

    def test_asks_again_before_a_form_of_another_tab_does_something_here(self, viewer: Browser, harbour: UUID) -> None:
        before = viewer.csrf_token
        viewer.send(f"/organizations/{harbour}/switch")

        answer = viewer.post("/organizations", data={"csrf_token": before, "name": "x", "timezone": "UTC"})

        assert answer.status_code == 400

    def test_leads_pages_of_other_tabs_along(self, viewer: Browser, harbour: UUID) -> None:
        seen = viewer.organization_id
        same = viewer.visit(f"/live/organization?seen={seen}", htmx=True)
        viewer.send(f"/organizations/{harbour}/switch")

        moved = viewer.visit(f"/live/organization?seen={seen}", htmx=True)

        assert (same.status_code, moved.headers["HX-Redirect"]) == (204, "/")

    def test_is_refused_alike_for_foreign_and_missing_ones(self, viewer: Browser, stranger: Browser) -> None:
        foreign = viewer.send(f"/organizations/{stranger.organization_id}/switch")
        missing = viewer.send(f"/organizations/{uuid4()}/switch")

        assert foreign.status_code == missing.status_code == 404
        assert "You are not a member of this organization" in foreign.text


class TestPage:
    def test_lists_them_with_the_role(self, viewer: Browser, harbour: UUID) -> None:
        text = viewer.visit("/organizations").text

        assert "Harbour" in text
        assert "Admin" in text
        assert "You see it now" in text


class TestMake:
    def test_makes_an_owner_of_anybody(self, viewer: Browser, database: OpenDatabase) -> None:
        answer = viewer.send("/organizations", {"name": "Ours", "timezone": "UTC"})

        with database.reading() as session:
            roles = session.scalars(select(Membership.role).where(Membership.user_id == viewer.user_id)).all()
        assert answer.location == "/settings/team"
        assert sorted(roles) == ["owner", "viewer"]
        assert "Who may do what in Ours." in viewer.visit("/settings/team").text

    def test_needs_a_name(self, viewer: Browser) -> None:
        answer = viewer.send("/organizations", {"name": "", "timezone": "UTC"})

        assert answer.status_code == 422
        assert "Give the organization a name." in answer.text
