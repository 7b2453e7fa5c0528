"""Reads of rules, settings and times of maintenance, as pages, API and CLI show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.notifications.houses import terms_of
from app.notifications.models import Channel, MaintenanceWindow, NotifySettings, Rule
from app.notifications.rule_changes import RuleNotFound
from app.notifications.rules import RuleTerms
from app.notifications.sentences import say_rule
from app.notifications.types import ScopeKind
from app.schedules.models import Schedule

# An organization has 100 at most; of those that were deleted, a few are offered to be brought back.
_MOST_LISTED = 150


@dataclass(frozen=True)
class RuleRow:
    """A rule, and its sentence."""

    terms: RuleTerms
    sentence: str
    scope_name: str | None
    created_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class SettingsRow:
    """Quiet hours and the daily summary. Minutes are counted from midnight of the zone; None where there are none."""

    zone: str = "UTC"
    quiet_from: int | None = None
    quiet_until: int | None = None
    quiet_lets_through: tuple[str, ...] = ()
    summary_minute: int | None = None
    summary_channel_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class WindowRow:
    """A time of maintenance that is not over, or a mute, which may end `until_success` of what it is about."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    scope_kind: ScopeKind
    scope_value: str | None
    scope_name: str | None
    reason: str
    made_by: str
    until_success: bool = False


def list_rules(session: Session, *, organization_id: UUID, deleted_since: datetime | None = None) -> list[RuleRow]:
    """All rules, in their order, and behind them those that were deleted after an instant. Four statements."""
    kept = Rule.deleted_at.is_(None)
    wanted = kept if deleted_since is None else kept | (Rule.deleted_at > deleted_since)
    order = Rule.deleted_at.is_not(None), Rule.position, Rule.created_at, Rule.id
    query = select(Rule).where(Rule.organization_id == organization_id, wanted).order_by(*order).limit(_MOST_LISTED)
    rows = session.scalars(query).all()
    there = Channel.organization_id == organization_id, Channel.deleted_at.is_(None)
    channels = {row.id: row.name for row in session.execute(select(Channel.id, Channel.name).where(*there))}
    scopes = _scope_names(session, organization_id, [(row.scope_kind, row.scope_value) for row in rows])
    return [_rule(row, channels, scopes) for row in rows]


def get_rule(session: Session, *, organization_id: UUID, rule_id: UUID) -> RuleRow:
    """One rule. Raises RuleNotFound."""
    found = [row for row in list_rules(session, organization_id=organization_id) if row.terms.id == rule_id]
    if not found:
        raise RuleNotFound("There is no such rule.")
    return found[0]


def read_settings(session: Session, *, organization_id: UUID, zone: str = "UTC") -> SettingsRow:
    """What is settled; `zone` is that of the organization, for one that has settled nothing."""
    row = session.get(NotifySettings, organization_id, populate_existing=True)
    if row is None:
        return SettingsRow(zone)
    return SettingsRow(
        row.zone, row.quiet_from, row.quiet_until, tuple(row.quiet_lets_through), row.summary_minute,
        tuple(UUID(one) for one in row.summary_channel_ids),
    )  # fmt: skip


def list_windows(session: Session, *, organization_id: UUID, now: datetime) -> list[WindowRow]:
    """Times of maintenance that are not over, by when they begin. Three statements."""
    mine = MaintenanceWindow.organization_id == organization_id, MaintenanceWindow.ends_at > now
    rows = session.scalars(select(MaintenanceWindow).where(*mine).order_by(MaintenanceWindow.starts_at)).all()
    scopes = _scope_names(session, organization_id, [(row.scope_kind, row.scope_value) for row in rows])
    return [
        WindowRow(
            row.id, row.starts_at, row.ends_at, ScopeKind(row.scope_kind), row.scope_value,
            scopes.get(row.scope_value or "", row.scope_value), row.reason, row.made_by,
            row.until_success,
        )
        for row in rows
    ]  # fmt: skip


def _rule(row: Rule, channels: dict[UUID, str], scopes: dict[str, str]) -> RuleRow:
    terms = terms_of(row)
    kind = terms.scope_kind
    is_named = kind in (ScopeKind.SCHEDULE, ScopeKind.JOB)
    name = scopes.get(row.scope_value or "", "that was deleted") if is_named else row.scope_value
    names = [channels[one] for one in terms.channel_ids if one in channels]
    sentence = say_rule(terms, scope_name=name, channels=names)
    return RuleRow(terms, sentence, name, row.created_at, row.deleted_at)


def _scope_names(
    session: Session, organization_id: UUID, scopes: Sequence[tuple[str, str | None]]
) -> dict[str, str]:  # fmt: skip
    found: dict[str, str] = {}
    tables: tuple[tuple[ScopeKind, type[Schedule] | type[Job]], ...] = (
        (ScopeKind.SCHEDULE, Schedule),
        (ScopeKind.JOB, Job),
    )
    for kind, table in tables:
        ids = [UUID(value) for named, value in scopes if named == kind.value and value]
        if ids:
            there = table.organization_id == organization_id, table.id.in_(ids), table.deleted_at.is_(None)
            found |= {str(row.id): row.name for row in session.execute(select(table.id, table.name).where(*there))}
    return found
