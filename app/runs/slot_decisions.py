"""What becomes of each schedule of a batch, without a database: its account, its run, and whether that is skipped."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from app.jobs.kinds.base import KindName
from app.jobs.kinds.sync.connection import connection_of, needs_connection, what_to_connect
from app.runs.due_schedules import DueSchedule
from app.runs.slot_writes import InTheWay, SlotRun
from app.runs.states import Reason, RunState, Trigger
from app.schedules.policies import Missed, MissedPolicy, Overlap, is_missed
from app.schedules.slot_accounts import Absence, CursorBetweenSlots, SlotAccount, account_for
from app.schedules.stops import SchedulingStopRow
from app.schedules.stored_rhythms import rhythm_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Circumstances:
    """What is the same for every schedule of a batch."""

    stops: Sequence[SchedulingStopRow]
    absence: Absence
    now: datetime


class Held(NamedTuple):
    """Why nothing of a schedule starts, and what to do about it."""

    reason: Reason
    words: str


class Decision(NamedTuple):
    """What becomes of one schedule. What its job lacks keeps every slot from running."""

    key: str
    account: SlotAccount
    overlap: Overlap
    held: Held | None
    # Somebody wants these slots to run: then they wait for the run before them, where they would be skipped.
    is_wanted: bool = False

    @property
    def asks_for_others(self) -> bool:
        """Whether a run that still goes on would keep this one from starting."""
        return self.overlap is not Overlap.ALLOW and bool(self.account.slots) and self.held is None

    def replaces(self, ahead: InTheWay | None) -> bool:
        """Whether the runs before its own are to end."""
        return ahead is not None and self.overlap is Overlap.CANCEL_PREVIOUS


def decide_all(
    schedules: Sequence[DueSchedule], here: Circumstances
) -> tuple[list[Decision], list[tuple[DueSchedule, Exception]]]:
    """A decision for each that can be understood, and the error of each that cannot."""
    decisions: list[Decision] = []
    refused: list[tuple[DueSchedule, Exception]] = []
    known: dict[tuple[object, ...], SlotAccount] = {}
    for schedule in schedules:
        try:
            decisions.append(_decide(schedule, here, known))
        except CursorBetweenSlots as error:
            refused.append((schedule, error))
        except Exception as error:
            # Whatever is wrong with one row must not stop the others.
            log.exception("a schedule cannot be planned", extra={"schedule_id": schedule.key})
            refused.append((schedule, error))
    return decisions, refused


def why_held(kind: KindName, definition: Mapping[str, Any], *, left_at: datetime | None) -> Held | None:
    """What keeps a job from running at all; None where nothing does. `left_at` is when it left the code."""
    if left_at is not None:
        words = f"Its job is no longer in the code, since {left_at:%Y-%m-%d %H:%M} UTC. Put it back there."
        return Held(Reason.LEFT_CODE, words)
    is_held = needs_connection(kind.value, connection_of(definition))
    return Held(Reason.NEEDS_CONNECTION, what_to_connect(definition)) if is_held else None


def runs_of(decision: Decision, ahead: InTheWay | None, *, now: datetime) -> tuple[SlotRun, ...]:
    """The runs of its slots. `ahead` are those of the schedule that still go on.

    Slots that are made up for together count as one arrival: they go one after the other, or are all skipped.
    """
    runs = []
    for place, slot_at in enumerate(decision.account.slots):
        is_late = decision.is_wanted or is_missed(slot_at, now=now)
        runs.append(_run_of(decision, slot_at, place, ahead, Trigger.CATCH_UP if is_late else Trigger.SCHEDULE))
    return tuple(runs)


def _run_of(decision: Decision, slot_at: datetime, place: int, ahead: InTheWay | None, trigger: Trigger) -> SlotRun:
    if decision.held is not None:
        return SlotRun(slot_at, trigger, RunState.SKIPPED, *decision.held)
    why_skipped = _why_skipped(decision, ahead)
    if why_skipped is not None:
        return SlotRun(slot_at, trigger, RunState.SKIPPED, Reason.OVERLAP, why_skipped)
    if decision.overlap is Overlap.ALLOW or (ahead is None and place == 0):
        return SlotRun(slot_at, trigger)
    return SlotRun(slot_at, trigger, RunState.WAITING, Reason.OVERLAP, _why_waiting(decision, place, ahead))


def _why_skipped(decision: Decision, ahead: InTheWay | None) -> str | None:
    if ahead is None or decision.is_wanted:
        return None
    if decision.overlap is Overlap.SKIP:
        first = UUID(ahead.first)
        return f"The previous run was still going ({first}), and this schedule does not run twice at once."
    if decision.overlap is Overlap.QUEUE_ONE and ahead.waiting is not None:
        waiting = UUID(ahead.waiting)
        return f"A run waited already ({waiting}) for the previous one to end, and this schedule lets only one wait."
    return None


def _why_waiting(decision: Decision, place: int, ahead: InTheWay | None) -> str:
    if place > 0 or ahead is None:
        return "It waits for the run of the slot before: slots that are made up for go one after the other."
    if decision.overlap is Overlap.CANCEL_PREVIOUS:
        return f"It waits until the previous run has stopped ({UUID(ahead.first)}), whose place it takes."
    return f"It waits for the previous run to end ({UUID(ahead.first)})."


def replacing_words(account: SlotAccount) -> str:
    """What a run says that had to make room for these slots."""
    return f"The run of the slot at {account.slots[-1]:%Y-%m-%d %H:%M} UTC took its place."


def _decide(schedule: DueSchedule, here: Circumstances, known: dict[tuple[object, ...], SlotAccount]) -> Decision:
    held = why_held(KindName(schedule.kind), schedule.definition or {}, left_at=schedule.job_left_at)
    # Schedules that share rhythm, cursor and policy share the answer.
    question = schedule.question
    account = known.get(question)
    if account is None:
        account = known[question] = _account(schedule, here)
    return Decision(schedule.key, account, Overlap(schedule.overlap), held)


def _account(schedule: DueSchedule, here: Circumstances) -> SlotAccount:
    return account_for(
        rhythm_of(schedule),
        cursor=schedule.cursor,
        policy=MissedPolicy(
            Missed(schedule.missed), timedelta(seconds=schedule.missed_max_age_seconds), schedule.missed_limit
        ),
        stops=here.stops,
        absence=here.absence,
        now=here.now,
    )
