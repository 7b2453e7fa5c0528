"""Slots that nobody executed, by API."""

from datetime import timedelta

import pytest

from app.schedules.policies import GapReason
from tests.api.conftest import Caller
from tests.factories.work import make_gap, make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def ids(owner_api: Caller, database: OpenDatabase, clock: ManualClock) -> dict[str, str]:
    """Of schedules by their names: three hours were missed of one, yesterday of another, and one was switched off."""
    with database.transaction() as session:
        job = make_job(session, owner_api.organization_id)
        made = {name: make_schedule(session, job, name=name) for name in ("Hourly", "Daily", "Paused")}
        for name, age, reason in (
            ("Hourly", 1, GapReason.SCHEDULER_DOWN),
            ("Hourly", 5, GapReason.CLOCK_STEP),
            ("Daily", 26, GapReason.SCHEDULER_DOWN),
            ("Paused", 2, GapReason.PAUSED),
        ):
            at = clock.moment - timedelta(hours=age)
            make_gap(session, made[name], at - timedelta(hours=1), at, slots=2, reason=reason)
        return {name: str(schedule.id) for name, schedule in made.items()}


def test_are_listed_with_their_schedule_page_by_page(owner_api: Caller, ids: dict[str, str]) -> None:
    first = owner_api.get("/missed-slots", limit=2).json
    second = owner_api.get("/missed-slots", limit=2, cursor=first["next"]).json

    found = [(one["schedule"], one["slots"], one["reason"]) for one in [*first["data"], *second["data"]]]

    assert found == [
        ("Hourly", 2, "scheduler_down"), ("Hourly", 2, "clock_step"), ("Daily", 2, "scheduler_down"),
    ]  # fmt: skip
    assert (first["data"][0]["schedule_id"], second["next"]) == (ids["Hourly"], None)


def test_are_narrowed(owner_api: Caller, ids: dict[str, str], clock: ManualClock) -> None:
    times = {name: (clock.moment - timedelta(hours=age)).isoformat() for name, age in (("since", 6), ("until", 3))}

    of_one = owner_api.get("/missed-slots", schedule=ids["Daily"]).json["data"]
    then = owner_api.get("/missed-slots", **times).json["data"]

    assert [one["schedule"] for one in of_one] == ["Daily"]
    assert [one["reason"] for one in then] == ["clock_step"]


def test_are_shown_to_nobody_else(stranger_api: Caller, ids: dict[str, str]) -> None:
    assert stranger_api.get("/missed-slots").json["data"] == []
