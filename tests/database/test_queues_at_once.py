"""A queue is deleted while a job is saved into it: one of the two is told, and no job is left without its queue."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app.core.errors import AppError
from app.core.scopes import PLATFORM, Scope
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.service import JobDraft, create_job
from app.runs.queue_limits import QueueInUse, delete_queue
from app.runs.queue_models import Queue
from app.tenants.access import Actor
from app.tenants.roles import Role
from tests.factories.work import actor_in, make_organization
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.fakes.kind import scripted_kinds

NOW = utc("2027-01-05 12:00")
# Whether anybody waits for a lock in this database.
WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
DRAFT = JobDraft("Nightly", KindName.CODE, {"ends": "succeeded"}, queue="imports")


@pytest.fixture
def connections() -> int:
    """These tests hold several at once."""
    return 5


@pytest.fixture
def organization_id(database: OpenDatabase) -> UUID:
    with database.transaction() as session:
        session.add(Queue(name="imports", updated_at=NOW))
        return make_organization(session)


@pytest.fixture
def admin(organization_id: UUID) -> Actor:
    return Actor(organization_id, Role.OWNER, "ada@example.com", is_platform_admin=True)


def waits(database: OpenDatabase) -> bool:
    """Whether somebody is held up by another; on SQLite that is everybody who writes."""
    if not database.is_postgres:
        return True
    with database.reading() as session:
        return bool(session.scalar(WAITS))


def left(database: OpenDatabase) -> tuple[int, bool]:
    """How many jobs there are in the queue, and whether there is the queue."""
    with database.reading() as session:
        jobs = session.scalars(select(Job.id).where(Job.queue == "imports")).all()
        return len(jobs), session.get(Queue, "imports") is not None


def test_whoever_saves_a_job_into_a_queue_that_is_deleted_just_then_is_told(
    database: OpenDatabase, organization_id: UUID, admin: Actor
) -> None:
    told: list[AppError] = []

    def save() -> None:
        try:
            with database.transaction(Scope.tenant(organization_id)) as session:
                create_job(session, actor=actor_in(organization_id), kinds=scripted_kinds(), draft=DRAFT, now=NOW)
        except AppError as error:
            told.append(error)

    saving = threading.Thread(target=save)
    with database.transaction(PLATFORM) as session:
        delete_queue(session, actor=admin, name="imports", now=NOW)
        saving.start()
        while saving.is_alive() and not waits(database):
            pass
    saving.join()

    assert [(one.field, one.message) for one in told] == [  # type: ignore[attr-defined]
        ("queue", "There is no queue “imports”. There are: code, sync, workflow.")
    ]
    assert left(database) == (0, False)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_whoever_deletes_a_queue_into_which_a_job_is_saved_just_then_is_told(
    database: OpenDatabase, organization_id: UUID, admin: Actor
) -> None:
    with database.transaction(Scope.tenant(organization_id)) as session:
        create_job(session, actor=actor_in(organization_id), kinds=scripted_kinds(), draft=DRAFT, now=NOW)

        with pytest.raises(QueueInUse, match="just now"), database.transaction(PLATFORM) as another:
            delete_queue(another, actor=admin, name="imports", now=NOW)

    assert left(database) == (1, True)


def test_whoever_deletes_a_queue_into_which_a_job_was_saved_is_told(
    database: OpenDatabase, organization_id: UUID, admin: Actor
) -> None:
    with database.transaction(Scope.tenant(organization_id)) as session:
        create_job(session, actor=actor_in(organization_id), kinds=scripted_kinds(), draft=DRAFT, now=NOW)

    with pytest.raises(QueueInUse, match="A job uses"), database.transaction(PLATFORM) as session:
        delete_queue(session, actor=admin, name="imports", now=NOW)

    assert left(database) == (1, True)
