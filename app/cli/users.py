"""`belfry user` and `belfry setup-link`: people who can sign in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import click
from sqlalchemy.orm import Session

from app.cli.console import Console, Desk, as_json, choice_of, moment, pass_console, show
from app.cli.terminal import say
from app.core.clock import DatabaseClock
from app.core.clock_words import HourClock
from app.core.scopes import IDENTITY
from app.schedules.defaults import welcome_person
from app.tenants.browsers import end_browser, end_other_browsers, list_browsers
from app.tenants.platform import acting_for_the_installation
from app.tenants.preferences import Density, Theme
from app.tenants.profiles import find_profile, revise_profile
from app.tenants.queries import find_home
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
    say(f"{email} can sign in now.")


@users.command("show")
@click.argument("email")
@as_json
@pass_console
def show_command(console: Console, email: str, is_json: bool) -> None:
    """Show a person: time zone, how their pages look, and the browsers in which they are signed in."""
    console.schema.require()
    with console.database.reading(IDENTITY) as session:
        found = find_profile(session, email=email)
        browsers = list_browsers(session, user_id=found.user_id, now=DatabaseClock().now(session))
    facts: dict[str, Any] = {"name": found.name, "email": found.email, "timezone": found.timezone}
    facts |= asdict(found.preferences)
    lines = [f"{name.replace('_', ' ')}: {'not chosen' if value is None else value}" for name, value in facts.items()]
    lines += [f"browser {row.id}: {row.user_agent or '-'}, last seen {moment(row.seen_at)}" for row in browsers]
    show(facts | {"browsers": [asdict(row) for row in browsers]}, "\n".join(lines), is_json=is_json)


@users.command("change")
@click.argument("email")
@click.option("--name", help="How the person is called.")
@click.option("--timezone", help="IANA time zone in which they read times.")
@click.option("--clock", type=choice_of(HourClock), help="How their pages count hours.")
@click.option("--theme", type=choice_of(Theme))
@click.option("--density", type=choice_of(Density), help="How much room rows of tables take.")
@click.option("--shortcuts/--no-shortcuts", "shortcuts_enabled", default=None, help="Keyboard shortcuts.")
@pass_console
def change(console: Console, /, email: str, **said: str | bool | None) -> None:
    """Change a person's profile; what is not named stays."""
    wanted = {name: value for name, value in said.items() if value is not None}
    with _desk(console, email) as (desk, user_id):
        revise_profile(desk.session, actor=desk.actor, user_id=user_id, said=wanted, now=desk.now)
    say(f"The profile of {email} is saved." if wanted else "Nothing was named, so nothing was changed.")


@users.command("sign-out")
@click.argument("email")
@click.option("--browser", "browser_id", type=click.UUID, help="One browser, by its id in `user show`; else all.")
@pass_console
def sign_out(console: Console, email: str, browser_id: UUID | None) -> None:
    """Sign a person's browsers out."""
    with _desk(console, email) as (desk, user_id):
        who: Any = {"actor": desk.actor, "user_id": user_id, "now": desk.now}
        if browser_id is None:
            ended = end_other_browsers(desk.session, **who)
        else:
            end_browser(desk.session, **who, browser_id=browser_id)
            ended = 1
    say(f"Signed out: {ended}.")


@contextmanager
def _desk(console: Console, email: str) -> Iterator[tuple[Desk, UUID]]:
    """A transaction on one person; what is done is told in the audit of the organization they see first."""
    console.schema.require()
    with console.database.transaction(IDENTITY) as session:
        user_id = find_profile(session, email=email).user_id
        home = find_home(session, user_id=user_id)
        # Of somebody who was removed everywhere, the installation keeps the record.
        actor = acting_for_the_installation("command line")
        actor = actor if home is None else replace(actor, organization_id=home[0])
        yield Desk(session, actor, DatabaseClock().now(session)), user_id


@click.command("setup-link")
@pass_console
def setup_link(console: Console) -> None:
    """Print a new one-hour link to make the first account."""
    console.schema.require()
    with console.database.transaction(IDENTITY) as session:
        address = first_account_address(session, console.settings.public_url, now=DatabaseClock().now(session))
    say(address)


def first_account_address(session: Session, public_url: str, *, now: datetime) -> str:
    """Where the first account can be made within the hour. Older links stop working."""
    return f"{public_url}/setup?token={make_setup_link(session, now=now)}"
