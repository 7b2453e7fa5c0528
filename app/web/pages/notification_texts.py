"""Texts of messages, one for each type, and what they look like. What their forms do: actions/notification_texts.py."""

from dataclasses import dataclass

from flask import Response

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.notifications.messages.looks import looks_of
from app.notifications.messages.texts import MessageText
from app.notifications.messages.writing import VARIABLES, Press
from app.notifications.sentences import TYPE_NAMES
from app.notifications.text_changes import known_type, own_texts
from app.notifications.text_preview import TextPreview, preview_text
from app.notifications.types import NotificationType
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.forms.notification_texts import TextForm, text_form
from app.web.pages.notification_tabs import notification_tabs
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import fragment, invalid, page


@dataclass(frozen=True)
class TextLine:
    """One type of message, and what it says here; None: what Belfry says."""

    type: NotificationType
    name: str
    own: MessageText | None


@route(web, "/notifications/texts", permission=Permission.VIEW)
def notification_texts() -> Response:
    """Every type of message with its text."""
    own = own_texts(request_session(), organization_id=current_actor().organization_id)
    return page(
        "notifications/texts.html",
        tabs=notification_tabs("web.notification_texts"),
        lines=[TextLine(type_, TYPE_NAMES[type_], own.get(type_)) for type_ in NotificationType],
    )


@route(web, "/notifications/texts/<type_name>", permission=Permission.VIEW)
def notification_text(type_name: str) -> Response:
    """The text of one type, and what its messages look like."""
    line = text_line(type_name)
    return text_page(line, text_form(line.own), preview=look(line.type, line.own))


def text_page(
    line: TextLine, form: TextForm, *, preview: TextPreview, is_draft: bool = False, status: int = 200
) -> Response:  # fmt: skip
    """The page of one text; after a refusal with its messages. `is_draft`: what is shown is not saved."""
    return invalid(
        "notifications/text.html",
        status=status,
        line=line,
        form=form,
        preview=preview,
        looks=looks_of(preview.content),
        problem="",
        is_draft=is_draft,
        variables=VARIABLES,
        refused=refusals(),
    )


def preview_part(preview: TextPreview, *, is_draft: bool, problem: str = "") -> Response:
    """What the messages look like, as a part of the page. `problem` is why the newest text could not be shown."""
    return fragment(
        "notifications/_text_preview.html",
        preview=preview,
        looks=looks_of(preview.content),
        is_draft=is_draft,
        problem=problem,
    )


def text_line(type_name: str) -> TextLine:
    """The type that an address names, with its text. Raises TypeUnknown."""
    type_ = known_type(type_name)
    own = own_texts(request_session(), organization_id=current_actor().organization_id)
    return TextLine(type_, TYPE_NAMES[type_], own.get(type_))


def look(type_: NotificationType, text: MessageText | None) -> TextPreview:
    """What a message of the type looks like. Raises TextInvalid."""
    press = Press(runtime().settings.public_url)
    return preview_text(
        request_session(), actor=current_actor(), type_=type_, text=text, press=press, now=request_now()
    )
