"""What a schedule would do among the others: its rhythm, its twins, and the load at its next runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.ops.load_notes import FEWEST_OTHERS, LoadNote, hour_of, load_note
from app.ops.overlap_notes import overlap_note
from app.ops.preview_books import PreviewBooks
from app.schedules.fire_times import Rhythm
from app.schedules.load import LoadMap
from app.schedules.policies import Overlap
from app.schedules.preview import RhythmPreview, preview_rhythm
from app.schedules.queries import ScheduleRow
from app.schedules.stored_rhythms import rhythm_of
from app.schedules.twins import Twin, find_twins, twin_note
from app.schedules.zone_load import starts_in_hour

# The load of so many coming runs is looked at, and of the fullest of them is spoken.
_RUNS_WEIGHED = 5


@dataclass(frozen=True)
class Draft:
    """What somebody thinks of saving: a rhythm, of which job, and in the place of which schedule.

    `overlap` is what is chosen for runs that meet; left out, it is what the schedule says, or the usual.
    """

    when: Rhythm
    job_id: UUID | None = None
    before: ScheduleRow | None = None
    overlap: Overlap | None = None

    @property
    def policy(self) -> Overlap:
        if self.overlap is not None:
            return self.overlap
        return Overlap.SKIP if self.before is None else self.before.overlap


@dataclass(frozen=True)
class SchedulePreview:
    """What it would do, beside what the organization has already."""

    rhythm: RhythmPreview
    twins: tuple[Twin, ...]
    twin_note: str | None
    load: LoadNote | None


def preview_schedule(
    session: Session, *, organization_id: UUID, books: PreviewBooks, draft: Draft, now: datetime, count: int
) -> SchedulePreview:
    """The preview of a schedule that is not saved yet, or not as it is now. Works as the organization."""
    typical = None
    if draft.job_id is not None:
        typical = books.typical(session, organization_id=organization_id, job_id=draft.job_id, now=now)
    found = preview_rhythm(draft.when, now=now, count=max(count, _RUNS_WEIGHED), typical=typical)
    too_long = overlap_note(found.next_runs, typical=typical, overlap=draft.policy)
    twins = twins_of(session, organization_id=organization_id, draft=draft, now=now)
    load = books.load(session, organization_id=organization_id, now=now)
    crowd = _fullest(load, draft, found.next_runs[:_RUNS_WEIGHED])
    return SchedulePreview(
        rhythm=replace(
            found, next_runs=found.next_runs[:count], notes=(*found.notes, *([too_long] if too_long else ()))
        ),
        twins=twins,
        twin_note=twin_note(twins),
        load=None if crowd is None else _noted(session, books, organization_id, draft.when, crowd, now),
    )


def twins_of(session: Session, *, organization_id: UUID, draft: Draft, now: datetime) -> tuple[Twin, ...]:
    """The other schedules of its job that fire at the same times from now on."""
    if draft.job_id is None:
        return ()
    besides = None if draft.before is None else draft.before.id
    here = {"organization_id": organization_id, "job_id": draft.job_id}
    return find_twins(session, **here, when=draft.when, now=now, besides=besides)


def twin_note_of(session: Session, *, schedule: ScheduleRow, now: datetime) -> str | None:
    """What to say about a stored schedule whose times its job has elsewhere, too; also of one that was just saved."""
    try:
        draft = Draft(rhythm_of(schedule), schedule.job_id, schedule)
    except Invalid:
        return None
    return twin_note(twins_of(session, organization_id=schedule.organization_id, draft=draft, now=now))


@dataclass(frozen=True)
class _Crowd:
    """A coming run and how many others start in each minute of its hour."""

    at: datetime
    others: int
    hour: tuple[int, ...]


def _fullest(load: LoadMap, draft: Draft, runs: Sequence[datetime]) -> _Crowd | None:
    """The run that most others start with, the first of equals."""
    crowds = [_crowd(load, draft, at) for at in runs]
    return max(crowds, key=lambda crowd: crowd.others, default=None)


def _crowd(load: LoadMap, draft: Draft, at: datetime) -> _Crowd:
    start = hour_of(at, draft.when)
    hour = load.hour(start)
    own = set() if draft.before is None else _own_starts(draft.before, start)
    # It may have been switched on a moment ago, and then the map does not know it yet.
    hour = tuple(max(0, count - (minute in own)) for minute, count in enumerate(hour))
    return _Crowd(at, hour[(at - start) // timedelta(minutes=1)], hour)


def _own_starts(schedule: ScheduleRow, start: datetime) -> set[int]:
    if not schedule.enabled or schedule.problem is not None:
        return set()
    try:
        return starts_in_hour(rhythm_of(schedule), start)
    except Invalid:
        return set()


def _noted(
    session: Session, books: PreviewBooks, organization_id: UUID, when: Rhythm, crowd: _Crowd, now: datetime
) -> LoadNote | None:
    if crowd.others < FEWEST_OTHERS:
        return None
    capacity = books.capacity(session, organization_id=organization_id, now=now)
    return load_note(when, at=crowd.at, hour=crowd.hour, capacity=capacity)
