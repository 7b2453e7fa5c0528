"""Runs that were deleted because they are old: the slot ledger says so, and does not take them for lost."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import flask_migrate
import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.paths import MIGRATIONS
from app.core.scopes import Scope
from app.edge.database_setup import bring_up_to_date
from app.edge.migrations import upgrade_database
from app.jobs.models import Job
from app.ops.old_runs import delete_runs_in_batches
from app.ops.slots.outcomes import SlotOutcome
from app.runs.models import Run
from app.runs.retention import delete_old_runs
from app.tenants.access import Actor
from app.tenants.deleted_runs import deleted_until
from app.tenants.models import Organization
from tests.database.test_slot_ledger import MADE, ledger_of, live, make
from tests.factories.outcomes import make_succeeded
from tests.factories.work import make_job, make_organization
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

DAY = timedelta(days=1)
LATER = utc("2027-03-07 08:00")


def clean_up(session: Session, actor: Actor, *, before: datetime, limit: int = 1_000) -> None:
    delete_old_runs(session, organization_id=actor.organization_id, before=before, limit=limit, now=LATER)
    session.expire_all()


class TestTheLedger:
    @pytest.mark.parametrize("kept_days", [0, 365])
    def test_says_of_a_day_that_was_cleaned_up_that_it_is_not_kept(
        self, session: Session, actor: Actor, job: Job, kept_days: int
    ) -> None:
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-06 23:30"))

        clean_up(session, actor, before=LATER - 30 * DAY)

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=LATER, kept_days=kept_days)
        assert found.counts == {SlotOutcome.NOT_KEPT: 24}
        assert found.rows[0].reason == "runs of that time are deleted"

    def test_still_shows_what_nobody_knows_of_a_later_time(self, session: Session, actor: Actor, job: Job) -> None:
        schedule_id = make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-05 23:30"))
        clean_up(session, actor, before=utc("2027-01-05 12:00"))
        session.execute(delete(Run).where(Run.slot_at == utc("2027-01-05 20:00")))

        found = ledger_of(session, actor, schedule_id, "2027-01-05", now=LATER, kept_days=365)

        assert found.counts == {
            SlotOutcome.SUCCEEDED: 11, SlotOutcome.NOT_KEPT: 12, SlotOutcome.UNACCOUNTED: 1,
        }  # fmt: skip

    def test_knows_no_deletion_where_nothing_was_old_enough(self, session: Session, actor: Actor, job: Job) -> None:
        make(session, actor, job)
        live(session, since=MADE, until=utc("2027-01-04 12:00"))

        clean_up(session, actor, before=MADE)

        assert deleted_until(session, organization_id=actor.organization_id) is None

    def test_remembers_the_latest_deletion(self, session: Session, actor: Actor, job: Job) -> None:
        for day in range(3):
            make_succeeded(session, job, now=MADE + day * DAY, request_key=str(day))
        clean_up(session, actor, before=MADE + 2 * DAY)
        make_succeeded(session, job, now=MADE - DAY, request_key="older")

        clean_up(session, actor, before=MADE)

        assert deleted_until(session, organization_id=actor.organization_id) == MADE + DAY + timedelta(seconds=3)


def test_an_organization_remembers_its_own_deletions_alone(database: OpenDatabase) -> None:
    with database.transaction() as session:
        jobs = [make_job(session, make_organization(session)) for _ in range(2)]
        here, elsewhere = (job.organization_id for job in jobs)
        for job in jobs:
            make_succeeded(session, job, now=MADE)

    delete_runs_in_batches(database, organization_id=here, before=LATER, now=LATER, pause=lambda seconds: None)

    with database.reading(Scope.tenant(here)) as session:
        assert deleted_until(session, organization_id=here) == MADE + timedelta(seconds=3)
    with database.reading(Scope.tenant(elsewhere)) as session:
        assert deleted_until(session, organization_id=elsewhere) is None


class TestWhatWasDeletedBeforeAnybodyRemembered:
    @pytest.fixture
    def organization_id(self, administration: Flask, empty_settings: Settings) -> UUID:
        """Its oldest run that is left is one of a day in March."""
        bring_up_to_date(administration, empty_settings)
        with Session(administration.extensions["belfry"].database.write, info={"scope": Scope(None)}) as session:
            if session.connection().dialect.name == "postgresql":
                session.connection().exec_driver_sql("SET row_security = off")
            organization_id = make_organization(session)
            make_succeeded(session, make_job(session, organization_id), now=LATER)
            session.commit()
        before = ScriptDirectory(str(MIGRATIONS)).get_revision("0026").down_revision
        assert isinstance(before, str)
        with administration.app_context():
            flask_migrate.downgrade(directory=str(MIGRATIONS), revision=before)
        return organization_id

    def test_is_what_is_older_than_the_oldest_run(
        self, administration: Flask, organization_id: UUID, tmp_path: Path
    ) -> None:
        upgrade_database(administration, lock_file=tmp_path / "lock")

        with administration.extensions["belfry"].database.write.connect() as connection:
            query = select(Organization.runs_deleted_until).where(Organization.id == organization_id)
            assert connection.scalar(query) == LATER + timedelta(seconds=3)
