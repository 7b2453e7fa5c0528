"""Dead letters by what caused them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.core.scopes import ENGINE, PLATFORM, Scope
from app.runs import cause_groups, interventions, service
from app.runs.cause_groups import CauseGroups, fill_causes, list_causes
from app.runs.causes import cause_of
from app.runs.models import Run
from app.runs.queries import get_run
from app.runs.queue_filter import QueueFilter, QueueTab
from tests.factories.outcomes import make_failed, make_running, make_waiting_retry
from tests.factories.tenants import Member, make_member
from tests.factories.work import load_run, make_job, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")
EVERYTHING = QueueFilter(QueueTab.DEAD)


@pytest.fixture
def bob(database: OpenDatabase) -> Member:
    with database.transaction() as session:
        return make_member(session, email="bob@example.com")


def groups_of(database: OpenDatabase, member: Member | None, **more: Any) -> CauseGroups:
    scope = PLATFORM if member is None else Scope.tenant(member.organization_id)
    owner = None if member is None else member.organization_id
    with database.reading(scope) as session:
        return list_causes(session, organization_id=owner, **({"wanted": EVERYTHING} | more))


class TestGroups:
    def test_say_how_many_since_when_and_of_how_many_schedules(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            job = make_job(session, bob.organization_id, name="Ads")
            schedules = [make_schedule(session, job).id for _ in range(2)]
            for second, schedule_id in enumerate([*schedules, None, schedules[0]]):
                made_at = NOW + timedelta(minutes=second)
                make_failed(session, job, now=made_at, error=f"Meta (#17): call {second}", schedule_id=schedule_id)
            make_failed(session, job, now=NOW, error="Meta (#190): signed out")

        found = groups_of(database, bob)

        first, second = found.groups
        assert (first.runs, first.schedules, first.job_name, first.error) == (4, 2, "Ads", "Meta (#17): call 3")
        assert first.last_at - first.first_at == timedelta(minutes=3)
        assert (second.runs, second.schedules) == (1, 0)
        assert (found.is_all, found.were_cut) == (True, False)

    def test_leave_out_what_somebody_dealt_with(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            job = make_job(session, bob.organization_id)
            retried, removed, _ = (make_failed(session, job, now=NOW) for _ in range(3))
            service.retry_run(session, actor=bob.actor, run_id=retried, now=NOW)
            service.remove_run(session, actor=bob.actor, run_id=removed, now=NOW)

        assert [group.runs for group in groups_of(database, bob).groups] == [1]

    def test_are_narrowed_as_the_list_is(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            orders, stock = (make_job(session, bob.organization_id, name=name) for name in ("Orders", "Stock"))
            make_failed(session, orders, now=NOW)
            make_failed(session, stock, now=NOW)

        found = groups_of(database, bob, wanted=QueueFilter(QueueTab.DEAD, job_id=orders.id)).groups

        assert [(group.runs, group.job_name) for group in found] == [(1, "Orders")]

    def test_are_named_by_the_job_of_most(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            most, newest = (make_job(session, bob.organization_id, name=name) for name in ("Orders", "Stock"))
            for job in (most, most, newest):
                make_failed(session, job, now=NOW)

        (group,) = groups_of(database, bob).groups

        assert (group.job_name, group.other_jobs) == ("Orders", 1)
        assert group.jobs_words == "Orders and 1 other job"

    def test_are_of_everybody_for_platform_admins_alone(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            other = make_member(session, email="eve@example.com")
            for member in (bob, other):
                make_failed(session, make_job(session, member.organization_id), now=NOW)

        assert [group.runs for group in groups_of(database, None).groups] == [2]
        assert [group.runs for group in groups_of(database, bob).groups] == [1]

    def test_are_the_largest_ones(self, database: OpenDatabase, bob: Member, monkeypatch: pytest.MonkeyPatch) -> None:
        with database.transaction() as session:
            job = make_job(session, bob.organization_id)
            for letter, number in (("a", 1), ("b", 3), ("c", 2)):
                for _ in range(number):
                    make_failed(session, job, now=NOW, error=f"Failure {letter}")
        monkeypatch.setattr(cause_groups, "MOST_GROUPED", 5)

        found = groups_of(database, bob, limit=2)

        assert [group.error for group in found.groups] == ["Failure b", "Failure c"]
        assert (found.is_all, found.were_cut) == (False, True)


class TestCauses:
    def test_one_is_written_with_the_failure(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            run_id = make_failed(session, make_job(session, bob.organization_id), now=NOW, error="No order 4711")

            assert load_run(session, run_id).cause == cause_of("No order 12")

    def test_stays_where_somebody_gives_the_run_up(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            job = make_job(session, bob.organization_id)
            run_id = make_waiting_retry(session, job, now=NOW, ready_at=NOW)
            interventions.stop_trying(
                session, run_id=run_id, organization_id=bob.organization_id, explanation="Given up.", now=NOW
            )

            assert load_run(session, run_id).cause == cause_of("The shop did not answer.")

    def test_one_is_written_for_what_cannot_be_read(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            run_id = make_running(session, make_job(session, bob.organization_id), now=NOW)
            interventions.give_up(session, run_id=run_id, explanation="It cannot be read.", now=NOW)

            assert load_run(session, run_id).cause == cause_of("It cannot be read.")

    def test_those_of_an_earlier_version_are_filled_in_once(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            run_id = make_failed(session, make_job(session, bob.organization_id), now=NOW, error="Nothing there")
            session.execute(update(Run).values(cause=None))
        assert groups_of(database, bob).groups == []

        with database.transaction(ENGINE) as session:
            filled = [fill_causes(session), fill_causes(session)]

        assert filled == [1, 0]
        with database.reading(Scope.tenant(bob.organization_id)) as session:
            found = get_run(session, organization_id=bob.organization_id, run_id=run_id)
            assert found.cause == cause_of("Nothing there")
