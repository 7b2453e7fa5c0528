"""What code says about a schedule that it defines, beside what operators made of it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from app.core.config import Environment
from app.core.errors import Conflict, Invalid
from app.core.names import has_unshowable
from app.jobs.code_rows import ALL_NAME, group_row_name
from app.jobs.kinds.code.catalog import CodeFunction
from app.jobs.kinds.code.declared import DeclaredSchedule, Group
from app.schedules.fire_times import ClockChange, Rhythm, rhythm
from app.schedules.policies import DEFAULT_MISSED_LIMIT, Missed, Overlap
from app.schedules.policy_fields import clean_limit, clean_max_age, default_max_age, read_length
from app.schedules.stored_rhythms import StoredRhythm, rhythm_of
from app.schedules.tags import clean_tags

Word = TypeVar("Word", bound=StrEnum)

# What people may change, by whichever way: these columns are called alike in the table and in what code says.
OVERRIDABLE = (
    "cron", "timezone", "clock_change", "missed", "missed_limit", "missed_max_age_seconds", "overlap", "tags",
)  # fmt: skip
# What nobody changes here, with what to do about it.
_FIXED = {
    "name": "its name is not changed here. Change it there.",
    "job_id": "its job is not changed here. Change it there.",
    "has_seconds": "such a schedule has no seconds. Make one of your own for the same job.",
    "starts_at": "such a schedule has no first day. Enable it when it is to begin.",
    "ends_at": "such a schedule has no last day. Disable it when it is to end.",
}
_MAX_AGE = "missed_max_age_seconds"
# Kept among what the code says, while it has a schedule for other environments alone.
_IS_ELSEWHERE = "is_elsewhere"
# Before code could say these, every schedule in code began with them.
_BEGAN_WITH = {"missed_limit": DEFAULT_MISSED_LIMIT, _MAX_AGE: None}


class ScheduleInCodeInvalid(Invalid):
    """A schedule in code cannot be used as it stands there."""


class ScheduleOwnedByCode(Conflict):
    """What somebody wants to change is said by the code alone."""


@dataclass(frozen=True)
class CodeOrigin:
    """Where a schedule is defined, what is said there, and which of that operators changed."""

    id: str
    source: str
    says: Mapping[str, Any]
    overrides: tuple[str, ...]
    left_at: datetime | None

    @property
    def description(self) -> str:
        return str(self.says.get("description", ""))

    @property
    def is_elsewhere(self) -> bool:
        """Whether the code has it for other environments alone, so that there is nothing to see of it in this one."""
        return self.left_at is not None and bool(self.says.get(_IS_ELSEWHERE))

    def says_where(self, *, is_elsewhere: bool) -> dict[str, Any]:
        """What is kept of a schedule that left the code here, because it is elsewhere or nowhere any more."""
        says = {name: value for name, value in self.says.items() if name != _IS_ELSEWHERE}
        return {**says, _IS_ELSEWHERE: True} if is_elsewhere else says

    def overrides_of(self, columns: Mapping[str, Any]) -> tuple[str, ...]:
        """Which of these columns are not what the code says."""
        return tuple(name for name in OVERRIDABLE if name in self.says and said_value(name, columns) != self.says[name])

    def overrides_beside(self, one: "CodeSchedule", columns: Mapping[str, Any]) -> tuple[str, ...]:
        """Which of these columns people changed and the code, as it is now, does not say so either.

        What the code of an older version could not say is theirs where it is not what such a schedule began with.
        """
        unsaid = (name for name in _BEGAN_WITH if name not in self.says)
        theirs = {*self.overrides, *(name for name in unsaid if said_value(name, columns) != _BEGAN_WITH[name])}
        return tuple(name for name in OVERRIDABLE if name in theirs and said_value(name, columns) != one.says[name])


@dataclass(frozen=True)
class CodeSchedule:
    """A schedule in code that can be used. `run` is the name in code of the job that it starts."""

    id: str
    cron: str
    timezone: str
    missed: Missed
    overlap: Overlap
    run: str
    description: str
    source: str
    clock_change: ClockChange = ClockChange.ONCE
    tags: tuple[str, ...] = ()
    missed_limit: int = DEFAULT_MISSED_LIMIT
    # Without one, what suits its times.
    missed_max_age_seconds: int | None = None
    # Belfry's own alone. Nothing else that was merely deployed starts by itself.
    is_on_at_first: bool = False

    @property
    def says(self) -> dict[str, Any]:
        """What is kept of it, to be compared with what pages make of it."""
        return {
            "cron": self.cron,
            "timezone": self.timezone,
            "clock_change": self.clock_change.value,
            "missed": self.missed.value,
            "missed_limit": self.missed_limit,
            "missed_max_age_seconds": self.missed_max_age_seconds,
            "overlap": self.overlap.value,
            "tags": list(self.tags),
            "run": self.run,
            "description": self.description,
        }


def origin_of(
    code_id: str | None, *, source: str | None, says: Mapping[str, Any] | None, overrides: str, left_at: datetime | None
) -> CodeOrigin | None:
    """The origin from what is stored. None for a schedule that people made."""
    if code_id is None:
        return None
    return CodeOrigin(code_id, source or "", says or {}, tuple(filter(None, overrides.split(","))), left_at)


def check_declared(one: DeclaredSchedule, *, jobs: Mapping[str, CodeFunction]) -> CodeSchedule:
    """A declared schedule in its checked form. Raises Invalid: what is wrong with it, and what to do."""
    if one.problems:
        raise ScheduleInCodeInvalid(" ".join(one.problems))
    unknown = set(one.environments or ()) - set(Environment)
    if unknown or one.environments == ():
        known = " and ".join(f"'{each.value}'" for each in Environment)
        named = ", ".join(map(repr, sorted(unknown))) or "none"
        raise ScheduleInCodeInvalid(f"environments={named} is not possible. There are {known}; leave it out for both.")
    clock_change, missed = _word(ClockChange, "clock_change", one.clock_change), _word(Missed, "missed", one.missed)
    when = rhythm(one.cron, timezone=one.zone, spread_key=one.id, clock_change=clock_change)
    return CodeSchedule(
        id=one.id,
        cron=when.cron.text,
        timezone=when.zone.name,
        missed=missed,
        overlap=_word(Overlap, "overlap", one.overlap),
        run=_target(one, jobs),
        description=_description(one),
        source=one.source,
        clock_change=clock_change,
        tags=clean_tags(one.tags),
        missed_limit=_limit(one),
        missed_max_age_seconds=_max_age(one, when, missed),
    )


def said_value(name: str, columns: Mapping[str, Any]) -> Any:
    """One of these columns as it is kept of what the code says, which is as JSON keeps it.

    None for the maximum age that suits the times anyway.
    """
    value = columns.get(name)
    if name == _MAX_AGE and value == _usual_max_age(columns):
        return None
    return list(value) if isinstance(value, tuple) else value


def _usual_max_age(columns: Mapping[str, Any]) -> int | None:
    try:
        return default_max_age(rhythm_of(StoredRhythm(*(columns[name] for name in StoredRhythm._fields))))
    except Invalid:
        # What cannot be read any more has no times that anything could suit.
        return None


def refuse_left(origin: CodeOrigin | None) -> None:
    """Raises ScheduleOwnedByCode for a schedule that the code no longer has."""
    if origin is not None and origin.left_at is not None:
        raise ScheduleOwnedByCode(
            f"“{origin.id}” is no longer defined in code (it was in {origin.source}), so it can only be looked at."
        )


def refuse_deletion(origin: CodeOrigin | None) -> None:
    """Raises ScheduleOwnedByCode for every schedule that code defines."""
    if origin is not None:
        raise ScheduleOwnedByCode(
            f"“{origin.id}” is defined in code, in {origin.source}. Take it out there, or disable it here."
        )


def refuse_fixed(origin: CodeOrigin | None, *, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises ScheduleOwnedByCode when something of such a schedule is to change that only the code decides about."""
    refuse_left(origin)
    if origin is None:
        return
    for name, advice in _FIXED.items():
        # Taken away it can be, where an earlier version let somebody say it.
        if after[name] != before[name] and after[name]:
            message = f"“{origin.id}” is defined in code, in {origin.source}, and {advice}"
            raise ScheduleOwnedByCode(message, field=name)


def _word(words: type[Word], name: str, given: str) -> Word:
    if given not in set(words):
        known = ", ".join(f"'{each.value}'" for each in words)
        raise ScheduleInCodeInvalid(f"{name}={given!r} is not possible. Use one of {known}.")
    return words(given)


def _description(one: DeclaredSchedule) -> str:
    text = " ".join(one.description.split())
    if has_unshowable(text):
        raise ScheduleInCodeInvalid(f"description={text!r} has characters that cannot be shown. Leave them out.")
    return text


def _limit(one: DeclaredSchedule) -> int:
    given = one.missed_limit
    return DEFAULT_MISSED_LIMIT if given is None else clean_limit(given)


def _max_age(one: DeclaredSchedule, when: Rhythm, missed: Missed) -> int | None:
    """The maximum age in seconds, unless it is the one that it would have anyway."""
    given = one.missed_max_age
    if given is None:
        return None
    seconds = read_length(given) if isinstance(given, str) else given
    checked = clean_max_age(seconds, when=when, missed=missed)
    return None if checked == default_max_age(when) else checked


def _target(one: DeclaredSchedule, jobs: Mapping[str, CodeFunction]) -> str:
    if isinstance(one.run, Group):
        return _group(one.run, jobs)
    name = one.run.name if isinstance(one.run, CodeFunction) else one.run
    found = jobs.get(name)
    if found is None:
        known = ", ".join(sorted(jobs)) or "none"
        raise ScheduleInCodeInvalid(f"There is no job “{name}” for it to run. Jobs here: {known}.")
    _refuse_lacking([found])
    return found.name


def _group(wanted: Group, jobs: Mapping[str, CodeFunction]) -> str:
    if wanted.name is None:
        # One of them that only people can start is theirs to start: the run of all records that it was not.
        return ALL_NAME
    members = [job for job in jobs.values() if job.group == wanted.name]
    if not members:
        known = ", ".join(sorted({job.group for job in jobs.values() if job.group is not None})) or "none"
        raise ScheduleInCodeInvalid(f"No job is of the group “{wanted.name}”. Groups here: {known}.")
    _refuse_lacking(members)
    return group_row_name(wanted.name)


def _refuse_lacking(members: Iterable[CodeFunction]) -> None:
    for job in members:
        if not job.starts_by_itself:
            names = " and ".join(f"“{name}”" for name in job.signature.required)
            raise ScheduleInCodeInvalid(
                f"It would start “{job.name}” ({job.source}), which cannot start by itself: give {names} a default."
            )
