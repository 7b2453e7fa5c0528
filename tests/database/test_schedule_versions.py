"""Every change of a schedule keeps a version, in the transaction of the change; an older one can be restored."""

from dataclasses import fields, replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.jobs.service import mark_deleted as delete_job
from app.runs import service
from app.runs.restoring import VersionNotRestorable, restore_schedule
from app.schedules.copies import copy_name, duplicate_schedule
from app.schedules.defaults import MADE_BY, give_default_schedules
from app.schedules.drafts import draft_of
from app.schedules.models import Schedule, ScheduleVersion
from app.schedules.queries import get_schedule
from app.schedules.said import draft_said
from app.schedules.service import ScheduleChanged, ScheduleDraft, create_schedule, mark_deleted
from app.schedules.version_words import version_lines
from app.schedules.versions import SAID, VersionNotFound, VersionRow, get_version, list_versions
from app.tenants.access import Actor, PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.factories.work import LONG_AGO, actor_in, make_job, make_organization, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def draft(job: Job) -> ScheduleDraft:
    return ScheduleDraft(name="Nightly", job_id=job.id, cron="0 2 * * *", timezone="UTC", spread_key="k")


@pytest.fixture
def schedule_id(session: Session, actor: Actor, draft: ScheduleDraft) -> UUID:
    return create_schedule(session, actor=actor, draft=draft, now=NOW)


def edit(session: Session, actor: Actor, schedule_id: UUID, **changes: object) -> None:
    row = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    draft = replace(draft_of(row), **changes)  # type: ignore[arg-type]
    service.edit_schedule(session, actor=actor, schedule_id=schedule_id, draft=draft, version=row.version, now=LATER)


def restore(session: Session, actor: Actor, schedule_id: UUID, number: int, *, seen: int) -> None:
    restore_schedule(session, actor=actor, schedule_id=schedule_id, number=number, version=seen, now=LATER)
    session.expire_all()


def versions(session: Session, actor: Actor, schedule_id: UUID) -> list[VersionRow]:
    return list_versions(session, organization_id=actor.organization_id, schedule_id=schedule_id, limit=50)


def said(session: Session, actor: Actor, schedule_id: UUID) -> list[list[tuple[str, object, object]]]:
    found = versions(session, actor, schedule_id)
    return [[(each.field, each.before, each.after) for each in row.differences] for row in found]


class TestKeeping:
    def test_begins_with_the_schedule(self, session: Session, actor: Actor, draft: ScheduleDraft, schedule_id: UUID):
        (row,) = versions(session, actor, schedule_id)

        assert (row.number, row.at, row.by, row.differences) == (1, NOW, "ana@example.com", ())
        assert replace(draft_said(row.says), missed_max_age_seconds=None) == draft

    def test_says_what_an_edit_changed(self, session: Session, actor: Actor, schedule_id: UUID):
        edit(session, actor, schedule_id, cron="30 2 * * *", notes="Half past")

        assert said(session, actor, schedule_id)[0] == [
            ("cron", "0 2 * * *", "30 2 * * *"), ("notes", "", "Half past"),
        ]  # fmt: skip

    def test_says_so_where_nothing_was_changed(self, session: Session, actor: Actor, schedule_id: UUID):
        edit(session, actor, schedule_id)

        newest, made = versions(session, actor, schedule_id)
        loaded = replace(newest, by="code, loaded by tower")
        lines = [version_lines(row, jobs={}) for row in (newest, made, loaded)]
        assert lines == [
            ("Saved without a change.",), ("Made.",), ("Nothing that a person says: what code says about it.",),
        ]  # fmt: skip

    def test_says_when_it_was_switched(self, session: Session, actor: Actor, schedule_id: UUID):
        service.switch_schedule(session, actor=actor, schedule_id=schedule_id, enabled=False, now=LATER)
        service.switch_schedule(session, actor=actor, schedule_id=schedule_id, enabled=False, now=LATER)

        assert said(session, actor, schedule_id) == [[("enabled", True, False)], []]

    def test_keeps_what_was_said_before_versions_were_kept(self, session: Session, actor: Actor, job: Job):
        old = make_schedule(session, job, cron="0 2 * * *", version=7, updated_at=LONG_AGO, next_run_at=None)
        edit(session, actor, old.id, cron="30 2 * * *")

        newer, before = versions(session, actor, old.id)

        assert (before.number, before.at, before.by) == (7, LONG_AGO, "")
        assert (newer.number, newer.by) == (8, "ana@example.com")

    def test_fills_in_what_a_process_wrote_that_knows_no_versions(
        self, session: Session, actor: Actor, schedule_id: UUID
    ):
        edit(session, actor, schedule_id, cron="30 2 * * *")
        session.execute(delete(ScheduleVersion).where(ScheduleVersion.version == 2))
        edit(session, actor, schedule_id, cron="45 2 * * *")

        assert [row.number for row in versions(session, actor, schedule_id)] == [3, 2, 1]

    def test_goes_with_its_change(self, session: Session, actor: Actor, schedule_id: UUID):
        row = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)

        with pytest.raises(ScheduleChanged), session.begin_nested():
            service.edit_schedule(
                session, actor=actor, schedule_id=schedule_id, draft=draft_of(row), version=9, now=LATER
            )

        assert len(versions(session, actor, schedule_id)) == 1

    def test_begins_with_default_schedules_too(self, session: Session, actor: Actor):
        give_default_schedules(session, organization_id=actor.organization_id, now=NOW)

        assert set(session.scalars(select(ScheduleVersion.by))) == {MADE_BY}

    def test_knows_every_field_that_a_person_may_say(self):
        assert {each.name for each in fields(ScheduleDraft)} <= set(SAID)
        assert set(SAID) <= set(Schedule.__table__.columns.keys())

    def test_is_nobody_elses(self, session: Session, schedule_id: UUID):
        stranger = actor_in(make_organization(session, "Other"))

        assert versions(session, stranger, schedule_id) == []
        with pytest.raises(VersionNotFound):
            get_version(session, organization_id=stranger.organization_id, schedule_id=schedule_id, number=1)


class TestRestoring:
    def test_is_an_edit_that_says_so(self, session: Session, actor: Actor, schedule_id: UUID):
        edit(session, actor, schedule_id, cron="30 2 * * *", timezone="Europe/Riga", name="Later")
        restore(session, actor, schedule_id, 1, seen=2)

        row = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
        newest = versions(session, actor, schedule_id)[0]
        assert (row.name, row.cron, row.timezone, row.version) == ("Nightly", "0 2 * * *", "UTC", 3)
        assert (newest.number, newest.restored_from) == (3, 1)
        assert row.next_run_at == utc("2027-01-06 02:00")

    def test_is_in_the_audit(self, session: Session, actor: Actor, schedule_id: UUID):
        edit(session, actor, schedule_id, cron="30 2 * * *")
        restore(session, actor, schedule_id, 1, seen=2)

        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "schedule.restored")).one()
        assert entry.summary == "Restored version 1 of schedule “Nightly”"
        assert entry.changes == {"cron": ["30 2 * * *", "0 2 * * *"]}

    def test_leaves_the_switch_alone(self, session: Session, actor: Actor, schedule_id: UUID):
        edit(session, actor, schedule_id, cron="30 2 * * *")
        service.switch_schedule(session, actor=actor, schedule_id=schedule_id, enabled=False, now=LATER)
        restore(session, actor, schedule_id, 1, seen=3)

        row = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
        assert (row.cron, row.enabled) == ("0 2 * * *", False)

    def test_refuses_what_nobody_has_looked_at(self, session: Session, actor: Actor, schedule_id: UUID):
        edit(session, actor, schedule_id, cron="30 2 * * *")

        with pytest.raises(ScheduleChanged):
            restore(session, actor, schedule_id, 1, seen=1)

    def test_refuses_what_it_says_already(self, session: Session, actor: Actor, schedule_id: UUID):
        with pytest.raises(VersionNotRestorable, match="says what version 1 said already"):
            restore(session, actor, schedule_id, 1, seen=1)

    def test_refuses_a_job_that_is_deleted(self, session: Session, actor: Actor, job: Job, schedule_id: UUID):
        other = make_job(session, actor.organization_id, name="Other")
        edit(session, actor, schedule_id, job_id=other.id)
        delete_job(session, actor=actor, job_id=job.id, now=LATER)

        with pytest.raises(VersionNotRestorable, match="The job that version 1 ran is deleted"):
            restore(session, actor, schedule_id, 1, seen=2)

    def test_refuses_a_name_that_is_taken(
        self, session: Session, actor: Actor, draft: ScheduleDraft, schedule_id: UUID
    ):
        edit(session, actor, schedule_id, name="Later")
        create_schedule(session, actor=actor, draft=draft, now=LATER)

        with pytest.raises(VersionNotRestorable, match="another schedule is called so now"), session.begin_nested():
            restore(session, actor, schedule_id, 1, seen=2)

    @pytest.mark.parametrize("number", [0, 2, 2**31, 2**80])
    def test_finds_no_version_that_never_was(self, session: Session, actor: Actor, schedule_id: UUID, number: int):
        with pytest.raises(VersionNotFound):
            restore(session, actor, schedule_id, number, seen=1)

    def test_is_not_for_viewers(self, session: Session, actor: Actor, schedule_id: UUID):
        with pytest.raises(PermissionMissing):
            restore(session, actor_in(actor.organization_id, Role.VIEWER), schedule_id, 1, seen=1)


class TestCopying:
    def test_makes_one_of_its_own_that_is_off(self, session: Session, actor: Actor, schedule_id: UUID):
        copy_id = duplicate_schedule(session, actor=actor, schedule_id=schedule_id, now=LATER)

        copy = get_schedule(session, organization_id=actor.organization_id, schedule_id=copy_id)
        assert (copy.name, copy.cron, copy.enabled, copy.version) == ("Nightly (copy)", "0 2 * * *", False, 1)
        assert copy.spread_key != "k"

    def test_makes_an_ordinary_one_of_one_in_code(self, session: Session, actor: Actor, job: Job):
        coded = make_schedule(
            session, job, name="nightly", code_id="nightly", code_source="jobs.py:3", code_says={"cron": "*/5 * * * *"}
        )

        copy_id = duplicate_schedule(session, actor=actor, schedule_id=coded.id, now=LATER)

        assert get_schedule(session, organization_id=actor.organization_id, schedule_id=copy_id).code is None
        mark_deleted(session, actor=actor, schedule_id=copy_id, now=LATER)

    @pytest.mark.parametrize(
        ("name", "taken", "found"),
        [
            ("Nightly", (), "Nightly (copy)"),
            ("Nightly", ("Nightly (copy)",), "Nightly (copy 2)"),
            ("Nightly (copy)", ("Nightly (copy)",), "Nightly (copy 2)"),
            ("Nightly (copy of old)", (), "Nightly (copy of old) (copy)"),
            ("x" * 120, (), "x" * 113 + " (copy)"),
        ],
    )
    def test_counts_copies(self, name: str, taken: tuple[str, ...], found: str):
        assert copy_name(name, taken) == found
