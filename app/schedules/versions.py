"""Every version of a schedule: written with the change that makes it, read for pages. What one said is said.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Insert, Select, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from app.core.errors import NotFound
from app.schedules.models import Schedule, ScheduleVersion

# What a person says about a schedule: the columns have the names of the draft's fields.
SAID = (
    "name", "job_id", "cron", "timezone", "spread_key", "enabled", "overlap", "missed", "missed_max_age_seconds",
    "missed_limit", "notes", "has_seconds", "clock_change", "starts_at", "ends_at", "tags",
)  # fmt: skip
# Of versions from before they were kept it is known what they said, and since when, but not by whom.
UNKNOWN_AUTHOR = ""
# Whoever loads code is its author so, and may change what no version holds.
BY_CODE = "code, loaded by "
LONGEST_AUTHOR = 254
# The highest number that the column holds: no schedule is changed so often.
NO_VERSION = 2**31 - 1

_Query = Select[int, datetime, str, dict[str, Any], int | None, dict[str, Any]]


class VersionNotFound(NotFound):
    """The schedule has no such version, or it is not kept."""


@dataclass(frozen=True)
class Difference:
    """A field that two versions say differently, as JSON holds it."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class VersionRow:
    """What a schedule said from a change on. `before` is what it said until then, if that is kept."""

    number: int
    at: datetime
    by: str
    says: Mapping[str, Any]
    restored_from: int | None = None
    before: Mapping[str, Any] | None = None

    @property
    def differences(self) -> tuple[Difference, ...]:
        return () if self.before is None else differences(self.before, self.says)


def keep_version(session: Session, *, schedule_id: UUID) -> None:
    """Before a change: what the schedule says now, unless that is kept already."""
    row = _read(session, schedule_id)
    # From before versions were kept, or of a process that does not know them; somebody else may just do the same.
    session.execute(_insert_or_ignore(session).values(**row.values, at=row.since, by=UNKNOWN_AUTHOR))


def write_version(
    session: Session, *, schedule_id: UUID, by: str, now: datetime, restored_from: int | None = None
) -> None:
    """After a change, in its transaction: what the schedule says from now on."""
    row = _read(session, schedule_id)
    session.add(ScheduleVersion(**row.values, at=now, by=by[:LONGEST_AUTHOR], restored_from=restored_from))


def as_json(value: Any) -> Any:
    """The value of a field as JSON holds it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, UUID | StrEnum) else value


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What two versions say differently, in the order in which a form asks for it."""
    pairs = ((name, before.get(name), after.get(name)) for name in SAID)
    return tuple(Difference(name, old, new) for name, old, new in pairs if old != new)


def differences_of(before: object, after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The same of a schedule as it is and the values that its columns are to get."""
    said = ({name: getattr(before, name) for name in SAID}, {name: after[name] for name in SAID})
    old, new = ({name: as_json(value) for name, value in each.items()} for each in said)
    return differences(old, new)


def list_versions(
    session: Session, *, organization_id: UUID, schedule_id: UUID, limit: int, below: int | None = None
) -> list[VersionRow]:
    """The newest versions first, or those below a number."""
    query = select_versions(organization_id, schedule_id)
    if below is not None:
        query = query.where(ScheduleVersion.version < below)
    found = session.execute(query.order_by(ScheduleVersion.version.desc()).limit(limit))
    return [VersionRow(*row) for row in found]


def get_version(session: Session, *, organization_id: UUID, schedule_id: UUID, number: int) -> VersionRow:
    """One version. Raises VersionNotFound."""
    query = select_versions(organization_id, schedule_id).where(ScheduleVersion.version == number)
    # More than that fits into no column, and not every driver can even ask for it.
    found = session.execute(query).one_or_none() if 0 < number < NO_VERSION else None
    if found is None:
        raise VersionNotFound(f"No version {number} of this schedule is kept. Choose one from its list of versions.")
    return VersionRow(*found)


def versions_around(
    session: Session, *, organization_id: UUID, schedule_id: UUID, since: datetime, earlier: int, limit: int
) -> list[VersionRow]:
    """The version that was in force at an instant, so many before it, and those after it; the earliest first."""
    here = ScheduleVersion.organization_id == organization_id, ScheduleVersion.schedule_id == schedule_id
    in_force = select(func.max(ScheduleVersion.version)).where(*here, ScheduleVersion.at <= since).scalar_subquery()
    columns = (
        ScheduleVersion.version, ScheduleVersion.at, ScheduleVersion.by, ScheduleVersion.says,
        ScheduleVersion.restored_from,
    )  # fmt: skip
    query = select(*columns).where(*here, ScheduleVersion.version >= func.coalesce(in_force, 0) - earlier)
    return [VersionRow(*row) for row in session.execute(query.order_by(ScheduleVersion.version).limit(limit))]


def version_at(session: Session, *, organization_id: UUID, schedule_id: UUID, at: datetime) -> VersionRow | None:
    """What a schedule said at an instant; None where that is not kept, as of one that was never changed."""
    query = select_versions(organization_id, schedule_id).where(ScheduleVersion.at <= at)
    found = session.execute(query.order_by(ScheduleVersion.version.desc()).limit(1)).one_or_none()
    return None if found is None else VersionRow(*found)


def select_versions(organization_id: UUID, schedule_id: UUID) -> _Query:
    """The versions of a schedule as VersionRow takes them."""
    earlier = aliased(ScheduleVersion)
    is_earlier = earlier.schedule_id == ScheduleVersion.schedule_id, earlier.version < ScheduleVersion.version
    said_before = select(earlier.says).where(*is_earlier).order_by(earlier.version.desc()).limit(1).scalar_subquery()
    return select(
        ScheduleVersion.version,
        ScheduleVersion.at,
        ScheduleVersion.by,
        ScheduleVersion.says,
        ScheduleVersion.restored_from,
        said_before,
    ).where(ScheduleVersion.organization_id == organization_id, ScheduleVersion.schedule_id == schedule_id)


class _Read(NamedTuple):
    values: dict[str, Any]
    since: datetime


def _read(session: Session, schedule_id: UUID) -> _Read:
    # Not the whole row: a next time that no driver can read must keep nobody from changing the schedule.
    said = [getattr(Schedule, name) for name in SAID]
    columns = Schedule.organization_id, Schedule.version, Schedule.created_at, Schedule.updated_at
    row = session.execute(select(*columns, *said).where(Schedule.id == schedule_id)).one()
    organization_id, version, created_at, updated_at, *values = row
    says = {name: as_json(value) for name, value in zip(SAID, values, strict=True)}
    keys = {"schedule_id": schedule_id, "organization_id": organization_id, "version": version}
    return _Read({**keys, "says": says}, created_at if version == 1 else updated_at)


def _insert_or_ignore(session: Session) -> Insert:
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(ScheduleVersion).on_conflict_do_nothing()
    return postgresql.insert(ScheduleVersion).on_conflict_do_nothing()
