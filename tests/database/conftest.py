"""What many tests of the database begin with: a job and who works with it, and worlds with more in them."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.db import Database
from app.edge.database_setup import administering
from app.factory import create_app
from app.jobs.models import Job
from app.tenants.access import Actor
from tests.database.bulk_world import BulkWorld
from tests.database.workshop import Workshop
from tests.factories.tenants import make_member
from tests.factories.work import actor_in, make_job, make_organization
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def job(session: Session) -> Job:
    """A job of an organization of its own. Nothing of it is committed."""
    return make_job(session, make_organization(session))


@pytest.fixture
def actor(job: Job) -> Actor:
    """Somebody who owns the organization of the job."""
    return actor_in(job.organization_id)


@pytest.fixture
def workshop(database: Database, clock: ManualClock) -> Workshop:
    return Workshop(database, clock)


@pytest.fixture
def world(database: OpenDatabase, clock: ManualClock) -> BulkWorld:
    with database.transaction() as session:
        member = make_member(session)
    return BulkWorld(database, clock, member)


@pytest.fixture
def administration(empty_settings: Settings) -> Iterator[Flask]:
    """An app with the login that owns the tables, over a database that has nothing in it yet."""
    app = create_app(administering(empty_settings), kinds={})
    yield app
    app.extensions["belfry"].database.dispose()
