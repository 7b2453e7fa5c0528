"""`GET /runs/{id}/comparison`: a run beside the last good one, or another."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.jobs.kinds.base import Level
from app.jobs.models import Job
from app.runs import logs
from app.runs.models import Run
from app.schedules.versions import write_version
from tests.api.conftest import Caller
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


class Pair:
    """A good run and a failed one of a schedule that was changed in between."""

    def __init__(self, session: Session, organization_id: UUID, clock: ManualClock) -> None:
        now = clock.moment
        job = make_job(session, organization_id, arguments={"rows": 5, "api_key": "s3cr3t"}, table="orders")
        schedule = make_schedule(session, job, cron="0 2 * * *")
        write_version(session, schedule_id=schedule.id, by="Ana", now=now - timedelta(days=3))
        self.good = make_succeeded(
            session, job, now=now - timedelta(days=2), schedule_id=schedule.id, result={"read": 40},
            lines=["begin", "read 40 rows", "end"],
        )  # fmt: skip
        schedule.cron, schedule.version = "30 2 * * *", schedule.version + 1
        session.flush()
        write_version(session, schedule_id=schedule.id, by="Ana", now=now - timedelta(days=1))
        self.failed = make_failed(session, job, now=now, schedule_id=schedule.id, lines=["begin", "read 7 rows"])
        run = session.get_one(Run, self.failed)
        run.definition = job.definition | {"arguments": {"rows": 9, "api_key": "other"}}
        self._log(session, job, "The shop did not answer")

    def _log(self, session: Session, job: Job, text: str) -> None:
        row = {"organization_id": job.organization_id, "run_id": self.failed, "token": 1}
        session.add(logs.LogLine(number=3, level=Level.ERROR.value, text=text, at=job.created_at, **row))


@pytest.fixture
def pair(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> Pair:
    with database.transaction() as session:
        return Pair(session, organization_id, clock)


def compared(caller: Caller, run_id: UUID, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = caller.get(f"/runs/{run_id}/comparison", **query).json["data"]
    return found


def values(found: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    return {one["name"]: (one["this"], one["other"]) for one in found["values"] if one["differs"]}


def test_takes_the_last_good_run_and_tells_what_differs(viewer_api: Caller, pair: Pair) -> None:
    found = compared(viewer_api, pair.failed)

    differing = values(found)
    assert found["other"]["id"] == str(pair.good)
    assert differing["state"] == ("failed", "succeeded")
    assert differing["rows"] == ("9", "5")
    assert differing["read"] == (None, "40")
    assert "table" not in differing


def test_names_the_versions_of_the_schedule_and_what_changed(viewer_api: Caller, pair: Pair) -> None:
    found = compared(viewer_api, pair.failed)

    assert values(found)["version of the schedule"] == ("2", "1")
    assert found["schedule_changes"] == ["cron: 0 2 * * * → 30 2 * * *"]


def test_shows_where_the_logs_part_and_the_first_errors(viewer_api: Caller, pair: Pair) -> None:
    log = compared(viewer_api, pair.failed)["log"]

    assert log["parts_at"] == 3
    assert [one["text"] for one in log["this"]["loud"]] == ["The shop did not answer"]
    assert [one["text"] for one in log["other"]["around"]] == ["begin", "read 40 rows", "end"]


def test_takes_another_run_where_one_is_named(viewer_api: Caller, pair: Pair) -> None:
    assert compared(viewer_api, pair.good, other=str(pair.failed))["other"]["id"] == str(pair.failed)


def test_shows_no_secret(viewer_api: Caller, pair: Pair) -> None:
    assert "s3cr3t" not in viewer_api.get(f"/runs/{pair.failed}/comparison").text


def test_says_that_there_is_no_good_run(viewer_api: Caller, pair: Pair) -> None:
    answer = viewer_api.get(f"/runs/{pair.good}/comparison")

    assert answer.status_code == 404
    assert "No run of its schedule went well before" in answer.text


def test_is_of_one_organization(viewer_api: Caller, stranger_api: Caller, database: OpenDatabase, pair: Pair) -> None:
    with database.transaction() as session:
        theirs = make_succeeded(session, make_job(session, stranger_api.organization_id), now=pair_time(session, pair))

    assert stranger_api.get(f"/runs/{pair.failed}/comparison").status_code == 404
    assert viewer_api.get(f"/runs/{pair.failed}/comparison", other=str(theirs)).status_code == 404


def pair_time(session: Session, pair: Pair) -> Any:
    return session.get_one(Run, pair.failed).created_at
