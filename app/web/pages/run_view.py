"""One run as its page shows it: its path, what is known about it, its tries and what they returned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import url_for

from app.core.ids import new_id
from app.core.text import first_words
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.kinds.base import KindName
from app.jobs.kinds.sync.connection import connection_of
from app.ops.cancel_words import cancel_words
from app.ops.run_advice import advice_on, is_refused_sync
from app.runs.attempt_queries import AttemptRow, list_attempts
from app.runs.progress import Progress
from app.runs.queries import RunRow, definition_of_run, get_run, retry_policy_of_run
from app.runs.states import AttemptState, Reason, RunState, Trigger
from app.web.context import viewer_zone
from app.web.formatting import absolute_time, duration, state_label
from app.web.pages.badges import Badge, badge_of
from app.web.pages.rights import refusals
from app.web.pages.run_again import takes_parameters
from app.web.pages.run_facts import Fact, parameter_facts, result_facts, run_facts
from app.web.pages.run_family import RunFamily, run_family
from app.web.pages.run_strip import RunsAround, runs_around
from app.web.pages.told import IncidentNote, told_of_run
from app.web.pages.why_notes import WhyNote, note_on_run, standing_words, why_of
from app.web.retry_words import why_no_more, why_then
from app.web.run_words import (
    ATTEMPT_WORDS,
    FLAG_WORDS,
    REASON_WORDS,
    lateness_words,
    named_run,
)

# The table of tries has it in full.
_LONGEST_ERROR = 400
# A path with more stations than this cannot be read; the table of tries has them all.
_MOST_TRIES_IN_PATH = 5
_TROUBLE = frozenset({RunState.FAILED, RunState.WAITING_RETRY})
# Why it waits says by itself when it goes on.
_USES_NO_TRY = frozenset({Reason.KEY_MISSING, Reason.DEFERRED})
# Failures of the job itself, which use up its tries unless another one would end the same way.
_OWN_FAILURES = frozenset({Reason.ERROR, Reason.TIMED_OUT})


@dataclass(frozen=True)
class Step:
    """One station of the run's path."""

    state: str
    label: str
    time: str
    note: str = ""


@dataclass(frozen=True)
class Remark:
    """Why the run stands where it stands."""

    state: str
    title: str
    text: str
    # Where to go on from there: to the run that was in the way, or to where doubts are settled.
    href: str = ""
    href_label: str = "Open that run"


@dataclass(frozen=True)
class TryLine:
    """One try, and how it ended in words."""

    attempt: AttemptRow
    label: str


@dataclass(frozen=True)
class Again:
    """The button that runs it once more. `refusal` is why it is off; a run that goes on has none."""

    is_shown: bool
    refusal: str
    has_parameters: bool
    request_key: str


@dataclass(frozen=True)
class RunView:
    """Everything on the page but the log."""

    run: RunRow
    badge: Badge
    steps: list[Step]
    facts: list[Fact]
    remark: Remark | None
    # What to do about it, where that is known, and where.
    advice: str
    advice_href: str
    why: WhyNote | None
    # The incident that it belongs to, with who was told of that.
    told: IncidentNote | None
    tries: list[TryLine]
    result: list[Fact]
    # What the job was given for this run, without secrets.
    parameters: list[Fact]
    # How long it has been going on and how far it has come, while it does.
    running: str
    refusal: str
    again: Again
    around: RunsAround
    family: RunFamily
    # What cancelling would do, while it can be done, and why this person may not.
    cancel_does: str
    cancel_refusal: str


def run_view(run_id: UUID) -> RunView:
    """The run of this organization. Raises RunNotFound."""
    session, organization_id = request_session(), current_actor().organization_id
    run = get_run(session, organization_id=organization_id, run_id=run_id)
    attempts = list_attempts(session, organization_id=organization_id, run_id=run_id)
    wait, tries_note = why_of(run), _why_tries(run, attempts)
    return RunView(
        run=run,
        badge=badge_of(run),
        steps=_steps(run, attempts, standing=standing_words(wait)),
        facts=run_facts(run, attempts, why=tries_note),
        remark=_remark(run, attempts, tries_note),
        advice=advice_on(run, attempts[-1] if attempts else None),
        advice_href=_connection_href(run, attempts),
        why=note_on_run(wait),
        told=told_of_run(run, attempts),
        tries=[TryLine(attempt, ATTEMPT_WORDS[attempt.state]) for attempt in attempts],
        result=result_facts(attempts[-1].result) if attempts else [],
        parameters=parameter_facts(definition_of_run(session, run=run)),
        running=running_words(run, attempts[-1].progress if attempts else None),
        refusal=refusals().manage_queue,
        again=_again(run),
        around=runs_around(run),
        family=run_family(run),
        cancel_does=cancel_words(session, kinds=runtime().kinds, run=run) if run.can_cancel else "",
        cancel_refusal=refusals().run,
    )


def _connection_href(run: RunRow, attempts: list[AttemptRow]) -> str:
    """The connection that has to be reconnected; empty where that would not help."""
    if not is_refused_sync(run, attempts[-1] if attempts else None):
        return ""
    connection_id = _connection_of(run)
    return "" if connection_id is None else url_for("web.connection", connection_id=connection_id)


def _connection_of(run: RunRow) -> UUID | None:
    definition = definition_of_run(request_session(), run=run)
    return connection_of(definition) if isinstance(definition, Mapping) else None


def running_words(run: RunRow, progress: Progress | None) -> str:
    """How long a run has been going on, and how far it has come. Empty for one that does not."""
    if run.state is not RunState.RUNNING or run.started_at is None:
        return ""
    length = f"for {duration(request_now() - run.started_at)}"
    return length if progress is None else f"{length}: {progress}"


def _why_tries(run: RunRow, attempts: list[AttemptRow]) -> str:
    """Why the next try comes when it does, or why there is none although some are left."""
    gave_up = run.state is RunState.FAILED and run.reason in _OWN_FAILURES and run.attempt < run.tries
    if run.reason in _USES_NO_TRY or not (gave_up or run.state is RunState.WAITING_RETRY):
        return ""
    policy = retry_policy_of_run(request_session(), organization_id=run.organization_id, run_id=run.id)
    last = attempts[-1] if attempts else None
    is_sync = run.kind == KindName.SYNC.value
    return why_no_more(policy, last, is_sync=is_sync) if gave_up else why_then(policy, last)


def _again(run: RunRow) -> Again:
    return Again(
        is_shown=run.is_over,
        refusal=refusals().run or run.why_not_again or "",
        has_parameters=run.is_over and takes_parameters(run),
        request_key=new_id().hex,
    )


def _steps(run: RunRow, attempts: list[AttemptRow], *, standing: str) -> list[Step]:
    asked = run.trigger in {Trigger.MANUAL, Trigger.RETRY}
    steps = [Step("planned", "Asked for" if asked else "Due", _clock(run.due_at))]
    if run.started_at is not None:
        steps.append(Step("running", "Started", _clock(run.started_at), lateness_words(run.lateness)))
    if len(attempts) > 1:
        steps += [_try_step(attempt) for attempt in attempts[-_MOST_TRIES_IN_PATH:]]
    return [*steps, *_last_step(run, standing)]


def _try_step(attempt: AttemptRow) -> Step:
    # A try that was handed back neither went well nor badly.
    state = "waiting" if attempt.state is AttemptState.RELEASED else attempt.state.value
    return Step(state, f"Try {attempt.number}", _clock(attempt.started_at), ATTEMPT_WORDS[attempt.state].lower())


def _last_step(run: RunRow, standing: str) -> list[Step]:
    if run.finished_at is not None:
        return [Step(badge_of(run).state, state_label(run.state), _clock(run.finished_at), _length(run.duration))]
    if run.state is RunState.WAITING_RETRY:
        return [Step(run.state.value, "Next try", _clock(run.ready_at))]
    if run.state is RunState.RUNNING and run.started_at is not None:
        return [Step(run.state.value, "Running", running_words(run, None))]
    return [Step(run.state.value, state_label(run.state), standing)]


def _remark(run: RunRow, attempts: list[AttemptRow], why: str) -> Remark | None:
    if run.is_being_cancelled:
        return Remark("warning", "It is being cancelled.", run.cancel_words or "")
    # Why it waits is said by a note of its own.
    if run.state is RunState.WAITING or (run.reason is None and run.error is None):
        return _odd(run, attempts)
    text = first_words(run.error, longest=_LONGEST_ERROR)
    reason = REASON_WORDS[run.reason] if run.reason is not None else ""
    if run.reason is Reason.DEFERRED:
        return Remark("waiting_retry", reason, f"{text} It has used no try.")
    if run.state in _TROUBLE:
        return Remark(badge_of(run).state, reason or "It failed.", f"{text} {why}".strip())
    if not run.is_over and run.attempt and run.reason is None:
        return Remark("warning", "The try before did not succeed.", text)
    # What was left out or taken away has an explanation that says why all by itself.
    return Remark("skipped", f"{state_label(run.state)}.", text or reason, _href_of_named(run))


def _odd(run: RunRow, attempts: list[AttemptRow]) -> Remark | None:
    """What is odd about a sync that went well."""
    result = attempts[-1].result if attempts and run.state is RunState.SUCCEEDED else {}
    title = FLAG_WORDS.get(result.get("flag"))
    if title is None:
        return None
    note = first_words(str(result.get("note", "")))
    # A doubt is settled by somebody who knows; of an account that is empty there is nothing to say.
    connection_id = _connection_of(run) if result.get("flag") == "suspicious" else None
    href = "" if connection_id is None else url_for("web.streams", connection_id=connection_id)
    return Remark("warning", title, note, href, "Say that it is normal, or sync again")


def _href_of_named(run: RunRow) -> str:
    before = named_run(run.error) if run.reason is Reason.OVERLAP else None
    return url_for("web.run", run_id=before) if before is not None else ""


def _clock(at: datetime) -> str:
    return absolute_time(at, zone=viewer_zone(), now=request_now(), seconds=True)


def _moment(at: datetime | None) -> str:
    return "" if at is None else _clock(at)


def _length(value: timedelta | None) -> str:
    return "" if value is None else duration(value)
