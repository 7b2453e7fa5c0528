"""`belfry db`: set the database up and bring it up to date."""

import click

from app.cli.console import Console, pass_console
from app.cli.terminal import say
from app.core.config import Settings
from app.core.schema import newest_migration
from app.edge.database_setup import administering, bring_up_to_date
from app.factory import create_app


@click.group("db")
def database() -> None:
    """Look after the database."""


@database.command()
@click.option("--take-over", is_flag=True, help="Also where it was set up for another login, which loses its access.")
@pass_console
def setup(console: Console, take_over: bool) -> None:
    """Make tables, and on PostgreSQL the login, its roles and their rights. Safe to repeat."""
    migrate(console.settings, is_forced=True, takes_over=take_over)
    say(f"The database is set up, at version {newest_migration()}.")


@database.command()
@pass_console
def upgrade(console: Console) -> None:
    """Run the outstanding migrations."""
    migrate(console.settings)
    say(f"The database is at version {newest_migration()}.")


def migrate(settings: Settings, *, is_forced: bool = False, takes_over: bool = False) -> None:
    """Bring the database of the settings up to date, one process at a time."""
    bring_up_to_date(create_app(administering(settings)), settings, is_forced=is_forced, takes_over=takes_over)
