"""`/notification-rules`: what is told, and by which channels."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import fresh_session, request_session
from app.notifications.history import Preview, preview_rule
from app.notifications.rule_changes import (
    LONGEST_COOLDOWN_MINUTES,
    MOST_FAILURES,
    RuleDraft,
    add_rule,
    change_rule,
    delete_rule,
    restore_rule,
    sentence_of,
    snooze_rule,
    switch_rule,
    terms_of_draft,
)
from app.notifications.rule_rows import RuleRow, get_rule, list_rules
from app.notifications.types import DEFAULT_TYPES, NotificationType, ScopeKind
from app.tenants.access import Permission

_ONE = "/notification-rules/<uuid:rule_id>"
_EXAMPLE: dict[str, Any] = {
    "scope_kind": "tag",
    "scope_value": "revenue",
    "after_failures": 2,
    "channel_ids": ["0190b6a2-5c1e-7cc0-98a4-1f0e6d3b2a10"],
}
Types = Annotated[list[NotificationType], Field(min_length=1, max_length=40)]
Channels = Annotated[list[UUID], Field(min_length=1, max_length=20)]
Failures = Annotated[int, Field(ge=1, le=MOST_FAILURES)]
Cooldown = Annotated[int, Field(ge=0, le=LONGEST_COOLDOWN_MINUTES)]
ScopeValue = Annotated[
    Annotated[str, Field(max_length=200)] | None,
    Field(description="The id of a schedule or job, a tag, or a service; null for the whole organization."),
]


class RuleIn(Body):
    """What a rule says."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    types: Types = Field(default_factory=lambda: sorted(DEFAULT_TYPES))
    scope_kind: ScopeKind = ScopeKind.ORGANIZATION
    scope_value: ScopeValue = None
    after_failures: Annotated[Failures, Field(description="From this failure in a row on.")] = 1
    tells_recovery: bool = True
    cooldown_minutes: Annotated[Cooldown, Field(description="Before the same cause is told again.")] = 60
    channel_ids: Channels


class RuleChanges(Body):
    """What is to be otherwise; null leaves it as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"after_failures": 3}, {"enabled": False}]})

    types: Types | None = None
    scope_kind: Annotated[ScopeKind | None, Field(description="With it, `scope_value` is heeded as well.")] = None
    scope_value: ScopeValue = None
    after_failures: Failures | None = None
    tells_recovery: bool | None = None
    cooldown_minutes: Cooldown | None = None
    channel_ids: Channels | None = None
    enabled: bool | None = None


class SnoozeIn(Body):
    """How long a rule tells nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"until": None}]})

    until: Annotated[Moment | None, Field(description="Within the next 30 days; null ends it.")]


class RuleOut(Answer):
    """A rule."""

    id: UUID
    sentence: Annotated[str, Field(description="“When anything goes wrong, tell #data; again when it recovers.”")]
    enabled: bool
    types: list[NotificationType]
    scope_kind: ScopeKind
    scope_value: str | None
    scope_name: str | None
    after_failures: int
    tells_recovery: bool
    cooldown_minutes: int
    channel_ids: list[UUID]
    snoozed_until: Moment | None
    created_at: Moment


class RulePreviewOut(Answer):
    """What a rule would have sent."""

    words: Annotated[str, Field(description="“In the last 7 days this would have sent 6 messages.”")]
    sentence: str
    days: int
    messages: int
    incidents: int
    is_cut: Annotated[bool, Field(description="So much happened that it would have been more.")]
    left_out: Annotated[list[NotificationType], Field(description="Types that the past does not tell.")]


@resource("GET", "/notification-rules", permission=Permission.VIEW, query=Paging, answer=RuleOut, is_list=True)
def list_notification_rules(query: Paging) -> Page[RuleOut]:
    """All rules, the oldest first."""
    found = list_rules(request_session(), organization_id=current_actor().organization_id)
    return cut([_out(row) for row in found], query, key=lambda one: (one.created_at.isoformat(), str(one.id)))


@resource("GET", _ONE, permission=Permission.VIEW, answer=RuleOut)
def show_notification_rule(rule_id: UUID) -> RuleOut:
    """One rule."""
    return _one(rule_id)


@resource(
    "POST",
    "/notification-rules",
    permission=Permission.MANAGE_NOTIFICATIONS,
    body=RuleIn,
    answer=RuleOut,
    status=201,
    may_conflict=True,
)
def create_notification_rule(body: RuleIn) -> RuleOut:
    """Make a rule. It is heeded at once, and tells of what is wrong from now on."""
    rule_id = add_rule(request_session(), actor=current_actor(), draft=_draft(body), now=request_now())
    return _one(rule_id)


@resource(
    "POST",
    "/notification-rules/preview",
    permission=Permission.MANAGE_NOTIFICATIONS,
    body=RuleIn,
    answer=RulePreviewOut,
    is_reading=True,
)
def preview_new_rule(body: RuleIn) -> RulePreviewOut:
    """What a rule would have sent in the last seven days. Nothing is saved."""
    session, now = request_session(), request_now()
    terms = terms_of_draft(session, actor=current_actor(), draft=_draft(body))
    return _preview_out(preview_rule(session, rule=terms, now=now), sentence_of(session, terms))


@resource("GET", f"{_ONE}/preview", permission=Permission.VIEW, answer=RulePreviewOut)
def preview_notification_rule(rule_id: UUID) -> RulePreviewOut:
    """What a rule would have sent in the last seven days."""
    row = get_rule(request_session(), organization_id=current_actor().organization_id, rule_id=rule_id)
    return _preview_out(preview_rule(request_session(), rule=row.terms, now=request_now()), row.sentence)


@resource(
    "PATCH",
    _ONE,
    permission=Permission.MANAGE_NOTIFICATIONS,
    body=RuleChanges,
    answer=RuleOut,
)
def change_notification_rule(rule_id: UUID, body: RuleChanges) -> RuleOut:
    """Change a rule: what is sent, and nothing else."""
    session, actor, now = request_session(), current_actor(), request_now()
    before = get_rule(session, organization_id=actor.organization_id, rule_id=rule_id)
    if body.model_fields_set - {"enabled"}:
        change_rule(session, actor=actor, rule_id=rule_id, draft=_changed(before, body), now=now)
    if body.enabled is not None:
        switch_rule(session, actor=actor, rule_id=rule_id, is_enabled=body.enabled, now=now)
    return _one(rule_id)


@resource("PUT", f"{_ONE}/snooze", permission=Permission.MANAGE_NOTIFICATIONS, body=SnoozeIn, answer=RuleOut)
def snooze_notification_rule(rule_id: UUID, body: SnoozeIn) -> RuleOut:
    """Let a rule tell nothing before then. What is still wrong then is told then."""
    snooze_rule(request_session(), actor=current_actor(), rule_id=rule_id, until=body.until, now=request_now())
    return _one(rule_id)


@resource("DELETE", _ONE, permission=Permission.MANAGE_NOTIFICATIONS)
def delete_notification_rule(rule_id: UUID) -> Message:
    """Delete a rule; it can be brought back."""
    delete_rule(request_session(), actor=current_actor(), rule_id=rule_id, now=request_now())
    return Message(None, "Deleted the rule.")


@resource("POST", f"{_ONE}/restore", permission=Permission.MANAGE_NOTIFICATIONS, answer=RuleOut)
def restore_notification_rule(rule_id: UUID) -> RuleOut:
    """Bring a deleted rule back."""
    restore_rule(request_session(), actor=current_actor(), rule_id=rule_id, now=request_now())
    return _one(rule_id)


def _draft(body: RuleIn) -> RuleDraft:
    return RuleDraft(
        channel_ids=body.channel_ids,
        types=tuple(body.types),
        scope_kind=body.scope_kind.value,
        scope_value=body.scope_value,
        after_failures=body.after_failures,
        tells_recovery=body.tells_recovery,
        cooldown_minutes=body.cooldown_minutes,
    )


def _changed(before: RuleRow, body: RuleChanges) -> RuleDraft:
    terms = before.terms
    is_moved = body.scope_kind is not None
    pause = int(terms.cooldown.total_seconds() // 60)
    return RuleDraft(
        channel_ids=terms.channel_ids if body.channel_ids is None else body.channel_ids,
        types=tuple(sorted(terms.types) if body.types is None else body.types),
        scope_kind=(terms.scope_kind if body.scope_kind is None else body.scope_kind).value,
        scope_value=body.scope_value if is_moved or body.scope_value is not None else terms.scope_value,
        after_failures=terms.after_failures if body.after_failures is None else body.after_failures,
        tells_recovery=terms.tells_recovery if body.tells_recovery is None else body.tells_recovery,
        cooldown_minutes=pause if body.cooldown_minutes is None else body.cooldown_minutes,
    )


def _one(rule_id: UUID) -> RuleOut:
    return _out(get_rule(fresh_session(), organization_id=current_actor().organization_id, rule_id=rule_id))


def _out(row: RuleRow) -> RuleOut:
    terms = row.terms
    return RuleOut(
        id=terms.id,
        sentence=row.sentence,
        enabled=terms.is_enabled,
        types=sorted(terms.types),
        scope_kind=terms.scope_kind,
        scope_value=terms.scope_value,
        scope_name=row.scope_name,
        after_failures=terms.after_failures,
        tells_recovery=terms.tells_recovery,
        cooldown_minutes=int(terms.cooldown.total_seconds() // 60),
        channel_ids=list(terms.channel_ids),
        snoozed_until=terms.snoozed_until,
        created_at=row.created_at,
    )


def _preview_out(found: Preview, sentence: str) -> RulePreviewOut:
    return RulePreviewOut(
        words=found.words,
        sentence=sentence,
        days=found.days,
        messages=found.messages,
        incidents=found.incidents,
        is_cut=found.is_cut,
        left_out=list(found.left_out),
    )
