"""`GET /runs/{id}/log`: parts of a log, what is looked for in it, and how a program follows it."""

from typing import Any
from uuid import UUID

import pytest

from app.jobs.kinds.base import Level
from tests.api.conftest import Caller
from tests.factories.log_lines import write_lines
from tests.factories.outcomes import make_running
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def run_id(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    """Of a run that goes on: 1,200 lines, of which the last is an error."""
    with database.transaction() as session:
        texts = [f"line {number:04}" for number in range(1, 1200)]
        run_id = make_running(session, make_job(session, organization_id), now=clock.moment, lines=texts)
        write_lines(session, run_id, ["It broke"], at=clock.moment, level=Level.ERROR)
        return run_id


def log(caller: Caller, run_id: UUID, query: str = "") -> dict[str, Any]:
    answer = caller.get(f"/runs/{run_id}/log{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json["data"]
    return found


def numbers(found: dict[str, Any]) -> list[int]:
    return [line["number"] for line in found["lines"]]


def test_begins_with_its_end(viewer_api: Caller, run_id: UUID) -> None:
    found = log(viewer_api, run_id)

    assert numbers(found) == list(range(701, 1201))
    assert {name: found[name] for name in ("matching", "total", "is_over", "go_on_after")} == {
        "matching": 1200,
        "total": 1200,
        "is_over": False,
        "go_on_after": 1200,
    }
    assert found["lines"][-1] == {"number": 1200, "at": "2027-01-05T12:00:00Z", "level": "error", "text": "It broke"}


@pytest.mark.parametrize(
    ("query", "first", "last", "go_on_after"),
    [
        ("?after=10&limit=5", 11, 15, 15),
        ("?after=1190", 1191, 1200, 1200),
        ("?before=10", 1, 9, 9),
        ("?before=1000&limit=10", 990, 999, 999),
        ("?after=4&before=8", 5, 7, 7),
        ("?q=line+09&limit=3", 997, 999, 999),
        ("?level=warning", 1200, 1200, 1200),
        ("?q=LINE+000&ignore_case=true", 1, 9, 1200),
    ],
)
def test_has_parts(viewer_api: Caller, run_id: UUID, query: str, first: int, last: int, go_on_after: int) -> None:
    found = log(viewer_api, run_id, query)

    assert (numbers(found)[0], numbers(found)[-1], found["go_on_after"]) == (first, last, go_on_after)


def test_tells_how_many_lines_match(viewer_api: Caller, run_id: UUID) -> None:
    found = log(viewer_api, run_id, "?q=line+09&limit=3")

    assert (found["matching"], found["total"]) == (100, 1200)


def test_is_followed_to_its_end(viewer_api: Caller, run_id: UUID, database: OpenDatabase, clock: ManualClock) -> None:
    after, seen = 0, []
    while found := log(viewer_api, run_id, f"?after={after}&limit=500"):
        if not found["lines"]:
            break
        seen, after = seen + numbers(found), found["go_on_after"]

    with database.transaction() as session:
        write_lines(session, run_id, ["more"], at=clock.moment)

    assert seen == list(range(1, 1201))
    assert [line["text"] for line in log(viewer_api, run_id, f"?after={after}")["lines"]] == ["more"]


@pytest.mark.parametrize("query", ["?level=loud", "?after=-1", "?after=x", "?limit=0", "?limit=1001", "?ignore_case=1"])
def test_refuses_what_it_cannot_read(viewer_api: Caller, run_id: UUID, query: str) -> None:
    assert viewer_api.get(f"/runs/{run_id}/log{query}").status_code in {400, 422}
