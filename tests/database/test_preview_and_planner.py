"""What the preview says is what the planner does: the same slots, over every clock change."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.jobs.models import Job
from app.runs import planner
from app.runs.models import Run
from app.schedules.clock_changes import ClockChange
from app.schedules.models import Gap, Schedule
from app.schedules.policies import Overlap
from app.schedules.preview import Said, preview_of, preview_text, read_typed
from app.schedules.service import ScheduleDraft, create_schedule
from app.schedules.zones import canonical_zone_names
from tests.factories.work import actor_in, make_job, make_organization
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.unit.schedules.cron_texts import random_cron
from tests.unit.schedules.test_clock_change_differential import changes

BEFORE, BEHIND = timedelta(minutes=150), timedelta(minutes=210)
YEAR = 2027


def make(session: Session, job: Job, cron: str, *, now: datetime, name: str = "Orders", **said: Any) -> UUID:
    draft = ScheduleDraft(name, job.id, cron, overlap=Overlap.ALLOW, **({"spread_key": "k"} | said))
    return create_schedule(session, actor=actor_in(job.organization_id), draft=draft, now=now)


def plan(session: Session, *, until: datetime) -> None:
    """A scheduler that is always there: it ticks at every slot."""
    session.flush()
    due = select(func.min(Schedule.next_run_at)).where(Schedule.enabled)
    while (at := session.scalars(due).one()) is not None and at <= until:
        planner.tick(session, now=at)


def slots_of(session: Session, schedule_id: UUID) -> list[datetime]:
    query = select(Run.slot_at).where(Run.schedule_id == schedule_id).order_by(Run.slot_at)
    return [slot for slot in session.scalars(query) if slot is not None]


@cache
def every_change() -> list[tuple[datetime, str]]:
    """Every change of the clocks of every zone within a year, in the order of time."""
    return sorted((at, name) for name in set(canonical_zone_names().values()) for at in changes(name, YEAR, YEAR))


class TestOneNight:
    @pytest.mark.parametrize(
        ("cron", "now", "choice", "slots", "note"),
        [
            (
                "30 1 * * *", "2027-11-06 12:00", ClockChange.ONCE, ["2027-11-07 05:30", "2027-11-08 06:30"],
                "01:30 happens twice on Sun 7 Nov 2027 in New York: runs once, the first time.",
            ),
            (
                "30 1 * * *", "2027-11-06 12:00", ClockChange.TWICE,
                ["2027-11-07 05:30", "2027-11-07 06:30", "2027-11-08 06:30"],
                "01:30 happens twice on Sun 7 Nov 2027 in New York",
            ),
            (
                "30 2 * * *", "2027-03-13 12:00", ClockChange.ONCE, ["2027-03-14 07:00", "2027-03-15 06:30"],
                "02:30 does not exist on Sun 14 Mar 2027 in New York: runs at 03:00.",
            ),
            (
                "30 2 * * *", "2027-03-13 12:00", ClockChange.SKIP, ["2027-03-15 06:30"],
                "02:30 does not exist on Sun 14 Mar 2027 in New York",
            ),
        ],
    )  # fmt: skip
    def test_is_listed_as_it_is_run(
        self, session: Session, job: Job, cron: str, now: str, choice: ClockChange, slots: list[str], note: str
    ) -> None:
        at, until = utc(now), utc(slots[-1])
        said = Said(timezone="America/New_York", spread_key="k", clock_change=choice)
        shown = preview_text(cron, now=at, count=len(slots), **said)
        schedule_id = make(session, job, cron, now=at, **said)

        plan(session, until=until)

        assert list(shown.next_runs) == slots_of(session, schedule_id) == [utc(slot) for slot in slots]
        assert shown.notes[0].startswith(note)


class TestEveryChange:
    @pytest.fixture
    def engine(self) -> str:
        """The slots come from what both databases share; to write them on the quicker one is enough."""
        return "sqlite"

    def test_of_every_zone_is_planned_as_it_is_shown(self, session: Session, job: Job) -> None:
        wrong = []

        for change, names in by_moment(every_change()):
            now, until = change - BEFORE, change + BEHIND
            made = {}
            for name in names:
                for number, (cron, choice) in enumerate(texts_around(change, name)):
                    said = {"timezone": name, "clock_change": choice}
                    label = f"{change:%Y%m%d%H} {name} {number}"
                    made[make(session, job, cron, now=now, name=label, **said)] = cron, said
            shown = {schedule_id: shown_until(session, schedule_id, now, until) for schedule_id in made}
            plan(session, until=until)
            wrong += [what for each, what in made.items() if slots_of(session, each) != shown[each]]
            session.execute(update(Schedule).values(enabled=False))

        assert wrong == []
        assert session.scalars(select(func.count()).select_from(Gap)).one() == 0
        assert session.scalars(select(func.count()).select_from(Run)).one() > 3_000

    def test_of_any_kind_of_rhythm_is_planned_as_it_is_shown(self, database: OpenDatabase) -> None:
        with database.transaction() as session:
            organization_id = make_organization(session)
            job_id = make_job(session, organization_id).id

        @settings(
            max_examples=80,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(change=st.sampled_from(every_change()), kind=st.sampled_from(sorted(KINDS)), seed=st.integers(0, 10**9),
               choice=st.sampled_from(ClockChange))  # fmt: skip
        def check(change: tuple[datetime, str], kind: str, seed: int, choice: ClockChange) -> None:
            at, name = change
            cron, said = typed(Random(seed), kind, at, name, choice)
            now, until = (at - BEFORE, at + BEHIND) if kind != "seconds" else (at - AN_HOUR, at + AN_HOUR)
            shown = preview_text(cron, now=now, count=2_000, **said).next_runs
            with database.transaction() as session:
                job = session.get_one(Job, job_id)
                schedule_id = make(session, job, cron, now=now, **said)
                plan(session, until=until)
                slots = slots_of(session, schedule_id)
                # Nothing of it is needed by the next one.
                session.rollback()

            assert slots == [slot for slot in shown if slot <= until]

        check()


AN_HOUR = timedelta(hours=1)


def by_moment(found: list[tuple[datetime, str]]) -> Iterator[tuple[datetime, list[str]]]:
    """The zones whose clocks change together."""
    for moment in sorted({at for at, _ in found}):
        yield moment, [name for at, name in found if at == moment]


def texts_around(change: datetime, name: str) -> list[tuple[str, ClockChange]]:
    """Times that are jumped over or come twice, under every rule, and one that runs by the time that passes."""
    wall = near(change, name)
    fixed = f"30 {(wall.hour - 1) % 24},{wall.hour} * * *"
    return [*((fixed, choice) for choice in ClockChange), ("*/30 * * * *", ClockChange.ONCE)]


def shown_until(session: Session, schedule_id: UUID, now: datetime, until: datetime) -> list[datetime]:
    session.flush()
    found = preview_of(session.get_one(Schedule, schedule_id), now=now, count=100)
    return [at for at in found.next_runs if at <= until]


def near(change: datetime, name: str) -> datetime:
    """The wall time right after a change."""
    return change.astimezone(ZoneInfo(name)).replace(tzinfo=None)


KINDS = {"line", "lines", "days", "minutes", "single times", "seconds", "bounds"}


def typed(random: Random, kind: str, change: datetime, name: str, choice: ClockChange) -> tuple[str, Said]:
    """A rhythm of a kind as somebody types it, with times at the hours that the change concerns."""
    wall = near(change, name).replace(minute=0)
    said = Said(timezone=name, spread_key="k", clock_change=choice)
    if kind == "seconds":
        said["has_seconds"] = True
    if kind == "bounds":
        said["starts_at"] = change - timedelta(minutes=random.randint(0, 120))
        said["ends_at"] = change + timedelta(minutes=random.randint(1, 120))
    while True:
        text = text_of(random, kind, wall)
        try:
            read_typed(text, now=change - BEFORE, **said)
        except Invalid:
            continue
        return text, said


def text_of(random: Random, kind: str, wall: datetime) -> str:
    hours = wall.hour, (wall.hour - 1) % 24, (wall.hour - 2) % 24
    moved = wall + timedelta(minutes=random.randint(-150, 90))
    if kind == "lines":
        return "\n".join(random_cron(random, hours=hours) for _ in range(random.randint(2, 4)))
    if kind == "days":
        days = random.randint(1, 3)
        begin = moved - timedelta(days=days * random.randint(0, 30))
        return f"every {days} days from {begin:%Y-%m-%d %H:%M}"
    if kind == "minutes":
        return f"every {random.randint(7, 200)} minutes from {moved - timedelta(days=9):%Y-%m-%d %H:%M}"
    if kind == "single times":
        times = {wall + timedelta(minutes=random.randint(-150, 90)) for _ in range(random.randint(1, 6))}
        return "\n".join(f"at {time:%Y-%m-%d %H:%M}" for time in sorted(times))
    if kind == "seconds":
        return f"{random.randint(0, 59)} {random_cron(random, hours=hours)}"
    if kind == "bounds":
        return f"*/{random.randint(3, 30)} * * * *"
    return random_cron(random, hours=hours)
