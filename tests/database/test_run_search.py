"""The search in runs: page by page it finds what matches and leaves nothing out, however far it looks at once."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.runs import run_search
from app.runs.filters import RunFilter
from app.runs.models import Run
from app.runs.run_lists import list_runs
from app.runs.run_search import Place
from app.runs.states import Source
from tests.factories.work import load_run, make_job, make_run
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
LIMIT = 2


@pytest.fixture
def runs(session: Session, job: Job) -> list[Run]:
    """Fourteen, the newest first: of some the job's name holds the word, of some a parameter, of some a secret."""
    found = []
    for number in range(14):
        arguments = {"city": "Rīga sea"} if number % 5 == 1 else {"password": f"sea-{number}"}
        name = f"Sea {number}" if number % 4 == 3 else f"Job {number}"
        one = make_job(session, job.organization_id, name=name, arguments=arguments)
        run = load_run(session, make_run(session, one, now=NOW - timedelta(minutes=number // 2)))
        run.trigger = "retry" if number % 2 else "manual"
        found.append(run)
    session.flush()
    return sorted(found, key=lambda run: (run.created_at, run.id), reverse=True)


def search(session: Session, organization_id: UUID, run_filter: RunFilter) -> list[UUID]:
    """What all pages have, in their order."""
    found: list[UUID] = []
    place: Place | None = None
    while True:
        page = list_runs(session, organization_id=organization_id, run_filter=run_filter, limit=LIMIT, older_than=place)
        found += [row.id for row in page.rows]
        place = page.older_than
        if place is None:
            return found


@pytest.mark.parametrize("read", [1, 150, 4_000_000])
@pytest.mark.parametrize(("first", "at_once"), [(1, 2), (2, 5), (3, 100), (100, 100), (100, 3)])
@pytest.mark.parametrize("source", [None, Source.RETRY])
def test_finds_all_that_match_in_their_order(
    session: Session, job: Job, runs: list[Run], monkeypatch: pytest.MonkeyPatch,
    read: int, first: int, at_once: int, source: Source | None,
) -> None:  # fmt: skip
    monkeypatch.setattr(run_search, "READ_AT_ONCE", read)
    monkeypatch.setattr(run_search, "SEARCHED_FIRST", first)
    monkeypatch.setattr(run_search, "SEARCHED_AT_ONCE", at_once)
    is_wanted = {run.id: run.job_name.startswith("Sea") or "city" in run.definition["arguments"] for run in runs}

    found = search(session, job.organization_id, RunFilter(query="sea", source=source))

    assert found == [run.id for run in runs if is_wanted[run.id] and source in (None, run.trigger)]


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_finds_all_of_a_source(
    session: Session, job: Job, runs: list[Run], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(run_search, "SEARCHED_AT_ONCE", at_once)

    found = search(session, job.organization_id, RunFilter(source=Source.RETRY))

    assert found == [run.id for run in runs if run.trigger == "retry"]


def test_finds_nothing_where_there_are_no_runs(session: Session, job: Job) -> None:
    assert search(session, job.organization_id, RunFilter(query="sea")) == []


def test_finds_what_a_definition_says_now(session: Session, job: Job) -> None:
    run = load_run(session, make_run(session, job, now=NOW))
    before = search(session, job.organization_id, RunFilter(query="otters"))

    run.definition = {"arguments": {"animal": "Otters"}}
    session.flush()

    assert (before, search(session, job.organization_id, RunFilter(query="otters"))) == ([], [run.id])
