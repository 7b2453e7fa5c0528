"""Of a large organization only what changed is read, and the glances are the same as if all had been."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.scopes import Scope
from app.events.models import Event
from app.events.service import Topic, append_event, latest_event_id
from app.ops import glance_book, glance_changes
from app.ops.glance_book import GlanceBook
from app.ops.schedule_glances import Glance, read_glances
from app.ops.schedule_health import ScheduleHealth
from app.runs.planner import tick
from app.runs.service import delete_schedule, switch_schedule
from app.schedules.models import Schedule
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.work import actor_in, make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-03-02 12:30")
SOON = NOW + timedelta(hours=1)


class Site:
    """An organization that is large from its first schedule on, and one reader of its glances."""

    def __init__(self, database: OpenDatabase) -> None:
        self.database, self.book, self.now = database, GlanceBook(), NOW
        with database.transaction() as session:
            self.job = make_job(session, make_organization(session))
            self.ids = [
                make_schedule(session, self.job, name=f"Schedule {n}", next_run_at=SOON + timedelta(minutes=n)).id
                for n in range(6)
            ]

    def change(self, *changes: Callable[[Session], object]) -> None:
        with self.database.transaction() as session:
            for change in changes:
                change(session)

    def look(self, *, is_stopped: bool = False) -> dict[UUID, Glance]:
        here = self.job.organization_id
        with self.database.reading(Scope.tenant(here)) as session:
            newest = {topic: latest_event_id(session, organization_id=here, topic=topic) for topic in Topic}
            found = self.book.look_up(session, organization_id=here, newest=newest, is_stopped=is_stopped, now=self.now)
        assert len({one.id for one in found}) == len(found)
        return {one.id: one for one in found}

    def whole(self) -> dict[UUID, Glance]:
        here = self.job.organization_id
        with self.database.reading(Scope.tenant(here)) as session:
            found = read_glances(session, organization_id=here, now=self.now, is_stopped=False)
        return {one.id: one for one in found}

    def rename_silently(self, schedule_id: UUID) -> None:
        """Without an event: only who reads the schedule anew sees it."""
        self.change(
            lambda session: session.execute(
                update(Schedule).where(Schedule.id == schedule_id).values(name=str(schedule_id))
            )
        )

    def tell(self, topic: Topic, subject_id: UUID, *, at: datetime | None = None) -> None:
        about = {"organization_id": self.job.organization_id, "topic": topic, "kind": "told", "now": at or self.now}
        self.change(lambda session: append_event(session, subject_id=subject_id, **about))


@pytest.fixture
def site(database: OpenDatabase, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(glance_book, "_LARGE", 1)
    site = Site(database)
    site.look()
    return site


class TestWhatChanged:
    def test_is_how_the_run_of_a_schedule_ended(self, site: Site) -> None:
        for schedule_id in site.ids[1:]:
            site.rename_silently(schedule_id)
        site.change(lambda session: make_failed(session, site.job, now=NOW, schedule_id=site.ids[0]))

        found = site.look()

        assert found[site.ids[0]].health is ScheduleHealth.FAILING
        # Of the others nothing was told, so they were not read.
        assert {found[each].name for each in site.ids[1:]} == {f"Schedule {n}" for n in range(1, 6)}

    def test_is_a_schedule_that_somebody_switched(self, site: Site) -> None:
        actor = actor_in(site.job.organization_id)
        site.change(
            lambda session: switch_schedule(session, actor=actor, schedule_id=site.ids[2], enabled=False, now=NOW)
        )

        assert not site.look()[site.ids[2]].enabled

    def test_is_a_schedule_that_is_no_more(self, site: Site) -> None:
        actor = actor_in(site.job.organization_id)
        site.change(lambda session: delete_schedule(session, actor=actor, schedule_id=site.ids[2], now=NOW))

        assert set(site.look()) == set(site.ids) - {site.ids[2]}

    def test_is_a_schedule_that_is_new(self, site: Site) -> None:
        made: list[UUID] = []
        site.change(lambda session: made.append(make_schedule(session, site.job, name="Seventh").id))
        site.tell(Topic.SCHEDULES, made[0])

        assert site.look()[made[0]].name == "Seventh"

    def test_is_what_was_committed_late(self, site: Site) -> None:
        site.tell(Topic.RUNS, site.job.id)
        site.look()
        site.rename_silently(site.ids[0])
        site.now += timedelta(seconds=6)
        # Its number is older than one that was seen already.
        site.tell(Topic.SCHEDULES, site.ids[0], at=site.now - timedelta(seconds=8))
        site.change(lambda session: session.execute(update(Event).where(Event.subject_id == site.ids[0]).values(id=0)))

        assert site.look()[site.ids[0]].name == str(site.ids[0])

    def test_is_everything_where_a_job_changed(self, site: Site) -> None:
        site.rename_silently(site.ids[0])
        site.tell(Topic.JOBS, site.job.id)

        assert site.look()[site.ids[0]].name == str(site.ids[0])

    def test_is_everything_where_it_is_much(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(glance_changes, "MOST_CHANGED", 2)
        site.rename_silently(site.ids[0])
        for schedule_id in site.ids[1:4]:
            site.tell(Topic.SCHEDULES, schedule_id)

        assert site.look()[site.ids[0]].name == str(site.ids[0])

    def test_is_everything_after_a_minute(self, site: Site) -> None:
        site.rename_silently(site.ids[0])
        for _ in range(5):
            site.now += timedelta(seconds=11)
            assert site.look()[site.ids[0]].name == "Schedule 0"
        site.now += timedelta(seconds=5)

        assert site.look()[site.ids[0]].name == str(site.ids[0])

    def test_is_everything_where_scheduling_was_stopped(self, site: Site) -> None:
        site.rename_silently(site.ids[0])

        assert site.look(is_stopped=True)[site.ids[0]].name == str(site.ids[0])

    def test_is_what_time_alone_made_late(self, site: Site) -> None:
        site.change(
            lambda session: session.execute(
                update(Schedule).where(Schedule.id == site.ids[0]).values(next_run_at=NOW + timedelta(seconds=20))
            )
        )
        site.tell(Topic.SCHEDULES, site.ids[0])
        assert site.look()[site.ids[0]].health is ScheduleHealth.NEVER_RUN
        site.now += timedelta(seconds=55)
        site.change(lambda session: make_run(session, site.job, now=NOW - timedelta(hours=1), schedule_id=site.ids[1]))

        assert site.look() == site.whole()

    def test_is_what_began_after_it_was_late(self, site: Site) -> None:
        site.change(lambda session: make_run(session, site.job, now=NOW - timedelta(hours=1), schedule_id=site.ids[1]))
        site.now += timedelta(seconds=6)
        assert site.look()[site.ids[1]].health is ScheduleHealth.LATE
        site.change(lambda session: session.execute(update(Schedule).values(enabled=False)))
        site.now += timedelta(seconds=6)

        assert site.look()[site.ids[1]] == site.whole()[site.ids[1]]

    def test_is_never_of_somebody_else(self, site: Site) -> None:
        made: list[UUID] = []

        def make(session: Session) -> None:
            other = make_job(session, make_organization(session, "Other"))
            made.append(make_schedule(session, other).id)
            make_failed(session, other, now=NOW, schedule_id=made[0])

        site.change(make)
        site.tell(Topic.SCHEDULES, made[0])

        assert set(site.look()) == set(site.ids)


@pytest.mark.parametrize("seed", range(6))
def test_after_anything_the_glances_are_those_of_reading_all(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    actor = actor_in(site.job.organization_id)

    def run_ends(session: Session, schedule_id: UUID) -> None:
        make = chance.choice([make_failed, make_succeeded, make_running])
        make(session, site.job, now=site.now, schedule_id=schedule_id)

    def is_switched(session: Session, schedule_id: UUID) -> None:
        enabled = chance.random() < 0.5
        switch_schedule(session, actor=actor, schedule_id=schedule_id, enabled=enabled, now=site.now)

    def slots_are_planned(session: Session, _schedule_id: UUID) -> None:
        tick(session, now=site.now)

    def is_deleted(session: Session, schedule_id: UUID) -> None:
        if len(site.ids) > 2:
            delete_schedule(session, actor=actor, schedule_id=schedule_id, now=site.now)
            site.ids.remove(schedule_id)

    def slots_are_missed(session: Session, schedule_id: UUID) -> None:
        # As after a while in which nobody planned: a slot of before is due, and too old to run.
        schedule, before = session.get_one(Schedule, schedule_id), site.now - timedelta(minutes=5)
        schedule.missed = "skip"
        schedule.next_run_at = before.replace(minute=before.minute // 5 * 5, second=0, microsecond=0)
        about = {"organization_id": site.job.organization_id, "topic": Topic.SCHEDULES, "kind": "told"}
        append_event(session, subject_id=schedule_id, now=site.now, **about)

    deeds = [run_ends, run_ends, run_ends, is_switched, slots_are_planned, is_deleted, slots_are_missed]
    for _ in range(15):
        for _ in range(chance.randrange(3)):
            deed, schedule_id = chance.choice(deeds), chance.choice(site.ids)
            site.change(lambda session, deed=deed, schedule_id=schedule_id: deed(session, schedule_id))
        site.now += timedelta(seconds=chance.randrange(5, 40))

        assert site.look() == site.whole()
