"""The forms of rules, with what they would have sent. What they do: actions/notification_rules.py."""

from uuid import UUID

from flask import Response, request

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.notifications.channel_rows import list_channels
from app.notifications.history import Preview, preview_rule
from app.notifications.rule_rows import RuleRow, get_rule
from app.notifications.sentences import TYPE_NAMES
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.notification_rules import RuleForm, rule_form
from app.web.permissions import route
from app.web.responses import invalid

SNOOZES = {1: "1 hour", 24: "24 hours", 7 * 24: "7 days"}


@route(web, "/notifications/rules/new", permission=Permission.MANAGE_NOTIFICATIONS)
def new_rule() -> Response:
    """The form of a new rule."""
    return rule_page(None, rule_form(channel_choices(), is_sent=False))


@route(web, "/notifications/rules/<uuid:rule_id>", permission=Permission.MANAGE_NOTIFICATIONS)
def rule(rule_id: UUID) -> Response:
    """One rule as it stands, to change it; with `preview`, what it would have sent."""
    row = read_rule(rule_id)
    found = None
    if request.args.get("preview"):
        found = preview_rule(request_session(), rule=row.terms, now=request_now())
    return rule_page(row, rule_form(channel_choices(), before=row, is_sent=False), preview=found)


def rule_page(
    row: RuleRow | None, form: RuleForm, *, status: int = 200, preview: Preview | None = None, sentence: str = ""
) -> Response:
    """The form of a rule; after a refusal with its messages, after a look with its preview."""
    until = None if row is None else row.terms.snoozed_until
    left_out = () if preview is None else [TYPE_NAMES[type_] for type_ in preview.left_out]
    return invalid(
        "notifications/rule.html", status=status, row=row, form=form, preview=preview, left_out=left_out,
        sentence=sentence or (row.sentence if row else ""), snoozes=SNOOZES,
        snoozed_until=until if until and until > request_now() else None, has_channels=bool(form.channel_ids.choices),
    )  # fmt: skip


def channel_choices() -> list[tuple[UUID, str]]:
    """The channels that a rule may tell by."""
    found = list_channels(request_session(), organization_id=current_actor().organization_id)
    return [(row.id, row.name) for row in found]


def read_rule(rule_id: UUID) -> RuleRow:
    """Raises RuleNotFound."""
    return get_rule(request_session(), organization_id=current_actor().organization_id, rule_id=rule_id)
