"""The default schedule of each service: there from the beginning, switched off, and honest about what it lacks."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.paths import MIGRATIONS
from app.core.scopes import IDENTITY, Scope
from app.edge.database_setup import bring_up_to_date
from app.edge.migrations import upgrade_database
from app.jobs.kinds.base import DefinitionInvalid, KindName, OutcomeStatus
from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.models import Job
from app.jobs.service import JobDraft, create_job
from app.runs import planner
from app.runs.models import Run
from app.runs.service import change_default, delete_job, delete_schedule, edit_schedule, run_schedule_now
from app.schedules.defaults import NoDefaultSchedule, find_default, give_default_schedules, welcome_person
from app.schedules.models import Schedule
from app.schedules.queries import ScheduleRow, list_schedules
from app.schedules.service import ScheduleDraft, ScheduleInvalid, ScheduleIsDefault
from app.tenants.founding import found_organization
from app.tenants.models import SYSTEM_ORGANIZATION_ID, Organization
from app.tenants.service import make_user
from tests.factories.tenants import Member, make_member
from tests.factories.work import make_job, make_organization
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.fakes.kind import scripted_kinds
from tests.fakes.run_context import FakeRunContext
from tests.fakes.vault import SEALER

NOW = utc("2027-01-05 12:00")
TOMORROW = utc("2027-01-06 02:00")
WHAT_TO_DO = "This sync needs a connection to Meta, and there is none. Connect an account first."


@pytest.fixture
def ada(session: Session) -> Member:
    """The owner of an organization with default schedules."""
    member = make_member(session)
    give_default_schedules(session, organization_id=member.organization_id, now=NOW)
    return member


def default_of(session: Session, member: Member, service: str = "meta") -> ScheduleRow:
    session.expire_all()
    return find_default(session, organization_id=member.organization_id, service=service)


def switch_on(session: Session, member: Member, *, cron: str = "0 2 * * *", now: datetime = NOW) -> None:
    change_default(session, actor=member.actor, service="meta", cron=cron, is_enabled=True, timezone="UTC", now=now)


class TestGiving:
    def test_makes_one_for_each_service_switched_off_daily_at_two(self, session: Session, ada: Member) -> None:
        rows = list_schedules(session, organization_id=ada.organization_id)

        assert [(row.name, row.service, row.default_for, row.job_kind) for row in rows] == [
            ("Google Analytics sync", "ga4", "ga4", "sync"),
            ("Meta sync", "meta", "meta", "sync"),
            ("Shopify sync", "shopify", "shopify", "sync"),
        ]
        assert {(row.cron, row.timezone, row.enabled, row.cursor) for row in rows} == {
            ("0 2 * * *", "UTC", False, TOMORROW)
        }

    def test_leaves_the_installations_own_organization_alone(self, session: Session) -> None:
        give_default_schedules(session, organization_id=SYSTEM_ORGANIZATION_ID, now=NOW)

        assert list_schedules(session, organization_id=SYSTEM_ORGANIZATION_ID) == []

    def test_follows_a_founding_in_the_same_transaction(self, database: OpenDatabase) -> None:
        with database.transaction() as session:
            ada = make_member(session)

        with database.transaction(IDENTITY) as session:
            made = found_organization(session, actor=ada.actor, name="Harbour", timezone="UTC", now=NOW)
            give_default_schedules(session, organization_id=made, now=NOW)

        with database.reading(Scope.tenant(made)) as session:
            assert len(list_schedules(session, organization_id=made)) == 3

    def test_reaches_the_organization_that_comes_with_an_account(self, database: OpenDatabase) -> None:
        person = {"email": "grace@example.com", "name": "Grace", "password": "quiet-harbour-42", "timezone": "UTC"}

        with database.transaction(IDENTITY) as session:
            user_id = make_user(session, **person, is_platform_admin=True, now=NOW)
            welcome_person(session, user_id=user_id, now=NOW)

        with database.reading() as session:
            owners = session.scalars(select(Organization.name).join(Job, Job.organization_id == Organization.id)).all()
        assert owners == ["Grace"] * 3


class TestADefault:
    def test_of_an_unknown_service_or_organization_is_not_found(self, session: Session, ada: Member) -> None:
        with pytest.raises(NoDefaultSchedule, match="meta, ga4, shopify"):
            default_of(session, ada, "tiktok")
        with pytest.raises(NoDefaultSchedule):
            find_default(session, organization_id=make_organization(session), service="meta")

    def test_can_be_changed_and_switched_on(self, session: Session, ada: Member) -> None:
        switch_on(session, ada, cron="30 4 * * *")

        row = default_of(session, ada)

        assert (row.cron, row.enabled, row.next_run_at) == ("30 4 * * *", True, utc("2027-01-06 04:30"))
        assert (row.name, row.default_for) == ("Meta sync", "meta")

    def test_plans_what_is_due_before_it_is_changed(self, session: Session, ada: Member) -> None:
        switch_on(session, ada)

        switch_on(session, ada, cron="0 5 * * *", now=TOMORROW)

        (run,) = session.scalars(select(Run)).all()
        assert (run.slot_at, run.state) == (TOMORROW, "skipped")

    def test_cannot_be_deleted_nor_its_job(self, session: Session, ada: Member) -> None:
        row = default_of(session, ada)

        with pytest.raises(ScheduleIsDefault, match="Disable it instead"):
            delete_schedule(session, actor=ada.actor, schedule_id=row.id, now=NOW)
        with pytest.raises(ScheduleIsDefault):
            delete_job(session, actor=ada.actor, job_id=row.job_id, now=NOW)

    def test_cannot_be_given_another_job(self, session: Session, ada: Member) -> None:
        row, other = default_of(session, ada), make_job(session, ada.organization_id)
        draft = ScheduleDraft("Meta sync", other.id, "0 2 * * *", "UTC", "k")

        with pytest.raises(ScheduleInvalid, match="own sync") as refused:
            edit_schedule(session, actor=ada.actor, schedule_id=row.id, draft=draft, version=1, now=NOW)

        assert refused.value.field == "job_id"


class TestWithoutAConnection:
    def test_a_slot_is_skipped_saying_what_to_do(self, session: Session, ada: Member) -> None:
        switch_on(session, ada)

        tick = planner.tick(session, now=TOMORROW)

        (run,) = session.scalars(select(Run)).all()
        assert (tick.runs, run.slot_at, run.state) == (0, TOMORROW, "skipped")
        assert (run.reason, run.error) == ("needs_connection", WHAT_TO_DO)

    def test_a_run_by_hand_is_skipped_once_for_two_clicks(self, session: Session, ada: Member) -> None:
        row = default_of(session, ada)

        ids = {
            run_schedule_now(session, actor=ada.actor, schedule_id=row.id, request_key="k", now=NOW) for _ in range(2)
        }

        (run,) = session.scalars(select(Run)).all()
        assert ids == {run.id}
        assert (run.state, run.reason, run.trigger) == ("skipped", "needs_connection", "manual")

    def test_a_worker_that_gets_one_all_the_same_fails_it_for_good(self) -> None:
        outcome = SyncKind(SEALER, {}).run({"service": "meta"}, FakeRunContext())

        assert (outcome.status, outcome.message, outcome.may_retry) == (OutcomeStatus.FAILED, WHAT_TO_DO, False)

    def test_nobody_makes_a_sync_job_without_one(self, session: Session, ada: Member) -> None:
        draft = JobDraft(name="Mine", kind=KindName.SYNC, definition={"service": "meta"})

        with pytest.raises(DefinitionInvalid, match="reads from a connection"):
            create_job(session, actor=ada.actor, kinds=scripted_kinds(), draft=draft, now=NOW)


class TestOrganizationsThatExist:
    @pytest.fixture
    def organization_id(self, administration: Flask, empty_settings: Settings) -> UUID:
        """Made before there were default schedules, with a job that has the name of one."""
        bring_up_to_date(administration, empty_settings)
        with Session(administration.extensions["belfry"].database.write, info={"scope": Scope(None)}) as session:
            if session.connection().dialect.name == "postgresql":
                session.connection().exec_driver_sql("SET row_security = off")
            organization_id = make_organization(session)
            make_job(session, organization_id, name="Meta sync")
            session.commit()
        with administration.app_context():
            flask_migrate.downgrade(directory=str(MIGRATIONS), revision="0011")
        return organization_id

    def test_get_theirs_by_migration(self, administration: Flask, organization_id: UUID, tmp_path: Path) -> None:
        upgrade_database(administration, lock_file=tmp_path / "lock")

        with administration.extensions["belfry"].database.write.connect() as connection:
            columns = (Job.name, Schedule.default_for, Schedule.enabled, Schedule.organization_id)
            query = select(*columns).join(Job, Job.id == Schedule.job_id).order_by(Schedule.default_for)
            found = connection.execute(query).all()
            cursors = connection.scalars(select(Schedule.next_run_at)).all()
        assert [tuple(row) for row in found] == [
            ("Google Analytics sync", "ga4", False, organization_id),
            ("Meta sync 2", "meta", False, organization_id),
            ("Shopify sync", "shopify", False, organization_id),
        ]
        assert all(cursor is not None and cursor > datetime.now(UTC) for cursor in cursors)
