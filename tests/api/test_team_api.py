"""The team over the API: members, invitations and organizations, by whoever may."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.schedules.models import Schedule
from app.tenants.models import LoginSession, Membership
from app.tenants.roles import Role
from tests.api.conftest import Caller, OpenApi
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser, OpenBrowser

GRACE = "grace@example.com"
ACCOUNT = {"name": "Grace", "password": "copper-lantern-77", "timezone": "Europe/Riga"}


def member_id(caller: Caller) -> str:
    return str(caller.actor.user_id)


def field_messages(answer: Any) -> dict[str, str]:
    return {field["field"]: field["message"] for field in answer.json["error"]["fields"]}


def role_of(database: OpenDatabase, caller: Caller) -> str | None:
    with database.reading() as session:
        query = select(Membership.role).where(
            Membership.user_id == caller.actor.user_id, Membership.organization_id == caller.organization_id
        )
        return session.scalar(query)


def services_on_schedule(database: OpenDatabase, organization_id: str) -> list[str | None]:
    with database.reading() as session:
        query = select(Schedule.default_for).where(Schedule.organization_id == UUID(organization_id))
        return list(session.scalars(query))


class TestMembers:
    def test_are_listed_with_those_who_may_do_most_first(self, viewer_api: Caller, admin_api: Caller):
        rows = viewer_api.get("/members").json["data"]

        assert [(row["name"], row["role"]) for row in rows] == [("Abel", "admin"), ("Vera", "viewer")]
        assert {"id", "email", "since", "last_seen_at", "disabled"} <= set(rows[0])

    def test_are_listed_page_by_page(self, viewer_api: Caller, admin_api: Caller, owner_api: Caller):
        first = viewer_api.get("/members", limit=2).json
        second = viewer_api.get("/members", limit=2, cursor=first["next"]).json

        assert [row["role"] for row in first["data"] + second["data"]] == ["owner", "admin", "viewer"]
        assert second["next"] is None

    def test_of_another_organization_do_not_exist(self, owner_api: Caller, stranger_api: Caller):
        path = f"/members/{member_id(stranger_api)}"

        statuses = [
            owner_api.get(path).status_code,
            owner_api.patch(path, {"role": "viewer"}).status_code,
            owner_api.delete(path).status_code,
        ]

        assert statuses == [404, 404, 404]

    def test_get_another_role(self, owner_api: Caller, viewer_api: Caller, audited: Callable[[], list[str]]):
        answer = owner_api.patch(f"/members/{member_id(viewer_api)}", {"role": "operator"})

        assert answer.json["data"]["role"] == "operator"
        assert viewer_api.get("/me").json["data"]["role"] == "operator"
        assert audited() == ["member.role_changed"]

    @pytest.mark.parametrize("body", [{"role": "emperor"}, {"role": None}, {}, {"role": "viewer", "name": "Eve"}])
    def test_get_no_role_that_there_is_not(self, owner_api: Caller, viewer_api: Caller, body: dict[str, Any]):
        answer = owner_api.patch(f"/members/{member_id(viewer_api)}", body)

        assert answer.status_code == 422
        assert field_messages(answer)

    def test_are_not_raised_above_the_one_who_raises(
        self, admin_api: Caller, viewer_api: Caller, owner_api: Caller, database: OpenDatabase
    ):
        raised = admin_api.patch(f"/members/{member_id(viewer_api)}", {"role": "owner"})
        lowered = admin_api.patch(f"/members/{member_id(owner_api)}", {"role": "viewer"})

        assert (raised.status_code, lowered.status_code) == (403, 403)
        assert (role_of(database, viewer_api), role_of(database, owner_api)) == ("viewer", "owner")

    def test_always_include_an_owner(self, owner_api: Caller, database: OpenDatabase):
        path = f"/members/{member_id(owner_api)}"

        answers = [owner_api.patch(path, {"role": "admin"}), owner_api.delete(path)]

        assert [answer.status_code for answer in answers] == [409, 409]
        assert role_of(database, owner_api) == "owner"

    def test_lose_their_tokens_and_their_browsers_when_they_are_removed(
        self, owner_api: Caller, open_browser: OpenBrowser, open_api: OpenApi, database: OpenDatabase
    ):
        leaving = open_api(organization_id=owner_api.organization_id, role=Role.VIEWER, email="leaving@example.com")
        browser = open_browser(organization_id=owner_api.organization_id, email="other@example.com", role=Role.VIEWER)

        owner_api.delete(f"/members/{member_id(leaving)}")
        owner_api.delete(f"/members/{browser.member.user_id}")

        assert leaving.get("/me").status_code == 401
        with database.reading() as session:
            assert session.scalars(select(LoginSession)).all() == []

    def test_may_leave_by_themselves(self, viewer_api: Caller, owner_api: Caller, audited: Callable[[], list[str]]):
        answer = viewer_api.delete(f"/members/{member_id(viewer_api)}")

        assert answer.json["message"].startswith("You left ")
        assert viewer_api.get("/me").status_code == 401
        assert audited() == ["member.left"]

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
    def test_are_removed_by_admins_alone(
        self, open_api: OpenApi, owner_api: Caller, admin_api: Caller, role: Role, database: OpenDatabase
    ):
        caller = open_api(organization_id=owner_api.organization_id, role=role, email="small@example.com")

        answer = caller.delete(f"/members/{member_id(admin_api)}")

        assert answer.status_code == 403
        assert role_of(database, admin_api) == "admin"


class TestScopes:
    def test_keep_a_token_away_from_the_team(self, open_api: OpenApi, viewer_api: Caller):
        narrow = open_api(
            organization_id=viewer_api.organization_id, email="narrow@example.com", scopes=("view", "run")
        )

        answers = [
            narrow.patch(f"/members/{member_id(viewer_api)}", {"role": "operator"}),
            narrow.delete(f"/members/{member_id(viewer_api)}"),
            narrow.post("/invitations", {"email": GRACE}),
            narrow.patch("/organization", {"name": "Mine"}),
            narrow.post("/organizations", {"name": "Mine"}),
        ]

        assert [answer.status_code for answer in answers] == [403] * 5

    def test_keep_a_token_from_leaving_for_its_owner(self, open_api: OpenApi, viewer_api: Caller):
        narrow = open_api(organization_id=viewer_api.organization_id, email="narrow@example.com", scopes=("view",))

        assert narrow.delete(f"/members/{member_id(narrow)}").status_code == 403


class TestInvitations:
    def test_give_a_link_that_opens_an_account(self, admin_api: Caller, anonymous: Browser, database: OpenDatabase):
        made = admin_api.post("/invitations", {"email": " Grace@Example.com ", "role": "viewer"})
        token = made.json["data"]["link"].partition("token=")[2]

        anonymous.send("/invitation/account", {**ACCOUNT, "token": token})

        assert (made.status_code, made.json["data"]["email"]) == (201, GRACE)
        members = admin_api.get("/members").json["data"]
        assert (GRACE, "viewer") in [(row["email"], row["role"]) for row in members]
        assert admin_api.get("/invitations").json["data"] == []

    def test_are_listed_without_their_links(self, admin_api: Caller, clock: ManualClock):
        made = admin_api.post("/invitations", {"email": GRACE}).json["data"]

        clock.advance(days=8)
        (row,) = admin_api.get("/invitations").json["data"]

        assert (row["id"], row["invited_by"], row["expired"]) == (made["id"], "Abel", True)
        assert made["link"].partition("token=")[2] not in str(row)

    def test_are_not_shown_to_those_who_may_not_invite(self, operator_api: Caller):
        assert operator_api.get("/invitations").status_code == 403

    def test_get_a_new_link(self, admin_api: Caller, anonymous: Browser):
        made = admin_api.post("/invitations", {"email": GRACE}).json["data"]

        renewed = admin_api.post(f"/invitations/{made['id']}/link").json["data"]

        assert renewed["id"] == made["id"]
        assert "is not valid" in anonymous.visit(made["link"]).text
        assert "Join " in anonymous.visit(renewed["link"]).text

    def test_end_when_they_are_revoked(self, admin_api: Caller, anonymous: Browser, audited: Callable[[], list[str]]):
        made = admin_api.post("/invitations", {"email": GRACE}).json["data"]

        answer = admin_api.delete(f"/invitations/{made['id']}")

        assert answer.status_code == 200
        assert "was revoked" in anonymous.visit(made["link"]).text
        assert audited() == ["invitation.created", "invitation.revoked"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"email": "nobody"}, "email"),
            ({"email": GRACE, "role": "emperor"}, "role"),
            ({"role": "viewer"}, "email"),
            ({"email": GRACE, "password": "secret-word"}, "password"),
        ],
    )
    def test_need_an_address_and_a_role(self, admin_api: Caller, body: dict[str, Any], field: str):
        answer = admin_api.post("/invitations", body)

        assert answer.status_code == 422
        assert field in field_messages(answer)
        assert "secret-word" not in answer.text

    def test_are_not_made_twice_or_for_members(self, admin_api: Caller, viewer_api: Caller):
        admin_api.post("/invitations", {"email": GRACE})

        again = admin_api.post("/invitations", {"email": GRACE.upper()})
        member = admin_api.post("/invitations", {"email": "viewer-api@example.com"})

        assert (again.status_code, member.status_code) == (409, 409)

    def test_reach_no_higher_than_the_one_who_invites(self, admin_api: Caller):
        assert admin_api.post("/invitations", {"email": GRACE, "role": "owner"}).status_code == 403

    def test_of_another_organization_do_not_exist(self, admin_api: Caller, stranger_api: Caller):
        made = stranger_api.post("/invitations", {"email": GRACE}).json["data"]["id"]

        answers = [admin_api.post(f"/invitations/{made}/link"), admin_api.delete(f"/invitations/{made}")]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert len(stranger_api.get("/invitations").json["data"]) == 1

    def test_that_are_repeated_show_no_link_again(self, admin_api: Caller):
        key = {"Idempotency_Key": "once"}
        first = admin_api.post("/invitations", {"email": GRACE}, **key).json["data"]

        second = admin_api.post("/invitations", {"email": GRACE}, **key).json["data"]

        assert first["link"].startswith("http")
        assert second == first | {"link": None}


class TestOrganization:
    def test_is_shown_and_changed_in_part(self, owner_api: Caller, audited: Callable[[], list[str]]):
        before = owner_api.get("/organization").json["data"]

        after = owner_api.patch("/organization", {"timezone": "Asia/Tokyo"}).json["data"]

        assert after == before | {"timezone": "Asia/Tokyo"}
        assert audited() == ["organization.changed"]

    @pytest.mark.parametrize("body", [{"timezone": "Mars/Base"}, {"name": "  "}, {"name": "x" * 121}])
    def test_refuses_what_cannot_be_one(self, owner_api: Caller, body: dict[str, Any]):
        before = owner_api.get("/organization").json["data"]

        answer = owner_api.patch("/organization", body)

        assert (answer.status_code, list(field_messages(answer))) == (422, list(body))
        assert owner_api.get("/organization").json["data"] == before

    def test_is_changed_by_owners_alone(self, admin_api: Caller):
        assert admin_api.patch("/organization", {"name": "Mine"}).status_code == 403

    def test_is_made_by_anybody_and_has_its_default_schedules(
        self, viewer_api: Caller, database: OpenDatabase, audited: Callable[[], list[str]]
    ):
        made = viewer_api.post("/organizations", {"name": " Eastwind "})

        mine = viewer_api.get("/organizations").json["data"]
        assert (made.status_code, made.json["data"]["name"]) == (201, "Eastwind")
        assert ("Eastwind", "owner", False) in [(row["name"], row["role"], row["current"]) for row in mine]
        assert audited() == ["organization.created"]
        assert len(services_on_schedule(database, made.json["data"]["id"])) == 3

    def test_of_others_is_not_listed(self, owner_api: Caller, stranger_api: Caller):
        rows = owner_api.get("/organizations").json["data"]

        assert [row["id"] for row in rows] == [str(owner_api.organization_id)]
