"""What of an incident is told while some of what it concerns is in maintenance: the share of the others. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.notifications.cases import About, Case, Thing
from app.notifications.rules import Silence, Window, is_about
from app.notifications.signals import SubjectKind
from app.notifications.types import NotificationType


@dataclass(frozen=True)
class Share:
    """An incident as it is told now. `until` is when the first of its things is muted no longer; None where none is.

    With `is_all` everything that is wrong is muted.
    """

    case: Case
    until: datetime | None = None
    is_all: bool = False


def share_of(case: Case, silence: Silence, *, now: datetime) -> Share:
    """What is left of an incident without what is muted. What of its things was not read counts as not muted."""
    windows = silence.of_parts(now)
    muted = {id_: end for id_, thing in case.things.items() if (end := _ends_at(windows, id_, thing)) is not None}
    if not muted:
        return Share(case)
    left = {id_: thing for id_, thing in case.things.items() if id_ not in muted}
    wrong = [end for id_, end in muted.items() if case.things[id_].is_in_trouble]
    until = min(wrong or muted.values())
    if case.more_in_trouble > 0 or any(thing.is_in_trouble for thing in left.values()):
        return Share(_without(case, muted, left), until)
    # Of one that is over, what is left was in trouble before.
    is_rest = not case.is_open and (left or case.more_things > 0)
    return Share(_without(case, muted, left) if is_rest else case, until, is_all=case.is_open)


def about_thing(id_: UUID, thing: Thing) -> About:
    """What rules and times of maintenance go by, of one thing."""
    schedules = [str(id_)] if thing.kind == SubjectKind.SCHEDULE.value else []
    job_id = id_ if thing.kind == SubjectKind.JOB.value else thing.job_id
    jobs = [] if job_id is None else [str(job_id)]
    return About(schedules, jobs, list(thing.tags), [] if thing.service is None else [thing.service])


def muted_until(about: About, silence: Silence, *, now: datetime) -> datetime | None:
    """When the maintenance of one thing ends; None where it has none."""
    ends = [one.ends_at for one in silence.of_parts(now) if is_about(one.scope_kind, one.scope_value, about)]
    return max(ends, default=None)


def _ends_at(windows: list[Window], id_: UUID, thing: Thing) -> datetime | None:
    about = about_thing(id_, thing)
    ends = [one.ends_at for one in windows if is_about(one.scope_kind, one.scope_value, about)]
    return max(ends, default=None)


def _without(case: Case, muted: Mapping[UUID, datetime], left: dict[UUID, Thing]) -> Case:
    hidden = sum(case.things[id_].happened for id_ in muted)
    share = replace(case, things=left, happened=max(case.happened - hidden, 1), missed_slots=None, made_up=None)
    if not left:
        # Only some that were not read: nothing of those that are muted is said.
        return replace(share, text="", run_id=None, schedule_id=None, job_id=None, title=_unnamed(case))
    newest_id, newest = max(left.items(), key=lambda item: item[1].last_at)
    share.text, share.run_id, share.job_id = newest.words, newest.run_id, newest.job_id
    share.schedule_id = newest_id if newest.kind == SubjectKind.SCHEDULE.value else None
    if case.subject_id not in left:
        share.subject_id, share.subject_kind = newest_id, newest.kind
        share.title = newest.title or f"{newest.name} is in trouble"
    if not case.more_things:
        share.about = _about(left)
        if all(thing.kind == SubjectKind.CONNECTION.value for thing in left.values()):
            # The runs that fail because of it are muted.
            share.more_types = frozenset()
        share.most_in_a_row = max(thing.failures for thing in left.values()) or 1
    return share


def _about(things: Mapping[UUID, Thing]) -> About:
    whole = About()
    for id_, thing in things.items():
        whole.join(about_thing(id_, thing))
    return whole


def _unnamed(case: Case) -> str:
    where = "" if case.connection_name is None else f" on connection “{case.connection_name}”"
    return f"Runs fail{where}" if case.type is NotificationType.RUN_FAILED else case.title
