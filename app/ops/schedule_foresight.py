"""What would become of a command on a schedule: its effect, or why it would be refused. Read by API and commands."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.clock_words import Clocks
from app.core.errors import AppError, Conflict, Invalid
from app.jobs.queries import job_names
from app.ops.effect_words import effect_lines
from app.ops.schedule_effects import NEXT_RUNS, Action, Effect, delete_effect, edit_effect, switch_effect
from app.runs.restoring import judge_restore
from app.runs.resuming import refuse_others
from app.schedules.draft import ScheduleDraft
from app.schedules.policies import Missed
from app.schedules.queries import ScheduleRow
from app.schedules.said import draft_says, version_now
from app.schedules.saving import judge_edit
from app.schedules.service import refuse_loss, refuse_switch
from app.schedules.stored_rhythms import rhythm_of
from app.schedules.version_words import change_words, jobs_named
from app.schedules.versions import Difference, VersionRow, differences


@dataclass(frozen=True)
class Foresight:
    """What a command would do, in facts and in words. With `refused` it would do nothing, for that reason."""

    action: Action
    effect: Effect | None
    lines: tuple[str, ...]
    changes: tuple[tuple[Difference, str], ...] = ()
    refused: AppError | None = None


@dataclass(frozen=True)
class Onlooker:
    """Who asks: on whose clock times are said beside the schedule's, when, and for how many of its next runs."""

    viewer_zone: str
    now: datetime
    count: int = NEXT_RUNS


def foresee_edit(
    session: Session, schedule: ScheduleRow, *, draft: ScheduleDraft, version: int, by: Onlooker,
    missed: Missed = Missed.SKIP, seen: int | None = None,
) -> Foresight:  # fmt: skip
    """What saving a draft would do. Raises what saving it would raise."""
    if draft.enabled:
        refuse_others(schedule, missed=missed, seen=seen, now=by.now)
    said = judge_edit(session, before=schedule, draft=draft, version=version, now=by.now)
    return _foresee_saving(session, schedule, said, by, missed)


def foresee_restore(session: Session, schedule: ScheduleRow, *, version: VersionRow, by: Onlooker) -> Foresight:
    """What bringing back an older version would do."""
    try:
        said = judge_restore(session, schedule, version, now=by.now)
    except (Invalid, Conflict) as error:
        return Foresight(Action.RESTORE, None, (), refused=error)
    return replace(_foresee_saving(session, schedule, said, by, Missed.SKIP), action=Action.RESTORE)


def foresee_switch(
    session: Session, schedule: ScheduleRow, *, is_on: bool, by: Onlooker, missed: Missed = Missed.SKIP
) -> Foresight:
    """What switching it on or off would do."""
    return _foresee(
        schedule,
        Action.RESUME if is_on else Action.PAUSE,
        lambda: refuse_switch(schedule, enabled=is_on),
        lambda: switch_effect(session, schedule, is_on=is_on, now=by.now, count=by.count, missed=missed),
        by,
    )


def foresee_deletion(session: Session, schedule: ScheduleRow, *, by: Onlooker) -> Foresight:
    """What deleting it would do."""
    return _foresee(
        schedule,
        Action.DELETE,
        lambda: refuse_loss(schedule),
        lambda: delete_effect(session, schedule, now=by.now, count=by.count),
        by,
    )


def _foresee_saving(
    session: Session, schedule: ScheduleRow, said: ScheduleDraft, by: Onlooker, missed: Missed
) -> Foresight:
    effect = edit_effect(
        session, schedule, when=rhythm_of(said), is_on=said.enabled, now=by.now, count=by.count, missed=missed
    )
    found = differences(version_now(schedule).says, draft_says(said))
    jobs = job_names(session, organization_id=schedule.organization_id, job_ids=jobs_named(found))
    changes = tuple((change, change_words(change, jobs=jobs)) for change in found)
    return Foresight(Action.EDIT, effect, effect_lines(effect, _clocks(schedule, by)), changes)


def _foresee(
    schedule: ScheduleRow, action: Action, refuse: Callable[[], None], read: Callable[[], Effect], by: Onlooker
) -> Foresight:
    try:
        refuse()
    except (Invalid, Conflict) as error:
        return Foresight(action, None, (), refused=error)
    effect = read()
    return Foresight(action, effect, effect_lines(effect, _clocks(schedule, by)))


def _clocks(schedule: ScheduleRow, by: Onlooker) -> Clocks:
    return Clocks(schedule.timezone, by.viewer_zone, by.now)
