"""What the page of one schedule shows. Reads, never writes."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.jobs.kinds.sync.connection import needs_connection, what_to_connect
from app.notifications.incident_rows import IncidentRow, incidents_of_thing
from app.notifications.mutes import Mute, mute_of_schedule
from app.ops.schedule_history import list_history
from app.ops.schedule_preview import twin_note_of
from app.ops.source_words import TRIGGER_WORDS
from app.runs.filters import RunFilter
from app.runs.queries import RunRow
from app.runs.run_hours import NOTHING, RATE_WINDOW, counts_of_schedules
from app.runs.run_lists import list_runs
from app.runs.states import RunState
from app.schedules.owners import owner_words
from app.schedules.policy_words import OVERLAP_SENTENCES, missed_sentence
from app.schedules.queries import ScheduleRow, get_schedule
from app.web.formatting import absolute_time
from app.web.pages.badges import Badge, badge_of
from app.web.pages.resume_question import resume_question
from app.web.pages.schedule_history import HistoryLine, history_lines
from app.web.pages.schedule_pictures import SchedulePictures, read_pictures
from app.web.pages.schedule_preview import Preview, preview_stored
from app.web.pages.schedule_rows import next_run_note, refused_connection_href, why_it_stays
from app.web.pages.schedule_tiles import success_words
from app.web.pages.schedule_view import ScheduleView
from app.web.pictures.strip import SLOTS

RUNS_SHOWN = 20
EVENTS_SHOWN = 10
INCIDENTS_SHOWN = 3
# More than this many waiting runs of one schedule are told as this many.
_MOST_WAITING = 1000


@dataclass(frozen=True)
class RunLine:
    """One of the last runs."""

    run: RunRow
    badge: Badge
    trigger: str


@dataclass(frozen=True)
class Detail:
    """A schedule with everything its page says about it."""

    schedule: ScheduleRow
    view: ScheduleView
    pictures: SchedulePictures
    preview: Preview
    next_note: str
    overlap: str
    missed: str
    switched: str
    owner: str
    missed_meanwhile: str
    rate: str
    runs: tuple[RunLine, ...]
    history: tuple[HistoryLine, ...]
    request_key: str
    to_connect: str
    # The connection whose login was refused, so that it was switched off.
    connection_href: str
    is_stopped: bool
    no_deletion: str
    mute: Mute | None
    # What goes wrong with it and is not over.
    incidents: list[IncidentRow]


def read_detail(
    session: Session,
    *,
    organization_id: UUID,
    schedule_id: UUID,
    view: ScheduleView,
    viewer_zone: str,
    is_stopped: bool,
    now: datetime,
) -> Detail:
    """One schedule for its page. Raises ScheduleNotFound."""
    row = get_schedule(session, organization_id=organization_id, schedule_id=schedule_id)
    runs = list_runs(
        session, organization_id=organization_id, run_filter=RunFilter(schedule_id=row.id), limit=SLOTS
    ).rows
    since = now - RATE_WINDOW
    ended = counts_of_schedules(session, organization_id=organization_id, schedule_ids=[row.id], since=since)
    history = list_history(
        session, organization_id=organization_id, schedule_id=row.id, limit=EVENTS_SHOWN, newest=runs
    )
    pictures = read_pictures(
        session, row, view=view, runs=runs, viewer_zone=viewer_zone, is_stopped=is_stopped, now=now
    )
    question = resume_question(row, now=now)
    return Detail(
        schedule=row,
        view=view,
        pictures=pictures,
        preview=_preview(session, row, view=view, viewer_zone=viewer_zone, now=now),
        next_note=next_run_note(row, viewer_zone=viewer_zone, is_stopped=is_stopped, now=now),
        overlap=OVERLAP_SENTENCES[row.overlap],
        missed=missed_sentence(row.missed, limit=row.missed_limit, max_age_seconds=row.missed_max_age_seconds),
        switched=_switched_words(row, zone=pictures.zone, now=now),
        owner=_sentence(owner_words(row)),
        missed_meanwhile="" if question is None else question.sentence,
        rate=success_words(ended.get(row.id, NOTHING)),
        runs=tuple(RunLine(run, badge_of(run), TRIGGER_WORDS[run.trigger]) for run in runs[:RUNS_SHOWN]),
        history=history_lines(session, history, organization_id=organization_id, zone=pictures.zone, now=now),
        request_key=new_id().hex,
        to_connect=what_to_connect({"service": row.service})
        if needs_connection(row.job_kind, row.connection_id)
        else "",
        connection_href=refused_connection_href(row),
        is_stopped=is_stopped,
        no_deletion=why_it_stays(row),
        mute=mute_of_schedule(session, organization_id=organization_id, schedule_id=schedule_id, now=now),
        incidents=incidents_of_thing(
            session, organization_id=organization_id, subject_id=schedule_id, limit=INCIDENTS_SHOWN
        ),
    )


def _preview(session: Session, row: ScheduleRow, *, view: ScheduleView, viewer_zone: str, now: datetime) -> Preview:
    found = preview_stored(row, viewer_zone=viewer_zone, now=now, count=view.next_runs)
    twin_note = twin_note_of(session, schedule=row, now=now)
    return found if twin_note is None else replace(found, notes=(*found.notes, twin_note))


def count_waiting(
    session: Session, *, organization_id: UUID, schedule_id: UUID | None = None, job_id: UUID | None = None
) -> int:
    """How many runs wait to be started, of a schedule or of a job."""
    wanted = RunFilter(schedule_id=schedule_id, job_id=job_id)
    found = 0
    for state in (RunState.READY, RunState.WAITING, RunState.WAITING_RETRY):
        narrowed = wanted.with_state(state)
        page = list_runs(session, organization_id=organization_id, run_filter=narrowed, limit=_MOST_WAITING)
        found += len(page.rows)
    return found


def _switched_words(row: ScheduleRow, *, zone: str, now: datetime) -> str:
    if row.switched_at is None:
        return ""
    return f"by {row.switched_by}, {absolute_time(row.switched_at, zone=zone, now=now)}"


def _sentence(words: str) -> str:
    # An address stays as it is.
    return words if "@" in words.partition(" ")[0] else words[:1].upper() + words[1:]
