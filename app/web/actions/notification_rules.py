"""What the forms and buttons of rules do."""

from datetime import timedelta
from uuid import UUID

from flask import Response, request, url_for

from app.core.errors import Conflict, Invalid
from app.edge.database import roll_back
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.notifications.history import preview_rule
from app.notifications.rule_changes import (
    add_rule,
    change_rule,
    delete_rule,
    restore_rule,
    sentence_of,
    snooze_rule,
    switch_rule,
    terms_of_draft,
)
from app.notifications.rule_rows import RuleRow
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.notification_rules import RuleForm, rule_form
from app.web.pages.notification_rules import SNOOZES, channel_choices, read_rule, rule_page
from app.web.permissions import route
from app.web.responses import see_other, toast


@route(web, "/notifications/rules/new", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def make_rule() -> Response:
    """Make a rule, or only look at what it would have sent."""
    return _sent(None)


@route(web, "/notifications/rules/<uuid:rule_id>", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def save_rule(rule_id: UUID) -> Response:
    """Change a rule, or only look at what it would have sent."""
    return _sent(read_rule(rule_id))


@route(web, "/notifications/rules/<uuid:rule_id>/enabled", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def turn_rule(rule_id: UUID) -> Response:
    """Heed a rule, or do not for now."""
    is_on = request.form.get("enabled") == "yes"
    switch_rule(request_session(), actor=current_actor(), rule_id=rule_id, is_enabled=is_on, now=request_now())
    return toast(see_other("web.notifications"), f"The rule is {'on' if is_on else 'off'}.")


@route(web, "/notifications/rules/<uuid:rule_id>/snooze", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"])
def put_rule_off(rule_id: UUID) -> Response:
    """Let a rule tell nothing for some hours, or end that."""
    now, hours = request_now(), request.form.get("hours", "")
    wanted = int(hours) if hours.isascii() and hours.isdigit() and len(hours) < 4 else 0
    until = now + timedelta(hours=wanted) if wanted in SNOOZES else None
    snooze_rule(request_session(), actor=current_actor(), rule_id=rule_id, until=until, now=now)
    words = f"The rule tells nothing for {SNOOZES[wanted]}." if until else "The rule tells again."
    return toast(see_other("web.notifications"), words)


@route(
    web, "/notifications/rules/<uuid:rule_id>/deletion", permission=Permission.MANAGE_NOTIFICATIONS, methods=["POST"]
)
def remove_rule(rule_id: UUID) -> Response:
    """Delete a rule; the toast brings it back."""
    delete_rule(request_session(), actor=current_actor(), rule_id=rule_id, now=request_now())
    undo = {"label": "Undo", "url": url_for("web.bring_rule_back", rule_id=rule_id), "post": True}
    return toast(see_other("web.notifications"), "The rule is deleted.", action=undo)


@route(
    web, "/notifications/rules/<uuid:rule_id>/restoration", permission=Permission.MANAGE_NOTIFICATIONS,
    methods=["POST"],
)  # fmt: skip
def bring_rule_back(rule_id: UUID) -> Response:
    """Bring a deleted rule back."""
    restore_rule(request_session(), actor=current_actor(), rule_id=rule_id, now=request_now())
    return toast(see_other("web.notifications"), "The rule is back.")


def _sent(row: RuleRow | None) -> Response:
    form = rule_form(channel_choices())
    try:
        if not form.validate():
            return rule_page(row, form, status=422)
        if request.form.get("preview"):
            return _previewed(row, form)
        _save(row, form)
    except (Invalid, Conflict) as error:
        roll_back(runtime().requests)
        _show_error(form, error)
        return rule_page(row, form, status=status_of(error))
    return toast(see_other("web.notifications"), "The rule is saved.")


def _save(row: RuleRow | None, form: RuleForm) -> None:
    session, actor, now = request_session(), current_actor(), request_now()
    draft = form.draft(session, actor.organization_id)
    if row is None:
        add_rule(session, actor=actor, draft=draft, now=now)
    else:
        change_rule(session, actor=actor, rule_id=row.terms.id, draft=draft, now=now)


def _previewed(row: RuleRow | None, form: RuleForm) -> Response:
    session, actor = request_session(), current_actor()
    terms = terms_of_draft(session, actor=actor, draft=form.draft(session, actor.organization_id))
    found = preview_rule(session, rule=terms, now=request_now())
    return rule_page(row, form, preview=found, sentence=sentence_of(session, terms))


def _show_error(form: RuleForm, error: Invalid | Conflict) -> None:
    # The command speaks of the value that is stored; on the page that is a name.
    if getattr(error, "field", None) in {"scope_value", "tag", "tags"}:
        error.field = "scope_name"
    form.show_error(error)
