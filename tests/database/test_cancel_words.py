"""What is said of cancelling a run depends on the function that it calls."""

import pytest

from app.core.config import Settings
from app.ops.cancel_words import cancel_words
from app.ops.kinds import job_kinds
from app.runs.models import Run
from app.runs.queries import get_run
from app.runs.states import RunState
from tests.factories.work import make_job, make_organization, make_run
from tests.fakes.database import OpenDatabase
from tests.isolation.conftest import NOW


@pytest.mark.parametrize(
    ("function", "words"),
    [("example_quick_test", "it stops when it next calls context.check_stop()"), ("http_check", "killed two seconds")],
)
def test_of_a_running_function_follow_from_where_it_runs(
    database: OpenDatabase, settings: Settings, function: str, words: str
) -> None:
    with database.transaction() as session:
        organization_id = make_organization(session)
        run_id = make_run(session, make_job(session, organization_id, function=function), now=NOW)
        session.get_one(Run, run_id).state = RunState.RUNNING.value

    with database.reading() as session:
        run = get_run(session, organization_id=organization_id, run_id=run_id)

        assert words in cancel_words(session, kinds=job_kinds(settings), run=run)
