"""One run beside another, mostly the last one that went well: what they were told, what they did, where they part."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.lengths import duration
from app.jobs.kinds.definitions import without_chosen
from app.jobs.queries import job_names
from app.ops.log_comparison import LogComparison, compare_logs
from app.ops.run_notes import read_notes
from app.ops.source_words import source_words
from app.runs.attempt_queries import AttemptRow, list_attempts
from app.runs.neighbours import last_good_before
from app.runs.queries import RunNotFound, RunRow, definition_of_run, get_run
from app.schedules.version_words import change_words, jobs_named
from app.schedules.versions import VersionRow, differences, version_at
from app.tenants.audit_masks import masked

# Of each kind; a definition or a result may hold anything.
MOST_VALUES = 100
LONGEST_VALUE = 300


class NothingToCompare(NotFound):
    """No run of the same schedule or job went well before this one, or the other run is not there."""


class Part(StrEnum):
    """What a line of the comparison is about."""

    COURSE = "course"  # how it went
    FIGURES = "figures"  # how far it came, and what it returned
    PARAMETERS = "parameters"
    CONFIGURATION = "configuration"  # what its job was, and which version its schedule had


@dataclass(frozen=True)
class Compared:
    """One value of both, in words; None where a run has none."""

    part: Part
    name: str
    this: str | None
    other: str | None

    @property
    def differs(self) -> bool:
        return self.this != self.other


@dataclass(frozen=True)
class RunComparison:
    """Both runs, their values line by line, what was changed on the schedule between them, and their logs."""

    this: RunRow
    other: RunRow
    lines: tuple[Compared, ...]
    changes: tuple[str, ...]
    log: LogComparison

    @property
    def differing(self) -> tuple[Compared, ...]:
        return tuple(line for line in self.lines if line.differs)


def compare_runs(session: Session, *, organization_id: UUID, run_id: UUID, other_id: UUID | None) -> RunComparison:
    """A run beside another, or the last good one before it. Raises RunNotFound, or NothingToCompare."""
    this = get_run(session, organization_id=organization_id, run_id=run_id)
    other = _other(session, this, other_id)
    sides = (_Side(session, this), _Side(session, other))
    notes = read_notes(session, [this, other], organization_id=organization_id)
    asked = (source_words(row, asked_by=notes.asked_by(row)) for row in (this, other))
    return RunComparison(
        this=this,
        other=other,
        lines=(*_course(*sides), Compared(Part.COURSE, "why it ran", *asked), *_values(*sides)),
        changes=_changes(session, organization_id, sides[0].version, sides[1].version),
        log=compare_logs(session, this, other),
    )


def _other(session: Session, this: RunRow, other_id: UUID | None) -> RunRow:
    if other_id is not None:
        try:
            return get_run(session, organization_id=this.organization_id, run_id=other_id)
        except RunNotFound as error:
            raise NothingToCompare("The other run is not here. It may have been cleaned up.") from error
    found = last_good_before(session, this)
    if found is None:
        raise NothingToCompare(f"{why_no_good(this)} Choose another run to compare with.")
    return found


def why_no_good(run: RunRow) -> str:
    """What to say where `last_good_before` finds nothing."""
    whose = "schedule" if run.schedule_id is not None else "job"
    return f"No run of its {whose} went well before this one."


class _Side:
    """All that is known of one of the two."""

    def __init__(self, session: Session, run: RunRow) -> None:
        self.run = run
        here = {"organization_id": run.organization_id}
        self.tries = list_attempts(session, **here, run_id=run.id)
        self.definition = without_chosen(definition_of_run(session, run=run))
        self.version: VersionRow | None = None
        if run.schedule_id is not None:
            self.version = version_at(session, **here, schedule_id=run.schedule_id, at=run.created_at)

    @property
    def last(self) -> AttemptRow | None:
        return self.tries[-1] if self.tries else None

    @property
    def workers(self) -> str:
        return ", ".join(dict.fromkeys(each.worker for each in self.tries))

    @property
    def arguments(self) -> Mapping[str, Any]:
        found = self.definition.get("arguments", {})
        return found if isinstance(found, dict) else {}

    @property
    def settings(self) -> dict[str, Any]:
        return {name: value for name, value in self.definition.items() if name != "arguments"}

    @property
    def figures(self) -> dict[str, Any]:
        if self.last is None:
            return {}
        progress = {} if self.last.progress is None else {"progress": str(self.last.progress)}
        return progress | self.last.result


def _course(this: _Side, other: _Side) -> Iterator[Compared]:
    values: dict[str, Callable[[_Side], str]] = {
        "state": lambda side: side.run.state.value.replace("_", " "),
        "error": lambda side: _cut(side.run.error or ""),
        "lateness": lambda side: _length(side.run.lateness),
        "duration": lambda side: _length(side.run.duration),
        "tries": lambda side: f"{side.run.attempt} of {side.run.tries}" if side.run.attempt else "",
        "worker": lambda side: side.workers,
        "queue": lambda side: side.run.queue,
    }
    for name, read in values.items():
        yield Compared(Part.COURSE, name, read(this) or None, read(other) or None)


def _values(this: _Side, other: _Side) -> Iterator[Compared]:
    yield from _pairs(Part.FIGURES, this.figures, other.figures)
    yield from _pairs(Part.PARAMETERS, this.arguments, other.arguments)
    yield from _pairs(Part.CONFIGURATION, this.settings, other.settings)
    numbers = [None if side.version is None else str(side.version.number) for side in (this, other)]
    if any(numbers):
        yield Compared(Part.CONFIGURATION, "version of the schedule", *numbers)


def _pairs(part: Part, this: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Compared]:
    first, second = (dict(_flat(masked("", dict(values)))) for values in (this, other))
    for name in list(dict.fromkeys([*first, *second]))[:MOST_VALUES]:
        yield Compared(part, name, first.get(name), second.get(name))


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each value by itself, called by the way to it: `steps.1.url`."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _flat(each, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        for number, each in enumerate(value, start=1):
            yield from _flat(each, f"{name}.{number}" if name else str(number))
    elif name:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        yield name, _cut(text)


def _changes(
    session: Session, organization_id: UUID, this: VersionRow | None, other: VersionRow | None
) -> tuple[str, ...]:
    """What the schedule says otherwise for this run than for the other one."""
    if this is None or other is None or this.number == other.number:
        return ()
    found = differences(other.says, this.says)
    jobs = job_names(session, organization_id=organization_id, job_ids=jobs_named(found))
    return tuple(change_words(change, jobs=jobs) for change in found)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _length(length: timedelta | None) -> str:
    return "" if length is None else duration(length)
