"""What a command on a schedule will make of its slots, decided by the functions that it uses itself. Writes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.runs.planner import with_overlap
from app.runs.resuming import decide_missed, decision_on, missed_meanwhile
from app.runs.slot_decisions import Decision
from app.runs.slot_writes import SlotRun
from app.runs.states import RunState
from app.schedules.clock_steps import absence_now
from app.schedules.policies import Missed, MissedPolicy
from app.schedules.queries import ScheduleRow
from app.schedules.slot_accounts import MissedSlots, account_for
from app.schedules.stops import stops_since
from app.schedules.stored_rhythms import rhythm_of


@dataclass(frozen=True)
class Foreseen:
    """Slots and what will become of them: some run, now or in their turn, some are skipped, some stay without a run.

    With `replaces`, the runs of the schedule that have no end yet make room for those that run.
    """

    runs: tuple[datetime, ...] = ()
    skipped: tuple[datetime, ...] = ()
    why_skipped: str | None = None
    lost: MissedSlots | None = None
    replaces: bool = False

    @property
    def count(self) -> int:
        return len(self.runs) + len(self.skipped) + (0 if self.lost is None else self.lost.count)

    @property
    def first(self) -> datetime:
        return min(self._ends)

    @property
    def last(self) -> datetime:
        return max(self._ends)

    @property
    def _ends(self) -> list[datetime]:
        lost = [] if self.lost is None else [self.lost.first, self.lost.last]
        return [*self.runs, *self.skipped, *lost]


def foresee_due(session: Session, schedule: ScheduleRow, *, now: datetime) -> Foreseen | None:
    """Slots that are due and not planned yet: each command plans them first. None where there are none."""
    cursor = schedule.next_run_at
    if cursor is None or cursor > now:
        return None
    policy = MissedPolicy(
        schedule.missed, timedelta(seconds=schedule.missed_max_age_seconds), schedule.missed_limit
    )  # fmt: skip
    try:
        account = account_for(
            rhythm_of(schedule), cursor=cursor, policy=policy, stops=stops_since(session, since=cursor),
            absence=absence_now(session, now=now), now=now,
        )  # fmt: skip
    except Invalid:
        # Set aside or worked out anew: no slot of it is known.
        return None
    return _foreseen(session, decision_on(session, schedule, account, is_wanted=False), now)


def foresee_missed(session: Session, schedule: ScheduleRow, *, missed: Missed, now: datetime) -> Foreseen | None:
    """Slots missed while it was off, if it is switched on with this choice. None where there are none."""
    slots = missed_meanwhile(schedule, now=now)
    if slots is None:
        return None
    decision = decide_missed(session, schedule, missed=missed, now=now)
    return Foreseen(lost=slots) if decision is None else _foreseen(session, decision, now)


def _foreseen(session: Session, decision: Decision, now: datetime) -> Foreseen:
    (write,) = with_overlap(session, [decision], now=now)
    skipped = [run for run in write.runs if run.state is RunState.SKIPPED]
    gaps = write.gaps
    lost = (
        MissedSlots(sum(gap.slots for gap in gaps), min(gap.first_slot_at for gap in gaps),
                    max(gap.last_slot_at for gap in gaps))
        if gaps
        else None
    )  # fmt: skip
    return Foreseen(
        runs=_slots(run for run in write.runs if run.state is not RunState.SKIPPED),
        skipped=_slots(skipped),
        why_skipped=skipped[0].explanation if skipped else None,
        lost=lost,
        replaces=write.replaces is not None,
    )


def _slots(runs: Iterable[SlotRun]) -> tuple[datetime, ...]:
    return tuple(run.slot_at for run in runs)
