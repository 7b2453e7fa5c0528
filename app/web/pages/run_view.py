"""One run as its page shows it: its path, what is known about it, its tries and what they returned."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.kinds.base import KindName
from app.ops.cancel_words import cancel_words
from app.runs.attempt_queries import AttemptRow, list_attempts
from app.runs.progress import Progress
from app.runs.queries import RunRow, definition_of_run, get_run, retry_policy_of_run
from app.runs.states import AttemptState, Reason, RunState, Trigger
from app.tenants.access import Permission, may
from app.tenants.audit_masks import masked
from app.tenants.queries import find_email
from app.web.context import viewer_zone
from app.web.formatting import absolute_time, duration, state_label
from app.web.pages.badges import Badge, badge_of
from app.web.pages.rights import refusals
from app.web.pages.run_family import RunFamily, run_family
from app.web.pages.why_notes import WhyNote, note_on_run, standing_words, why_of
from app.web.retry_words import why_no_more, why_then
from app.web.run_words import (
    ATTEMPT_WORDS,
    REASON_WORDS,
    TRIGGER_WORDS,
    first_words,
    lateness_words,
    named_run,
    tries_words,
)

_LONGEST_VALUE = 2000
# The table of tries has it in full.
_LONGEST_ERROR = 400
# A path with more stations than this cannot be read; the table of tries has them all.
_MOST_TRIES_IN_PATH = 5
_TROUBLE = frozenset({RunState.FAILED, RunState.WAITING_RETRY})
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
class Fact:
    """One line of what is known."""

    term: str
    text: str
    href: str = ""
    note: str = ""


@dataclass(frozen=True)
class Remark:
    """Why the run stands where it stands."""

    state: str
    title: str
    text: str
    # The run that was in the way.
    run_href: str = ""


@dataclass(frozen=True)
class TryLine:
    """One try, and how it ended in words."""

    attempt: AttemptRow
    label: str


@dataclass(frozen=True)
class RunView:
    """Everything on the page but the log."""

    run: RunRow
    badge: Badge
    steps: list[Step]
    facts: list[Fact]
    remark: Remark | None
    why: WhyNote | None
    tries: list[TryLine]
    result: list[Fact]
    # What the job was given for this run, without secrets.
    parameters: list[Fact]
    # How long it has been going on and how far it has come, while it does.
    running: str
    refusal: str
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
        facts=_facts(run, _who_asked(run), attempts, tries_note),
        remark=_remark(run, tries_note),
        why=note_on_run(wait),
        tries=[TryLine(attempt, ATTEMPT_WORDS[attempt.state]) for attempt in attempts],
        result=result_facts(attempts[-1].result) if attempts else [],
        parameters=parameter_facts(definition_of_run(session, run=run)),
        running=running_words(run, attempts[-1].progress if attempts else None),
        refusal=refusals().manage_queue,
        family=run_family(run),
        cancel_does=cancel_words(session, kinds=runtime().kinds, run=run) if run.can_cancel else "",
        cancel_refusal=refusals().run,
    )


def running_words(run: RunRow, progress: Progress | None) -> str:
    """How long a run has been going on, and how far it has come. Empty for one that does not."""
    if run.state is not RunState.RUNNING or run.started_at is None:
        return ""
    length = f"for {duration(request_now() - run.started_at)}"
    return length if progress is None else f"{length}: {progress}"


def _why_tries(run: RunRow, attempts: list[AttemptRow]) -> str:
    """Why the next try comes when it does, or why there is none although some are left."""
    gave_up = run.state is RunState.FAILED and run.reason in _OWN_FAILURES and run.attempt < run.tries
    if run.reason is Reason.KEY_MISSING or not (gave_up or run.state is RunState.WAITING_RETRY):
        return ""
    policy = retry_policy_of_run(request_session(), organization_id=run.organization_id, run_id=run.id)
    last = attempts[-1] if attempts else None
    return why_no_more(policy, last) if gave_up else why_then(policy, last)


def result_facts(result: Mapping[str, Any]) -> list[Fact]:
    """What a job returned, as lines: one for each value, and one for each named part of a list, such as a step."""
    facts: list[Fact] = []
    for name, value in result.items():
        if _has_named_parts(value):
            facts += [Fact(str(part["name"]), _in_words(part)) for part in value]
        else:
            facts.append(Fact(_words(name), _plain(value)))
    return facts


def parameter_facts(definition: Mapping[str, Any]) -> list[Fact]:
    """The arguments in a run's definition as lines. What is called like a secret, or looks like one, is masked."""
    arguments = definition.get("arguments")
    if not isinstance(arguments, dict):
        return []
    return [Fact(str(name), _plain(masked(str(name), value))) for name, value in arguments.items()]


def _who_asked(run: RunRow) -> str:
    if run.requested_by is None:
        return ""
    return find_email(request_session(), user_id=run.requested_by) or ""


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


def _facts(run: RunRow, who: str, attempts: list[AttemptRow], why: str) -> list[Fact]:
    facts = [
        Fact("Job", run.job_name, _job_href(run)),
        _schedule_fact(run),
        Fact("Trigger", TRIGGER_WORDS[run.trigger], note=f"by {who}" if who else ""),
        Fact("Due", _moment(run.due_at)),
        Fact(
            "Started",
            _moment(run.started_at) or ("Never" if run.is_over else "Not yet"),
            note=lateness_words(run.lateness),
        ),
        Fact("Ended", _moment(run.finished_at)),
        Fact("Duration", _length(run.duration), note="waits between tries included" if run.attempt > 1 else ""),
        Fact("Next try", _moment(run.ready_at) if run.state is RunState.WAITING_RETRY else "", note=why),
        Fact("Longer than expected", _moment(run.slow_at), note=_soft_limit(run)),
        Fact("Progress", str(attempts[-1].progress or "") if attempts and run.state is not RunState.RUNNING else ""),
        Fact("Tries", tries_words(run.attempt, run.tries) if run.attempt else ""),
        Fact("Worker", run.worker or ""),
        Fact("Removed", _moment(run.removed_at), note="from the queue, by hand" if run.removed_at else ""),
        _run_link("Retry of", "an earlier run", run.retry_of_run_id),
        _run_link("Retried by", "a newer run", run.retried_by_run_id),
        Fact("Run", str(run.id)),
    ]
    return [fact for fact in facts if fact.text]


def _schedule_fact(run: RunRow) -> Fact:
    if run.schedule_id is None:
        return Fact("Schedule", "None")
    # Among the runs of its schedule this one is marked.
    href = url_for("web.schedule", schedule_id=run.schedule_id, run=run.id)
    return Fact("Schedule", run.schedule_name or "", href)


def _job_href(run: RunRow) -> str:
    # A job's page is its form, which is for those alone who may change it; a sync has none.
    has_form = run.kind != KindName.SYNC.value and may(current_actor(), Permission.EDIT_JOBS)
    return url_for("web.edit_job", job_id=run.job_id) if has_form else ""


def _run_link(term: str, text: str, run_id: UUID | None) -> Fact:
    return Fact(term, text, url_for("web.run", run_id=run_id)) if run_id else Fact(term, "")


def _soft_limit(run: RunRow) -> str:
    limit = run.soft_limit_seconds
    return "" if limit is None else f"expected to take {duration(limit)} at most"


def _remark(run: RunRow, why: str) -> Remark | None:
    if run.is_being_cancelled:
        return Remark("warning", "It is being cancelled.", run.cancel_words or "")
    # Why it waits is said by a note of its own.
    if run.state is RunState.WAITING or (run.reason is None and run.error is None):
        return None
    text = first_words(run.error, longest=_LONGEST_ERROR)
    reason = REASON_WORDS[run.reason] if run.reason is not None else ""
    if run.state in _TROUBLE:
        return Remark(badge_of(run).state, reason or "It failed.", f"{text} {why}".strip())
    if not run.is_over and run.attempt and run.reason is None:
        return Remark("warning", "The try before did not succeed.", text)
    # What was left out or taken away has an explanation that says why all by itself.
    return Remark("skipped", f"{state_label(run.state)}.", text or reason, _href_of_named(run))


def _href_of_named(run: RunRow) -> str:
    before = named_run(run.error) if run.reason is Reason.OVERLAP else None
    return url_for("web.run", run_id=before) if before is not None else ""


def _has_named_parts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, dict) and "name" in part for part in value)


def _in_words(part: Mapping[str, Any]) -> str:
    return ", ".join(f"{_words(name).lower()} {_plain(value)}" for name, value in part.items() if name != "name")


def _words(name: Any) -> str:
    """`latency_ms` → `Latency (ms)`."""
    words = str(name).replace("_", " ").strip()
    words = f"{words[:-3]} (ms)" if words.endswith(" ms") else words
    return words[:1].upper() + words[1:]


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _clock(at: datetime) -> str:
    return absolute_time(at, zone=viewer_zone(), now=request_now(), seconds=True)


def _moment(at: datetime | None) -> str:
    return "" if at is None else _clock(at)


def _length(value: timedelta | None) -> str:
    return "" if value is None else duration(value)
