"""`/notification-texts`: what messages say, in Belfry's words or in the organization's own."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.notifications.messages.forms import discord_embed, mail_html, mail_subject, plain_text, telegram_html
from app.notifications.messages.texts import LONGEST_BODY_TEXT, LONGEST_TITLE_TEXT, MessageText
from app.notifications.messages.writing import VARIABLES, Press
from app.notifications.sentences import TYPE_NAMES
from app.notifications.text_changes import forget_text, known_type, own_texts, save_text
from app.notifications.text_preview import preview_text
from app.notifications.types import NotificationType
from app.tenants.access import Permission

_ONE = "/notification-texts/<type_name>"
_EXAMPLE: dict[str, Any] = {"title": "{{job}} is down", "body": "{{error}}\n\nCall the one on duty."}


class TextIn(Body):
    """A text of one's own. Names in double braces are replaced by values, and nothing else is."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    title: Annotated[str, Field(max_length=LONGEST_TITLE_TEXT, description="One line: the subject of mails.")]
    body: Annotated[str, Field(max_length=LONGEST_BODY_TEXT)] = ""


class TextDraftIn(Body):
    """A text to look at. Without a title: what is told now."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    title: Annotated[Annotated[str, Field(max_length=LONGEST_TITLE_TEXT)] | None, Field(description="One line.")] = None
    body: Annotated[str, Field(max_length=LONGEST_BODY_TEXT)] = ""


class TextOut(Answer):
    """What messages of a type say."""

    type: NotificationType
    name: Annotated[str, Field(description="“A run failed”")]
    is_own: Annotated[bool, Field(description="Otherwise it is said in Belfry's words.")]
    title: str | None
    body: str | None


class TextPreviewOut(Answer):
    """A message, and the forms that it takes. Each form escapes the text for itself."""

    type: NotificationType
    is_example: Annotated[bool, Field(description="The values are made up: no message of the type was sent lately.")]
    told_at: Annotated[Moment | None, Field(description="When the message was written that the values are of.")]
    title: str
    body: str
    values: Annotated[dict[str, str], Field(description="What each name stands for in this message.")]
    mail_subject: str
    mail_html: str
    text: Annotated[str, Field(description="Mail without HTML, and other services.")]
    telegram_html: str
    discord: dict[str, Any]


class TextVariableOut(Answer):
    """A name that texts may have in double braces."""

    name: str
    stands_for: str


@resource("GET", "/notification-texts", permission=Permission.VIEW, query=Paging, answer=TextOut, is_list=True)
def list_notification_texts(query: Paging) -> Page[TextOut]:
    """Every type of message with its text."""
    own, order = _own(), list(NotificationType)
    return cut([_out(type_, own.get(type_)) for type_ in order], query, key=lambda one: (order.index(one.type),))


@resource(
    "GET", "/notification-variables", permission=Permission.VIEW, query=Paging, answer=TextVariableOut, is_list=True
)
def list_notification_variables(query: Paging) -> Page[TextVariableOut]:
    """The names that texts may have in double braces."""
    order = list(VARIABLES)
    found = [TextVariableOut(name=name, stands_for=words) for name, words in VARIABLES.items()]
    return cut(found, query, key=lambda one: (order.index(one.name),))


@resource("GET", _ONE, permission=Permission.VIEW, answer=TextOut)
def show_notification_text(type_name: str) -> TextOut:
    """What messages of one type say."""
    type_ = known_type(type_name)
    return _out(type_, _own().get(type_))


@resource("PUT", _ONE, permission=Permission.MANAGE_NOTIFICATIONS, body=TextIn, answer=TextOut)
def put_notification_text(type_name: str, body: TextIn) -> TextOut:
    """Say it in these words from now on."""
    type_, text = known_type(type_name), MessageText(body.title, body.body)
    return _out(type_, save_text(request_session(), actor=current_actor(), type_=type_, text=text, now=request_now()))


@resource("DELETE", _ONE, permission=Permission.MANAGE_NOTIFICATIONS)
def forget_notification_text(type_name: str) -> Message:
    """Say it in Belfry's words again."""
    was = forget_text(request_session(), actor=current_actor(), type_=known_type(type_name), now=request_now())
    return Message(None, "It is said in Belfry's words again." if was else "It was said in Belfry's words already.")


@resource(
    "POST", f"{_ONE}/preview", permission=Permission.VIEW, body=TextDraftIn, answer=TextPreviewOut, is_reading=True,
    is_body_optional=True,
)  # fmt: skip
def preview_notification_text(type_name: str, body: TextDraftIn) -> TextPreviewOut:
    """What messages of a type look like with a text. Nothing is saved."""
    type_ = known_type(type_name)
    text = _own().get(type_) if body.title is None else MessageText(body.title, body.body)
    press = Press(runtime().settings.public_url)
    found = preview_text(
        request_session(), actor=current_actor(), type_=type_, text=text, press=press, now=request_now()
    )
    content = found.content
    return TextPreviewOut(
        type=type_,
        is_example=found.is_example,
        told_at=found.told_at,
        title=content.title,
        body=content.body,
        values=dict(found.values),
        mail_subject=mail_subject(content),
        mail_html=mail_html(content),
        text=plain_text(content),
        telegram_html=telegram_html(content),
        discord=discord_embed(content),
    )


def _own() -> dict[NotificationType, MessageText]:
    return own_texts(request_session(), organization_id=current_actor().organization_id)


def _out(type_: NotificationType, text: MessageText | None) -> TextOut:
    return TextOut(
        type=type_,
        name=TYPE_NAMES[type_],
        is_own=text is not None,
        title=None if text is None else text.title,
        body=None if text is None else text.body,
    )
