"""The lives of a few schedules: everything that may befall them, and after each event the model agrees with the books.

Whoever switches a schedule on is asked about what it missed. Exactly the runs that they chose come of it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from app.runs.models import Run
from app.runs.resuming import MissedMoreMeanwhile
from app.runs.states import RunState, Trigger
from app.schedules.models import Gap
from app.schedules.policies import LATE_AFTER, Missed, Overlap
from app.schedules.slot_accounts import MadeUp
from tests.database.believed_slots import BEGIN, CRONS, ZONES, Believed, Rule, figures, newest
from tests.database.slot_world import World, waits_for_its_like
from tests.fakes.database import OpenDatabase

WAITS = (0.5, 1, 20, 59, 60, 61, 240, 1_800, 3_600, 7_200, 40_000, 86_400, 250_000)
# How many further slots pass while somebody looks at the question before they answer it.
SLOTS_WHILE_THINKING = (0, 0, 1, 2, 8)
LIMITS = (1, 3, 10)
MOST_SCHEDULES = 3
WHICH = st.integers(0, MOST_SCHEDULES - 1)


class Life(RuleBasedStateMachine):
    """A few schedules of one organization, and everything that may befall them."""

    database: OpenDatabase
    # How often something happened that a life has to show.
    shown: Counter[str]

    @initialize()
    def begin(self) -> None:
        self.now = BEGIN
        self.is_stopped = False
        self.stopped: list[tuple[datetime, datetime]] = []
        self.believed: dict[UUID, Believed] = {}
        self.world = World(self.database)
        self.checked_at = 0

    @precondition(lambda self: len(self.believed) < MOST_SCHEDULES)
    @rule(
        cron=st.sampled_from(sorted(CRONS)), zone=st.sampled_from(ZONES), missed=st.sampled_from(Missed),
        overlap=st.sampled_from(Overlap), intervals=st.sampled_from((1, 2, 5, 50)), limit=st.sampled_from(LIMITS),
    )  # fmt: skip
    def make(self, cron: str, zone: str, missed: Missed, overlap: Overlap, intervals: int, limit: int) -> None:
        age = CRONS[cron] * intervals
        schedule_id = self.world.make(
            self.now, name=f"Schedule {len(self.believed)}", cron=cron, timezone=zone, overlap=overlap, missed=missed,
            missed_max_age_seconds=int(age.total_seconds()), missed_limit=limit,
        )  # fmt: skip
        self.believed[schedule_id] = Believed([Rule(cron, zone, self.now)], missed, age, limit, overlap, self.now)

    @rule(seconds=st.sampled_from(WAITS))
    def wait(self, seconds: float) -> None:
        """Time passes, and no scheduler is there."""
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.believed)
    @rule(which=WHICH, slots=st.integers(1, 6), seconds=st.sampled_from((0.2, 59, 61, 100, 900, 8_000)))
    def wait_past_slots(self, which: int, slots: int, seconds: float) -> None:
        """Nobody is there when the next slots of a schedule come, and for a while after them."""
        self.pass_slots(self.believed[self.one(which)], slots)
        self.now += timedelta(seconds=seconds)

    @rule(minutes=st.integers(1, 6))
    def keep_time(self, minutes: int) -> None:
        """Time passes, and a scheduler ticks at every minute."""
        for _ in range(minutes):
            self.now = self.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
            self.tick()

    @rule()
    def tick(self) -> None:
        with self.planned(*([] if self.is_stopped else self.believed)):
            self.world.tick(self.now)

    @rule()
    def begin_to_work(self) -> None:
        self.world.begin_to_work(self.now)

    @rule()
    def work(self) -> None:
        self.world.work(self.now)

    @precondition(lambda self: self.believed)
    @rule(which=WHICH, slots=st.integers(0, 5))
    def pause(self, which: int, slots: int) -> None:
        """Somebody switches a schedule off, and some of its slots pass."""
        schedule_id = self.one(which)
        with self.planned(schedule_id):
            self.world.switch(schedule_id, self.now, enabled=False)
        self.believed[schedule_id].is_on = False
        self.pass_slots(self.believed[schedule_id], slots)

    @precondition(lambda self: self.believed)
    @rule(which=WHICH, choice=st.sampled_from(Missed), late=st.sampled_from(SLOTS_WHILE_THINKING))
    def resume(self, which: int, choice: Missed, late: int) -> None:
        """Somebody reads what a schedule missed, thinks about it, and switches it on with an answer."""
        schedule_id = self.one(which)
        known = self.believed[schedule_id]
        seen = self.read_question(schedule_id)
        self.pass_slots(known, late)
        if known.is_on:
            self.shown["switched on twice"] += 1
            with self.planned(schedule_id):
                assert self.world.switch(schedule_id, self.now, enabled=True, missed=choice, seen=seen) == MadeUp()
            return
        if known.is_stale(choice, seen=seen, now=self.now):
            self.shown["answered late, and refused"] += 1
            with pytest.raises(MissedMoreMeanwhile):
                self.world.switch(schedule_id, self.now, enabled=True, missed=choice, seen=seen)
            # Nothing has been done, so the books are to agree as they were; and they ask again.
            self.checked_at = -1
            self.every_slot_is_accounted_for_once()
            seen = self.read_question(schedule_id)
        elif seen != len(known.slots(self.now)):
            self.shown["answered late, and it is all the same"] += 1
        with self.made_up(schedule_id, choice) as wanted:
            made_up = self.world.switch(schedule_id, self.now, enabled=True, missed=choice, seen=seen)
            missed = known.slots(self.now)
            told = made_up.missed and (made_up.missed.count, made_up.missed.first, made_up.missed.last)
            assert (made_up.slots, told, made_up.left) == (len(wanted), figures(missed), len(missed) - len(wanted))
            self.note_answer(known, choice, missed)
        known.is_on = True

    @precondition(lambda self: self.believed)
    @rule(
        which=WHICH, cron=st.sampled_from(sorted(CRONS)), zone=st.sampled_from(ZONES), turn=st.booleans(),
        missed=st.sampled_from(Missed), overlap=st.sampled_from(Overlap), limit=st.sampled_from(LIMITS),
        choice=st.sampled_from(Missed), is_elsewhen=st.booleans(),
    )  # fmt: skip
    def edit(
        self, which: int, cron: str, zone: str, turn: bool, missed: Missed, overlap: Overlap, limit: int,
        choice: Missed, is_elsewhen: bool = True,
    ) -> None:  # fmt: skip
        """Other policies, in force from now on, and another rhythm; with `turn` it is also switched on or off."""
        schedule_id = self.one(which)
        known = self.believed[schedule_id]
        if not is_elsewhen:
            cron, zone, _ = known.rules[-1]
        is_on, age = known.is_on is not turn, CRONS[cron] * 3
        if not (known.is_on or is_on):
            self.edit_at_rest(schedule_id, cron, zone, missed=missed, overlap=overlap, limit=limit)
            return
        # What it missed while it was off is gone by its old rhythm, and by its old limit.
        with self.planned(schedule_id) if known.is_on else self.made_up(schedule_id, choice):
            self.world.edit(
                schedule_id, self.now, missed_while_paused=choice, cron=cron, timezone=zone, enabled=is_on,
                missed=missed, overlap=overlap, missed_max_age_seconds=int(age.total_seconds()), missed_limit=limit,
            )  # fmt: skip
        self.shown["edited: another overlap"] += overlap is not known.overlap
        if not known.is_on:
            self.shown[f"edited: {choice}"] += 1
        known.rules.append(Rule(cron, zone, self.now))
        known.overlaps |= {overlap}
        known.is_on, known.missed, known.overlap, known.max_age, known.limit = is_on, missed, overlap, age, limit

    def edit_at_rest(self, schedule_id: UUID, cron: str, zone: str, **policies: Any) -> None:
        """One that is off and stays so: what it missed waits for a decision still, or it is said to be lost, and is."""
        known, age = self.believed[schedule_id], CRONS[cron] * 3
        missed, is_kept = figures(known.slots(self.now)), known.keeps(cron, zone, until=self.now)
        changes = {"cron": cron, "timezone": zone, "missed_max_age_seconds": int(age.total_seconds()), **policies}
        changes["missed_limit"] = limit = changes.pop("limit")
        assert self.world.loses(schedule_id, self.now, **changes) == (None if is_kept else missed)
        with nullcontext() if is_kept else self.made_up(schedule_id, Missed.SKIP):
            self.world.edit(schedule_id, self.now, missed_while_paused=Missed.LATEST, **changes)
        self.shown["edited while off"] += not is_kept
        self.shown["edited while off, and kept what it missed"] += is_kept
        known.rules.append(Rule(cron, zone, known.rules[-1].since if is_kept else self.now))
        known.overlaps |= {policies["overlap"]}
        known.missed, known.overlap, known.max_age, known.limit = policies["missed"], policies["overlap"], age, limit

    @rule()
    def stop_or_start_everything(self) -> None:
        if self.is_stopped:
            self.world.start_everything(self.now)
            self.stopped[-1] = (self.stopped[-1][0], self.now)
        else:
            self.world.stop_everything(self.now)
            self.stopped.append((self.now, datetime.max.replace(tzinfo=UTC)))
        self.is_stopped = not self.is_stopped

    @invariant()
    def every_slot_is_accounted_for_once(self) -> None:
        if self.checked_at == self.world.changes:
            return
        self.checked_at, books = self.world.changes, self.world.books()
        for schedule_id, known in self.believed.items():
            self.check_books(known, *books[schedule_id])

    def check_books(self, known: Believed, following: datetime | None, runs: list[Run], gaps: list[Gap]) -> None:
        ran = [run.slot_at for run in runs if run.slot_at is not None]
        in_gaps = [(slot, gap) for gap in gaps for slot in known.between(gap.first_slot_at, gap.last_slot_at)]
        # Exactly the slots of the model, each once, and each gap counts what the model counts.
        assert sorted([*ran, *(slot for slot, _ in in_gaps)]) == known.past
        assert sum(gap.slots for gap in gaps) == len(in_gaps)
        assert all({gap.first_slot_at, gap.last_slot_at} <= set(known.past) for gap in gaps)
        for slot, gap in in_gaps:
            assert gap.reason in self.reasons(known, slot)
        assert known.off & set(ran) == known.wanted
        assert following == known.next_slot()
        states = Counter(run.state for run in runs)
        # What was opened by another policy stays as it was opened.
        if known.overlaps == {Overlap.ALLOW}:
            assert states[RunState.WAITING] == 0
        elif Overlap.ALLOW not in known.overlaps:
            assert states[RunState.READY] + states[RunState.RUNNING] <= 1

    @contextmanager
    def planned(self, *schedule_ids: UUID) -> Iterator[None]:
        """What is due of these is planned within, by what their policies say."""
        ids = [schedule_id for schedule_id in schedule_ids if self.believed[schedule_id].is_on]
        ahead = {schedule_id: self.world.runs(schedule_id, is_active=True) for schedule_id in ids}
        yield
        for schedule_id in ids:
            known = self.believed[schedule_id]
            due = known.slots(self.now)
            # Somebody changes it while nothing is planned: what it missed before that stays missed.
            wanted = [] if self.is_stopped else [slot for slot in due if not self.fell_into_a_stop(slot)]
            opened = known.to_open(wanted, now=self.now)
            self.check_opened(schedule_id, due, opened, ahead[schedule_id], is_wanted=False)
            known.account(self.now)

    @contextmanager
    def made_up(self, schedule_id: UUID, choice: Missed) -> Iterator[Sequence[datetime]]:
        """One that is off is switched on or edited within: these of its slots run, and all before them are one gap."""
        known, before = self.believed[schedule_id], len(self.world.gaps(schedule_id))
        missed, ahead = known.slots(self.now), self.world.runs(schedule_id, is_active=True)
        wanted = newest(missed, known.most_wanted(choice))
        yield wanted
        self.check_opened(schedule_id, missed, wanted, ahead, is_wanted=True)
        left = figures(missed[: len(missed) - len(wanted)])
        gaps = [(gap.slots, gap.first_slot_at, gap.last_slot_at, gap.reason) for gap in self.world.gaps(schedule_id)]
        assert gaps[before:] == ([] if left is None else [(*left, "paused")])
        known.account(self.now)
        known.wanted |= set(wanted)

    def check_opened(
        self, schedule_id: UUID, due: Sequence[datetime], opened: Sequence[datetime], ahead: list[Run], *,
        is_wanted: bool,
    ) -> None:  # fmt: skip
        """Of what was due, exactly these slots have runs now, and they begin as the policy for overlaps says."""
        known, runs = self.believed[schedule_id], self.world.runs(schedule_id)
        states = known.states(opened, goes_on=bool(ahead), waits=waits_for_its_like(ahead), is_wanted=is_wanted)
        is_late = [is_wanted or self.now - slot > LATE_AFTER for slot in opened]
        triggers = [Trigger.CATCH_UP if late else Trigger.SCHEDULE for late in is_late]
        found = [(run.slot_at, run.state, run.trigger) for run in runs if run.slot_at in due]
        assert found == list(zip(opened, states, triggers, strict=True))
        if is_wanted and opened and ahead:
            self.shown["answered beside a run that goes on"] += 1
        if opened and known.overlap is Overlap.CANCEL_PREVIOUS:
            by_id = {run.id: run for run in runs}
            for run in (by_id[one.id] for one in ahead):
                assert run.state == RunState.CANCELLED or run.cancel_requested_at is not None

    def reasons(self, known: Believed, slot: datetime) -> set[str]:
        if slot in known.off:
            return {"paused"}
        return {"scheduling_stopped"} if self.fell_into_a_stop(slot) else {"scheduler_down", "scheduling_stopped"}

    def fell_into_a_stop(self, slot: datetime) -> bool:
        return any(began <= slot < ended for began, ended in self.stopped)

    def read_question(self, schedule_id: UUID) -> int:
        """How many slots it is that somebody has to decide about, as they are told and as the model knows."""
        known, asked = self.believed[schedule_id], self.world.asks(schedule_id, self.now)
        assert asked == (None if known.is_on else figures(known.slots(self.now)))
        return 0 if asked is None else asked.count

    def note_answer(self, known: Believed, choice: Missed, missed: Sequence[datetime]) -> None:
        facts = {
            f"answered: {choice}": bool(missed),
            "answered: nothing missed": not missed,
            "answered: all, beyond the limit": choice is Missed.ALL and len(missed) > known.limit,
            "answered while everything is stopped": self.is_stopped and bool(missed),
            "answered after an edit": len(known.rules) > 1
            and known.rules[-1].since == known.accounted
            and bool(missed),
        }
        self.shown.update(name for name, is_so in facts.items() if is_so)

    def pass_slots(self, known: Believed, number: int) -> None:
        for _ in range(number):
            self.now = known.next_slot(after=self.now)

    def one(self, which: int) -> UUID:
        return list(self.believed)[which % len(self.believed)]

    def teardown(self) -> None:
        self.world.end(self.now)
