"""One filter for lists of the audit: who, what, which thing, and when. It narrows a query and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement

from app.tenants.models import AuditEntry


@dataclass(frozen=True)
class AuditFilter:
    """What a list of the audit shows; what is left empty narrows nothing."""

    # A person with all their tokens, one token as it is written beside what it did, or who has no account.
    actor: str = ""
    # "schedule.edited", or "schedule" for all that is done to schedules.
    action: str = ""
    subject_kind: str = ""
    subject_id: UUID | None = None
    since: datetime | None = None
    # Not included.
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What it demands of a row."""
        found: list[ColumnElement[bool]] = []
        if self.actor:
            label = AuditEntry.actor_label
            found.append((label == self.actor) | label.startswith(f"{self.actor} (token ", autoescape=True))
        if self.action:
            is_group = AuditEntry.action.startswith(f"{self.action}.", autoescape=True)
            found.append(AuditEntry.action == self.action if "." in self.action else is_group)
        if self.subject_kind:
            found.append(AuditEntry.subject_kind == self.subject_kind)
        if self.subject_id is not None:
            found.append(AuditEntry.subject_id == self.subject_id)
        if self.since is not None:
            found.append(AuditEntry.at >= self.since)
        if self.until is not None:
            found.append(AuditEntry.at < self.until)
        return found
