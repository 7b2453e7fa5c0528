"""What becomes of each schedule of a batch, without a database: its account, its run, and whether that is skipped."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from app.jobs.kinds.base import KindName
from app.jobs.kinds.sync.connection import needs_connection, what_to_connect
from app.runs.due_schedules import DueSchedule
from app.runs.slot_writes import SlotRun
from app.runs.states import Reason, RunState, Trigger
from app.schedules.fire_times import rhythm
from app.schedules.policies import Missed, Overlap
from app.schedules.slot_accounts import Absence, CursorBetweenSlots, MissedPolicy, SlotAccount, account_for
from app.schedules.stops import SchedulingStopRow

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Circumstances:
    """What is the same for every schedule of a batch."""

    stops: Sequence[SchedulingStopRow]
    absence: Absence
    now: datetime


class Decision(NamedTuple):
    """What becomes of one schedule. Without the account it lacks, `to_connect` says what its job needs."""

    key: str
    account: SlotAccount
    overlap: Overlap
    to_connect: str | None

    @property
    def asks_for_others(self) -> bool:
        """Whether a run that still goes on would keep this one from starting."""
        return self.overlap is Overlap.SKIP and self.account.slot_at is not None and self.to_connect is None


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


def run_of(decision: Decision, in_the_way: str | None) -> SlotRun | None:
    """The run of its slot, if there is one. `in_the_way` is the id of a run that still goes on."""
    account = decision.account
    if account.slot_at is None:
        return None
    trigger = Trigger.CATCH_UP if account.is_catch_up else Trigger.SCHEDULE
    if decision.to_connect is not None:
        return SlotRun(account.slot_at, trigger, RunState.SKIPPED, Reason.NEEDS_CONNECTION, decision.to_connect)
    if in_the_way is None:
        return SlotRun(account.slot_at, trigger)
    words = f"The previous run was still going ({UUID(in_the_way)}), and this schedule does not run twice at once."
    return SlotRun(account.slot_at, trigger, RunState.SKIPPED, Reason.OVERLAP, words)


def _decide(schedule: DueSchedule, here: Circumstances, known: dict[tuple[object, ...], SlotAccount]) -> Decision:
    kind = KindName(schedule.kind)
    to_connect = what_to_connect(schedule.definition or {}) if needs_connection(kind.value) else None
    # Schedules that share rhythm, cursor and policy share the answer.
    question = schedule.question
    account = known.get(question)
    if account is None:
        account = known[question] = _account(schedule, here)
    return Decision(schedule.key, account, Overlap(schedule.overlap), to_connect)


def _account(schedule: DueSchedule, here: Circumstances) -> SlotAccount:
    return account_for(
        rhythm(schedule.cron, timezone=schedule.timezone, spread_key=schedule.spread_key),
        cursor=schedule.cursor,
        policy=MissedPolicy(Missed(schedule.missed), timedelta(seconds=schedule.missed_max_age_seconds)),
        stops=here.stops,
        absence=here.absence,
        now=here.now,
    )
