"""The ledger of one schedule for one day: every slot that its rhythm had then, with what became of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ops.slots.days import Day
from app.ops.slots.judgement import Books, rows_of_era
from app.ops.slots.outcomes import SlotOutcome, SlotRow, SlotRun, row_of_run
from app.runs.models import Run
from app.runs.states import RunState, Trigger
from app.schedules.fire_times import MOMENT
from app.schedules.gaps import GapRow
from app.schedules.models import Gap
from app.schedules.policies import GapReason
from app.schedules.queries import ScheduleRow
from app.schedules.said import Era, eras_of, version_now
from app.schedules.stops import SchedulingStopRow, current_stop
from app.schedules.versions import VersionRow, versions_around
from app.tenants.deleted_runs import deleted_until

# So many versions before a day say who had switched the schedule off; in a day nobody makes more than all of these.
_EARLIER, _VERSIONS = 20, 500


@dataclass(frozen=True)
class SlotLedger:
    """What became of the slots of a day, up to now. `rows` are those that the rhythm had, each once.

    `extras` are runs of other times: the rules of the zone changed since, or a clock was set back.
    """

    day: Day
    until: datetime
    rows: tuple[SlotRow, ...]
    extras: tuple[SlotRow, ...]
    eras: tuple[Era, ...]

    @cached_property
    def counts(self) -> dict[SlotOutcome, int]:
        """How many slots have which outcome, in the order in which the outcomes are defined."""
        found = Counter(row.outcome for row in self.rows)
        return {outcome: found[outcome] for outcome in SlotOutcome if found[outcome]}

    def chosen(self, outcome: SlotOutcome | None) -> tuple[SlotRow, ...]:
        """The slots with one outcome, or all of them. What is expected and counted stays that of the day."""
        return self.rows if outcome is None else tuple(row for row in self.rows if row.outcome is outcome)

    @property
    def unknown(self) -> tuple[Era, ...]:
        """The times of this day of which nobody knows any more which slots they had."""
        return tuple(era for era in self.eras if era.rhythm is None)


def read_ledger(session: Session, *, schedule: ScheduleRow, day: Day, kept_days: int, now: datetime) -> SlotLedger:
    """The ledger of a day. Finished runs are kept for so many days, or for ever where it is none.

    What a job or a setting of before has deleted earlier is known besides.
    """
    until = min(day.end - MOMENT, now)
    versions = _versions(session, schedule, day)
    eras = eras_of(versions, created_at=schedule.created_at)
    books = Books(
        schedule=schedule,
        versions=versions,
        eras=eras,
        runs={run.slot_at: run for run in _runs(session, schedule, day)},
        gaps=_gaps(session, schedule, day),
        stop=_stop(session, schedule, until),
        kept_since=_kept_since(session, schedule, kept_days, now),
        now=now,
    )
    rows = tuple(_rows(books, day, until))
    listed = {row.slot_at for row in rows}
    extras = [row_of_run(run) for slot_at, run in sorted(books.runs.items()) if slot_at not in listed]
    here = [era for era in eras if era.since <= until and (era.until is None or era.until >= day.start)]
    return SlotLedger(day, until, rows, tuple(extras), tuple(here))


def _kept_since(session: Session, schedule: ScheduleRow, kept_days: int, now: datetime) -> datetime | None:
    """Before when runs may be gone: by age, or because somebody or something deleted them earlier than that."""
    gone = deleted_until(session, organization_id=schedule.organization_id)
    # A run may have ended in the very instant of its slot.
    found = [None if gone is None else gone + MOMENT, now - timedelta(days=kept_days) if kept_days else None]
    return max((each for each in found if each is not None), default=None)


def _rows(books: Books, day: Day, until: datetime) -> Iterator[SlotRow]:
    since = day.start - MOMENT
    first = books.eras[0]
    if first.rhythm is not None and since < first.since:
        # What it would have run on that day, had somebody made it earlier.
        yield from rows_of_era(books, first, after=since, until=min(first.since, until))
    for era in books.eras:
        begin, end = max(era.since, since), until if era.until is None else min(era.until, until)
        if begin < end:
            yield from rows_of_era(books, era, after=begin, until=end)


def _versions(session: Session, schedule: ScheduleRow, day: Day) -> Sequence[VersionRow]:
    found = versions_around(
        session,
        organization_id=schedule.organization_id,
        schedule_id=schedule.id,
        since=day.start,
        earlier=_EARLIER,
        limit=_VERSIONS,
    )
    # What was never changed since versions are kept has none, and says what it says now.
    is_kept = bool(found) and found[-1].number >= schedule.version
    return found if is_kept else [*found, version_now(schedule)]


def _runs(session: Session, schedule: ScheduleRow, day: Day) -> Iterator[SlotRun]:
    columns = (
        Run.id, Run.slot_at, Run.state, Run.trigger, Run.error, Run.attempt, Run.started_at, Run.finished_at,
    )  # fmt: skip
    query = select(*columns).where(
        Run.organization_id == schedule.organization_id,
        Run.schedule_id == schedule.id,
        Run.slot_at >= day.start,
        Run.slot_at < day.end,
    )
    for run_id, slot_at, state, trigger, error, attempt, started_at, finished_at in session.execute(query):
        assert slot_at is not None
        yield SlotRun(
            run_id, slot_at, RunState(state), Trigger(trigger), error, attempt, started_at, finished_at
        )  # fmt: skip


def _gaps(session: Session, schedule: ScheduleRow, day: Day) -> list[GapRow]:
    query = select(Gap.first_slot_at, Gap.last_slot_at, Gap.slots, Gap.reason, Gap.explanation).where(
        Gap.organization_id == schedule.organization_id,
        Gap.schedule_id == schedule.id,
        Gap.first_slot_at < day.end,
        Gap.last_slot_at >= day.start,
    )
    found = session.execute(query.order_by(Gap.first_slot_at))
    return [GapRow(first, last, slots, GapReason(reason), words) for first, last, slots, reason, words in found]


def _stop(session: Session, schedule: ScheduleRow, until: datetime) -> SchedulingStopRow | None:
    # Only slots that nobody planned yet may lie in a stop that lasts.
    is_behind = schedule.enabled and schedule.cursor is not None and schedule.cursor <= until
    return current_stop(session) if is_behind else None
