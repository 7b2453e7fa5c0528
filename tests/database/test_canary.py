"""Belfry's own run: when it comes through, the gaps in which it did not, and who is told so outside."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.core.http import OutboundFailed, OutboundLimits, OutboundRequest, OutboundResponse
from app.core.questions import ask
from app.core.scopes import ENGINE, PLATFORM
from app.core.wire import FailureKind
from app.events.service import Topic, append_event
from app.jobs.models import Job
from app.notifications.models import Channel, Delivery
from app.notifications.teller import Teller
from app.ops.canary.gaps import CAUSE_WORDS, GapCause, its_state, newest_gaps
from app.ops.canary.report import CanaryReport, read_report
from app.ops.canary.watch import CanaryWatch
from app.ops.code_definitions import load_definitions
from app.ops.code_loader import put_in_force
from app.ops.housekeeping import Housekeeper
from app.runs import ledger
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.retries import Next
from app.runs.states import AttemptState, Reason, RunState
from app.schedules.models import Schedule, SchedulingStop
from app.tenants.models import SYSTEM_ORGANIZATION_ID
from tests.conftest import make_settings
from tests.database.telling_world import AlwaysCurrent
from tests.factories.notifications import make_channel, make_rule
from tests.factories.work import make_organization, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

URL = "https://pings.example.com/belfry"
GOOD = AttemptEnd(AttemptState.SUCCEEDED, None, None, {}, None)
BAD = AttemptEnd(AttemptState.FAILED, "It broke.", None, {}, None)


class Pings:
    """The address outside, and what it answers."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.status = 200
        self.is_away = False

    def send(self, request: OutboundRequest, *, limits: OutboundLimits | None = None) -> OutboundResponse:
        assert limits is not None
        self.sent.append(f"{request.method} {request.url}")
        if self.is_away:
            raise OutboundFailed("pings.example.com did not answer.", kind=FailureKind.TIMEOUT)
        return OutboundResponse(self.status, (), b"", False, 0.1, request.url)


class Mine:
    """An installation whose canary flies when it is told to."""

    def __init__(self, database: OpenDatabase, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.clock = ManualClock("2027-01-05 12:00")
        self.pings = Pings()
        self.watch = self.watching()
        self.teller = Teller(database, self.clock, AlwaysCurrent())
        self.load()
        self.teller.tell()
        self.watch.look()

    def watching(self, *, is_on: bool = True, url: str | None = URL) -> CanaryWatch:
        return CanaryWatch(self.database, self.clock, AlwaysCurrent(), is_on, url, self.pings)

    def load(self, **settings: str) -> None:
        given = make_settings(self.folder, **({"BELFRY_JOBS": "none", "BELFRY_CANARY": "on"} | settings))
        put_in_force(self.database, self.clock, load_definitions(given), is_asked_for=True)

    @property
    def schedule(self) -> Schedule:
        with self.database.reading() as session:
            return session.scalars(select(Schedule).where(Schedule.code_id == "belfry-canary")).one()

    def plan(self) -> UUID:
        with self.database.transaction() as session:
            schedule = self.schedule
            job = session.get_one(Job, schedule.job_id)
            slot = {"schedule_id": schedule.id, "slot_at": self.clock.moment}
            return make_run(session, job, now=self.clock.moment, **slot)

    def begin(self, run_id: UUID) -> None:
        until = self.clock.moment + timedelta(minutes=1)
        with self.database.transaction() as session:
            assert ledger.start(session, run_id=run_id, worker="w", lease_until=until, now=self.clock.moment)

    def end(self, run_id: UUID, *, is_good: bool = True) -> None:
        with self.database.transaction() as session:
            now = self.clock.moment
            if is_good:
                assert ledger.succeed(session, run_id=run_id, token=1, end=GOOD, now=now)
            else:
                then = Next(RunState.FAILED, Reason.ERROR)
                assert ledger.put_down(session, run_id=run_id, token=1, end=BAD, then=then, now=now)

    def fly(self, minutes: int = 1, *, is_good: bool = True) -> bool:
        """So many runs, one a minute, each with a look behind it."""
        comes_through = False
        for _ in range(minutes):
            self.clock.advance(minutes=1)
            run_id = self.plan()
            self.begin(run_id)
            self.end(run_id, is_good=is_good)
            self.teller.tell()
            comes_through = self.watch.look()
        return comes_through

    def wait(self, **later: float) -> bool:
        """Some time in which somebody looks every minute."""
        left = timedelta(**later)
        comes_through = False
        while left > timedelta():
            step = min(left, timedelta(minutes=1))
            self.clock.advance(seconds=step.total_seconds())
            comes_through, left = self.watch.look(), left - step
        return comes_through

    def gaps(self) -> list[tuple[str, str | None, str]]:
        with self.database.reading(PLATFORM) as session:
            found = ask(session, newest_gaps(now=self.clock.moment))
        return [
            (f"{gap.began_at:%H:%M}", None if gap.ended_at is None else f"{gap.ended_at:%H:%M}", gap.cause.value)
            for gap in found
        ]

    def report(self, *, is_on: bool = True, is_pinged: bool = True) -> CanaryReport:
        with self.database.reading(PLATFORM) as session:
            return read_report(session, is_on=is_on, is_pinged=is_pinged, now=self.clock.moment)

    def late(self, **how: Any) -> set[str]:
        return {hop.name for hop in self.report(**how).hops if not hop.is_ok}


@pytest.fixture
def mine(database: OpenDatabase, tmp_path: Path) -> Mine:
    return Mine(database, tmp_path)


class TestLoading:
    def test_makes_it_and_switches_it_on(self, mine: Mine) -> None:
        found = mine.schedule

        assert (found.organization_id, found.cron, found.enabled) == (SYSTEM_ORGANIZATION_ID, "* * * * *", True)
        assert (found.missed, found.overlap) == ("skip", "skip")

    def test_leaves_it_off_when_a_person_switched_it_off(self, mine: Mine) -> None:
        with mine.database.transaction() as session:
            session.get_one(Schedule, mine.schedule.id).enabled = False

        mine.load()

        assert not mine.schedule.enabled

    def test_takes_it_out_where_it_is_off_and_brings_it_back(self, mine: Mine) -> None:
        mine.load(BELFRY_CANARY="off")
        assert (mine.schedule.enabled, mine.schedule.left_code_at is None) == (False, False)

        mine.load()

        assert (mine.schedule.enabled, mine.schedule.left_code_at) == (True, None)


class TestComingThrough:
    def test_is_an_end_that_was_told(self, mine: Mine) -> None:
        assert mine.watch.look() is False

        assert mine.fly() is True
        assert mine.wait(minutes=3) is True
        assert mine.wait(seconds=1) is False

    def test_is_not_while_what_happened_is_not_told(self, mine: Mine) -> None:
        mine.watch.look()
        mine.clock.advance(minutes=1)
        run_id = mine.plan()
        mine.begin(run_id)
        mine.end(run_id)

        assert mine.watch.look() is False
        mine.teller.tell()
        assert mine.watch.look() is True

    def test_is_not_when_it_fails(self, mine: Mine) -> None:
        assert mine.fly(is_good=False) is False


class TestGaps:
    def test_are_none_while_it_flies(self, mine: Mine) -> None:
        mine.fly(minutes=10)

        assert mine.gaps() == []

    def test_begin_with_the_last_pass_and_end_with_the_next(self, mine: Mine) -> None:
        mine.fly()
        mine.wait(minutes=3)
        assert mine.gaps() == []

        mine.wait(minutes=2)
        assert mine.gaps() == [("12:01", None, "not_planned")]
        mine.wait(minutes=20)
        mine.fly()

        assert mine.gaps() == [("12:01", "12:27", "not_planned")]
        assert mine.fly(minutes=5)
        assert len(mine.gaps()) == 1

    def test_are_found_after_everything_was_off(self, mine: Mine) -> None:
        mine.fly()
        mine.clock.advance(hours=2)
        mine.fly()

        assert mine.gaps() == [("12:01", "14:02", "off")]

    def test_are_not_where_it_flew_and_nobody_looked(self, mine: Mine) -> None:
        mine.fly()
        for _ in range(30):
            mine.clock.advance(minutes=1)
            run_id = mine.plan()
            mine.begin(run_id)
            mine.end(run_id)
        mine.teller.tell()

        assert mine.watch.look() is True
        assert mine.gaps() == []

    @pytest.mark.parametrize("cause", ["not_started", "not_finished", "failed", "not_told", "switched_off", "stopped"])
    def test_say_where_it_hung(self, mine: Mine, cause: str) -> None:
        mine.fly()
        if cause in {"switched_off", "stopped"}:
            with mine.database.transaction() as session:
                if cause == "stopped":
                    stop = {"stopped_at": mine.clock.moment, "stopped_by": "ann@example.com", "reason": "Moving"}
                    session.add(SchedulingStop(**stop, is_open=True))
                else:
                    session.get_one(Schedule, mine.schedule.id).enabled = False
        else:
            mine.clock.advance(minutes=1)
            run_id = mine.plan()
            if cause != "not_started":
                mine.begin(run_id)
            if cause in {"failed", "not_told"}:
                mine.end(run_id, is_good=cause == "not_told")

        mine.watch.look()
        mine.wait(minutes=3, seconds=1)
        if cause == "failed":
            # By the time that nothing new was planned either, it is known already.
            assert mine.gaps()[0][2] in {"failed", "not_planned"}
        else:
            assert mine.gaps()[0][2] == cause

    def test_begin_where_it_never_flew(self, mine: Mine) -> None:
        mine.watch.look()
        mine.wait(minutes=4)

        assert mine.gaps() == [("12:00", None, "not_planned")]

    def test_are_forgotten_after_thirty_days(self, mine: Mine) -> None:
        mine.fly()
        mine.clock.advance(hours=2)
        mine.fly()
        assert len(mine.gaps()) == 1

        mine.clock.advance(days=29)
        mine.fly()
        assert [cause for _, _, cause in mine.gaps()] == ["off", "off"]
        mine.clock.advance(days=2)
        mine.fly()
        assert len(mine.gaps()) == 2

    def test_are_none_where_it_is_off(self, mine: Mine) -> None:
        mine.fly()
        mine.wait(minutes=10)
        mine.watching(is_on=False).look()
        mine.clock.advance(days=100)
        mine.fly()

        assert mine.gaps() == []


class TestTheHeartbeat:
    def test_is_sent_once_a_minute_by_all_together_while_it_comes_through(self, mine: Mine) -> None:
        other = mine.watching()
        mine.fly()
        assert other.look() is True
        assert mine.pings.sent == [f"GET {URL}"]

        mine.fly(minutes=4)
        assert len(mine.pings.sent) == 5

    def test_is_not_sent_when_it_does_not(self, mine: Mine) -> None:
        mine.watch.look()
        mine.wait(minutes=10)
        mine.fly(is_good=False)

        assert mine.pings.sent == []

    def test_is_not_sent_for_what_passed_by_a_time_that_comes_again(self, mine: Mine) -> None:
        mine.fly(minutes=30)
        mine.clock.advance(minutes=-20)
        mine.wait(minutes=4)
        sent = len(mine.pings.sent)

        assert not mine.wait(minutes=30)
        assert len(mine.pings.sent) == sent
        assert [cause for *_, cause in mine.gaps()] == ["not_planned"]

    def test_goes_on_when_the_clock_is_set_back_while_it_comes_through(self, mine: Mine) -> None:
        mine.fly(minutes=30)
        mine.clock.advance(minutes=-20, seconds=30)
        sent = len(mine.pings.sent)

        assert mine.fly(minutes=5)
        assert len(mine.pings.sent) >= sent + 4
        assert (mine.late(), mine.gaps()) == (set(), [])

    def test_is_not_sent_where_no_address_is_set(self, mine: Mine) -> None:
        mine.watch = mine.watching(url=None)

        assert mine.fly() is True
        assert mine.pings.sent == []

    @pytest.mark.parametrize("how", ["status", "away"])
    def test_that_is_not_taken_is_known_and_tried_again(self, mine: Mine, how: str) -> None:
        mine.pings.status, mine.pings.is_away = 404, how == "away"
        mine.fly()
        with mine.database.reading(ENGINE) as session:
            state = ask(session, its_state())
        assert state is not None
        assert state.pinged_at is None
        assert state.ping_error == {"status": "It answered 404.", "away": "pings.example.com did not answer."}[how]
        assert mine.late() == {"heartbeat"}

        mine.pings.status, mine.pings.is_away = 200, False
        mine.fly()
        assert mine.late() == set()


class TestBeingTold:
    @pytest.fixture
    def told(self, mine: Mine) -> Mine:
        with mine.database.transaction() as session:
            make_rule(session, SYSTEM_ORGANIZATION_ID, make_channel(session, SYSTEM_ORGANIZATION_ID))
        mine.fly(minutes=2)
        return mine

    def messages(self, mine: Mine) -> list[tuple[str, str]]:
        mine.teller.tell()
        mine.teller.look_again()
        with mine.database.reading() as session:
            rows = session.scalars(select(Delivery).order_by(Delivery.created_at, Delivery.id))
            return [(row.kind, row.facts["type"]) for row in rows if row.kind != "updated"]

    def append(self, mine: Mine, kind: str, **data: Any) -> None:
        it = {"organization_id": SYSTEM_ORGANIZATION_ID, "topic": Topic.NOTIFICATIONS, "now": mine.clock.moment}
        subject_id = mine.schedule.id if kind.startswith("schedule.") else SYSTEM_ORGANIZATION_ID
        with mine.database.transaction() as session:
            append_event(session, kind=kind, subject_id=subject_id, data=data, **it)

    def test_is_once_and_again_when_it_comes_through(self, told: Mine) -> None:
        told.wait(minutes=10)
        assert self.messages(told) == [("opened", "system_silent")]
        told.fly()

        assert self.messages(told) == [("opened", "system_silent"), ("recovered", "recovered")]

    def test_says_where_it_hangs(self, told: Mine) -> None:
        told.clock.advance(seconds=1)
        told.plan()
        told.wait(minutes=4)
        self.messages(told)

        with told.database.reading() as session:
            facts = session.scalars(select(Delivery.facts)).one()
        assert facts["title"] == "Belfry's own run does not come through any more"
        assert facts["what"].endswith("its runs were not started.")

    def test_is_once_where_the_part_at_which_it_hangs_is_silent(self, told: Mine) -> None:
        self.append(told, "system.silent", part="scheduler", text="No scheduler has kept time.")
        told.wait(minutes=10)
        self.messages(told)
        self.append(told, "schedule.missed", slots=10)
        self.append(told, "system.heard", part="scheduler")
        told.fly()

        assert self.messages(told) == [("opened", "system_silent"), ("recovered", "recovered")]

    def test_is_not_of_a_silence_that_is_over(self, told: Mine) -> None:
        told.clock.advance(hours=2)
        self.append(told, "system.silent", part="scheduler", text="No scheduler has kept time.")
        self.messages(told)
        told.clock.advance(hours=2)
        self.append(told, "system.heard", part="scheduler")
        before = self.messages(told)
        told.watch.look()
        told.fly()

        assert self.messages(told) == before == [("opened", "system_silent"), ("recovered", "recovered")]

    def test_is_not_of_what_people_did(self, told: Mine) -> None:
        with told.database.transaction() as session:
            session.get_one(Schedule, told.schedule.id).enabled = False
        told.wait(minutes=10)

        assert self.messages(told) == []

    def test_is_not_of_single_runs_of_it(self, told: Mine) -> None:
        told.fly(is_good=False)
        self.append(told, "schedule.missed", slots=1)
        told.fly()

        assert self.messages(told) == []

    def test_is_of_missed_runs_of_all_other_schedules(self, told: Mine) -> None:
        with told.database.transaction() as session:
            other = make_schedule(session, session.get_one(Job, told.schedule.job_id), name="Other")
        with told.database.transaction() as session:
            append_event(
                session, organization_id=SYSTEM_ORGANIZATION_ID, topic=Topic.SCHEDULES, kind="schedule.missed",
                subject_id=other.id, now=told.clock.moment, data={"slots": 3},
            )  # fmt: skip

        assert self.messages(told) == [("opened", "missed_slots")]


class TestTheReport:
    def test_is_well_while_it_flies(self, mine: Mine) -> None:
        mine.fly(minutes=2)

        found = mine.report()

        assert found.is_well
        assert [hop.name for hop in found.hops] == [
            "planned", "admitted", "claimed", "finished", "told", "delivered", "heartbeat",
        ]  # fmt: skip
        assert found.hops[3].words == "one ended well under 0.1 s ago"
        assert found.last_passed_at == mine.clock.moment

    def test_names_the_first_hop_that_it_does_not_come_to(self, mine: Mine) -> None:
        mine.fly(minutes=2)
        mine.clock.advance(minutes=4)
        run_id = mine.plan()
        assert mine.late() == {"admitted", "claimed", "finished", "heartbeat"}
        mine.begin(run_id)
        assert mine.late() == {"finished", "heartbeat"}

    def test_names_what_waits(self, mine: Mine) -> None:
        mine.fly(minutes=2)
        with mine.database.transaction() as session:
            append_event(
                session, organization_id=SYSTEM_ORGANIZATION_ID, topic=Topic.RUNS, kind="run.ready",
                subject_id=mine.schedule.id, now=mine.clock.moment,
            )  # fmt: skip
        assert mine.late() == set()

        mine.clock.advance(minutes=2, seconds=1)

        assert "told" in mine.late(is_on=False)
        assert mine.report().as_json()["hops"][4]["age"] == 121.0

    def test_names_messages_that_are_not_sent_unless_their_channel_is_to_be_left_alone(self, mine: Mine) -> None:
        mine.fly(minutes=2)
        with mine.database.transaction() as session:
            here = make_organization(session)
            channel_id = make_channel(session, here)
            facts = {"type": "late", "title": "Orders is late"}
            session.add(
                Delivery(
                    organization_id=here,
                    channel_id=channel_id,
                    kind="event",
                    type="late",
                    key="1",
                    facts=facts,
                    state="pending",
                    next_try_at=mine.clock.moment,
                    created_at=mine.clock.moment,
                )
            )
        mine.clock.advance(minutes=5, seconds=1)
        assert "delivered" in mine.late(is_on=False)

        with mine.database.transaction() as session:
            session.get_one(Channel, channel_id).quiet_until = mine.clock.moment + timedelta(hours=1)
        assert "delivered" not in mine.late(is_on=False)

    def test_looks_only_at_what_waits_where_it_is_off(self, mine: Mine) -> None:
        found = mine.report(is_on=False)

        assert [hop.name for hop in found.hops] == ["told", "delivered"]
        assert found.is_well


def test_its_runs_are_kept_for_a_day(mine: Mine) -> None:
    mine.fly(minutes=3)
    mine.clock.advance(hours=23)
    mine.fly()
    keeper = Housekeeper(mine.database, mine.clock, AlwaysCurrent(), None)

    mine.clock.advance(hours=1)

    assert keeper.tidy()["canary_runs"] == 3
    with mine.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 1


def test_its_causes_have_words() -> None:
    assert set(CAUSE_WORDS) == set(GapCause)
