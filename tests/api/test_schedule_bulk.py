"""`/schedules/bulk-actions` and `/bulk-actions`: many schedules at once, what became of each, and undoing it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.schema import SchemaGate, newest_migration
from app.ops.bulk.carrier import BulkCarrier
from app.schedules.models import Schedule
from tests.api.conftest import Caller
from tests.factories.tenants import make_member
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

NOBODYS = str(UUID(int=1))


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what is done at once is as much as it may be."""
    monkeypatch.setattr("app.ops.bulk.carrying.AT_ONCE_SECONDS", 60.0)


@pytest.fixture
def ids(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> list[str]:
    """Three schedules, S0 to S2, the last one tagged."""
    with database.transaction() as session:
        job = make_job(session, organization_id)
        columns = {"cron": "30 * * * *", "next_run_at": clock.moment + timedelta(minutes=30)}
        tags: list[list[str]] = [[], [], ["nightly"]]
        return [
            str(make_schedule(session, job, name=f"S{number}", tags=tags[number], **columns).id) for number in range(3)
        ]


def on(database: OpenDatabase, ids: list[str]) -> list[bool]:
    with database.reading() as session:
        return [session.get_one(Schedule, UUID(each)).enabled for each in ids]


def begin(caller: Caller, **body: Any) -> dict[str, Any]:
    answer = caller.post("/schedules/bulk-actions", body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json["data"]
    return found


class TestBeginning:
    def test_does_a_small_selection_at_once(self, operator_api: Caller, ids: list[str], database: OpenDatabase):
        found = begin(operator_api, action="disable", ids=ids, reason="Moving house")

        assert (found["state"], found["done"], found["pending"]) == ("done", 3, 0)
        assert (found["title"], found["reason"]) == ("Disable 3 schedules", "Moving house")
        assert on(database, ids) == [False] * 3

    def test_takes_those_that_match_at_this_moment(self, operator_api: Caller, ids: list[str], database: OpenDatabase):
        found = begin(operator_api, action="disable", matching={"tag": "nightly"})

        assert (found["total"], on(database, ids)) == (1, [True, True, False])

    def test_takes_those_that_are_on(self, operator_api: Caller, ids: list[str], database: OpenDatabase):
        begin(operator_api, action="disable", ids=ids[:1])

        found = begin(operator_api, action="disable", matching={"health": "enabled"})

        assert (found["total"], on(database, ids)) == (2, [False] * 3)

    def test_takes_those_of_an_owner_or_of_a_service(
        self, operator_api: Caller, ids: list[str], database: OpenDatabase
    ):
        with database.transaction() as session:
            first = session.get_one(Schedule, UUID(ids[0]))
            cid = make_member(session, organization_id=first.organization_id, email="cid@example.com", name="Cid")
            first.owner_id, first.owner = cid.user_id, "cid@example.com"
            shop = make_job(session, first.organization_id, name="Shop")
            shop.service = "shopify"
            session.get_one(Schedule, UUID(ids[1])).job_id = shop.id

        def total(**matching: str) -> int:
            found: int = begin(operator_api, action="add_tag", tag="x", matching=matching)["total"]
            return found

        assert (total(owner="cid@example.com"), total(owner="nobody"), total(service="shopify")) == (1, 2, 1)

    def test_takes_all_where_that_is_said(self, operator_api: Caller, ids: list[str]):
        assert begin(operator_api, action="add_tag", tag="all", matching={"all": True})["total"] == 3

    @pytest.mark.parametrize(
        "matching", [{}, {"q": "", "tag": ""}, {"all": False}, {"all": True, "tag": "nightly"}], ids=str
    )
    def test_refuses_a_filter_that_leaves_open_what_is_meant(
        self, operator_api: Caller, ids: list[str], database: OpenDatabase, matching: dict[str, Any]
    ):
        answer = operator_api.post("/schedules/bulk-actions", {"action": "disable", "matching": matching})

        assert answer.status_code == 422
        assert "all" in answer.json["error"]["message"]
        assert on(database, ids) == [True] * 3

    def test_of_a_filter_that_matches_nothing_is_refused(self, operator_api: Caller, ids: list[str]):
        answer = operator_api.post("/schedules/bulk-actions", {"action": "disable", "matching": {"q": "nothing"}})

        assert answer.status_code == 422

    def test_goes_on_by_itself_with_a_larger_one(
        self, operator_api: Caller, ids: list[str], database: OpenDatabase, clock: ManualClock, organization_id: UUID
    ):
        with database.transaction() as session:
            job = make_job(session, organization_id, name="Many")
            many = [str(make_schedule(session, job, next_run_at=None).id) for _ in range(30)]
        found = begin(operator_api, action="disable", ids=many)
        gate = SchemaGate(database, expected=newest_migration())
        BulkCarrier(database, clock, gate, lambda: None).carry()

        later = operator_api.get(f"/bulk-actions/{found['id']}").json["data"]

        assert [(one["state"], one["done"]) for one in (found, later)] == [("going", 25), ("done", 30)]

    def test_says_of_each_what_became_of_it(self, operator_api: Caller, ids: list[str]):
        unknown = NOBODYS
        found = begin(operator_api, action="disable", ids=[ids[0], unknown, ids[0]])
        path = f"/bulk-actions/{found['id']}/items"

        items = operator_api.get(path).json["data"]
        refused = operator_api.get(f"{path}?state=refused").json["data"]

        assert [(one["id"], one["name"], one["state"]) for one in items] == [
            (ids[0], "S0", "done"), (unknown, "", "refused"),
        ]  # fmt: skip
        assert refused == items[1:]
        assert "no such schedule" in refused[0]["reason"]

    def test_once_for_one_key(self, operator_api: Caller, ids: list[str]):
        body = {"action": "run", "ids": ids}
        answers = [operator_api.post("/schedules/bulk-actions", body, Idempotency_Key="k1") for _ in range(2)]

        assert answers[0].json == answers[1].json
        assert len(operator_api.get("/runs").json["data"]) == 3

    @pytest.mark.parametrize(
        "wrong",
        [
            {"action": "disable"}, {"action": "disable", "ids": []}, {"action": "paint", "ids": [NOBODYS]},
            {"action": "disable", "ids": [NOBODYS], "matching": {}}, {"action": "disable", "ids": ["x"]},
            {"action": "add_tag", "ids": [NOBODYS]}, {"action": "add_tag", "ids": [NOBODYS], "tag": "a b"},
            {"action": "move_zone", "ids": [NOBODYS], "timezone": "Mars"},
            {"action": "run", "ids": [str(UUID(int=number)) for number in range(21)]},
            {"action": "disable", "ids": [NOBODYS], "per_minute": 0},
            {"action": "disable", "ids": [NOBODYS], "reason": "\x00"},
            {"action": "disable", "ids": [str(UUID(int=number)) for number in range(10_001)]},
        ],
        ids=lambda wrong: str(wrong)[:40],
    )  # fmt: skip
    def test_refuses_what_makes_no_sense(self, operator_api: Caller, wrong: dict[str, Any]):
        assert operator_api.post("/schedules/bulk-actions", wrong).status_code == 422
        assert operator_api.get("/bulk-actions").json["data"] == []

    def test_is_not_for_viewers(self, viewer_api: Caller, ids: list[str], database: OpenDatabase):
        assert viewer_api.post("/schedules/bulk-actions", {"action": "disable", "ids": ids}).status_code == 403
        assert on(database, ids) == [True] * 3


class TestUndoing:
    def test_brings_deleted_ones_back(self, operator_api: Caller, ids: list[str], database: OpenDatabase):
        found = begin(operator_api, action="delete", ids=ids)
        gone = [operator_api.get(f"/schedules/{each}").status_code for each in ids]

        undo = operator_api.post(f"/bulk-actions/{found['id']}/undo").json["data"]

        assert gone == [404] * 3
        assert [operator_api.get(f"/schedules/{each}").status_code for each in ids] == [200] * 3
        assert (undo["undo_of"], undo["done"]) == (found["id"], 3)
        assert operator_api.get(f"/bulk-actions/{found['id']}").json["data"]["undone_by"] == undo["id"]

    def test_of_what_cannot_be_undone_is_a_conflict(self, operator_api: Caller, ids: list[str]):
        found = begin(operator_api, action="run", ids=ids)

        assert operator_api.post(f"/bulk-actions/{found['id']}/undo").status_code == 409

    def test_stop_leaves_the_rest(self, operator_api: Caller, ids: list[str], database: OpenDatabase):
        found = begin(operator_api, action="disable", ids=ids, per_minute=1)

        stopped = operator_api.post(f"/bulk-actions/{found['id']}/stop").json["data"]

        assert (stopped["state"], stopped["done"], stopped["pending"]) == ("stopped", 1, 2)
        assert operator_api.post(f"/bulk-actions/{found['id']}/stop").status_code == 409


class TestTheLists:
    def test_go_on_with_a_cursor(self, operator_api: Caller, ids: list[str], clock: ManualClock):
        made = []
        for action in ("disable", "enable", "disable"):
            made.append(begin(operator_api, action=action, ids=ids)["id"])
            clock.advance(seconds=1)

        first = operator_api.get("/bulk-actions?limit=2").json
        rest = operator_api.get(f"/bulk-actions?limit=2&cursor={first['next']}").json
        items = operator_api.get(f"/bulk-actions/{made[0]}/items?limit=2").json
        last = operator_api.get(f"/bulk-actions/{made[0]}/items?limit=2&cursor={items['next']}").json

        assert [one["id"] for one in (*first["data"], *rest["data"])] == made[::-1]
        assert [one["id"] for one in (*items["data"], *last["data"])] == ids


class TestDeletedOnes:
    def test_are_listed_and_come_back(self, operator_api: Caller, ids: list[str], clock: ManualClock):
        for each in ids[:2]:
            operator_api.open("DELETE", f"/schedules/{each}")
            clock.advance(seconds=1)
        first = operator_api.get("/schedules/deleted?limit=1").json
        rest = operator_api.get(f"/schedules/deleted?limit=1&cursor={first['next']}").json

        back = operator_api.post(f"/schedules/deleted/{ids[0]}/restore").json

        assert [one["name"] for one in (*first["data"], *rest["data"])] == ["S1", "S0"]
        assert (first["data"][0]["was_enabled"], first["data"][0]["why_not"]) == (True, "")
        assert (back["data"]["id"], back["data"]["enabled"], back["message"]) == (ids[0], True, "S0 is back.")

    def test_that_are_none_are_not_found(self, operator_api: Caller, ids: list[str]):
        assert operator_api.post(f"/schedules/deleted/{ids[0]}/restore").status_code == 404
