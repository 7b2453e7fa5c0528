"""`belfry texts`: what messages say, in Belfry's words or in the organization's own."""

import json
from collections.abc import Callable
from typing import Any

import click

from app.cli.console import Console, Desk, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.notifications.messages.content import Content
from app.notifications.messages.forms import discord_embed, mail_html, mail_subject, plain_text, telegram_html
from app.notifications.messages.texts import LONGEST_BODY_TEXT, MessageText
from app.notifications.messages.writing import VARIABLES, Press
from app.notifications.sentences import TYPE_NAMES
from app.notifications.text_changes import forget_text, own_texts, save_text
from app.notifications.text_preview import preview_text
from app.notifications.types import NotificationType

FORMS: dict[str, Callable[[Content], str]] = {
    "text": lambda content: f"{mail_subject(content)}\n\n{plain_text(content)}",
    "mail": mail_html,
    "telegram": telegram_html,
    "discord": lambda content: json.dumps(discord_embed(content), ensure_ascii=False, indent=2),
}
_type = click.argument("type_name", metavar="TYPE", type=choice_of(NotificationType))
_title = click.option("--title", help="One line, such as “{{job}} is down”.")
_body = click.option("--body", help="The text, with names in double braces.")
_body_file = click.option("--body-file", metavar="FILE", help="A file with the text; - reads the standard input.")


@click.group()
def texts() -> None:
    """See, change and look at the texts of messages, one for each type."""


@texts.command("list")
@with_organization
@as_json
@pass_console
def list_command(console: Console, is_json: bool) -> None:
    """List the types of messages, with the titles of your own texts."""
    with console.reading() as desk:
        own = own_texts(desk.session, organization_id=desk.actor.organization_id)
    cells = [
        [
            type_.value,
            TYPE_NAMES[type_],
            "own" if type_ in own else "standard",
            own[type_].title if type_ in own else "-",
        ]
        for type_ in NotificationType
    ]
    facts = [_facts(type_, own.get(type_)) for type_ in NotificationType]
    show(facts, table(["TYPE", "TOLD WHEN", "TEXT", "TITLE"], cells, empty="None."), is_json=is_json)


@texts.command()
@as_json
@pass_console
def variables(console: Console, is_json: bool) -> None:
    """List the names that texts may have in double braces."""
    found = [{"name": name, "stands_for": words} for name, words in VARIABLES.items()]
    cells = [[f"{{{{{name}}}}}", words] for name, words in VARIABLES.items()]
    show(found, table(["NAME", "STANDS FOR"], cells, empty="None."), is_json=is_json)


@texts.command("show")
@_type
@with_organization
@as_json
@pass_console
def show_command(console: Console, type_name: str, is_json: bool) -> None:
    """Show your own text of a type."""
    type_ = NotificationType(type_name)
    with console.reading() as desk:
        text = own_texts(desk.session, organization_id=desk.actor.organization_id).get(type_)
    words = "It is the standard text." if text is None else f"{text.title}\n\n{text.body}".strip()
    show(_facts(type_, text), words, is_json=is_json)


@texts.command()
@_type
@_title
@_body
@_body_file
@with_organization
@as_json
@pass_console
def change(
    console: Console, type_name: str, title: str | None, body: str | None, body_file: str | None, is_json: bool
) -> None:  # fmt: skip
    """Say it in these words from now on. What is not named stays."""
    type_, typed = NotificationType(type_name), _typed(body, body_file)
    with console.desk() as desk:
        text = _text(desk, type_, title, typed)
        kept = save_text(desk.session, actor=desk.actor, type_=type_, text=text, now=desk.now)
    show(_facts(type_, kept), "Changed. The next message says it so.", is_json=is_json)


@texts.command()
@_type
@_title
@_body
@_body_file
@click.option("--form", type=click.Choice(list(FORMS)), default="text", show_default=True, help="As it is sent.")
@with_organization
@as_json
@pass_console
def preview(
    console: Console, type_name: str, title: str | None, body: str | None, body_file: str | None, form: str,
    is_json: bool,
) -> None:  # fmt: skip
    """Show what a message of a type looks like: as it is told now, or with a text of yours. Nothing is saved."""
    type_, typed = NotificationType(type_name), _typed(body, body_file)
    with console.reading() as desk:
        is_draft = title is not None or typed is not None
        own = own_texts(desk.session, organization_id=desk.actor.organization_id).get(type_)
        text = _text(desk, type_, title, typed) if is_draft else own
        press = Press(console.settings.public_url)
        found = preview_text(desk.session, actor=desk.actor, type_=type_, text=text, press=press, now=desk.now)
    sent = FORMS[form](found.content)
    # Beside the output, which is the message alone.
    if found.told_at is None:
        say("Example: none of the last messages was of this type, so the values are made up.", err=True)
    else:
        say(f"With the values of the message of {moment(found.told_at)}.", err=True)
    facts = {"type": type_.value, "form": form, "example": found.is_example, "told_at": moment(found.told_at)}
    show({**facts, "message": sent, "values": dict(found.values)}, sent, is_json=is_json)


@texts.command()
@_type
@with_organization
@pass_console
def reset(console: Console, type_name: str) -> None:
    """Say it in Belfry's words again."""
    with console.desk() as desk:
        was = forget_text(desk.session, actor=desk.actor, type_=NotificationType(type_name), now=desk.now)
    say("It is the standard text again." if was else "It was the standard text already.")


def _text(desk: Desk, type_: NotificationType, title: str | None, body: str | None) -> MessageText:
    """The text as it stands, with what was named. Without one of one's own, it begins as the title and nothing more."""
    own = own_texts(desk.session, organization_id=desk.actor.organization_id).get(type_)
    before = own or MessageText("{{title}}", "")
    return MessageText(before.title if title is None else title, before.body if body is None else body)


def _typed(body: str | None, body_file: str | None) -> str | None:
    if body is not None and body_file is not None:
        raise click.UsageError("Give --body or --body-file, not both.")
    if body_file is None:
        return body
    try:
        with click.open_file(body_file) as file:
            # More than that is refused for its length.
            return str(file.read(LONGEST_BODY_TEXT + 2))
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{body_file} cannot be read: {error}.") from error


def _facts(type_: NotificationType, text: MessageText | None) -> dict[str, Any]:
    return {
        "type": type_.value,
        "name": TYPE_NAMES[type_],
        "own": text is not None,
        "title": None if text is None else text.title,
        "body": None if text is None else text.body,
    }
