"""The short way to PostgreSQL: whole transactions, the role and organization of each call, and lost connections."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from app.core.db import OUTAGES, open_database
from app.core.engines import PatientConnection
from app.core.lane import Lane, Step, is_unanswered, was_refused
from app.core.scopes import ENGINE, IDENTITY, NOBODY, Scope
from app.jobs.models import Job
from app.tenants.models import Organization, User
from tests.factories.work import make_job, make_organization
from tests.fakes.database import OpenDatabase
from tests.fakes.driver import Fault, commits_failing

JOBS = Step(select(Job.name).order_by(Job.name))
RENAME = Step(update(Job).values(name=bindparam("new_name", type_=Job.name.type)).returning(Job.name))
ORGANIZATIONS = Step(select(func.count(Organization.name).label("number")))
# What signs people in is no affair of the engine.
USERS = Step(select(func.count(User.email).label("number")))
GIVEN = "given 'name'; DROP TABLE jobs --\\"


@pytest.fixture
def engine() -> str:
    """SQLite has no such way."""
    return "postgresql"


@pytest.fixture
def lane(database: OpenDatabase) -> Lane:
    assert database.lane is not None
    return database.lane


@pytest.fixture
def tenants(database: OpenDatabase) -> tuple[UUID, UUID]:
    with database.transaction() as session:
        ours, theirs = make_organization(session, "Ours"), make_organization(session, "Theirs")
        make_job(session, ours, name="our job")
        make_job(session, theirs, name="their job")
    return ours, theirs


def names(database: OpenDatabase) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Job.name).order_by(Job.name)))


class TestScopes:
    def test_each_call_sees_what_its_scope_may_see(self, lane: Lane, tenants: tuple[UUID, UUID]) -> None:
        ours, theirs = (Scope.tenant(organization_id) for organization_id in tenants)

        found = lane.ask((ours, JOBS, {}), (theirs, JOBS, {}), (ENGINE, JOBS, {}))

        assert [[row.name for row in rows] for rows in found] == [["our job"], ["their job"], ["our job", "their job"]]

    def test_writes_stop_at_the_organization(
        self, lane: Lane, database: OpenDatabase, tenants: tuple[UUID, UUID]
    ) -> None:
        lane.ask((Scope.tenant(tenants[0]), RENAME, {"new_name": "renamed"}))

        assert names(database) == ["renamed", "their job"]

    def test_what_a_role_may_not_touch_is_refused(self, lane: Lane) -> None:
        with pytest.raises(DBAPIError, match="permission denied") as refusal:
            lane.ask((ENGINE, USERS, {}))

        assert was_refused(refusal.value)

    def test_nothing_of_a_scope_stays_with_the_connection(self, lane: Lane, tenants: tuple[UUID, UUID]) -> None:
        lane.ask((Scope.tenant(tenants[0]), JOBS, {}))

        (rows,) = lane.ask((IDENTITY, ORGANIZATIONS, {}))

        # One is made by the installation itself.
        assert rows[0].number == 3


class TestTransactions:
    def test_take_all_calls_or_none(self, lane: Lane, database: OpenDatabase, tenants: tuple[UUID, UUID]) -> None:
        rename = (Scope.tenant(tenants[0]), RENAME, {"new_name": "renamed"})

        with pytest.raises(DBAPIError):
            lane.ask(rename, (ENGINE, USERS, {}))

        assert names(database) == ["our job", "their job"]

    def test_take_values_for_values_and_never_for_words(
        self, lane: Lane, database: OpenDatabase, tenants: tuple[UUID, UUID]
    ) -> None:
        (rows,) = lane.ask((Scope.tenant(tenants[0]), RENAME, {"new_name": GIVEN}))

        assert [row.name for row in rows] == [GIVEN]
        assert names(database) == [GIVEN, "their job"]


class TestAskingTogether:
    def test_costs_nobody_the_answer_whose_neighbour_is_refused(self, lane: Lane, tenants: tuple[UUID, UUID]) -> None:
        asked = [(ENGINE, JOBS, {}), (ENGINE, USERS, {})] * 20

        def ask(call: tuple[Scope, Step, dict[str, object]]) -> list[str] | None:
            try:
                return [row.name for row in lane.ask(call)[0]]
            except DBAPIError as error:
                return None if was_refused(error) else ["no answer"]

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(ask, asked))

        assert answers == [["our job", "their job"], None] * 20

    def test_waits_for_a_row_that_somebody_holds_no_longer_than_a_moment(
        self, lane: Lane, database: OpenDatabase, tenants: tuple[UUID, UUID]
    ) -> None:
        rename = (Scope.tenant(tenants[0]), RENAME, {"new_name": "renamed"})

        with database.transaction() as session:
            session.execute(update(Job).values(description="held"))
            with pytest.raises(OperationalError, match="lock timeout") as refusal:
                lane.ask(rename)

        assert was_refused(refusal.value)


class TestLostConnections:
    def test_that_were_idle_cost_nothing(self, lane: Lane, database: OpenDatabase) -> None:
        lane.ask((ENGINE, JOBS, {}))
        end_other_connections(database)

        assert lane.ask((ENGINE, JOBS, {})) == [[]]

    def test_under_way_take_those_along_that_were_idle(self, lane: Lane, database: OpenDatabase) -> None:
        # Each of them would be waited for in its turn, should the way to the server swallow what is sent.
        lane._idle.extend([lane._connect(), lane._connect()])
        idle = lane._idle[0]

        with commits_failing(database, Fault.REPORTED_FAILED_AND_NOT_EXECUTED), pytest.raises(DBAPIError):
            lane.ask((ENGINE, JOBS, {}))

        assert (len(lane._idle), idle.connection.closed) == (0, True)
        assert lane.ask((ENGINE, JOBS, {})) == [[]]

    def test_before_anything_was_asked_of_them_leave_nothing_open(
        self, database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def hang_up(connection: psycopg.Connection[Any], words: object) -> None:
            connection.close()
            raise psycopg.OperationalError("the connection is lost")

        fresh = Lane(database.write)
        with monkeypatch.context() as patches:
            patches.setattr(PatientConnection, "execute", hang_up)
            with pytest.raises(OperationalError) as loss:
                fresh.ask((ENGINE, JOBS, {}))

        assert not is_unanswered(loss.value)

    def test_that_cannot_be_made_are_an_outage_and_leave_nothing_open(self) -> None:
        nobody_there = Lane(open_database("postgresql+psycopg://belfry@127.0.0.1:1/belfry").write)

        with pytest.raises(OperationalError) as refusal:
            nobody_there.ask((ENGINE, JOBS, {}))

        assert isinstance(refusal.value, OUTAGES)
        assert (is_unanswered(refusal.value), was_refused(refusal.value)) == (False, False)

    def test_under_way_leave_open_what_was_written(self, lane: Lane, database: OpenDatabase) -> None:
        end_itself = Step(select(func.pg_terminate_backend(func.pg_backend_pid())))

        with pytest.raises(DBAPIError) as loss:
            lane.ask((NOBODY, end_itself, {}))

        assert not was_refused(loss.value)


def end_other_connections(database: OpenDatabase) -> None:
    """As a restart of the server does."""
    with database.transaction() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
