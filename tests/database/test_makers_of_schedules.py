"""Who made a schedule, and whose it is: kept when it is made, and found out for those that there are."""

from pathlib import Path

import flask_migrate
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.paths import MIGRATIONS
from app.core.scopes import Scope
from app.edge.database_setup import bring_up_to_date
from app.edge.migrations import upgrade_database
from app.schedules.models import Schedule
from app.schedules.service import ScheduleDraft, create_schedule
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.roles import Role
from tests.factories.tenants import make_member, make_user
from tests.factories.work import make_job, make_organization, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
TOKEN = "ana@example.com (token Deploys)"


def test_is_kept_without_the_token(session: Session) -> None:
    job = make_job(session, make_organization(session))
    actor = Actor(job.organization_id, Role.OWNER, TOKEN)

    draft = ScheduleDraft("Nightly", job.id, "0 2 * * *", timezone="UTC", spread_key="k")
    schedule_id = create_schedule(session, actor=actor, draft=draft, now=NOW)

    assert session.get_one(Schedule, schedule_id).made_by == "ana@example.com"


def test_is_taken_from_the_audit(administration: Flask, empty_settings: Settings, tmp_path: Path) -> None:
    bring_up_to_date(administration, empty_settings)
    database = administration.extensions["belfry"].database
    with Session(database.write, info={"scope": Scope(None)}) as session:
        if session.connection().dialect.name == "postgresql":
            session.connection().exec_driver_sql("SET row_security = off")
        job = make_job(session, make_organization(session))
        actor = Actor(job.organization_id, Role.OWNER, TOKEN)
        told = make_schedule(session, job, name="A").id
        make_schedule(session, job, name="B")
        note = {"action": "schedule.created", "subject_kind": "schedule", "summary": "Made it", "now": NOW}
        record(session, actor=actor, subject_id=told, **note)
        session.commit()
    with administration.app_context():
        flask_migrate.downgrade(directory=str(MIGRATIONS), revision="0020")

    upgrade_database(administration, lock_file=tmp_path / "lock")

    with database.write.connect() as connection:
        columns = Schedule.name, Schedule.made_by
        rows = connection.execute(select(*columns).where(Schedule.default_for.is_(None)).order_by(Schedule.name)).all()
    assert [tuple(row) for row in rows] == [("A", "ana@example.com"), ("B", None)]


def test_are_the_owners_while_they_are_members(administration: Flask, empty_settings: Settings, tmp_path: Path) -> None:
    bring_up_to_date(administration, empty_settings)
    database = administration.extensions["belfry"].database
    made = {"A": "ana@example.com", "B": "left@example.com", "C": "command line", "D": None, "E": "far@example.com"}
    with Session(database.write, info={"scope": Scope(None)}) as session:
        if session.connection().dialect.name == "postgresql":
            session.connection().exec_driver_sql("SET row_security = off")
        ana = make_member(session, email="ana@example.com")
        make_member(session, email="far@example.com")
        make_user(session, email="left@example.com")
        job = make_job(session, ana.organization_id)
        for name, maker in made.items():
            make_schedule(session, job, name=name, made_by=maker)
        session.commit()
    with administration.app_context():
        flask_migrate.downgrade(directory=str(MIGRATIONS), revision="0026")

    upgrade_database(administration, lock_file=tmp_path / "lock")

    with database.write.connect() as connection:
        columns = Schedule.name, Schedule.owner_id, Schedule.owner
        rows = connection.execute(select(*columns).where(Schedule.default_for.is_(None)).order_by(Schedule.name)).all()
    assert [tuple(row) for row in rows] == [
        ("A", ana.user_id, "ana@example.com"),
        ("B", None, "left@example.com"),
        ("C", None, None),
        ("D", None, None),
        ("E", None, "far@example.com"),
    ]
