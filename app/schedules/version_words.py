"""What changed between two versions of a schedule, in words: “cron: 0 2 * * * → 30 2 * * *”. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.core.lengths import duration
from app.schedules.versions import BY_CODE, Difference, VersionRow

_LABELS = {
    "job_id": "job",
    "timezone": "time zone",
    "spread_key": "spread of H",
    "enabled": "switch",
    "missed": "missed runs",
    "missed_max_age_seconds": "oldest missed run",
    "missed_limit": "missed runs at most",
    "has_seconds": "seconds",
    "clock_change": "clock changes",
    "starts_at": "starts",
    "ends_at": "ends",
}
_LONGEST = 80
_CODE_CHANGED = "Nothing that a person says: what code says about it."


def change_words(change: Difference, *, jobs: Mapping[UUID, str]) -> str:
    """One field, with what it said before and says now. `jobs` are names by id."""
    before, after = (value_words(change.field, value, jobs=jobs) for value in (change.before, change.after))
    return f"{field_words(change.field)}: {before} → {after}"


def field_words(field: str) -> str:
    """A field as people call it."""
    return _LABELS.get(field, field)


def version_lines(version: VersionRow, *, jobs: Mapping[UUID, str]) -> tuple[str, ...]:
    """What a version changed, a line for each field: the same on pages, in the API and in commands."""
    if version.before is None:
        return ("Made.",) if version.number == 1 else ("The first version that is kept.",)
    changes = tuple(change_words(change, jobs=jobs) for change in version.differences)
    restored = () if version.restored_from is None else (f"Restored version {version.restored_from}.",)
    unchanged = _CODE_CHANGED if version.by.startswith(BY_CODE) else "Saved without a change."
    return (*restored, *(changes or (unchanged,)))


def jobs_named(changes: Iterable[Difference]) -> set[UUID]:
    """The jobs whose names the words need."""
    return {
        UUID(value)
        for change in changes
        if change.field == "job_id"
        for value in (change.before, change.after)
        if value is not None
    }


def value_words(field: str, value: Any, *, jobs: Mapping[UUID, str]) -> str:
    """What a field says, as JSON holds it. `jobs` are names by id."""
    if value is None or value in ("", []):
        return "nothing"
    if field == "job_id":
        return jobs.get(UUID(value), "a job that is gone")
    if isinstance(value, bool):
        return "on" if value else "off"
    reader = _WORDS.get(field, str)
    line = "; ".join(reader(value).split("\n"))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _instant(value: str) -> str:
    return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _word(value: str) -> str:
    return value.replace("_", " ")


_WORDS: dict[str, Callable[[Any], str]] = {
    "missed_max_age_seconds": duration,
    "starts_at": _instant,
    "ends_at": _instant,
    "tags": ", ".join,
    "overlap": _word,
    "missed": _word,
    "clock_change": _word,
}
