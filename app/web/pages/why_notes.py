"""The note that says why a schedule did not run, or why a run waits; and the same in a few words."""

from dataclasses import dataclass, replace
from uuid import UUID

from flask import url_for
from sqlalchemy.orm import Session

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.ops.why.answers import why_run, why_schedule
from app.ops.why.reasons import Telling, Why, WhyCode
from app.runs.queries import RunRow
from app.runs.states import RunState
from app.schedules.queries import ScheduleRow
from app.web.context import viewer_zone
from app.web.formatting import absolute_time

# What other notes of the page of a schedule say already.
_SAID_BY_SCHEDULE = frozenset({WhyCode.SET_ASIDE, WhyCode.NEEDS_CONNECTION})
# The same for the path of a run and the note on how its last try ended.
_SAID_BY_RUN = frozenset({WhyCode.NEXT_TRY})
# The same for the row of a schedule in code.
_SAID_BY_ROW = frozenset({WhyCode.LEFT_CODE, WhyCode.PAUSED, WhyCode.SET_ASIDE})
_WAITS = frozenset({RunState.READY, RunState.WAITING, RunState.WAITING_RETRY})
_PAUSES = frozenset({WhyCode.PAUSED, WhyCode.QUEUE_PAUSED})
# It lasts until a person does something.
_NEEDS_A_PERSON = frozenset(
    {
        WhyCode.LEFT_CODE,
        WhyCode.NEVER,
        WhyCode.SCHEDULING_STOPPED,
        WhyCode.SCHEDULER_SILENT,
        WhyCode.NO_WORKER,
        WhyCode.WORKER_PROBLEM,
    }
)
_STANDING = {
    WhyCode.QUEUE_PAUSED: "its queue is paused",
    WhyCode.NO_WORKER: "no worker serves its queue",
    WhyCode.WORKER_PROBLEM: "no worker starts runs",
    WhyCode.CONNECTION_RATE_LIMITED: "its account takes no calls for now",
    WhyCode.DEFERRED: "goes on later",
    WhyCode.CONNECTION_LIMIT: "waits for another run of its connection",
    WhyCode.JOB_LIMIT: "waits for another run of its job",
    WhyCode.ORGANIZATION_LIMIT: "waits for another run of your organization",
    WhyCode.QUEUE_LIMIT: "waits for a place in its queue",
    WhyCode.QUEUE_RATE: "waits for its turn",
    WhyCode.PREVIOUS_RUN: "waits for the run before it",
    WhyCode.CHILDREN: "waits for the runs that it started",
}


@dataclass(frozen=True)
class WhyNote:
    """A note as the page prints it, with a link to what it names."""

    state: str
    title: str
    text: str
    action_label: str = ""
    action_href: str = ""


def note_on_schedule(schedule_id: UUID) -> WhyNote | None:
    """Why this schedule has not run; None where nothing holds it. Raises ScheduleNotFound."""
    organization_id = current_actor().organization_id
    why = why_schedule(request_session(), organization_id=organization_id, schedule_id=schedule_id, telling=telling())
    return _note("Why has it not run?", why, _SAID_BY_SCHEDULE)


def note_on_code_schedule(session: Session, row: ScheduleRow, *, sees_runs: bool) -> WhyNote | None:
    """The same for one that code defines, in a session of its organization. Links to runs where they can be opened."""
    why = why_schedule(session, organization_id=row.organization_id, schedule_id=row.id, telling=telling())
    note = _note("Why has it not run?", why, _SAID_BY_SCHEDULE | {WhyCode.LEFT_CODE})
    if note is None or sees_runs or why.position is not None:
        return note
    return replace(note, action_label="", action_href="")


def words_for_row(why: Why, *, is_on: bool) -> str:
    """What keeps a schedule in code from running, beside what its row says; of one that is off, why its run waits."""
    causes = [one for one in (why, *why.also) if one.holds and one.code not in _SAID_BY_ROW]
    return " Also: ".join(one.words for one in causes if is_on or one.waiting_run_id is not None)


def why_of(run: RunRow) -> Why | None:
    """Why a run waits; None for one that does not."""
    if run.state not in _WAITS:
        return None
    organization_id = current_actor().organization_id
    return why_run(request_session(), organization_id=organization_id, run_id=run.id, telling=telling())


def note_on_run(why: Why | None) -> WhyNote | None:
    """Why this run waits; None where nothing holds it."""
    return None if why is None else _note("Why does it wait?", why, _SAID_BY_RUN)


def standing_words(why: Why | None) -> str:
    """What it waits for, as the last station of its path says it."""
    return "waits for a free slot" if why is None else _STANDING.get(why.code, "waits for a free slot")


def _note(title: str, why: Why, is_said: frozenset[WhyCode]) -> WhyNote | None:
    causes = [one for one in (why, *why.also) if one.holds and one.code not in is_said]
    if not causes:
        return None
    first, *others = causes
    text = " ".join([first.words, *(f"Also: {one.words}" for one in others)])
    return WhyNote(_state(first.code), title, text, *_link(first))


def _state(code: WhyCode) -> str:
    if code in _PAUSES:
        return "paused"
    return "warning" if code in _NEEDS_A_PERSON else "waiting"


def _link(why: Why) -> tuple[str, str]:
    run_id = why.run_id or why.waiting_run_id
    if run_id is not None:
        return "Open the run", url_for("web.run", run_id=run_id)
    return ("Open the queue", url_for("web.queue")) if why.position is not None else ("", "")


def telling() -> Telling:
    """Answers by the clock of whoever reads the page."""
    now, zone = request_now(), viewer_zone()
    return Telling(now, lambda moment: absolute_time(moment, zone=zone, now=now, seconds=True))
