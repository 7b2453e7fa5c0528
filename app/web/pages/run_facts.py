"""What the page of a run tells in lines: what is known about it, and what it returned."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.ops.run_notes import against_usual
from app.ops.source_words import TRIGGER_WORDS, VIA_WORDS
from app.runs.attempt_queries import AttemptRow
from app.runs.durations import typical_of_jobs
from app.runs.queries import RunRow
from app.runs.repeats import list_again
from app.runs.states import RunState
from app.tenants.access import Permission, may
from app.tenants.audit_masks import masked
from app.tenants.queries import find_email
from app.web.context import viewer_zone
from app.web.formatting import absolute_time, duration
from app.web.run_words import lateness_words, tries_words

_LONGEST_VALUE = 2000
# What syncs count. Other numbers may be years, or what something is called.
_COUNTS = frozenset(
    {"rows_seen", "rows_changed", "windows", "requests", "throttles", "bytes"} | {"rows_pushed", "cells_changed"}
)
_MOST_AGAIN_SHOWN = 3


@dataclass(frozen=True)
class Fact:
    """One line of what is known."""

    term: str
    text: str
    href: str = ""
    note: str = ""


def run_facts(run: RunRow, attempts: list[AttemptRow], *, why: str) -> list[Fact]:
    """What is known; `why` says why its next try comes when it does."""
    facts = [
        Fact("Job", run.job_name, _job_href(run)),
        _schedule_fact(run),
        Fact("Trigger", TRIGGER_WORDS[run.trigger], note=_who_asked(run)),
        Fact("Due", _moment(run.due_at)),
        Fact(
            "Started",
            _moment(run.started_at) or ("Never" if run.is_over else "Not yet"),
            note=lateness_words(run.lateness),
        ),
        Fact("Ended", _moment(run.finished_at)),
        Fact("Duration", _length(run.duration), note=_about_length(run)),
        Fact("Next try", _moment(run.ready_at) if run.state is RunState.WAITING_RETRY else "", note=why),
        Fact("Longer than expected", _moment(run.slow_at), note=_soft_limit(run)),
        Fact("Progress", str(attempts[-1].progress or "") if attempts and run.state is not RunState.RUNNING else ""),
        Fact("Tries", tries_words(run.attempt, run.tries) if run.attempt else ""),
        Fact("Worker", run.worker or ""),
        Fact("Removed", _moment(run.removed_at), note="from the queue, by hand" if run.removed_at else ""),
        _run_link("Retry of", "an earlier run", run.retry_of_run_id),
        _run_link("Retried by", "a newer run", run.retried_by_run_id),
        _run_link("Again of", "an older run", run.again_of_run_id),
        *(_run_link("Run again as", "a newer run", run_id) for run_id in _again_as(run)[:_MOST_AGAIN_SHOWN]),
        Fact("Run", str(run.id)),
    ]
    return [fact for fact in facts if fact.text]


def _again_as(run: RunRow) -> list[UUID]:
    if not run.is_over:
        return []
    return list_again(request_session(), organization_id=run.organization_id, run_id=run.id)


def _schedule_fact(run: RunRow) -> Fact:
    if run.schedule_id is None:
        return Fact("Schedule", "None")
    # Among the runs of its schedule this one is marked.
    href = url_for("web.schedule", schedule_id=run.schedule_id, run=run.id)
    return Fact("Schedule", run.schedule_name or "", href)


def _job_href(run: RunRow) -> str:
    # A job's page is its form, which is for those alone who may change it.
    return url_for("web.edit_job", job_id=run.job_id) if may(current_actor(), Permission.EDIT_JOBS) else ""


def _run_link(term: str, text: str, run_id: UUID | None) -> Fact:
    return Fact(term, text, url_for("web.run", run_id=run_id)) if run_id else Fact(term, "")


def _soft_limit(run: RunRow) -> str:
    limit = run.soft_limit_seconds
    return "" if limit is None else f"expected to take {duration(limit)} at most"


def result_facts(result: Mapping[str, Any]) -> list[Fact]:
    """What a job returned, as lines: one for each value, and one for each named part of a list, such as a step.

    What is called like a secret, or looks like one, is masked.
    """
    facts: list[Fact] = []
    # What begins with an underscore is for the next attempt, and says nothing to people; nor does what is empty.
    shown = {name: value for name, value in result.items() if not str(name).startswith("_") and not _is_nothing(value)}
    for name, value in masked("", shown).items():
        if _has_named_parts(value):
            facts += [Fact(str(part["name"]), _in_words(part)) for part in value]
        elif _has_plain_values(value):
            facts.append(Fact(_words(name), _in_words(value)))
        else:
            facts.append(Fact(_words(name), _told(name, value)))
    return facts


def parameter_facts(definition: object) -> list[Fact]:
    """The arguments in a run's definition as lines. What is called like a secret, or looks like one, is masked."""
    # A row that somebody spoiled may hold anything.
    arguments = definition.get("arguments") if isinstance(definition, Mapping) else None
    if not isinstance(arguments, dict):
        return []
    return [Fact(str(name), _plain(masked(str(name), value))) for name, value in arguments.items()]


def _who_asked(run: RunRow) -> str:
    who = find_email(request_session(), user_id=run.requested_by) if run.requested_by is not None else None
    words = [f"by {who}"] if who else []
    if run.requested_via is not None:
        words.append(f"through the {VIA_WORDS[run.requested_via]}")
    return " ".join(words)


def _about_length(run: RunRow) -> str:
    """How it compares with what is usual, and what is counted."""
    words = ["waits between tries included"] if run.attempt > 1 and run.duration is not None else []
    found = typical_of_jobs(request_session(), organization_id=run.organization_id, job_ids=[run.job_id])
    usual = found.get(run.job_id)
    if usual is not None and run.duration is not None:
        ratio = against_usual(run.duration, usual)
        words.insert(0, f"{ratio} the usual {duration(usual)}" if ratio else f"usually {duration(usual)}")
    return ", ".join(words)


def _has_named_parts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, dict) and "name" in part for part in value)


def _has_plain_values(value: Any) -> bool:
    # In a part, its name is the term; here it would be left out.
    if not isinstance(value, dict) or "name" in value:
        return False
    return not any(isinstance(part, dict | list) for part in value.values())


def _is_nothing(value: Any) -> bool:
    return value is None or value in ([], {})


def _in_words(part: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{_words(name).lower()} {_told(name, value)}"
        for name, value in part.items()
        if name != "name" and not _is_nothing(value)
    )


def _words(name: Any) -> str:
    """`latency_ms` → `Latency (ms)`."""
    words = str(name).replace("_", " ").strip()
    words = f"{words[:-3]} (ms)" if words.endswith(" ms") else words
    return words[:1].upper() + words[1:]


def _told(name: Any, value: Any) -> str:
    return f"{value:,}" if name in _COUNTS and isinstance(value, int) else _plain(value)


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _moment(at: datetime | None) -> str:
    return "" if at is None else absolute_time(at, zone=viewer_zone(), now=request_now(), seconds=True)


def _length(value: timedelta | None) -> str:
    return "" if value is None else duration(value)
