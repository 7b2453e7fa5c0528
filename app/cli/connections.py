"""`belfry connections`: the outside accounts that syncs read from. A token comes from a file, a pipe or a prompt, and
never from the command line, which every process of the machine can read."""

from datetime import datetime
from typing import IO, Any
from uuid import UUID

import click

from app.cli.console import Console, Desk, as_json, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.jobs.services import SERVICE_NAMES, Service
from app.ops.connecting import connect, disconnect, keep_test
from app.ops.connection_facts import ConnectionFacts, get_facts, list_facts
from app.ops.login_desk import CONNECTABLE, LoginDesk, refuse_bad
from app.ops.quota_runway import read_quota
from app.syncs.connection_changes import ConnectionDraft, rename_connection, replace_login
from app.syncs.connection_tests import KEPT_TESTS, list_tests
from app.syncs.signs.registry import sign_of
from app.syncs.signs.sign import LONGEST_SECRET

_SERVICES = [service.value for service in CONNECTABLE]
_token_file = click.option(
    "--token-file",
    type=click.File("r"),
    help="A file that holds the token, or the key; - reads it from the standard input. Without it you are asked.",
)


@click.group()
def connections() -> None:
    """See, make, test, reconnect and end connections to outside accounts."""


@connections.command("list")
@with_organization
@as_json
@pass_console
def list_command(console: Console, is_json: bool) -> None:
    """List the connections in use, what needs somebody first."""
    with console.reading() as desk:
        found = list_facts(desk.session, organization_id=desk.actor.organization_id, now=desk.now)
    cells = [
        [
            str(facts.row.id), facts.row.name, facts.row.service, facts.row.account_id, facts.words,
            moment(facts.row.last_used_at) or "-", ", ".join(one.name for one in facts.schedules) or "-",
        ]
        for facts in found
    ]  # fmt: skip
    headings = ["ID", "NAME", "SERVICE", "ACCOUNT", "STATE", "LAST READ", "USED BY"]
    show([_facts(facts) for facts in found], table(headings, cells, empty="None."), is_json=is_json)


@connections.command("show")
@click.argument("connection_id", metavar="ID", type=click.UUID)
@with_organization
@as_json
@pass_console
def show_command(console: Console, connection_id: UUID, is_json: bool) -> None:
    """Show one connection, with its newest tests."""
    with console.reading() as desk:
        here = {"organization_id": desk.actor.organization_id, "connection_id": connection_id}
        facts = get_facts(desk.session, **here, now=desk.now)
        tests = list_tests(desk.session, **here, limit=KEPT_TESTS)
        quota = None if facts.row.is_ended else read_quota(desk.session, **here, now=desk.now)
    found = _facts(facts) | {"quota": None if quota is None else quota.words(_moment)}
    told = [{"at": moment(one.at), "by": one.by, "good": one.is_good, "words": one.words} for one in tests]
    lines = [f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in found.items()]
    lines += [f"test: {one['at']} {one['words']}" for one in told]
    show(found | {"tests": told}, "\n".join(lines), is_json=is_json)


@connections.command()
@click.argument("service", type=click.Choice(_SERVICES))
@_token_file
@with_organization
@as_json
@pass_console
def accounts(console: Console, service: str, token_file: IO[str] | None, is_json: bool) -> None:
    """List the accounts that a login reads. Nothing is saved."""
    secret, desk = _read_secret(token_file, service), _glance(console)
    found = _logins(console).find_accounts(desk.actor.organization_id, service, secret, now=desk.now)
    if found.problem is not None:
        raise click.ClickException(found.problem)
    facts = [
        {"account": one.id, "name": one.name, "currency": one.currency, "zone": one.zone} for one in found.accounts
    ]
    cells = [list(map(str, one.values())) for one in facts]
    show(facts, table(["ACCOUNT", "NAME", "CURRENCY", "ZONE"], cells, empty="None."), is_json=is_json)


@connections.command()
@click.argument("service", type=click.Choice(_SERVICES))
@click.argument("account")
@click.option("--name", help="What it is called here. Without it, as its account is.")
@_token_file
@with_organization
@as_json
@pass_console
def add(
    console: Console, service: str, account: str, name: str | None, token_file: IO[str] | None, is_json: bool
) -> None:
    """Connect an account, once its login is found good. No schedule is enabled."""
    secret, logins = _read_secret(token_file, service), _logins(console)
    before = _glance(console)
    tried = logins.try_login(before.actor.organization_id, service, secret, account, now=before.now)
    refuse_bad(tried)
    called = name or ("" if tried.seen is None else tried.seen.account_name)
    with console.desk() as desk:
        connection_id = connect(
            desk.session, actor=desk.actor, sealer=logins.sealer, draft=ConnectionDraft(service, called, secret),
            tried=tried, now=desk.now,
        )  # fmt: skip
    show({"connection": str(connection_id), "words": tried.words}, f"{tried.words}\n{connection_id}", is_json=is_json)


@connections.command("test")
@click.argument("connection_id", metavar="ID", type=click.UUID)
@with_organization
@pass_console
def test_command(console: Console, connection_id: UUID) -> None:
    """Read a little with the login it has, within ten seconds."""
    before = _glance(console)
    stored = _logins(console).try_stored(before.actor, connection_id, now=before.now)
    with console.desk() as desk:
        noted = keep_test(desk.session, actor=desk.actor, connection_id=connection_id, stored=stored, now=desk.now)
    if not noted.tried.is_good:
        raise click.ClickException(noted.tried.words)
    say(noted.tried.words)


@connections.command("replace-login")
@click.argument("connection_id", metavar="ID", type=click.UUID)
@_token_file
@with_organization
@pass_console
def replace_command(console: Console, connection_id: UUID, token_file: IO[str] | None) -> None:
    """Give it another login, once that is found good. Reconnects it when the one before was refused."""
    before, logins = _glance(console), _logins(console)
    secret = _read_secret(token_file, _service_of(console, connection_id))
    tried = logins.try_replacement(before.actor, connection_id, secret, now=before.now)
    refuse_bad(tried)
    with console.desk() as desk:
        was_refused = replace_login(
            desk.session, actor=desk.actor, sealer=logins.sealer, connection_id=connection_id, secret=secret,
            tried=tried, now=desk.now,
        )  # fmt: skip
        facts = get_facts(
            desk.session, organization_id=desk.actor.organization_id, connection_id=connection_id, now=desk.now
        )
    say(f"{'Reconnected.' if was_refused else 'Replaced.'} {tried.words}")
    for schedule in facts.paused:
        say(f"Still off: {schedule.name}. Enable it with: belfry schedules enable {schedule.id}")


@connections.command()
@click.argument("connection_id", metavar="ID", type=click.UUID)
@click.argument("name")
@with_organization
@pass_console
def rename(console: Console, connection_id: UUID, name: str) -> None:
    """Call a connection otherwise."""
    with console.desk() as desk:
        rename_connection(desk.session, actor=desk.actor, connection_id=connection_id, name=name, now=desk.now)
    say("Renamed.")


@connections.command("disconnect")
@click.argument("connection_id", metavar="ID", type=click.UUID)
@with_organization
@pass_console
def disconnect_command(console: Console, connection_id: UUID) -> None:
    """Delete its login, and disable the schedules that read from it. Its figures stay."""
    with console.desk() as desk:
        ended = disconnect(desk.session, actor=desk.actor, connection_id=connection_id, now=desk.now)
    say(f"“{ended.name}” is disconnected. Schedules disabled: {ended.paused}.")


def _logins(console: Console) -> LoginDesk:
    return LoginDesk(console.settings, console.database)


def _glance(console: Console) -> Desk:
    """Who acts, and when. Its session is over: services are asked outside of any transaction."""
    with console.reading() as desk:
        return desk


def _service_of(console: Console, connection_id: UUID) -> str:
    with console.reading() as desk:
        here = {"organization_id": desk.actor.organization_id, "connection_id": connection_id}
        return get_facts(desk.session, **here, now=desk.now).row.service


def _read_secret(file: IO[str] | None, service: str) -> str:
    if file is None:
        return str(click.prompt(sign_of(service).login_label, hide_input=True, err=True))
    # More than that is none, and need not be read.
    return file.read(LONGEST_SECRET + 2)


def _facts(facts: ConnectionFacts) -> dict[str, Any]:
    row = facts.row
    return {
        "id": str(row.id),
        "name": row.name,
        "service": SERVICE_NAMES[Service(row.service)],
        "account": row.account_id,
        "state": facts.standing.value,
        "state_words": facts.words,
        "added_by": row.made_by,
        "login": None if row.secret_set_at is None else f"••••{row.secret_hint or ''}, set {moment(row.secret_set_at)}",
        "expires": moment(row.expires_at),
        "may_read_until": moment(row.data_expires_at),
        "last_read": moment(row.last_used_at),
        "last_test": row.last_test_words,
        "refused": row.refused_reason,
        "schedules": [one.name for one in facts.schedules],
        "paused_schedules": [str(one.id) for one in facts.paused],
    }


def _moment(at: datetime) -> str:
    return moment(at) or ""


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "-")
