"""Old runs are deleted while somebody retries one of them: either happens, and the rest goes on."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import ORMExecuteState, Session

from app.core.scopes import Scope
from app.jobs.models import Job
from app.ops.old_runs import delete_runs_in_batches
from app.runs.models import Run
from app.runs.queries import RunNotFound
from app.runs.retention import delete_old_runs
from app.runs.service import remove_run, retry_run
from tests.database.test_switching_at_once import is_waiting
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import actor_in, make_job, make_organization
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")
BEFORE = NOW - timedelta(days=365)
LONG_AGO = BEFORE - timedelta(days=1)


@pytest.fixture
def connections() -> int:
    """These tests hold several at once."""
    return 5


@pytest.fixture
def engine() -> str:
    """SQLite lets one writer in at a time, so its transactions never meet."""
    return "postgresql"


@pytest.fixture
def job(database: OpenDatabase) -> Job:
    with database.transaction() as session:
        return make_job(session, make_organization(session))


@pytest.fixture
def failed(database: OpenDatabase, job: Job) -> UUID:
    """An old dead letter that somebody took off the queue, beside an old run that went well."""
    with database.transaction() as session:
        make_succeeded(session, job, now=LONG_AGO)
        run_id = make_failed(session, job, now=LONG_AGO)
        remove_run(session, actor=actor_in(job.organization_id), run_id=run_id, now=NOW)
        return run_id


def retry(session: Session, job: Job, run_id: UUID) -> UUID:
    return retry_run(session, actor=actor_in(job.organization_id), run_id=run_id, now=NOW)


def runs(database: OpenDatabase) -> set[UUID]:
    with database.reading() as session:
        return set(session.scalars(select(Run.id)))


def test_a_run_that_is_retried_at_this_moment_stays_and_the_others_go(
    database: OpenDatabase, job: Job, failed: UUID
) -> None:
    with database.transaction(Scope.tenant(job.organization_id)) as session:
        retried = retry(session, job, failed)
        deleted = delete_runs_in_batches(
            database, organization_id=job.organization_id, before=BEFORE, now=NOW, pause=lambda seconds: None
        )  # fmt: skip

    assert deleted.runs == 1
    assert runs(database) == {failed, retried}


def test_a_run_that_was_retried_a_moment_ago_stays_and_the_others_go(
    database: OpenDatabase, job: Job, failed: UUID
) -> None:
    retries: list[UUID] = []

    with database.transaction(Scope.tenant(job.organization_id)) as session:

        @event.listens_for(session, "do_orm_execute", retval=True)
        def retry_in_between(state: ORMExecuteState) -> object:
            if retries:
                return state.invoke_statement()
            # Looked at first and locked afterwards: in between the database lets others in as well.
            look: Any = state.statement
            look._for_update_arg = None
            found = state.invoke_statement(look).freeze()
            with database.transaction() as other:
                retries.append(retry(other, job, failed))
            return found()

        deleted = delete_old_runs(
            session, organization_id=job.organization_id, before=BEFORE, limit=50, now=NOW
        )  # fmt: skip

    assert deleted.runs == 1
    assert runs(database) == {failed, *retries}


def test_whoever_retries_a_run_that_is_deleted_at_this_moment_is_told_so(
    database: OpenDatabase, job: Job, failed: UUID
) -> None:
    told: list[str] = []

    def try_again() -> None:
        try:
            with database.transaction(Scope.tenant(job.organization_id)) as session:
                retry(session, job, failed)
        except RunNotFound as error:
            told.append(error.message)

    second = threading.Thread(target=try_again)
    with database.transaction(Scope.tenant(job.organization_id)) as session:
        delete_old_runs(session, organization_id=job.organization_id, before=BEFORE, limit=50, now=NOW)
        second.start()
        while second.is_alive() and not is_waiting(database):
            pass
    second.join()

    assert told == ["There is no such run here. It may have been cleaned up."]
