"""Queries that forget their scope on purpose. The second lock has to hold alone."""

from uuid import UUID

import pytest
from sqlalchemy import Table, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from app.core.db import Base, Database
from app.core.ids import new_id
from app.core.scopes import ENGINE, IDENTITY, NOBODY, PLATFORM, SCOPE, DatabaseRole, Scope
from app.runs.models import Attempt, LogLine, Run
from app.schedules.models import Gap, Schedule
from app.tenants.models import AuditEntry, User
from app.vault.models import Secret
from tests.isolation.conftest import Installation

TABLES = [table for table in Base.metadata.sorted_tables if "organization_id" in table.columns]
WITHOUT_ROWS_HERE = {
    "login_sessions", "invitations", "api_tokens", "idempotency_keys", "connection_limits", "job_chains",
}  # fmt: skip


def organizations_in(session: Session, table: Table) -> set[UUID]:
    return set(session.scalars(select(table.c.organization_id)))


class TestATenant:
    @pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
    def test_reads_its_own_rows_of_a_table_without_asking_for_them(self, installation: Installation, table: Table):
        with installation.database.reading(Scope.tenant(installation.ours)) as session:
            found = organizations_in(session, table)

        assert found == (set() if table.name in WITHOUT_ROWS_HERE else {installation.ours})

    @pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
    def test_deletes_nothing_of_others(self, installation: Installation, table: Table):
        before = installation.count(table, installation.theirs)

        with installation.database.transaction(Scope.tenant(installation.ours)) as session:
            try:
                with session.begin_nested():
                    session.execute(delete(table))
            except DBAPIError:
                # Not allowed at all, or its own rows are still needed elsewhere: both leave others alone.
                pass

        assert installation.count(table, installation.theirs) == before

    def test_changes_nothing_of_others(self, installation: Installation):
        with installation.database.transaction(Scope.tenant(installation.ours)) as session:
            changed = session.execute(update(Schedule).values(name=Schedule.name + "!")).rowcount

        assert changed == 1
        assert installation.schedule_name(installation.theirs) == "Nightly"

    def test_cannot_put_a_row_into_another_organization(self, installation: Installation):
        with pytest.raises(ProgrammingError, match="row-level security"):
            installation.add_gap(Scope.tenant(installation.ours), organization_id=installation.theirs)

    def test_cannot_move_a_row_to_another_organization(self, installation: Installation):
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            installation.database.transaction(Scope.tenant(installation.ours)) as session,
        ):
            session.execute(update(Gap).values(organization_id=installation.theirs))

    def test_cannot_point_at_a_row_of_another(self, installation: Installation):
        with pytest.raises(IntegrityError, match="foreign key"):
            installation.add_gap(
                Scope.tenant(installation.ours),
                organization_id=installation.ours,
                schedule_id=installation.schedule_of(installation.theirs),
            )

    def test_may_use_a_name_that_another_uses_without_learning_of_it(self, installation: Installation):
        # Both already have a schedule called Nightly; nothing told the second one about the first.
        names = {installation.schedule_name(each) for each in (installation.ours, installation.theirs)}

        assert names == {"Nightly"}

    def test_sees_its_colleagues_and_nobody_else_and_no_password(self, installation: Installation):
        with installation.database.reading(Scope.tenant(installation.ours)) as session:
            emails = set(session.scalars(select(User.email)))

        assert emails == {"ours@example.com"}
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            installation.database.reading(Scope.tenant(installation.ours)) as session,
        ):
            session.scalars(select(User.password_hash)).all()

    def test_cannot_empty_a_table(self, installation: Installation):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            installation.database.transaction(Scope.tenant(installation.ours)) as session,
        ):
            session.execute(text("TRUNCATE gaps"))

    @pytest.mark.parametrize(
        "statement", [update(AuditEntry).values(summary="never"), delete(AuditEntry)], ids=["change", "delete"]
    )
    def test_cannot_alter_what_the_audit_says(self, installation: Installation, statement):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            installation.database.transaction(Scope.tenant(installation.ours)) as session,
        ):
            session.execute(statement)


class TestWithoutAnOrganization:
    @pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
    def test_a_tenant_session_sees_nothing_and_fails_on_nothing(self, installation: Installation, table: Table):
        with installation.database.reading(Scope.tenant(installation.ours)) as session:
            organizations_in(session, table)

        # The same pooled connection, on which the setting now is '' and no longer absent.
        with Session(installation.database.read, info={SCOPE: Scope(DatabaseRole.TENANT)}) as session:
            found = organizations_in(session, table)

        assert found == set()

    @pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=lambda table: table.name)
    def test_the_login_itself_may_read_no_table(self, installation: Installation, table: Table):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            installation.database.reading(NOBODY) as session,
        ):
            session.execute(select(func.count()).select_from(table))


class TestOtherRoles:
    @pytest.mark.parametrize(
        ("scope", "columns"),
        [
            (ENGINE, User.email),
            (ENGINE, Secret.sealed),
            (ENGINE, LogLine.text),
            (ENGINE, Attempt.result),
            (ENGINE, Attempt.detail),
            (PLATFORM, User.email),
            (PLATFORM, Secret.sealed),
            (PLATFORM, LogLine.text),
            (PLATFORM, Attempt.result),
            (PLATFORM, Run.definition),
            (IDENTITY, Secret.sealed),
            (IDENTITY, LogLine.text),
            (IDENTITY, Run.id),
        ],
        ids=lambda value: str(getattr(value, "role", value)),
    )
    def test_read_nothing_that_is_not_their_business(self, installation: Installation, scope: Scope, columns):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            installation.database.reading(scope) as session,
        ):
            session.scalars(select(columns)).all()

    @pytest.mark.parametrize("scope", [ENGINE, PLATFORM], ids=["engine", "platform"])
    def test_that_look_after_all_tenants_see_the_runs_of_all(self, installation: Installation, scope: Scope):
        with installation.database.reading(scope) as session:
            found = set(session.scalars(select(Run.organization_id)))

        assert found == {installation.ours, installation.theirs}

    def test_of_platform_admins_write_into_the_audit_of_the_installation_alone(self, installation: Installation):
        row = {
            "id": new_id(), "organization_id": installation.ours, "actor_label": "x", "action": "x",
            "subject_kind": "x", "summary": "x", "changes": {}, "at": installation.now,
        }  # fmt: skip

        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            installation.database.transaction(PLATFORM) as session,
        ):
            session.execute(insert(AuditEntry).values(**row))


class TestAPooledConnection:
    @pytest.mark.parametrize("ending", ["commit", "rollback", "error"])
    def test_forgets_for_whom_it_worked(self, installation: Installation, ending: str):
        database = installation.with_pool_of(1)

        end_transaction(database, installation.ours, ending)

        with database.write.connect() as connection:
            row = connection.execute(
                text(
                    "SELECT current_user = session_user, coalesce(current_setting('belfry.organization_id', true), ''),"
                    " coalesce(current_setting('belfry.user_id', true), '')"
                )
            ).one()
        assert tuple(row) == (True, "", "")
        database.dispose()

    def test_in_autocommit_works_for_nobody(self, installation: Installation):
        engine = installation.database.write.execution_options(isolation_level="AUTOCOMMIT")

        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            Session(engine, info={SCOPE: Scope.tenant(installation.ours)}) as session,
        ):
            session.scalars(select(Run.id)).all()


def end_transaction(database: Database, organization_id: UUID, ending: str) -> None:
    with Session(database.write, info={SCOPE: Scope.tenant(organization_id)}) as session:
        session.scalars(select(Run.id)).all()
        if ending == "commit":
            session.commit()
        elif ending == "rollback":
            session.rollback()
        else:
            with pytest.raises(DBAPIError):
                session.execute(text("SELECT 1/0"))
