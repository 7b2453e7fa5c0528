"""Commands on rules. Audited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.held import think_over
from app.notifications.houses import terms_of
from app.notifications.models import Channel, Rule
from app.notifications.rule_parts import clean_channels, clean_scope, scope_name
from app.notifications.rules import RuleTerms
from app.notifications.sentences import CHOSEN_TYPES, say_rule
from app.notifications.types import DEFAULT_TYPES, NotificationType, ScopeKind
from app.tenants.access import Actor, Permission, require

MOST_RULES = 100
MOST_FAILURES = 50
LONGEST_COOLDOWN_MINUTES = 7 * 24 * 60
LONGEST_SNOOZE = timedelta(days=30)


class RuleInvalid(Invalid):
    """A rule that cannot be, with what to do instead."""


class RuleNotFound(NotFound):
    """There is no such rule here."""


class TooManyRules(Conflict):
    """An organization has a bounded number of rules."""


@dataclass(frozen=True)
class RuleDraft:
    """A rule as somebody wants it."""

    channel_ids: Sequence[UUID]
    types: Sequence[str] = tuple(sorted(DEFAULT_TYPES))
    scope_kind: str = ScopeKind.ORGANIZATION.value
    scope_value: str | None = None
    after_failures: int = 1
    tells_recovery: bool = True
    cooldown_minutes: int = 60


def add_rule(session: Session, *, actor: Actor, draft: RuleDraft, now: datetime) -> UUID:
    """A new rule. Raises RuleInvalid or TooManyRules."""
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    mine = Rule.organization_id == actor.organization_id, Rule.deleted_at.is_(None)
    if (session.scalar(select(func.count()).select_from(Rule).where(*mine)) or 0) >= MOST_RULES:
        raise TooManyRules(f"An organization has at most {MOST_RULES} rules. Delete some first.")
    columns = _cleaned(session, actor, draft)
    row = Rule(id=new_id(), organization_id=actor.organization_id, created_at=now, updated_at=now, **columns)
    session.add(row)
    session.flush()
    _note(session, actor, "rule.added", row.id, f"Added a rule: {sentence_of(session, terms_of(row))}", now)
    return row.id


def change_rule(session: Session, *, actor: Actor, rule_id: UUID, draft: RuleDraft, now: datetime) -> None:
    """What a rule says from now on. Raises RuleInvalid or RuleNotFound."""
    row = _mine(session, actor, rule_id)
    before = sentence_of(session, terms_of(row))
    for name, value in _cleaned(session, actor, draft).items():
        setattr(row, name, value)
    row.updated_at = now
    session.flush()
    think_over(session, organization_id=row.organization_id, rule_id=rule_id, now=now)
    after = sentence_of(session, terms_of(row))
    _note(session, actor, "rule.changed", rule_id, f"Changed a rule: {after}", now, {"says": [before, after]})


def switch_rule(session: Session, *, actor: Actor, rule_id: UUID, is_enabled: bool, now: datetime) -> bool:
    """Switch a rule on or off. False where it was so. Raises RuleNotFound."""
    row = _mine(session, actor, rule_id)
    if row.is_enabled == is_enabled:
        return False
    row.is_enabled, row.updated_at = is_enabled, now
    verb = "on" if is_enabled else "off"
    summary = f"Switched a rule {verb}: {sentence_of(session, terms_of(row))}"
    _note(session, actor, f"rule.switched_{verb}", rule_id, summary, now)
    return True


def snooze_rule(session: Session, *, actor: Actor, rule_id: UUID, until: datetime | None, now: datetime) -> None:
    """Let a rule tell nothing before then; None ends it. Raises RuleNotFound, or RuleInvalid for more than 30 days."""
    row = _mine(session, actor, rule_id)
    if until is not None and not now < until <= now + LONGEST_SNOOZE:
        raise RuleInvalid("Snooze it until some time within the next 30 days.", field="until")
    row.snoozed_until, row.updated_at = until, now
    think_over(session, organization_id=row.organization_id, rule_id=rule_id, now=now)
    words = "Ended the snooze of" if until is None else f"Snoozed until {until:%Y-%m-%d %H:%M} UTC"
    _note(session, actor, "rule.snoozed", rule_id, f"{words}: {sentence_of(session, terms_of(row))}", now)


def delete_rule(session: Session, *, actor: Actor, rule_id: UUID, now: datetime) -> None:
    """Take a rule away. Raises RuleNotFound."""
    row = _mine(session, actor, rule_id)
    row.deleted_at = now
    _note(session, actor, "rule.deleted", rule_id, f"Deleted a rule: {sentence_of(session, terms_of(row))}", now)


def restore_rule(session: Session, *, actor: Actor, rule_id: UUID, now: datetime) -> None:
    """Bring a deleted rule back, as it was. Raises RuleNotFound."""
    row = _mine(session, actor, rule_id, is_deleted=True)
    row.deleted_at, row.updated_at = None, now
    _note(session, actor, "rule.restored", rule_id, f"Brought back: {sentence_of(session, terms_of(row))}", now)


def terms_of_draft(session: Session, *, actor: Actor, draft: RuleDraft) -> RuleTerms:
    """What a rule would say that nobody has saved. Raises RuleInvalid."""
    columns = _cleaned(session, actor, draft)
    return RuleTerms(
        new_id(), actor.organization_id, frozenset(NotificationType(one) for one in columns["types"]),
        ScopeKind(columns["scope_kind"]), columns["scope_value"], draft.after_failures, draft.tells_recovery,
        timedelta(minutes=draft.cooldown_minutes), tuple(UUID(one) for one in columns["channel_ids"]),
    )  # fmt: skip


def sentence_of(session: Session, rule: RuleTerms) -> str:
    """What a rule says, with the names of its channels and of what it is about."""
    ids = rule.channel_ids
    mine = Channel.organization_id == rule.organization_id, Channel.id.in_(ids), Channel.deleted_at.is_(None)
    names = {row.id: row.name for row in session.execute(select(Channel.id, Channel.name).where(*mine))}
    about = scope_name(session, rule.organization_id, rule.scope_kind, rule.scope_value)
    return say_rule(rule, scope_name=about, channels=[names[one] for one in ids if one in names])


def _cleaned(session: Session, actor: Actor, draft: RuleDraft) -> dict[str, Any]:
    known = {type_.value for type_ in CHOSEN_TYPES}
    types = [one for one in dict.fromkeys(draft.types) if one in known]
    if not types or len(types) != len(set(draft.types)):
        raise RuleInvalid("Choose what the rule tells: one or more of the types.", field="types")
    if not 1 <= draft.after_failures <= MOST_FAILURES:
        raise RuleInvalid(f"Tell after 1 to {MOST_FAILURES} failures in a row.", field="after_failures")
    if not 0 <= draft.cooldown_minutes <= LONGEST_COOLDOWN_MINUTES:
        raise RuleInvalid("Wait 0 minutes to 7 days before the same cause is told again.", field="cooldown_minutes")
    kind, value = clean_scope(session, actor, draft.scope_kind, draft.scope_value, RuleInvalid)
    return {
        "types": types,
        "scope_kind": kind.value,
        "scope_value": value,
        "after_failures": draft.after_failures,
        "tells_recovery": draft.tells_recovery,
        "cooldown_minutes": draft.cooldown_minutes,
        "channel_ids": clean_channels(session, actor, draft.channel_ids, RuleInvalid, field="channel_ids"),
    }


def _mine(session: Session, actor: Actor, rule_id: UUID, *, is_deleted: bool = False) -> Rule:
    require(actor, Permission.MANAGE_NOTIFICATIONS)
    state = Rule.deleted_at.is_not(None) if is_deleted else Rule.deleted_at.is_(None)
    mine = Rule.organization_id == actor.organization_id, Rule.id == rule_id
    query = select(Rule).where(*mine, state).with_for_update()
    row = session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise RuleNotFound("There is no such rule.")
    return row


def _note(
    session: Session, actor: Actor, action: str, subject_id: UUID, summary: str, now: datetime,
    changes: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    record_change(
        session, actor=actor, topic=Topic.NOTIFICATIONS, action=action, subject_id=subject_id, summary=summary[:500],
        now=now, changes=changes,
    )  # fmt: skip
