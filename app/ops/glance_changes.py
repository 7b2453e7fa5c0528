"""Which schedules look different at a glance than a moment ago: a large organization is not read anew for one run."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, literal, or_, select, union
from sqlalchemy.orm import Session

from app.core.questions import Question
from app.events.models import Event
from app.events.service import Topic
from app.ops.schedule_glances import Glance, read_glances, waits_too_long
from app.ops.schedule_health import ScheduleHealth
from app.runs.models import Run

# More than so many are read as fast with all the others.
MOST_CHANGED = 400
# What was committed late carries an older number than what was seen; nothing is committed later than this.
_COMMITTED_WITHIN = timedelta(seconds=10)
# So far back somebody looks for it. Numbers are those of all organizations together.
_NUMBERS_BACK = 2_000


def renewed(
    session: Session,
    glances: Sequence[Glance],
    found: Collection[tuple[str, UUID]],
    *,
    organization_id: UUID,
    is_stopped: bool,
    now: datetime,
) -> list[Glance] | None:
    """The glances as they are now, of which only some are read; None where all have to be. One statement, or none.

    `found` is what `told_of` has found since they were read.
    """
    changed = {schedule_id for topic, schedule_id in found if topic != Topic.JOBS}
    if len(found) > MOST_CHANGED or any(topic == Topic.JOBS for topic, _ in found):
        return None
    changed |= {one.id for one in glances if _may_change_by_itself(one, now)}
    if not changed:
        return list(glances)
    if len(changed) > MOST_CHANGED:
        return None
    fresh = read_glances(
        session, organization_id=organization_id, now=now, is_stopped=is_stopped, schedule_ids=sorted(changed)
    )
    return [one for one in glances if one.id not in changed] + fresh


def _may_change_by_itself(one: Glance, now: datetime) -> bool:
    """Time alone makes it late, and what was late may have begun."""
    return one.health is ScheduleHealth.LATE or (one.next_run_at is not None and one.next_run_at <= now)


def told_of(
    *, organization_id: UUID, since: Mapping[Topic, int], at: datetime, now: datetime
) -> Question[set[tuple[str, UUID]]]:
    """What there are new events of, by topic, runs by their schedules; and the schedules whose runs wait too long.

    New is what was told since that moment, just before which the newest events had these numbers.
    """

    def told(topic: Topic, subject: Select[Any]) -> Select[Any]:
        number = since[topic]
        is_new = or_(Event.id > number, Event.at >= at - _COMMITTED_WITHIN)
        mine = Event.organization_id == organization_id, Event.topic == topic.value
        topic_column = literal(topic.value, String).label("topic")
        return subject.add_columns(topic_column).where(*mine, Event.id > number - _NUMBERS_BACK, is_new)

    of_runs = select(Run.schedule_id.label("subject_id")).join_from(Event, Run, Run.id == Event.subject_id)
    waiting = waits_too_long(organization_id, now).add_columns(literal(Topic.RUNS.value, String).label("topic"))
    query = union(
        told(Topic.SCHEDULES, select(Event.subject_id)),
        told(Topic.JOBS, select(Event.subject_id)),
        told(Topic.RUNS, of_runs.where(Run.schedule_id.is_not(None))),
        waiting,
    )
    return Question(query.limit(MOST_CHANGED + 1), lambda rows: {(row.topic, row.subject_id) for row in rows})
