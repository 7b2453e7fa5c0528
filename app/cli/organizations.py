"""`belfry organizations`: the tenants of the installation."""

from dataclasses import asdict, replace

import click

from app.cli.console import Console, as_json, pass_console, show, table, with_organization
from app.cli.queue_limits import read_at_once
from app.core.clock import DatabaseClock
from app.core.scopes import IDENTITY
from app.runs.organization_limits import limit_organization
from app.schedules.defaults import give_default_schedules
from app.tenants.founding import found_organization, revise_organization
from app.tenants.organizations import find_organization, list_organizations
from app.tenants.platform import acting_for_the_installation
from app.tenants.queries import find_account
from app.tenants.roster import MemberNotFound, get_organization


@click.group()
def organizations() -> None:
    """See and make organizations."""


@organizations.command("list")
@as_json
@pass_console
def list_command(console: Console, is_json: bool) -> None:
    """List organizations."""
    console.schema.require()
    with console.database.reading(IDENTITY) as session:
        rows = list_organizations(session)
    cells = [[str(row.id), row.name, row.timezone] for row in rows]
    show([asdict(row) for row in rows], table(["ID", "NAME", "ZONE"], cells, empty="None."), is_json=is_json)


@organizations.command()
@click.argument("name")
@click.option("--owner", metavar="EMAIL", required=True, help="Address of the account that is to own it.")
@click.option("--timezone", help="IANA time zone; the installation's default zone unless given.")
@as_json
@pass_console
def create(console: Console, name: str, owner: str, timezone: str | None, is_json: bool) -> None:
    """Make an organization that an account owns."""
    console.schema.require()
    with console.database.transaction(IDENTITY) as session:
        account = find_account(session, email=owner)
        if account is None:
            raise MemberNotFound(f"There is no account with the address {owner}. Make it with: belfry user create")
        actor = replace(acting_for_the_installation("command line"), user_id=account.user_id)
        zone = timezone or console.settings.default_timezone
        now = DatabaseClock().now(session)
        made = found_organization(session, actor=actor, name=name, timezone=zone, now=now)
        give_default_schedules(session, organization_id=made, now=now)
    show({"id": str(made), "name": name}, f"Made {name}. {account.email} owns it.", is_json=is_json)


@organizations.command()
@click.argument("name")
@click.argument("at_once", metavar="NUMBER")
@as_json
@pass_console
def limit(console: Console, name: str, at_once: str, is_json: bool) -> None:
    """Let so many runs of an organization go on at once, over all queues; none for any number."""
    concurrency = read_at_once(at_once)
    with console.platform_desk() as desk:
        found = find_organization(desk.session, name=name)
        row = limit_organization(
            desk.session, actor=desk.actor, organization_id=found.id, concurrency=concurrency, now=desk.now
        )
    words = "as many runs as there is room for" if concurrency is None else f"{concurrency} runs at once"
    show(asdict(row), f"{row.name} has {words}.", is_json=is_json)


@organizations.command()
@click.option("--name", help="What it is to be called.")
@click.option("--timezone", help="IANA time zone.")
@with_organization
@as_json
@pass_console
def change(console: Console, name: str | None, timezone: str | None, is_json: bool) -> None:
    """Change name and time zone of an organization; what is left out stays."""
    with console.desk() as desk:
        here = desk.actor.organization_id
        revise_organization(desk.session, actor=desk.actor, name=name, timezone=timezone, now=desk.now)
        found = get_organization(desk.session, organization_id=here)
    value = {"id": str(found.id), "name": found.name, "timezone": found.timezone}
    show(value, f"{found.name} lives in {found.timezone}.", is_json=is_json)
