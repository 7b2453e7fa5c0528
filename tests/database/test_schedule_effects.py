"""What a page says before an edit, a deletion or switching on, against what the commands then do."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.clock_words import Clocks
from app.jobs.models import Job
from app.ops.effect_words import effect_lines, replacement_line
from app.ops.off_example import off_example
from app.ops.schedule_effects import Effect, delete_effect, edit_effect, next_runs_of, standing_of, switch_effect
from app.ops.schedule_foresight import Onlooker, foresee_restore
from app.runs import service
from app.runs.foreseen import Foreseen
from app.runs.models import Run
from app.runs.restoring import restore_schedule
from app.runs.resuming import missed_meanwhile
from app.schedules.draft import ScheduleDraft
from app.schedules.drafts import draft_of
from app.schedules.fire_times import rhythm
from app.schedules.models import Gap, Schedule
from app.schedules.policies import Missed, MissedPolicy, Overlap
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.stored_rhythms import rhythm_of
from app.schedules.versions import get_version
from app.tenants.access import Actor
from tests.factories.work import make_run, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
OTHER_TIMES = {"cron": "30 2 * * *", "timezone": "America/New_York"}


def row_of(session: Session, schedule: Schedule) -> ScheduleRow:
    session.flush()
    session.expire_all()
    return get_schedule(session, organization_id=schedule.organization_id, schedule_id=schedule.id)


def foretold(session: Session, schedule: Schedule, draft: ScheduleDraft, now: datetime) -> Effect:
    row = row_of(session, schedule)
    return edit_effect(session, row, when=rhythm_of(draft), is_on=draft.enabled, now=now)


def edit(session: Session, actor: Actor, schedule: Schedule, draft: ScheduleDraft, now: datetime) -> None:
    row = row_of(session, schedule)
    service.edit_schedule(
        session, actor=actor, schedule_id=schedule.id, draft=draft, version=row.version, now=now
    )  # fmt: skip


def slots_accounted_for(session: Session, schedule: Schedule) -> int:
    """Slots with a run, and slots in gaps."""
    runs = select(func.count()).where(Run.schedule_id == schedule.id, Run.slot_at.is_not(None))
    gaps = select(func.coalesce(func.sum(Gap.slots), 0)).where(Gap.schedule_id == schedule.id)
    return int(session.scalars(runs).one()) + int(session.scalars(gaps).one())


def states_of(session: Session, schedule: Schedule) -> list[str]:
    return sorted(session.scalars(select(Run.state).where(Run.schedule_id == schedule.id)))


class TestSaving:
    def test_moves_the_next_run_where_it_was_said(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))
        draft = replace(draft_of(row_of(session, schedule)), **OTHER_TIMES)
        said = foretold(session, schedule, draft, NOW)

        edit(session, actor, schedule, draft, NOW)

        assert said.before[0] == NOW + timedelta(minutes=5)
        assert row_of(session, schedule).next_run_at == said.after[0]
        assert tuple(next_runs_of(row_of(session, schedule), now=NOW)) == said.after

    def test_plans_first_as_many_slots_as_are_due(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW - timedelta(minutes=10))
        draft = replace(draft_of(row_of(session, schedule)), **OTHER_TIMES)
        said = foretold(session, schedule, draft, NOW)

        edit(session, actor, schedule, draft, NOW)

        assert said.standing.due is not None
        assert said.standing.due.count == slots_accounted_for(session, schedule) == 3

    def test_lets_runs_that_wait_start_all_the_same(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))
        for number in range(2):
            make_run(session, job, now=NOW, schedule_id=schedule.id, request_key=str(number))
        draft = replace(draft_of(row_of(session, schedule)), **OTHER_TIMES, enabled=False)
        said = foretold(session, schedule, draft, NOW)

        edit(session, actor, schedule, draft, NOW)

        assert (said.standing.waiting, said.after) == (2, ())
        assert states_of(session, schedule) == ["ready", "ready"]
        assert row_of(session, schedule).next_run_at is None

    def test_counts_what_was_missed_while_it_was_off(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW - timedelta(minutes=60), enabled=False)
        draft = replace(draft_of(row_of(session, schedule)), enabled=True)
        said = foretold(session, schedule, draft, NOW)

        edit(session, actor, schedule, draft, NOW)

        assert said.missed is not None
        assert (said.before, said.missed.count) == ((), slots_accounted_for(session, schedule))
        assert row_of(session, schedule).next_run_at == said.after[0]

    def test_counts_what_nobody_could_read_by_the_new_text(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, cron="nonsense", problem="?", next_run_at=NOW - timedelta(minutes=60))
        draft = replace(draft_of(row_of(session, schedule)), cron="*/20 * * * *")
        said = foretold(session, schedule, draft, NOW)

        edit(session, actor, schedule, draft, NOW)

        assert said.unreadable is not None
        assert said.unreadable.count == slots_accounted_for(session, schedule) == 4

    def test_of_the_same_times_changes_none(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))
        draft = replace(draft_of(row_of(session, schedule)), name="Other")

        assert not foretold(session, schedule, draft, NOW).changes_times


class TestDeleting:
    def test_ends_what_waits_and_what_is_due(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)
        make_run(session, job, now=NOW, schedule_id=schedule.id, request_key="k")
        said = standing_of(session, row_of(session, schedule), now=NOW)

        service.delete_schedule(session, actor=actor, schedule_id=schedule.id, now=NOW)

        session.expire_all()
        assert said.due is not None
        assert (said.waiting, said.due.count) == (1, 1)
        assert set(states_of(session, schedule)) <= {"cancelled", "skipped"}

    def test_leaves_what_goes_on(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))
        run_id = make_run(session, job, now=NOW, schedule_id=schedule.id, request_key="k")
        session.get_one(Run, run_id).state = "running"
        said = standing_of(session, row_of(session, schedule), now=NOW)

        service.delete_schedule(session, actor=actor, schedule_id=schedule.id, now=NOW)

        session.expire_all()
        assert (said.waiting, said.running) == (0, 1)
        assert states_of(session, schedule) == ["running"]


def made_of(session: Session, schedule: Schedule) -> tuple[int, int, int]:
    """How many slots run or wait to, how many were skipped, and how many lie in gaps."""
    states = states_of(session, schedule)
    skipped = states.count("skipped")
    slots = session.scalars(select(func.count()).where(Run.schedule_id == schedule.id, Run.slot_at.is_not(None))).one()
    return slots - skipped, skipped, slots_accounted_for(session, schedule) - slots


def told(found: Foreseen | None) -> tuple[int, int, int]:
    if found is None:
        return (0, 0, 0)
    return len(found.runs), len(found.skipped), 0 if found.lost is None else found.lost.count


class TestSlotsThatAreDue:
    @pytest.mark.parametrize("missed", Missed)
    @pytest.mark.parametrize("overlap", Overlap)
    @pytest.mark.parametrize("goes_on", [True, False])
    @pytest.mark.parametrize("command", ["edit", "pause", "delete"])
    def test_become_what_was_said(
        self, session: Session, job: Job, actor: Actor, missed: Missed, overlap: Overlap, goes_on: bool, command: str
    ) -> None:
        due = NOW - timedelta(minutes=40)
        schedule = make_schedule(
            session, job, next_run_at=due, missed=missed.value, overlap=overlap.value, missed_limit=3
        )
        if goes_on:
            run_id = make_run(session, job, now=NOW, schedule_id=schedule.id, request_key="k")
            session.get_one(Run, run_id).state = "running"
        row = row_of(session, schedule)
        said = standing_of(session, row, now=NOW).due

        if command == "edit":
            edit(session, actor, schedule, replace(draft_of(row), **OTHER_TIMES), NOW)
        elif command == "pause":
            service.switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=False, now=NOW)
        else:
            service.delete_schedule(session, actor=actor, schedule_id=schedule.id, now=NOW)

        session.expire_all()
        assert told(said) == made_of(session, schedule)
        assert sum(told(said)) == 9

    def test_end_with_the_schedule_that_is_deleted(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW - timedelta(minutes=40), missed="all", missed_limit=3)
        make_run(session, job, now=NOW, schedule_id=schedule.id, request_key="k")
        schedule.overlap = "allow"
        said = delete_effect(session, row_of(session, schedule), now=NOW)

        service.delete_schedule(session, actor=actor, schedule_id=schedule.id, now=NOW)

        session.expire_all()
        assert said.cancelled == states_of(session, schedule).count("cancelled") == 4


def ended(session: Session, runs: list[UUID]) -> tuple[int, int]:
    """How many of these runs were cancelled, and how many of the others were asked to stop."""
    found = [session.get_one(Run, run_id) for run_id in runs]
    asked = [run.cancel_requested_at is not None for run in found if run.state != "cancelled"]
    return sum(run.state == "cancelled" for run in found), sum(asked)


class TestRunsThatMakeRoom:
    """Of a schedule whose newest run takes the place of the ones before."""

    UTC_CLOCKS = Clocks("UTC", "UTC", NOW)

    @pytest.fixture
    def is_off(self) -> bool:
        return False

    @pytest.fixture
    def schedule(self, session: Session, job: Job, is_off: bool) -> Schedule:
        return make_schedule(
            session, job, next_run_at=NOW - timedelta(minutes=40), overlap="cancel_previous", enabled=not is_off,
            switched_at=NOW if is_off else None,
        )  # fmt: skip

    @pytest.fixture
    def there(self, session: Session, job: Job, schedule: Schedule) -> list[UUID]:
        """Two that wait, one that runs, and one that waits for those it started."""
        found = [make_run(session, job, now=NOW, schedule_id=schedule.id, request_key=str(key)) for key in range(4)]
        session.get_one(Run, found[0]).state = "running"
        begun = session.get_one(Run, found[1])
        begun.state, begun.reason = "waiting", "children"
        session.flush()
        return found

    def test_of_a_slot_that_is_due_when_it_is_edited(
        self, session: Session, actor: Actor, schedule: Schedule, there: list[UUID]
    ) -> None:
        draft = replace(draft_of(row_of(session, schedule)), **OTHER_TIMES)
        said = foretold(session, schedule, draft, NOW)

        edit(session, actor, schedule, draft, NOW)

        session.expire_all()
        assert (said.cancelled, said.asked_to_stop) == ended(session, there) == (2, 2)
        words = "The run of a slot takes the place of what is there: "
        assert effect_lines(said, self.UTC_CLOCKS)[1:] == (
            f"{words}2 waiting runs end and 2 runs that go on are asked to stop.",
        )

    def test_of_a_slot_that_is_due_when_it_is_switched_off(
        self, session: Session, actor: Actor, schedule: Schedule, there: list[UUID]
    ) -> None:
        said = switch_effect(session, row_of(session, schedule), is_on=False, now=NOW)

        service.switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=False, now=NOW)

        session.expire_all()
        assert (said.cancelled, said.asked_to_stop) == ended(session, there) == (2, 2)
        assert not [line for line in effect_lines(said, self.UTC_CLOCKS) if "all the same" in line or "goes on" in line]

    def test_of_a_slot_that_is_due_when_it_is_deleted(
        self, session: Session, actor: Actor, schedule: Schedule, there: list[UUID]
    ) -> None:
        session.get_one(Run, there[1]).state = "running"
        said = delete_effect(session, row_of(session, schedule), now=NOW)

        service.delete_schedule(session, actor=actor, schedule_id=schedule.id, now=NOW)

        session.expire_all()
        assert (said.cancelled, said.asked_to_stop) == (states_of(session, schedule).count("cancelled"), 2)
        assert ended(session, there) == (2, 2)
        assert effect_lines(said, self.UTC_CLOCKS)[-1] == (
            "A slot that is due was to take the place of what goes on: 2 runs that go on are asked to stop."
        )

    @pytest.mark.parametrize("is_off", [True])
    @pytest.mark.parametrize("missed", Missed)
    def test_of_a_slot_that_was_missed_when_it_is_switched_on(
        self, session: Session, actor: Actor, schedule: Schedule, there: list[UUID], missed: Missed
    ) -> None:
        said = switch_effect(session, row_of(session, schedule), is_on=True, now=NOW, missed=missed)

        service.switch_schedule(
            session, actor=actor, schedule_id=schedule.id, enabled=True, now=NOW, missed=missed
        )  # fmt: skip

        session.expire_all()
        expected = (0, 0) if missed is Missed.SKIP else (2, 2)
        assert (said.cancelled, said.asked_to_stop) == ended(session, there) == expected
        lines = " ".join(effect_lines(said, self.UTC_CLOCKS))
        assert ("2 runs wait and start all the same." in lines) == (missed is Missed.SKIP)
        assert ("2 waiting runs end" in lines) == (missed is not Missed.SKIP)

    @pytest.mark.parametrize("is_off", [True])
    def test_are_told_beside_the_question_about_missed_slots(
        self, session: Session, schedule: Schedule, there: list[UUID]
    ) -> None:
        said = standing_of(session, row_of(session, schedule), now=NOW)

        assert replacement_line(said) == (
            "If a missed slot runs, it takes the place of what is there: "
            "2 waiting runs end and 2 runs that go on are asked to stop."
        )


class TestSwitchingOn:
    @pytest.mark.parametrize("missed", Missed)
    @pytest.mark.parametrize("by_edit", [True, False])
    def test_makes_of_what_was_missed_what_was_said(
        self, session: Session, job: Job, actor: Actor, missed: Missed, by_edit: bool
    ) -> None:
        schedule = make_schedule(
            session, job, next_run_at=NOW - timedelta(minutes=40), enabled=False, switched_at=NOW, missed_limit=3
        )
        row = row_of(session, schedule)
        draft = replace(draft_of(row), enabled=True)
        if by_edit:
            said = edit_effect(session, row, when=rhythm_of(draft), is_on=True, now=NOW, missed=missed)
            service.edit_schedule(
                session, actor=actor, schedule_id=row.id, draft=draft, version=row.version, now=NOW, missed=missed
            )
        else:
            said = switch_effect(session, row, is_on=True, now=NOW, missed=missed)
            service.switch_schedule(session, actor=actor, schedule_id=row.id, enabled=True, now=NOW, missed=missed)

        session.expire_all()
        assert told(said.missed) == made_of(session, schedule)
        assert row_of(session, schedule).next_run_at == said.after[0]

    def test_of_a_job_without_its_connection_makes_nothing_but_skipped_runs(
        self, session: Session, actor: Actor, job: Job
    ) -> None:
        job.kind, job.service, job.definition = "sync", "meta", {"service": "meta"}
        schedule = make_schedule(session, job, next_run_at=NOW - timedelta(minutes=40), enabled=False, switched_at=NOW)
        row = row_of(session, schedule)
        said = switch_effect(session, row, is_on=True, now=NOW, missed=Missed.LATEST)

        service.switch_schedule(
            session, actor=actor, schedule_id=row.id, enabled=True, now=NOW, missed=Missed.LATEST
        )  # fmt: skip

        session.expire_all()
        assert told(said.missed) == made_of(session, schedule) == (0, 1, 8)


class TestSavingWhatIsOffAndStaysOff:
    @pytest.fixture
    def schedule(self, session: Session, job: Job) -> Schedule:
        since = NOW - timedelta(minutes=40)
        return make_schedule(session, job, next_run_at=since, enabled=False, switched_at=since, missed_limit=3)

    @pytest.mark.parametrize(
        "changes",
        [
            {"notes": "hello"},
            {"name": "Other"},
            {"overlap": Overlap.ALLOW},
            {"missed": Missed.ALL},
            {"tags": ("new",)},
            {"cron": "0-59/5 * * * *"},
            {"timezone": "Europe/Riga"},
            {"ends_at": NOW + timedelta(days=1)},
        ],
    )
    def test_keeps_what_it_missed_where_that_are_its_times_still(
        self, session: Session, actor: Actor, schedule: Schedule, changes: dict[str, Any]
    ) -> None:
        row = row_of(session, schedule)
        draft = replace(draft_of(row), **changes)
        said = foretold(session, schedule, draft, NOW)

        edit(session, actor, schedule, draft, NOW)

        found = missed_meanwhile(row_of(session, schedule), now=NOW)
        assert (said.missed, effect_lines(said, Clocks("UTC", "UTC", NOW))) == (None, ())
        assert found == missed_meanwhile(row, now=NOW)
        assert slots_accounted_for(session, schedule) == 0

    @pytest.mark.parametrize(
        "changes", [{"cron": "*/10 * * * *"}, {"starts_at": NOW - timedelta(minutes=5)}, OTHER_TIMES]
    )
    def test_says_what_is_lost_where_its_times_change(
        self, session: Session, actor: Actor, schedule: Schedule, changes: dict[str, Any]
    ) -> None:
        row = row_of(session, schedule)
        draft = replace(draft_of(row), **changes)
        said = foretold(session, schedule, draft, NOW)

        edit(session, actor, schedule, draft, NOW)

        assert told(said.missed) == made_of(session, schedule) == (0, 0, 9)
        assert missed_meanwhile(row_of(session, schedule), now=NOW) is None
        assert effect_lines(said, Clocks("UTC", "UTC", NOW)) == (
            "9 slots up to Tue 5 Jan, 12:00 UTC passed while it was off: 9 stay missed, because its times change. "
            "To decide otherwise, enable it first.",
        )

    def test_lets_somebody_decide_when_it_is_switched_on(
        self, session: Session, actor: Actor, schedule: Schedule
    ) -> None:
        later = NOW + timedelta(minutes=5)
        edit(session, actor, schedule, replace(draft_of(row_of(session, schedule)), notes="hello"), NOW)

        made_up = service.switch_schedule(
            session, actor=actor, schedule_id=schedule.id, enabled=True, now=later, missed=Missed.LATEST
        )

        assert (made_up.slots, made_up.left) == (1, 9)
        assert made_of(session, schedule) == (1, 0, 9)

    def test_by_restoring_a_version_keeps_and_says_the_same(
        self, session: Session, actor: Actor, schedule: Schedule
    ) -> None:
        row = row_of(session, schedule)
        edit(session, actor, schedule, replace(draft_of(row), notes="hello"), NOW)
        row = row_of(session, schedule)
        version = get_version(session, organization_id=row.organization_id, schedule_id=row.id, number=1)
        said = foresee_restore(session, row, version=version, by=Onlooker("UTC", NOW))

        restore_schedule(session, actor=actor, schedule_id=row.id, number=1, version=row.version, now=NOW)

        found = missed_meanwhile(row_of(session, schedule), now=NOW)
        assert said.lines == ()
        assert found is not None
        assert found.count == 9

    def test_asks_nobody_about_a_default_that_was_never_on(self, session: Session, job: Job) -> None:
        schedule = make_schedule(
            session, job, next_run_at=NOW - timedelta(minutes=40), enabled=False, default_for="meta"
        )

        said = foretold(session, schedule, replace(draft_of(row_of(session, schedule)), **OTHER_TIMES), NOW)

        assert said.missed is None

    def test_tells_what_nobody_could_read_once(self, session: Session, job: Job, actor: Actor) -> None:
        since = NOW - timedelta(minutes=40)
        schedule = make_schedule(session, job, problem="?", next_run_at=since, enabled=False, switched_at=since)
        for is_on in (False, True):
            draft = replace(draft_of(row_of(session, schedule)), enabled=is_on)
            said = foretold(session, schedule, draft, NOW)
            assert (said.missed is None, said.unreadable is None) == (not is_on, is_on)


class TestWords:
    CLOCKS = Clocks("America/New_York", "Europe/Riga", NOW)

    def test_name_the_zone_of_every_time_and_the_viewers_beside_it(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, cron="30 2 * * *", timezone="America/New_York", next_run_at=NOW)
        schedule.next_run_at = utc("2027-01-06 07:30")

        found = effect_lines(delete_effect(session, row_of(session, schedule), now=NOW), self.CLOCKS)

        assert found == (
            "Its next run, Wed 6 Jan, 02:30 New York (09:30 your time), and all that follow do not happen.",
        )

    def test_say_what_becomes_of_slots_that_are_due(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW - timedelta(minutes=40), missed="all", missed_limit=3)
        row = row_of(session, schedule)

        found = effect_lines(switch_effect(session, row, is_on=False, now=NOW), Clocks("UTC", "UTC", NOW))

        assert found[0] == "9 slots up to Tue 5 Jan, 12:00 UTC are due already: 3 run, 6 stay missed."

    def test_say_that_nothing_changes(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))
        row = row_of(session, schedule)

        found = effect_lines(switch_effect(session, row, is_on=True, now=NOW), Clocks("UTC", "UTC", NOW))

        assert found == ("It is switched on already: nothing changes.",)


class TestTheExample:
    @pytest.mark.parametrize(
        ("cron", "policy", "missed", "made_up"),
        [
            ("30 2 * * *", MissedPolicy(Missed.LATEST, timedelta(days=1)), 1, 1),
            ("30 2 * * *", MissedPolicy(Missed.SKIP, timedelta(days=1)), 1, 0),
            ("*/30 * * * *", MissedPolicy(Missed.ALL, timedelta(days=1), 4), 6, 4),
            ("0 * * * *", MissedPolicy(Missed.ALL, timedelta(hours=1), 10), 3, 1),
        ],
    )
    def test_says_what_the_planner_would_make_of_it(
        self, cron: str, policy: MissedPolicy, missed: int, made_up: int
    ) -> None:
        found = off_example(rhythm(cron, timezone="UTC"), policy=policy, now=NOW)

        assert found is not None
        assert found.until - found.since == timedelta(hours=3)
        assert (found.missed, found.made_up) == (missed, made_up)

    def test_is_none_where_nothing_comes(self) -> None:
        never = rhythm("@manually", timezone="UTC")

        assert off_example(never, policy=MissedPolicy(Missed.LATEST, timedelta(days=1)), now=NOW) is None
