"""Slots of schedules in code that nothing was started for within the last days: how many, which, and why. Reads only.

Sessions work as the installation's own organization.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import String, Subquery, cast, func, literal, null, select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.questions import Question, ask_together
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.fire_times import MOMENT, count_fires, next_fire
from app.schedules.gap_words import GAP_REASONS
from app.schedules.models import Gap, Schedule
from app.schedules.policies import LATE_AFTER, GapReason, Missed
from app.schedules.queries import ScheduleRow, list_schedules
from app.schedules.slot_accounts import MissedSlots, count_missed
from app.schedules.stored_rhythms import rhythm_of
from app.tenants.models import SYSTEM_ORGANIZATION_ID

RECENTLY = timedelta(days=7)
_GAPS_IN_WORDS = {reason.value: f"{words[0].upper()}{words[1:]}." for reason, words in GAP_REASONS.items()}
_NOT_PLANNED = "No scheduler has planned anything since then."
_NOT_STARTED = (RunState.SKIPPED.value, RunState.MISSED.value)


@dataclass(frozen=True)
class PassedOver:
    """A slot that no run was started for, or several in a row, and why."""

    code_id: str
    first_slot_at: datetime
    slots: int
    why: str


@dataclass(frozen=True)
class PassedOverRows:
    """Some of these, and how many there are in all."""

    rows: list[PassedOver]
    total: int


def count_passed_over(session: Session, schedules: Sequence[ScheduleRow], *, now: datetime) -> dict[UUID, int]:
    """How many slots of each of these schedules were passed over within 7 days, also those not accounted for yet."""
    return numbers_passed_over(schedules, *ask_together(session, *passed_over_rows(now=now)), now=now)


def passed_over_rows(*, now: datetime) -> tuple[Question[Sequence[Any]], ...]:
    """What `numbers_passed_over` needs to know, as questions: runs, gaps of these days, and those that began before."""
    since = now - RECENTLY
    here = Run.organization_id == SYSTEM_ORGANIZATION_ID, Run.schedule_id.is_not(None)
    skipped = (
        select(Run.schedule_id, func.count())
        .where(*here, Run.state.in_(_NOT_STARTED), Run.finished_at >= since)
        .group_by(Run.schedule_id)
    )
    recorded = Gap.organization_id == SYSTEM_ORGANIZATION_ID, Gap.reason != GapReason.PAUSED.value
    within = select(Gap.schedule_id, func.sum(Gap.slots)).where(*recorded, Gap.first_slot_at >= since)
    began_before = select(Gap.schedule_id, Gap.last_slot_at, Gap.slots)
    began_before = began_before.where(*recorded, Gap.first_slot_at < since, Gap.last_slot_at >= since)
    return Question(skipped, list), Question(within.group_by(Gap.schedule_id), list), Question(began_before, list)


def numbers_passed_over(
    schedules: Sequence[ScheduleRow],
    skipped: Sequence[Any],
    within: Sequence[Any],
    began_before: Sequence[Any],
    *,
    now: datetime,
) -> dict[UUID, int]:
    """What `count_passed_over` says, by the answers to these questions."""
    since = now - RECENTLY
    found: Counter[UUID] = Counter()
    for schedule_id, number in [*skipped, *within]:
        if schedule_id is not None:
            found[schedule_id] += int(number)
    by_id = {row.id: row for row in schedules}
    for schedule_id, last, slots in began_before:
        found[schedule_id] += _since(by_id.get(schedule_id), since, last, slots)[1]
    for row in schedules:
        missed = _not_planned(row, now)
        found[row.id] += 0 if missed is None else missed.count
    return found


def list_passed_over(session: Session, *, now: datetime, limit: int, offset: int = 0) -> PassedOverRows:
    """What was passed over within 7 days without a run, and how many rows that are.

    First what nobody has accounted for yet, then the newest slots. Rows come anywhere, and leave at the end, when
    their last slot is too old. Whoever goes on from an offset sees some twice, and misses none.
    """
    since = now - RECENTLY
    schedules = {
        row.id: row
        for row in list_schedules(session, organization_id=SYSTEM_ORGANIZATION_ID)
        if row.code is not None and not row.code.is_elsewhere
    }
    waiting = _waiting(list(schedules.values()), now)
    found = _passed_over(since, schedules)
    order = found.c.passed_at.desc(), found.c.first_slot_at.desc(), found.c.id
    begin = max(0, offset - len(waiting))
    shown = waiting[offset : offset + limit]
    newest_first = select(found).order_by(*order).limit(limit - len(shown)).offset(begin)
    for row in session.execute(newest_first):
        one = PassedOver(row.code_id, row.first_slot_at, row.slots, row.why or _GAPS_IN_WORDS.get(row.reason, ""))
        if one.first_slot_at < since and row.reason is not None:
            first, slots = _since(schedules.get(row.schedule_id), since, row.passed_at, one.slots)
            one = replace(one, first_slot_at=first, slots=slots)
        shown.append(one)
    recorded = session.scalar(select(func.count()).select_from(found)) or 0
    return PassedOverRows(shown, len(waiting) + recorded)


def _waiting(schedules: Sequence[ScheduleRow], now: datetime) -> list[PassedOver]:
    missed = [(row, _not_planned(row, now)) for row in schedules]
    found = [
        PassedOver(row.code.id, slots.first, slots.count, _NOT_PLANNED)
        for row, slots in missed
        if slots is not None and row.code is not None
    ]
    return sorted(found, key=lambda one: (one.first_slot_at, one.code_id), reverse=True)


def _not_planned(row: ScheduleRow, now: datetime) -> MissedSlots | None:
    """The slots that a schedule will skip as soon as somebody plans it, because they are late already."""
    if row.next_run_at is None or row.missed is not Missed.SKIP:
        return None
    try:
        begin = max(row.next_run_at, now - RECENTLY)
        return count_missed(rhythm_of(row), cursor=begin, now=now - LATE_AFTER - MOMENT)
    except Invalid:
        # Nobody knows the times of what cannot be read.
        return None


def _since(row: ScheduleRow | None, since: datetime, last_slot_at: datetime, slots: int) -> tuple[datetime, int]:
    """The first slot of a gap that lies within the time, and how many do; the last one does."""
    try:
        when = None if row is None else rhythm_of(row)
    except Invalid:
        when = None
    if when is None:
        return since, slots
    number = count_fires(when, after=since - MOMENT, until=last_slot_at)
    # The rhythm may have been another one then.
    return next_fire(when, after=since - MOMENT) or since, min(slots, max(1, number))


def _passed_over(since: datetime, schedule_ids: Collection[UUID]) -> Subquery:
    in_code = Schedule.organization_id == SYSTEM_ORGANIZATION_ID, Schedule.id.in_(schedule_ids)
    no_reason = cast(null(), String).label("reason")
    skipped = (
        select(
            Run.id, Run.schedule_id, Schedule.code_id, Run.due_at.label("first_slot_at"), literal(1).label("slots"),
            Run.error.label("why"), no_reason, Run.finished_at.label("passed_at"),
        )
        .join(Run, Run.schedule_id == Schedule.id)
        .where(*in_code, Run.state.in_(_NOT_STARTED), Run.finished_at >= since)
    )  # fmt: skip
    gaps = (
        select(
            Gap.id, Gap.schedule_id, Schedule.code_id, Gap.first_slot_at, Gap.slots, Gap.explanation, Gap.reason,
            Gap.last_slot_at,
        )
        .join(Gap, Gap.schedule_id == Schedule.id)
        .where(*in_code, Gap.last_slot_at >= since, Gap.reason != GapReason.PAUSED.value)
    )  # fmt: skip
    return skipped.union_all(gaps).subquery()
