"""What people try with teams, one after another and at the same instant: nobody gets further than their role."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.tenants.models import SYSTEM_ORGANIZATION_ID, Invitation, Membership, User
from app.tenants.roles import Role
from tests.api.conftest import Caller, OpenApi
from tests.factories.tenants import LONG_AGO, make_organization
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser, OpenBrowser

GRACE = "grace@example.com"
ACCOUNT = {"name": "Grace", "password": "copper-lantern-77", "timezone": "Europe/Riga"}


def path_of(caller: Caller) -> str:
    return f"/members/{caller.actor.user_id}"


def invited(caller: Caller, **body: str) -> dict[str, Any]:
    """An invitation, with the token of its link."""
    made = caller.post("/invitations", {"email": GRACE, **body}).json["data"]
    return {**made, "token": made["link"].partition("token=")[2]}


def at_once(*calls: Callable[[], Any]) -> list[int]:
    """Send them side by side. Returns their statuses, the smallest first."""
    start = Barrier(len(calls))
    statuses: list[int] = []

    def run(call: Callable[[], Any]) -> None:
        start.wait()
        statuses.append(call().status_code)

    threads = [Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


def role_counts(database: OpenDatabase, organization_id: UUID) -> dict[str, int]:
    with database.reading() as session:
        query = select(Membership.role, func.count()).where(Membership.organization_id == organization_id)
        return {str(role): int(count) for role, count in session.execute(query.group_by(Membership.role))}


@pytest.fixture
def second_owner_api(open_api: OpenApi, organization_id: UUID) -> Caller:
    return open_api(organization_id=organization_id, role=Role.OWNER, email="otis@example.com", name="Otis")


class TestOwners:
    def test_who_demote_each_other_at_the_same_instant_leave_one(
        self, owner_api: Caller, second_owner_api: Caller, database: OpenDatabase
    ):
        statuses = at_once(
            lambda: owner_api.patch(path_of(second_owner_api), {"role": "viewer"}),
            lambda: second_owner_api.patch(path_of(owner_api), {"role": "viewer"}),
        )

        # The slower one finds themselves the last owner, or no owner any more.
        assert statuses in ([200, 403], [200, 409])
        assert role_counts(database, owner_api.organization_id) == {"owner": 1, "viewer": 1}

    def test_who_step_down_at_the_same_instant_leave_one(
        self, owner_api: Caller, second_owner_api: Caller, database: OpenDatabase
    ):
        statuses = at_once(
            lambda: owner_api.patch(path_of(owner_api), {"role": "viewer"}),
            lambda: second_owner_api.patch(path_of(second_owner_api), {"role": "viewer"}),
        )

        assert statuses == [200, 409]
        assert role_counts(database, owner_api.organization_id) == {"owner": 1, "viewer": 1}

    def test_of_whom_one_leaves_while_the_other_steps_down_leave_one(
        self, owner_api: Caller, second_owner_api: Caller, database: OpenDatabase
    ):
        statuses = at_once(
            lambda: owner_api.delete(path_of(owner_api)),
            lambda: second_owner_api.patch(path_of(second_owner_api), {"role": "admin"}),
        )

        assert statuses == [200, 409]
        assert role_counts(database, owner_api.organization_id)["owner"] == 1


class TestAdmins:
    def test_do_not_raise_themselves(self, admin_api: Caller, owner_api: Caller):
        assert admin_api.patch(path_of(admin_api), {"role": "owner"}).status_code == 403

    def test_do_not_remove_an_owner(self, admin_api: Caller, owner_api: Caller, second_owner_api: Caller):
        assert admin_api.delete(path_of(second_owner_api)).status_code == 403

    def test_neither_renew_nor_revoke_the_invitation_of_an_owner(self, admin_api: Caller, owner_api: Caller):
        made = invited(owner_api, role="owner")

        answers = [admin_api.post(f"/invitations/{made['id']}/link"), admin_api.delete(f"/invitations/{made['id']}")]

        assert [answer.status_code for answer in answers] == [403, 403]

    def test_who_step_down_lose_the_right_with_the_next_request(self, admin_api: Caller, viewer_api: Caller):
        admin_api.patch(path_of(admin_api), {"role": "operator"})

        assert admin_api.patch(path_of(viewer_api), {"role": "operator"}).status_code == 403

    def test_who_are_removed_leave_no_invitation_that_works(
        self, admin_api: Caller, owner_api: Caller, anonymous: Browser
    ):
        made = invited(admin_api)

        owner_api.delete(path_of(admin_api))

        assert "was revoked" in anonymous.visit(made["link"]).text

    def test_who_are_removed_while_they_invite_leave_none_either(
        self, admin_api: Caller, owner_api: Caller, database: OpenDatabase
    ):
        at_once(
            lambda: admin_api.post("/invitations", {"email": GRACE, "role": "admin"}),
            lambda: owner_api.delete(path_of(admin_api)),
        )

        with database.reading() as session:
            assert session.scalars(select(Invitation).where(Invitation.revoked_at.is_(None))).all() == []
        assert role_counts(database, owner_api.organization_id) == {"owner": 1}


class TestTokens:
    def test_of_the_team_do_not_reach_the_organization(self, open_api: OpenApi, organization_id: UUID):
        narrow = open_api(organization_id=organization_id, email="narrow@example.com", scopes=("manage_team",))

        answers = [narrow.post("/invitations", {"email": GRACE}), narrow.patch("/organization", {"name": "Mine"})]

        assert [answer.status_code for answer in answers] == [201, 403]

    def test_give_a_viewer_no_more_than_a_viewer_may(self, open_api: OpenApi, admin_api: Caller):
        wide = open_api(organization_id=admin_api.organization_id, role=Role.VIEWER, email="wide@example.com")

        answers = [wide.post("/invitations", {"email": GRACE}), wide.patch(path_of(wide), {"role": "admin"})]

        assert [answer.status_code for answer in answers] == [403, 403]

    def test_of_somebody_who_was_removed_stay_dead_when_they_are_back(
        self, owner_api: Caller, open_api: OpenApi, app: Flask, database: OpenDatabase
    ):
        gone = open_api(organization_id=owner_api.organization_id, role=Role.VIEWER, email=GRACE)
        with database.transaction() as session:
            home = make_organization(session, name="Grace", is_personal=True)
            session.add(Membership(organization_id=home, user_id=gone.actor.user_id, role="owner", created_at=LONG_AGO))
        owner_api.delete(path_of(gone))
        browser = app.test_client()
        assert isinstance(browser, Browser)

        browser.sign_in(email=GRACE)
        browser.send("/invitation", {"token": invited(owner_api)["token"]})

        emails = [row["email"] for row in owner_api.get("/members").json["data"]]
        assert GRACE in emails
        assert gone.get("/me").status_code == 401

    def test_of_a_platform_admin_open_no_strange_team(self, platform_api: Caller, stranger_api: Caller):
        made = invited(stranger_api)

        answers = [
            platform_api.get(path_of(stranger_api)),
            platform_api.delete(path_of(stranger_api)),
            platform_api.delete(f"/invitations/{made['id']}"),
        ]

        assert [answer.status_code for answer in answers] == [404] * 3


class TestFixedTeams:
    @pytest.fixture
    def home_api(self, open_api: OpenApi, database: OpenDatabase) -> Caller:
        with database.transaction() as session:
            home = make_organization(session, name="Grace", is_personal=True)
        return open_api(organization_id=home, email=GRACE, name="Grace")

    @pytest.fixture
    def system_api(self, open_api: OpenApi) -> Caller:
        return open_api(
            organization_id=SYSTEM_ORGANIZATION_ID, email="system@example.com", name="Petra", is_platform_admin=True
        )

    def test_of_one_person_neither_grows_nor_shrinks(self, home_api: Caller):
        assert self.tried(home_api) == [409] * 3

    def test_of_the_installation_neither_grows_nor_shrinks(self, system_api: Caller):
        assert self.tried(system_api) == [409] * 3

    def tried(self, caller: Caller) -> list[int]:
        """What comes of inviting, changing a role and leaving."""
        answers = [
            caller.post("/invitations", {"email": "linus@example.com"}),
            caller.patch(path_of(caller), {"role": "viewer"}),
            caller.delete(path_of(caller)),
        ]
        return [answer.status_code for answer in answers]

    def test_of_the_installation_keeps_its_name(self, system_api: Caller):
        assert system_api.patch("/organization", {"name": "Mine"}).status_code == 409


class TestLinks:
    def test_for_one_address_made_at_the_same_instant_are_one(
        self, owner_api: Caller, admin_api: Caller, database: OpenDatabase
    ):
        statuses = at_once(
            lambda: owner_api.post("/invitations", {"email": GRACE}),
            lambda: admin_api.post("/invitations", {"email": "Grace@Example.COM"}),
        )

        assert statuses == [201, 409]
        assert len(owner_api.get("/invitations").json["data"]) == 1

    def test_opened_in_four_browsers_at_the_same_instant_make_one_account(
        self, app: Flask, admin_api: Caller, database: OpenDatabase
    ):
        form = {**ACCOUNT, "token": invited(admin_api)["token"]}
        browsers = [app.test_client() for _ in range(4)]

        statuses = at_once(*[lambda one=one: one.send("/invitation/account", form) for one in browsers])

        with database.reading() as session:
            accounts = session.scalar(select(func.count()).where(User.email == GRACE))
        assert (statuses[0], accounts) == (303, 1)
        assert set(statuses[1:]) <= {404, 409}

    def test_that_have_expired_make_no_account(
        self, admin_api: Caller, anonymous: Browser, clock: ManualClock, database: OpenDatabase
    ):
        made = invited(admin_api)
        clock.advance(days=7)

        answer = anonymous.send("/invitation/account", {**ACCOUNT, "token": made["token"]})

        assert (answer.status_code, "has expired" in answer.text) == (404, True)
        with database.reading() as session:
            assert session.scalars(select(User.id).where(User.email == GRACE)).all() == []

    def test_that_were_revoked_or_replaced_let_nobody_in(self, admin_api: Caller, open_browser: OpenBrowser):
        browser = open_browser(email=GRACE, name="Grace")
        replaced = invited(admin_api)
        renewed = admin_api.post(f"/invitations/{replaced['id']}/link").json["data"]["link"].partition("token=")[2]
        admin_api.delete(f"/invitations/{replaced['id']}")

        statuses = [browser.send("/invitation", {"token": one}).status_code for one in (replaced["token"], renewed)]

        assert statuses == [404, 404]
        assert GRACE not in [row["email"] for row in admin_api.get("/members").json["data"]]

    def test_are_of_no_use_to_somebody_else_and_stay_good(self, admin_api: Caller, open_browser: OpenBrowser):
        made = invited(admin_api)
        somebody, grace = open_browser(email="eve@example.org"), open_browser(email=GRACE)

        statuses = [one.send("/invitation", {"token": made["token"]}).status_code for one in (somebody, grace)]

        emails = [row["email"] for row in admin_api.get("/members").json["data"]]
        assert statuses[0] == 403
        assert (GRACE in emails, "eve@example.org" in emails) == (True, False)

    @pytest.mark.parametrize("email", ["grace@", "a b@example.com", "a@b@example.com", "g\u0000@e.com"])
    def test_are_not_made_for_what_is_no_address(self, admin_api: Caller, email: str):
        answer = admin_api.post("/invitations", {"email": email})

        assert answer.status_code == 422
        assert [field["field"] for field in answer.json["error"]["fields"]] == ["email"]
