"""Making, limiting and deleting queues, and limiting organizations: who may, what is refused, what is written."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.scopes import PLATFORM
from app.runs.models import Run
from app.runs.organization_limits import limit_organization, list_organization_limits
from app.runs.queue_limits import (
    LimitInvalid,
    QueueChanged,
    QueueInUse,
    QueueLimits,
    QueueNameInvalid,
    QueueTaken,
    change_queue,
    create_queue,
    delete_queue,
    get_limits,
)
from app.runs.queue_models import Queue, QueueSwitch
from app.runs.switches import QueueUnknown, queue_names
from app.tenants.access import Actor
from app.tenants.models import AuditEntry
from app.tenants.organizations import OrganizationNotFound
from app.tenants.platform import PlatformAdminNeeded
from app.tenants.roles import Role
from tests.factories.work import actor_in, load_run, make_job, make_organization, make_run
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")


@pytest.fixture
def organization_id(session: Session) -> UUID:
    return make_organization(session)


@pytest.fixture
def admin(organization_id: UUID) -> Actor:
    return Actor(organization_id, Role.OWNER, "ada@example.com", is_platform_admin=True)


def audit(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action)))


class TestMaking:
    def test_a_queue_gives_it_its_limits(self, session: Session, admin: Actor) -> None:
        create_queue(session, actor=admin, name="imports", limits=QueueLimits(2, 30, 60), now=NOW)

        found = get_limits(session, name="imports")
        assert (found.concurrency, found.rate_starts, found.rate_seconds) == (2, 30, 60)
        assert found.words == "2 at once, 30 starts in 60 seconds"
        assert audit(session) == ["queue.created"]

    @pytest.mark.parametrize("name", ["", "Imports", "1st", "-x", "a b", "x" * 33, "a,b", "a%"])
    def test_refuses_what_is_no_name(self, session: Session, admin: Actor, name: str) -> None:
        with pytest.raises(QueueNameInvalid, match="begins with a small letter"):
            create_queue(session, actor=admin, name=name, limits=QueueLimits(), now=NOW)

    def test_refuses_a_name_that_is_taken(self, session: Session, admin: Actor) -> None:
        with pytest.raises(QueueTaken):
            create_queue(session, actor=admin, name="sync", limits=QueueLimits(), now=NOW)

    def test_is_for_platform_admins(self, session: Session, organization_id: UUID) -> None:
        with pytest.raises(PlatformAdminNeeded):
            create_queue(session, actor=actor_in(organization_id), name="own", limits=QueueLimits(), now=NOW)


class TestLimiting:
    @pytest.mark.parametrize(
        ("limits", "field", "words"),
        [
            (QueueLimits(concurrency=0), "concurrency", "Pause the queue instead"),
            (QueueLimits(None, 0, 1), "rate_starts", "Pause the queue instead"),
            (QueueLimits(None, 5, 0), "rate_seconds", "cannot be 0"),
            (QueueLimits(None, 5, None), "rate_seconds", "give both, or none"),
            (QueueLimits(None, None, 5), "rate_starts", "give both, or none"),
            (QueueLimits(concurrency=-1), "concurrency", "whole number from 1"),
            (QueueLimits(concurrency=100_001), "concurrency", "whole number from 1"),
        ],
    )
    def test_refuses_what_means_nothing_and_changes_nothing(
        self, session: Session, admin: Actor, limits: QueueLimits, field: str, words: str
    ) -> None:
        before = get_limits(session, name="sync")

        with pytest.raises(LimitInvalid, match=words) as refused:
            change_queue(session, actor=admin, name="sync", limits=limits, now=NOW)

        assert refused.value.field == field
        assert get_limits(session, name="sync") == before

    def test_takes_back_what_was_called_and_has_not_started(
        self, session: Session, admin: Actor, organization_id: UUID
    ) -> None:
        run_id = make_run(session, make_job(session, organization_id), now=NOW)
        session.execute(update(Run).values(hinted_at=NOW))

        change_queue(session, actor=admin, name="code", limits=QueueLimits(1), now=NOW)

        assert load_run(session, run_id).hinted_at is None

    def test_is_audited_from_what_to_what(self, session: Session, admin: Actor, organization_id: UUID) -> None:
        change_queue(session, actor=admin, name="sync", limits=QueueLimits(8, 4, 1), now=NOW)
        limit_organization(session, actor=admin, organization_id=organization_id, concurrency=3, now=NOW)

        session.flush()
        found = {row.action: row for row in session.scalars(select(AuditEntry))}

        assert found["queue.changed"].changes == {"concurrency": [4, 8]}
        assert found["queue.changed"].summary.endswith(
            "8 at once, 4 starts a second (before: 4 at once, 4 starts a second)"
        )
        assert found["organization.limited"].changes == {"concurrency": [None, 3]}
        assert found["organization.limited"].summary.endswith("(before: no limit)")

    def test_refuses_a_change_of_what_somebody_else_changed(self, session: Session, admin: Actor) -> None:
        change_queue(session, actor=admin, name="sync", limits=QueueLimits(8), now=NOW, version=1)

        with pytest.raises(QueueChanged):
            change_queue(session, actor=admin, name="sync", limits=QueueLimits(9), now=NOW, version=1)

    def test_a_queue_that_does_not_exist_names_those_that_do(self, session: Session, admin: Actor) -> None:
        with pytest.raises(QueueUnknown, match="code, sync, workflow"):
            change_queue(session, actor=admin, name="mail", limits=QueueLimits(), now=NOW)


class TestDeleting:
    def add(self, session: Session, name: str = "own") -> None:
        session.add(Queue(name=name, updated_at=NOW))
        session.flush()

    def test_takes_a_queue_and_its_switch_away(self, session: Session, admin: Actor) -> None:
        self.add(session)
        session.add(QueueSwitch(name="own", paused_at=NOW, paused_by="ana"))
        session.flush()

        delete_queue(session, actor=admin, name="own", now=NOW)

        assert queue_names(session) == ["code", "sync", "workflow"]
        assert session.scalars(select(QueueSwitch.name)).all() == []
        assert audit(session) == ["queue.deleted"]

    def test_leaves_the_queues_of_the_kinds(self, session: Session, admin: Actor) -> None:
        with pytest.raises(QueueInUse, match="so it stays"):
            delete_queue(session, actor=admin, name="sync", now=NOW)

    def test_leaves_a_queue_that_a_job_uses(self, session: Session, admin: Actor, organization_id: UUID) -> None:
        self.add(session)
        make_job(session, organization_id).queue = "own"
        session.flush()

        with pytest.raises(QueueInUse, match="A job uses"):
            delete_queue(session, actor=admin, name="own", now=NOW)

    def test_leaves_a_queue_that_a_run_waits_in(self, session: Session, admin: Actor, organization_id: UUID) -> None:
        self.add(session)
        make_run(session, make_job(session, organization_id), now=NOW)
        session.execute(update(Run).values(queue="own"))

        with pytest.raises(QueueInUse, match="has not ended"):
            delete_queue(session, actor=admin, name="own", now=NOW)


class TestLimitOfAnOrganization:
    def test_is_kept_and_noted(self, session: Session, admin: Actor, organization_id: UUID) -> None:
        limit_organization(session, actor=admin, organization_id=organization_id, concurrency=3, now=NOW)

        (row,) = list_organization_limits(session, limited_alone=True)
        assert (row.id, row.concurrency) == (organization_id, 3)
        assert audit(session) == ["organization.limited"]

    def test_is_lifted_by_none(self, session: Session, admin: Actor, organization_id: UUID) -> None:
        for concurrency in (3, None):
            limit_organization(session, actor=admin, organization_id=organization_id, concurrency=concurrency, now=NOW)

        assert list_organization_limits(session, limited_alone=True) == []

    def test_refuses_zero_and_whom_it_does_not_know(self, session: Session, admin: Actor) -> None:
        common: dict[str, Any] = {"actor": admin, "organization_id": UUID(int=1), "now": NOW}

        with pytest.raises(LimitInvalid, match="cannot be 0"):
            limit_organization(session, concurrency=0, **common)
        with pytest.raises(OrganizationNotFound):
            limit_organization(session, concurrency=1, **common)


class TestAsThePlatform:
    def test_all_of_it_is_within_its_rights(self, database: OpenDatabase) -> None:
        with database.transaction() as session:
            here = make_organization(session)
            run_id = make_run(session, make_job(session, here), now=NOW)
            session.execute(update(Run).values(hinted_at=NOW))
        admin = Actor(here, Role.OWNER, "ada@example.com", is_platform_admin=True)

        with database.transaction(PLATFORM) as session:
            create_queue(session, actor=admin, name="own", limits=QueueLimits(1), now=NOW)
            change_queue(session, actor=admin, name="code", limits=QueueLimits(1, 1, 1), now=NOW)
            limit_organization(session, actor=admin, organization_id=here, concurrency=1, now=NOW)
            delete_queue(session, actor=admin, name="own", now=NOW)

        with database.reading() as session:
            assert load_run(session, run_id).hinted_at is None
            assert len(audit(session)) == 4
