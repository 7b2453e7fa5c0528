"""Whose schedules are: given to members alone, and left behind by those who leave."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.ids import new_id
from app.core.scopes import Scope
from app.events.models import Event
from app.jobs.models import Job
from app.ops.leaving import remove_member
from app.schedules.models import Schedule
from app.schedules.owners import OwnerChanged, OwnerUnknown, owner_words, refuse_other_owner, set_owner
from app.schedules.queries import ScheduleRow, get_schedule
from app.tenants.access import Actor, PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.factories.tenants import Member, make_member, make_organization
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")


class Team:
    """An owner, an operator and a viewer of one organization, and a job to put on schedules."""

    def __init__(self, database: OpenDatabase) -> None:
        self.database = database
        with database.transaction() as session:
            here = make_organization(session)
            self.olga, self.otto, self.vera = (
                make_member(session, organization_id=here, email=f"{name}@example.com", name=name, role=role)
                for name, role in (("olga", Role.OWNER), ("otto", Role.OPERATOR), ("vera", Role.VIEWER))
            )
            self.far = make_member(session, email="far@example.com")
            self.job: Job = make_job(session, here)

    def schedule(self, owner: Member | None = None, **columns: Any) -> UUID:
        whose = {} if owner is None else {"owner_id": owner.user_id, "owner": owner.email}
        with self.database.transaction() as session:
            return make_schedule(session, self.job, **whose, **columns).id

    def act(self, actor: Actor, command: Callable[..., Any], **more: Any) -> Any:
        with self.database.transaction(Scope.tenant(actor.organization_id, actor.user_id)) as session:
            return command(session, actor=actor, now=NOW, **more)

    def give(self, schedule_id: UUID, owner_id: UUID | None, *, actor: Actor | None = None) -> None:
        self.act(actor or self.otto.actor, set_owner, schedule_id=schedule_id, owner_id=owner_id)

    def read(self, schedule_id: UUID) -> ScheduleRow:
        with self.database.reading() as session:
            return get_schedule(session, organization_id=self.job.organization_id, schedule_id=schedule_id)

    def audit(self) -> list[tuple[str, str, Any]]:
        with self.database.reading() as session:
            query = select(AuditEntry.action, AuditEntry.summary, AuditEntry.changes).order_by(AuditEntry.id)
            return [tuple(row) for row in session.execute(query) if row.action.startswith("schedule.")]


@pytest.fixture
def team(database: OpenDatabase) -> Team:
    return Team(database)


class TestSetOwner:
    def test_gives_a_schedule_away_and_says_so(self, team: Team) -> None:
        schedule_id = team.schedule(team.olga, name="Nightly")

        team.give(schedule_id, team.vera.user_id)

        row = team.read(schedule_id)
        assert (row.owner_id, row.owner, row.version) == (team.vera.user_id, "vera@example.com", 1)
        assert team.audit() == [
            (
                "schedule.handed_over", "Gave schedule “Nightly” to vera@example.com",
                {"owner": ["olga@example.com", "vera@example.com"]},
            )
        ]  # fmt: skip
        with team.database.reading() as session:
            assert session.scalars(select(Event.kind)).all() == ["schedule.handed_over"]

    def test_gives_it_to_nobody(self, team: Team) -> None:
        schedule_id = team.schedule(team.olga)

        team.give(schedule_id, None)

        row = team.read(schedule_id)
        assert (row.owner_id, row.owner, owner_words(row)) == (None, None, "nobody")

    def test_twice_is_once(self, team: Team) -> None:
        schedule_id = team.schedule(team.vera)

        team.give(schedule_id, team.vera.user_id)

        assert team.audit() == []

    def test_takes_members_alone(self, team: Team) -> None:
        schedule_id = team.schedule()

        for stranger in (team.far.user_id, new_id()):
            with pytest.raises(OwnerUnknown, match="Choose a member"):
                team.give(schedule_id, stranger)

    def test_is_for_those_who_may_edit(self, team: Team) -> None:
        schedule_id = team.schedule()

        with pytest.raises(PermissionMissing):
            team.give(schedule_id, team.vera.user_id, actor=team.vera.actor)

    def test_tells_of_an_owner_that_the_person_did_not_see(self, team: Team) -> None:
        row = team.read(team.schedule(team.olga))

        refuse_other_owner(row, seen=team.olga.user_id)
        with pytest.raises(OwnerChanged, match="belongs to olga@"):
            refuse_other_owner(row, seen=None)


class TestLeaving:
    def test_leaves_schedules_without_an_owner_and_says_so(self, team: Team) -> None:
        mine = [team.schedule(team.otto) for _ in range(2)]
        other = team.schedule(team.vera)

        left = team.act(team.olga.actor, remove_member, user_id=team.otto.user_id)

        assert left == 2
        assert [owner_words(team.read(each)) for each in mine] == ["nobody, since otto@example.com left"] * 2
        assert team.read(other).owner_id == team.vera.user_id
        assert team.audit() == [("schedule.left_behind", "2 schedules have no owner any more", {})]
        with team.database.reading() as session:
            told = select(Event.subject_id).where(Event.kind == "schedule.left_behind")
            assert set(session.scalars(told)) == set(mine)

    def test_leaves_those_of_other_organizations_alone(self, team: Team) -> None:
        with team.database.transaction() as session:
            here = make_organization(session, name="Elsewhere")
            job = make_job(session, here)
            elsewhere = make_schedule(session, job, owner_id=team.otto.user_id, owner=team.otto.email).id

        team.act(team.otto.actor, remove_member, user_id=team.otto.user_id)

        with team.database.reading() as session:
            assert session.get_one(Schedule, elsewhere).owner_id == team.otto.user_id
        assert team.audit() == []
