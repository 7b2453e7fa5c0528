"""What a kept version of a schedule said, read again: as a draft, and as the time in which it was in force. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import Invalid
from app.schedules.fire_times import ClockChange, Rhythm
from app.schedules.policies import Missed, Overlap
from app.schedules.queries import ScheduleRow
from app.schedules.service import ScheduleDraft, rhythm_of
from app.schedules.versions import UNKNOWN_AUTHOR, VersionRow, as_json

# How JSON's values become those of a draft again; the others are the same in both.
_READERS: dict[str, Callable[[Any], Any]] = {
    "job_id": UUID,
    "overlap": Overlap,
    "missed": Missed,
    "clock_change": ClockChange,
    "starts_at": datetime.fromisoformat,
    "ends_at": datetime.fromisoformat,
    "tags": tuple,
}
_FIELDS = tuple(each.name for each in fields(ScheduleDraft))


@dataclass(frozen=True)
class Era:
    """A time in which slots came by one version: those after `since` and not after `until`, where there is an end.

    Without a rhythm nobody knows any more which slots there were; `version` then is the first that is known after it.
    """

    since: datetime
    until: datetime | None
    version: VersionRow
    rhythm: Rhythm | None


def version_now(schedule: ScheduleRow) -> VersionRow:
    """What a schedule says now, as a version that need not be kept yet."""
    at = schedule.created_at if schedule.version == 1 else schedule.updated_at
    says = {name: as_json(getattr(schedule, name)) for name in _FIELDS}
    return VersionRow(schedule.version, at, UNKNOWN_AUTHOR, says)


def draft_says(draft: ScheduleDraft) -> Mapping[str, Any]:
    """A draft in the form of what a version says."""
    return {name: as_json(getattr(draft, name)) for name in _FIELDS}


def draft_said(says: Mapping[str, Any]) -> ScheduleDraft:
    """The draft that a version was. Raises ValueError for a word that this version of the program does not know."""
    return ScheduleDraft(**{name: _read(name, says[name]) for name in _FIELDS if name in says})


def eras_of(versions: Sequence[VersionRow], *, created_at: datetime) -> list[Era]:
    """Which version was in force when, the earliest first. The last by number is what the schedule says now.

    Where numbers are missing, nobody knows until when the version before them was in force.
    """
    found: list[Era] = []
    until: datetime | None = None
    following: VersionRow | None = None
    for version in sorted(versions, key=lambda each: each.number, reverse=True):
        # After the clock was set back a later version may have the earlier time, and is in force from that time on.
        since = version.at if until is None else min(version.at, until)
        if until is None or since < until:
            is_whole = following is None or following.number == version.number + 1
            found.append(Era(since, until, version, _rhythm_said(version.says) if is_whole else None))
        until, following = since, version
    if following is not None and following.number > 1 and until is not None and created_at < until:
        found.append(Era(created_at, until, following, None))
    return found[::-1]


def _rhythm_said(says: Mapping[str, Any]) -> Rhythm | None:
    try:
        return rhythm_of(draft_said(says))
    except (Invalid, ValueError):
        return None


def _read(name: str, value: Any) -> Any:
    reader = _READERS.get(name)
    return value if reader is None or value is None else reader(value)
