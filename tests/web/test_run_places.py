"""Where the list of runs goes on: behind a run that may have been deleted since."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import delete

from app.core.db import Database
from app.core.ids import new_id
from app.runs.models import Run
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

GONE = "The run that the list was to go on behind is gone."


@pytest.fixture
def ids(database: Database, organization_id: UUID, clock: ManualClock) -> list[UUID]:
    """Two pages and some of runs, the newest first."""
    with database.transaction() as session:
        job = make_job(session, organization_id)
        return [make_run(session, job, now=clock.moment - timedelta(seconds=n)) for n in range(110)]


def forget(database: Database, run_id: UUID) -> None:
    with database.transaction() as session:
        session.execute(delete(Run).where(Run.id == run_id))


def shown(text: str) -> list[UUID]:
    return [UUID(found) for found in re.findall(r'<tr[^>]* id="run-([0-9a-f-]+)"', text)]


def link(text: str, rel: str) -> str:
    found = re.search(rf'href="([^"]+)"[^>]* rel="{rel}"', text)
    assert found is not None
    return unescape(found[1])


@pytest.mark.parametrize("query", ["", "?q=nightly", "?trigger=manual"])
def test_older_runs_are_found_behind_one_that_was_deleted_since(
    viewer: Browser, database: Database, ids: list[UUID], query: str
) -> None:
    older = link(viewer.visit(f"/runs{query}").text, "next")
    forget(database, ids[49])

    assert shown(viewer.visit(older).text) == ids[50:100]


def test_newer_runs_are_found_before_one_that_was_deleted_since(
    viewer: Browser, database: Database, ids: list[UUID]
) -> None:
    second = viewer.visit(link(viewer.visit("/runs").text, "next")).text
    third = viewer.visit(link(second, "next")).text
    forget(database, ids[100])

    assert shown(viewer.visit(link(third, "prev")).text) == ids[50:100]


@pytest.mark.parametrize("place", ["older_than", "newer_than"])
def test_a_run_that_is_named_alone_and_gone_is_told(
    viewer: Browser, database: Database, ids: list[UUID], place: str
) -> None:
    forget(database, ids[49])

    text = viewer.visit(f"/runs?state=ready&{place}={ids[49]}").text

    assert GONE in text
    assert re.search(r'href="/runs\?state=ready"[^>]*>\s*Show the newest', text)
    assert "No older runs" not in text


def test_a_run_of_somebody_else_is_told_like_one_that_is_gone(
    viewer: Browser, stranger: Browser, ids: list[UUID]
) -> None:
    others, nobodys = (stranger.visit(f"/runs?older_than={run_id}").text for run_id in (ids[9], new_id()))

    assert GONE in others
    assert GONE in nobodys


def test_a_place_behind_all_of_them_is_where_the_history_begins(viewer: Browser, ids: list[UUID]) -> None:
    text = viewer.visit(f"/runs?older_than={ids[-1]}").text

    assert "This is where the history begins." in text
    assert GONE not in text
