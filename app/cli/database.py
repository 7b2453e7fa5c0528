"""`belfry db`: bring the database up to date."""

from pathlib import Path

import click
from sqlalchemy.engine import make_url

from app.cli.console import Console, pass_console
from app.core.config import Settings
from app.core.schema import newest_migration
from app.edge.migrations import upgrade_database
from app.factory import create_app


@click.group("db")
def database() -> None:
    """Look after the database."""


@database.command()
@pass_console
def upgrade(console: Console) -> None:
    """Run the outstanding migrations."""
    migrate(console.settings)
    click.echo(f"The database is at version {newest_migration()}.")


def migrate(settings: Settings) -> None:
    """Bring the database of the settings up to date, one process at a time."""
    for folder in (settings.data_dir, Path(make_url(settings.database_url).database or "").parent):
        folder.mkdir(parents=True, exist_ok=True)
    upgrade_database(create_app(settings), lock_file=settings.data_dir / "migrate.lock")
