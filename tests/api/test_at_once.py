"""Requests side by side: changes of the newest version all land, and what may be there once is made once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from app.jobs.kinds.base import KindName
from app.schedules.defaults import give_default_schedules
from tests.api.conftest import Caller
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

REQUESTS = 8
THREADS = 4
DAILY = "0 2 * * *"


@pytest.fixture
def connections() -> int:
    """Enough for all that happens at once."""
    return 2 * THREADS


@pytest.fixture
def ids(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> dict[str, UUID]:
    with database.transaction() as session:
        give_default_schedules(session, organization_id=organization_id, now=clock.moment)
        workflow = make_job(session, organization_id, name="Flow", kind=KindName.WORKFLOW)
        job = make_job(session, organization_id, name="Job")
        return {"workflow": workflow.id, "job": job.id, "schedule": make_schedule(session, job).id}


def send_at_once(caller: Caller, send: Callable[[Caller, int], TestResponse]) -> Counter[int]:
    """How often each status was the answer."""

    def one(number: int) -> int:
        return send(Caller(caller.client.application.test_client(), token=caller.token), number).status_code

    with ThreadPoolExecutor(THREADS) as threads:
        return Counter(threads.map(one, range(REQUESTS)))


class TestChangesAtOnce:
    def test_of_a_schedule_all_land(self, owner_api: Caller, ids: dict[str, UUID]):
        statuses = send_at_once(
            owner_api,
            lambda caller, number: caller.patch(
                f"/schedules/{ids['schedule']}", {"missed_max_age_seconds": 3_600 + number}
            ),
        )

        assert statuses == {200: REQUESTS}
        assert owner_api.get(f"/schedules/{ids['schedule']}").json["data"]["version"] == 1 + REQUESTS

    def test_of_a_job_all_land(self, owner_api: Caller, ids: dict[str, UUID]):
        statuses = send_at_once(
            owner_api, lambda caller, number: caller.patch(f"/jobs/{ids['job']}", {"description": str(number)})
        )

        assert statuses == {200: REQUESTS}

    def test_of_a_default_schedule_all_land(self, owner_api: Caller, ids: dict[str, UUID]):
        statuses = send_at_once(
            owner_api,
            lambda caller, number: caller.put("/schedules/meta", {"cron": f"{number} 2 * * *", "enabled": True}),
        )

        assert statuses == {200: REQUESTS}


class TestOnlyOne:
    def test_schedule_is_made_for_a_workflow(self, owner_api: Caller, ids: dict[str, UUID]):
        path = f"/workflows/{ids['workflow']}/schedule"

        statuses = send_at_once(
            owner_api, lambda caller, number: caller.post(path, {"cron": DAILY, "name": f"Name {number}"})
        )

        assert statuses == {201: 1, 409: REQUESTS - 1}
        assert owner_api.get(path).status_code == 200

    def test_request_deletes_a_schedule(self, owner_api: Caller, ids: dict[str, UUID]):
        statuses = send_at_once(owner_api, lambda caller, _number: caller.delete(f"/schedules/{ids['schedule']}"))

        assert statuses == {200: 1, 404: REQUESTS - 1}
