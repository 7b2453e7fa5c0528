"""`belfry user` and `belfry setup-link`: people who can sign in."""

from datetime import datetime

import click
from sqlalchemy.orm import Session

from app.cli.console import Console, pass_console
from app.core.clock import DatabaseClock
from app.core.scopes import IDENTITY
from app.schedules.defaults import welcome_person
from app.tenants.service import make_setup_link, make_user


@click.group("user")
def users() -> None:
    """Look after people."""


@users.command("create")
@click.argument("email")
@click.option("--name", required=True, help="How the person is called.")
@click.option("--timezone", help="IANA time zone; the installation's default zone unless given.")
@click.option("--platform-admin", is_flag=True, help="May look after the whole installation.")
@click.password_option(help="Asked for when it is not given.")
@pass_console
def create(console: Console, email: str, name: str, timezone: str | None, platform_admin: bool, password: str) -> None:
    """Make an account with a personal organization."""
    console.schema.require()
    with console.database.transaction(IDENTITY) as session:
        now = DatabaseClock().now(session)
        user_id = make_user(
            session,
            email=email,
            name=name,
            password=password,
            timezone=timezone or console.settings.default_timezone,
            is_platform_admin=platform_admin,
            now=now,
        )
        welcome_person(session, user_id=user_id, now=now)
    click.echo(f"{email} can sign in now.")


@click.command("setup-link")
@pass_console
def setup_link(console: Console) -> None:
    """Print a new one-hour link to make the first account."""
    console.schema.require()
    with console.database.transaction(IDENTITY) as session:
        address = first_account_address(session, console.settings.public_url, now=DatabaseClock().now(session))
    click.echo(address)


def first_account_address(session: Session, public_url: str, *, now: datetime) -> str:
    """Where the first account can be made within the hour. Older links stop working."""
    return f"{public_url}/setup?token={make_setup_link(session, now=now)}"
