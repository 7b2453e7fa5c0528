"""What every command shares: the settings, a session, who acts, and how things are printed."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.cli.terminal import say
from app.core.clock import DatabaseClock
from app.core.config import Settings, read_settings
from app.core.db import Database, on_commit, open_database
from app.core.demo import SENTENCE
from app.core.errors import AppError
from app.core.names import visible
from app.core.schema import SchemaGate, newest_migration
from app.core.scopes import IDENTITY, PLATFORM, Scope, rescope
from app.ops.capacity import live_slots
from app.queue.dispatch import make_dispatcher
from app.tenants.access import Actor
from app.tenants.organizations import find_organization, list_organizations
from app.tenants.platform import acting_for_the_installation
from app.tenants.roles import Role

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Desk:
    """A transaction, who acts in it, and the time."""

    session: Session
    actor: Actor
    now: datetime


class Console:
    """One call of the command. Whoever may run it has the files of the installation, so it acts as an owner."""

    organization: str | None = None

    @cached_property
    def settings(self) -> Settings:
        """Without the key of the installation: what serves pages adds it."""
        return read_settings()

    @cached_property
    def database(self) -> Database:
        database = open_database(self.settings.database_url)
        # A server is told that nobody is there any more; it would find out much later.
        click.get_current_context().find_root().call_on_close(database.dispose)
        return database

    @cached_property
    def schema(self) -> SchemaGate:
        return SchemaGate(self.database, expected=newest_migration(), is_strict=self.settings.is_production)

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """Work in one transaction; what became ready is handed to the workers once it is committed."""
        self.schema.require()
        with self.database.transaction(IDENTITY) as session:
            yield self._desk(session)
            on_commit(session, self._dispatch)

    @contextmanager
    def reading(self) -> Iterator[Desk]:
        """Read, and write nothing."""
        self.schema.require()
        with self.database.reading(IDENTITY) as session:
            yield self._desk(session)

    @contextmanager
    def platform_desk(self) -> Iterator[Desk]:
        """Work on what concerns the whole installation, in one transaction."""
        self.schema.require()
        with self.database.transaction(PLATFORM) as session:
            yield Desk(session, acting_for_the_installation("command line"), DatabaseClock().now(session))
            on_commit(session, self._dispatch)

    def why_empty(self) -> str | None:
        """What has to be done before there can be anything to read; None once there can."""
        problem = self.schema.sentence()
        if problem is not None:
            return problem
        with self.database.reading(IDENTITY) as session:
            is_empty = all(row.is_system for row in list_organizations(session))
        return "There is no organization yet. Start with: belfry up, and make the first account." if is_empty else None

    def _desk(self, session: Session) -> Desk:
        organization = find_organization(session, name=self.organization)
        rescope(session, Scope.tenant(organization.id))
        actor = Actor(organization.id, Role.OWNER, "command line", is_platform_admin=True)
        return Desk(session, actor, DatabaseClock().now(session))

    def _dispatch(self) -> None:
        try:
            make_dispatcher(self.settings, self.database, DatabaseClock(), live_slots=live_slots).dispatch()
        except (AppError, SQLAlchemyError, sqlite3.Error, OSError) as error:
            # What was asked for is committed, and the sweep finds what is ready.
            say(f"Done, but the queue does not answer ({error}). Workers find it by themselves.", err=True)


pass_console = click.make_pass_decorator(Console, ensure=True)


def with_organization(command: Command) -> Command:
    """Add --organization to a command of a group."""

    def remember(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        # Without it, another parameter may have said which one.
        if value is not None:
            context.ensure_object(Console).organization = value

    return click.option(
        "--organization",
        metavar="NAME",
        expose_value=False,
        callback=remember,
        help="Name or id of the organization; not needed while there is only one, or for what code defines.",
    )(command)


def choice_of(values: type[StrEnum]) -> click.Choice[str]:
    """One of an enum's values, as they are stored and shown."""
    return click.Choice([member.value for member in values])


as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


def show(value: Any, text: str, *, is_json: bool) -> None:
    """Print a value for programs, or a text for people: whatever is in it, it does not steer their terminal."""
    if is_json:
        click.echo(json.dumps(value, indent=2, default=_plain))
    else:
        say(text)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> str:
    """Columns as wide as their longest cell. A cell is one line, or what is in it could pass for another row."""
    if not rows:
        return empty
    shown = [list(headings), *([" ".join(visible(cell).split("\n")) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(headings))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in shown]
    return "\n".join(line.rstrip() for line in lines)


def demo_lines(console: Console) -> list[str]:
    """What stands above the words of a demo, and above no other's."""
    return [SENTENCE] if console.settings.is_demo else []


def moment(value: datetime | None) -> str | None:
    """An instant for programs and terminals alike: UTC, to the second."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: Any) -> str:
    return str(moment(value)) if isinstance(value, datetime) else str(value)
