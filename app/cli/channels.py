"""`belfry channels`: where people are told. What is secret comes from a file, a pipe or a prompt, and never from the
command line, which every process of the machine can read."""

from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, Desk, as_json, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.core.clock import DatabaseClock
from app.notifications.channel_changes import (
    change_channel,
    delete_channel,
    make_channel,
    restore_channel,
    switch_channel,
)
from app.notifications.channel_desk import ChannelDesk, kind_of
from app.notifications.channel_rows import ChannelRow, get_channel, list_channels
from app.notifications.couriers.errands import FieldWords
from app.notifications.signing_keys import renew_signing_key
from app.notifications.types import ChannelKind

_KINDS = [kind.value for kind in ChannelKind]
_LONGEST_SECRET = 2_000
_settings = click.option("--set", "plain", multiple=True, metavar="FIELD=VALUE", help="A field of its kind.")
_secrets = click.option(
    "--secret-file",
    "files",
    multiple=True,
    metavar="FIELD=FILE",
    help="A file that holds a secret field; - reads the standard input. Without it you are asked.",
)
_fallback = click.option("--fallback/--no-fallback", default=None, help="Use it where another channel does not work.")


@click.group()
def channels() -> None:
    """See, make, test, change and delete channels: where people are told."""


@channels.command("list")
@with_organization
@as_json
@pass_console
def list_command(console: Console, is_json: bool) -> None:
    """List the channels, those that do not work first."""
    with console.reading() as desk:
        found = list_channels(desk.session, organization_id=desk.actor.organization_id)
    cells = [
        [str(row.id), row.name, row.kind.value, row.state.value, moment(row.last_ok_at) or "-", row.last_error or "-"]
        for row in found
    ]
    headings = ["ID", "NAME", "KIND", "STATE", "LAST MESSAGE", "LAST ERROR"]
    show([_facts(row) for row in found], table(headings, cells, empty="None. Nobody is told."), is_json=is_json)


@channels.command()
@as_json
@pass_console
def kinds(console: Console, is_json: bool) -> None:
    """List the kinds of channels, with the fields of each."""
    desk = _channel_desk(console)
    found = [
        {"kind": kind.value, "label": desk.couriers[kind].label, "field": words.name, "secret": words.is_secret,
         "required": words.is_required, "hint": words.hint}
        for kind in ChannelKind
        for words in desk.couriers[kind].fields
    ]  # fmt: skip
    cells = [
        [str(one["kind"]), str(one["field"]), "secret" if one["secret"] else "-", str(one["hint"])] for one in found
    ]
    show(found, table(["KIND", "FIELD", "", "WHAT IT IS"], cells, empty="None."), is_json=is_json)


@channels.command("show")
@click.argument("channel_id", metavar="ID", type=click.UUID)
@with_organization
@as_json
@pass_console
def show_command(console: Console, channel_id: UUID, is_json: bool) -> None:
    """Show one channel."""
    facts = _facts(_row(console, channel_id))
    lines = [f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in facts.items()]
    show(facts, "\n".join(lines), is_json=is_json)


@channels.command()
@click.argument("kind", type=click.Choice(_KINDS))
@click.argument("name")
@_settings
@_secrets
@_fallback
@with_organization
@as_json
@pass_console
def add(
    console: Console, kind: str, name: str, plain: tuple[str, ...], files: tuple[str, ...], fallback: bool | None,
    is_json: bool,
) -> None:  # fmt: skip
    """Make a channel, switched on: belfry channels add telegram Ops --set chat_id=@ops."""
    desk = _channel_desk(console)
    given = _pairs(plain) | _read_files(files)
    for words in desk.couriers[kind_of(kind)].fields:
        if words.is_secret and words.is_required and words.name not in given:
            given[words.name] = _asked(words)
    draft = desk.draft(_glance(console).actor, kind, name, given, is_fallback=bool(fallback))
    with console.desk() as here:
        channel_id = make_channel(here.session, actor=here.actor, sealer=desk.sealer, draft=draft, now=here.now)
    _say_key(draft.place.made)
    facts = {"channel": str(channel_id)} | ({} if draft.place.made is None else {"signing_key": draft.place.made})
    show(facts, str(channel_id), is_json=is_json)


@channels.command()
@click.argument("channel_id", metavar="ID", type=click.UUID)
@click.option("--name", help="What it is called from now on.")
@_settings
@_secrets
@_fallback
@with_organization
@pass_console
def change(
    console: Console, channel_id: UUID, name: str | None, plain: tuple[str, ...], files: tuple[str, ...],
    fallback: bool | None,
) -> None:  # fmt: skip
    """Let a channel lead elsewhere, or be called otherwise. What is not named stays."""
    desk, given = _channel_desk(console), _pairs(plain) | _read_files(files)
    draft = desk.redraft(_glance(console).actor, channel_id, name, given, is_fallback=fallback)
    with console.desk() as here:
        change_channel(
            here.session, actor=here.actor, sealer=desk.sealer, channel_id=channel_id, draft=draft, now=here.now
        )
    _say_key(draft.place.made)
    say("Changed.")


@channels.command("new-key")
@click.argument("channel_id", metavar="ID", type=click.UUID)
@with_organization
@as_json
@pass_console
def new_key(console: Console, channel_id: UUID, is_json: bool) -> None:
    """Let a webhook sign with a new key from now on, and print it. It cannot be read again."""
    sealer = _channel_desk(console).sealer
    with console.desk() as here:
        made = renew_signing_key(here.session, actor=here.actor, sealer=sealer, channel_id=channel_id, now=here.now)
    # Beside the output, so that a script reads the key and nothing else.
    say(f"{made.channel_name} signs with this key from now on. It is shown only now.", err=True)
    show({"channel": str(channel_id), "signing_key": made.key}, made.key, is_json=is_json)


@channels.command("test")
@click.argument("channel_id", metavar="ID", type=click.UUID)
@with_organization
@pass_console
def test_command(console: Console, channel_id: UUID) -> None:
    """Send a test message now, and say what came of it."""
    found = _channel_desk(console).test(_glance(console).actor, channel_id)
    if not found.is_good:
        raise click.ClickException(found.words)
    say(found.words)


@channels.command()
@click.argument("channel_id", metavar="ID", type=click.UUID)
@with_organization
@pass_console
def enable(console: Console, channel_id: UUID) -> None:
    """Use a channel, also one that was broken."""
    with console.desk() as desk:
        switch_channel(desk.session, actor=desk.actor, channel_id=channel_id, is_on=True, now=desk.now)
    say("It is on.")


@channels.command()
@click.argument("channel_id", metavar="ID", type=click.UUID)
@with_organization
@pass_console
def disable(console: Console, channel_id: UUID) -> None:
    """Do not use a channel for now. What waits for it is not sent."""
    with console.desk() as desk:
        switch_channel(desk.session, actor=desk.actor, channel_id=channel_id, is_on=False, now=desk.now)
    say("It is off.")


@channels.command()
@click.argument("channel_id", metavar="ID", type=click.UUID)
@with_organization
@pass_console
def delete(console: Console, channel_id: UUID) -> None:
    """Delete a channel; it can be restored for a week."""
    with console.desk() as desk:
        name = delete_channel(desk.session, actor=desk.actor, channel_id=channel_id, now=desk.now)
    say(f"“{name}” is deleted. Bring it back with: belfry channels restore {channel_id}")


@channels.command()
@click.argument("channel_id", metavar="ID", type=click.UUID)
@with_organization
@pass_console
def restore(console: Console, channel_id: UUID) -> None:
    """Bring a deleted channel back."""
    with console.desk() as desk:
        name = restore_channel(desk.session, actor=desk.actor, channel_id=channel_id, now=desk.now)
    say(f"“{name}” is back.")


def _channel_desk(console: Console) -> ChannelDesk:
    return ChannelDesk(console.settings, console.database, DatabaseClock())


def _glance(console: Console) -> Desk:
    """Who acts. Its session is over: channels are checked and tested outside of any transaction."""
    with console.reading() as desk:
        return desk


def _row(console: Console, channel_id: UUID) -> ChannelRow:
    with console.reading() as desk:
        return get_channel(desk.session, organization_id=desk.actor.organization_id, channel_id=channel_id)


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not sign:
            raise click.BadParameter(f"Write it as FIELD=VALUE, not “{pair}”.")
        found[name] = value
    return found


def _read_files(files: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name, path in _pairs(files).items():
        try:
            with click.open_file(path) as file:
                # More than that is none, and is refused for its length.
                found[name] = file.read(_LONGEST_SECRET + 2).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise click.BadParameter(f"{path} cannot be read: {error}.") from error
    return found


def _say_key(made: str | None) -> None:
    if made is not None:
        # Beside the output, which scripts read.
        say(f"A key to sign with was made. It is shown only now: {made}", err=True)


def _asked(words: FieldWords) -> str:
    return str(click.prompt(words.label, hide_input=True, err=True))


def _facts(row: ChannelRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "kind": row.kind.value,
        "state": row.state.value,
        "settings": dict(row.settings),
        "secret": None
        if row.secret_set_at is None
        else f"••••{row.secret_hint or ''}, set {moment(row.secret_set_at)}",
        "fallback": row.is_fallback,
        "last_message": moment(row.last_ok_at),
        "last_error": row.last_error,
        "last_error_at": moment(row.last_error_at),
    }


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={text}" for name, text in value.items()) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value or "-")
