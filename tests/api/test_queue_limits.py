"""`/admin/queues` and `/admin/organizations`: limits, by those who look after the installation."""

import pytest

from tests.api.conftest import Caller

NEW = {"name": "imports", "concurrency": 2, "rate_starts": 30, "rate_seconds": 60}


class TestQueues:
    def test_are_made_changed_and_deleted(self, platform_api: Caller):
        made = platform_api.post("/admin/queues", NEW)
        changed = platform_api.patch("/admin/queues/imports", {"rate_starts": None, "rate_seconds": None, "version": 1})
        deleted = platform_api.delete("/admin/queues/imports")

        assert (made.status_code, made.json["data"]) == (201, NEW | {"version": 1})
        assert changed.json["data"] == NEW | {"rate_starts": None, "rate_seconds": None, "version": 2}
        assert deleted.status_code == 200

    def test_are_listed_with_their_limits(self, platform_api: Caller):
        found = {row["name"]: row for row in platform_api.get("/admin/queues").json["data"]}

        assert sorted(found) == ["code", "sync", "workflow"]
        assert (found["sync"]["concurrency"], found["sync"]["rate_starts"]) == (4, 4)

    @pytest.mark.parametrize(
        ("body", "field", "words"),
        [
            ({"concurrency": 0}, "concurrency", "Pause the queue instead"),
            ({"rate_starts": 3, "rate_seconds": None}, "rate_seconds", "give both, or none"),
        ],
    )
    def test_refuse_what_means_nothing_at_its_field(self, platform_api: Caller, body: dict, field: str, words: str):
        refused = platform_api.patch("/admin/queues/sync", body)

        assert refused.status_code == 422
        assert words in {each["field"]: each["message"] for each in refused.json["error"]["fields"]}[field]

    def test_refuse_a_change_of_what_has_changed(self, platform_api: Caller):
        platform_api.patch("/admin/queues/sync", {"concurrency": 8})

        assert platform_api.patch("/admin/queues/sync", {"concurrency": 9, "version": 1}).status_code == 409

    def test_of_the_kinds_stay(self, platform_api: Caller):
        assert platform_api.delete("/admin/queues/sync").status_code == 409

    def test_are_limited_by_platform_admins_alone(self, owner_api: Caller):
        answers = [
            owner_api.post("/admin/queues", NEW),
            owner_api.patch("/admin/queues/sync", {}),
            owner_api.get("/admin/organizations"),
        ]

        assert [answer.status_code for answer in answers] == [403, 403, 403]


class TestOrganizations:
    def test_are_limited(self, platform_api: Caller):
        here = str(platform_api.organization_id)

        changed = platform_api.patch(f"/admin/organizations/{here}", {"concurrency": 20})

        listed = {row["id"]: row for row in platform_api.get("/admin/organizations").json["data"]}
        assert changed.status_code == 200
        assert listed[here] == changed.json["data"]
        assert listed[here]["concurrency"] == 20

    def test_that_do_not_exist_are_not_found(self, platform_api: Caller):
        unknown = "00000000-0000-7000-8000-0000000000ff"

        assert platform_api.patch(f"/admin/organizations/{unknown}", {"concurrency": 1}).status_code == 404
