"""What the server says to a schedule's form as it stands: what will happen, what saving changes, what is wrong."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import url_for

from app.core.errors import Invalid, NotFound
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.queries import get_job
from app.jobs.retry_words import retry_words
from app.ops.load_notes import LoadNote
from app.ops.off_example import OffExample, off_example
from app.ops.retry_example import retry_example
from app.schedules.fire_times import Rhythm
from app.schedules.policies import Missed, MissedPolicy, Overlap
from app.schedules.policy_fields import default_max_age
from app.schedules.preview import read_typed
from app.schedules.queries import ScheduleRow
from app.schedules.viewer_notes import viewer_notes
from app.schedules.ways_out import WayOut, way_out
from app.web.context import viewer_zone
from app.web.formatting import duration, wall_clock
from app.web.forms.base import text_of
from app.web.forms.schedules import ScheduleForm
from app.web.pages.schedule_effects import ChangeEffect, effect_of_saving
from app.web.pages.schedule_preview import MORE_RUNS, NEXT_RUNS, Preview, company_of, preview
from app.web.pictures.hour_bars import HourBars, hour_bars


@dataclass(frozen=True)
class JobRules:
    """What the job says about failures: a schedule has no say in it. `example` are the tries of the next run.

    `lengths` is how long the runs of the schedule take, beside the time limit; empty while nobody knows.
    """

    name: str
    href: str
    words: str
    example: str
    warning: str
    lengths: str


@dataclass(frozen=True)
class Crowd:
    """Who else starts at one of the next runs."""

    note: LoadNote
    bars: HourBars


@dataclass(frozen=True)
class Answer:
    """All that depends on what stands in the form. `problems` and `values` are JSON, for the script of the form."""

    preview: Preview
    effect: ChangeEffect | None
    crowd: Crowd | None
    way_out: WayOut | None
    viewer_notes: tuple[str, ...]
    is_on: bool
    example: str
    job_rules: JobRules | None
    text: str
    kind: str
    preset: str
    values: str
    problems: str


def answer_of(form: ScheduleForm, *, before: ScheduleRow | None) -> Answer:
    """The answer to the form, which was checked or is shown for the first time. Never raises."""
    now, when = request_now(), _rhythm_in(form, before)
    count = MORE_RUNS if form.more.data else NEXT_RUNS
    example = None if when is None else _example(form, before, when, now)
    shown = _preview(form, before, count)
    return Answer(
        preview=shown,
        effect=_effect(form, before, when, now, count) if before and when and form.is_sent else None,
        crowd=None if when is None or shown.load is None else _crowd(shown.load, when),
        way_out=None if when is None else way_out(when, now=now),
        viewer_notes=() if when is None else _viewer_notes(when, shown, now),
        is_on=bool(form.enabled.data),
        example="" if when is None or example is None else _example_words(example, when),
        job_rules=_job_rules(form, before, when, now),
        text=text_of(form.cron),
        kind=text_of(form.kind),
        preset=text_of(form.preset),
        # Beside a mistake every field stays as it is.
        values=json.dumps({} if form.mistaken else form.built_values),
        problems=json.dumps({field.name: " ".join(field.errors) for field in form if field.errors}),
    )


def _preview(form: ScheduleForm, before: ScheduleRow | None, count: int) -> Preview:
    try:
        said = form.says_when(before)._asdict()
    except Invalid as error:
        return Preview(error.message, is_valid=False)
    return preview(
        said.pop("cron"),
        viewer_zone=viewer_zone(),
        now=request_now(),
        company=company_of(job_id=_job_id(form), before=before, overlap=_overlap(form)),
        count=count,
        timezone_was=text_of(form.timezone_was),
        **said,
    )


def _overlap(form: ScheduleForm) -> Overlap | None:
    return Overlap(text_of(form.overlap)) if text_of(form.overlap) in set(Overlap) else None


def _rhythm_in(form: ScheduleForm, before: ScheduleRow | None) -> Rhythm | None:
    try:
        said = form.says_when(before)._asdict()
        return read_typed(said.pop("cron"), now=request_now(), **said)
    except Invalid:
        return None


def _viewer_notes(when: Rhythm, shown: Preview, now: datetime) -> tuple[str, ...]:
    last = shown.next_runs[-1].at if shown.next_runs else None
    return viewer_notes(when, viewer_zone=viewer_zone(), now=now, shown_until=last)


def _effect(form: ScheduleForm, before: ScheduleRow, when: Rhythm, now: datetime, count: int) -> ChangeEffect:
    is_on = bool(form.enabled.data)
    return effect_of_saving(before, when=when, is_on=is_on, now=now, count=count)


def _crowd(note: LoadNote, when: Rhythm) -> Crowd:
    wall = note.at.astimezone(when.zone.tzinfo)
    return Crowd(note, hour_bars(note.hour, minute=wall.minute, hour=wall.hour))


def _example(form: ScheduleForm, before: ScheduleRow | None, when: Rhythm, now: datetime) -> OffExample | None:
    try:
        missed = Missed(text_of(form.missed))
        seconds = form.max_age(before) or default_max_age(when)
        policy = MissedPolicy(missed, timedelta(seconds=seconds), form.limit(before))
        return off_example(when, policy=policy, now=now)
    except (Invalid, ValueError, OverflowError):
        return None


def _example_words(example: OffExample, when: Rhythm) -> str:
    since, until = (wall_clock(at.astimezone(when.zone.tzinfo)) for at in (example.since, example.until))
    made_up = "runs once" if example.made_up == 1 else f"runs {example.made_up} times"
    missed = "it" if example.missed == 1 else f"the {example.missed:,} missed"
    then = f"{made_up} at {until}" if example.made_up else f"nothing makes up for {missed}"
    return f"Belfry off from {since} to {until}? → {then}."


def _job_id(form: ScheduleForm) -> UUID | None:
    try:
        return UUID(text_of(form.job_id))
    except ValueError:
        return None


def _job_rules(form: ScheduleForm, before: ScheduleRow | None, when: Rhythm | None, now: datetime) -> JobRules | None:
    job_id = _job_id(form)
    if job_id is None:
        return None
    try:
        job = get_job(request_session(), organization_id=current_actor().organization_id, job_id=job_id)
    except NotFound:
        return None
    found = None if when is None else retry_example(when, retry=job.retry, now=now)
    return JobRules(
        name=job.name,
        href=f"{url_for('web.jobs')}#j-{job.id}",
        words=f"{retry_words(job.retry)} Time limit {duration(timedelta(seconds=job.time_limit_seconds))}.",
        example="" if found is None else found.words,
        warning="" if found is None else found.warning,
        lengths="" if before is None or before.job_id != job.id else _lengths(before, now),
    )


def _lengths(schedule: ScheduleRow, now: datetime) -> str:
    here = {"organization_id": schedule.organization_id, "schedule_id": schedule.id}
    return runtime().previews.lengths(request_session(), **here, now=now).sentence
