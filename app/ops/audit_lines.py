"""The audit as people read it: each entry with what it changed, from what to what, and without secrets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.jobs.job_changes import label_of, said
from app.jobs.queries import job_names
from app.schedules.version_words import field_words, value_words
from app.tenants.audit import AuditRow, Place, list_audit
from app.tenants.audit_filter import AuditFilter
from app.tenants.audit_masks import masked, masked_text
from app.tenants.audit_words import action_words

_NUMBERS = {"missed_max_age_seconds", "missed_limit"}
_SWITCHES = {"enabled", "has_seconds"}


@dataclass(frozen=True)
class Change:
    """A field with its old and new value, as JSON holds them and in words."""

    field: str
    label: str
    before: Any
    after: Any
    old: str
    new: str

    @property
    def words(self) -> str:
        return f"{self.label}: {self.old} → {self.new}"


@dataclass(frozen=True)
class AuditLine:
    """One entry, fit to be shown: nothing in it is secret any more."""

    row: AuditRow
    changes: tuple[Change, ...]

    @property
    def done(self) -> str:
        return action_words(self.row.action)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(change.words for change in self.changes)


def list_lines(
    session: Session, *, organization_id: UUID, audit_filter: AuditFilter, limit: int, before: Place | None = None
) -> list[AuditLine]:
    """What was done in an organization, the newest first, in at most two statements."""
    rows = list_audit(
        session, organization_id=organization_id, audit_filter=audit_filter, limit=limit, before=before
    )  # fmt: skip
    jobs = job_names(session, organization_id=organization_id, job_ids=_jobs_named(rows))
    return [line_of(row, jobs=jobs) for row in rows]


def line_of(row: AuditRow, *, jobs: Mapping[UUID, str]) -> AuditLine:
    """One entry. `jobs` are the names of jobs that schedules were moved between, by id."""
    clean = {str(name): masked(str(name), value) for name, value in row.changes.items()}
    shown = replace(row, summary=masked_text(row.summary), by=masked_text(row.by), changes=clean)
    return AuditLine(shown, tuple(_change(row.subject_kind, *field, jobs) for field in clean.items()))


def _change(kind: str, field: str, value: Any, jobs: Mapping[UUID, str]) -> Change:
    is_pair = isinstance(value, list) and len(value) == 2 and kind != "code"
    # What is no pair was only noted, such as the names of jobs that came with new code.
    before, after = value if is_pair else (None, value)
    if kind == "schedule":
        before, after = (_as_said(field, each) for each in (before, after))
        old, new = (_schedule_words(field, each, jobs) for each in (before, after))
        return Change(field, field_words(field), before, after, old, new)
    return Change(field, label_of(field).replace("_", " "), before, after, said(field, before), said(field, after))


def _as_said(field: str, value: Any) -> Any:
    """A value as a version holds it: the audit of schedules keeps texts."""
    if value == "None":
        return None
    if field in _SWITCHES and value in ("True", "False"):
        return value == "True"
    if field in _NUMBERS and isinstance(value, str) and value.isdecimal():
        return int(value)
    return [tag for tag in value.split(", ") if tag] if field == "tags" and isinstance(value, str) else value


def _schedule_words(field: str, value: Any, jobs: Mapping[UUID, str]) -> str:
    try:
        return value_words(field, value, jobs=jobs)
    except (ValueError, TypeError, AttributeError):
        # Written by a version that kept something else there: told as it stands rather than not at all.
        return said(field, value)


def _jobs_named(rows: Sequence[AuditRow]) -> Collection[UUID]:
    found = set()
    for row in rows:
        pair = row.changes.get("job_id")
        for text in pair if row.subject_kind == "schedule" and isinstance(pair, list) else ():
            try:
                found.add(UUID(str(text)))
            except ValueError:
                continue
    return found
