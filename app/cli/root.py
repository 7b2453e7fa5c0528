"""The `belfry` command: its groups, and how failures become words and exit statuses."""

import logging
import sys
from typing import NoReturn

import click

from app.cli.database import database
from app.cli.jobs import jobs
from app.cli.keys import keys
from app.cli.members import members
from app.cli.organizations import organizations
from app.cli.processes import health, scheduler, up, worker
from app.cli.queue import queue
from app.cli.runs import runs
from app.cli.schedules import schedules
from app.cli.scheduling import scheduling
from app.cli.tokens import tokens
from app.cli.users import setup_link, users
from app.core.errors import AppError
from app.core.failures import explain
from app.core.log import set_up_logging
from app.core.process import keep_files_private
from app.core.version import VERSION

log = logging.getLogger(__name__)

EXIT_REFUSED = 2
EXIT_DEFECT = 1


@click.group()
@click.version_option(VERSION, prog_name="belfry")
def belfry() -> None:
    """Run recurring work on time, and see it."""


for command in (
    up,
    worker,
    scheduler,
    scheduling,
    health,
    database,
    users,
    setup_link,
    schedules,
    jobs,
    runs,
    queue,
    members,
    organizations,
    tokens,
    keys,
):
    belfry.add_command(command)


def main() -> None:
    """The entry point. What can be explained is one sentence and exit status 2; only a defect shows its trace."""
    keep_files_private()
    set_up_logging()
    try:
        belfry(prog_name="belfry")
    except AppError as error:
        _end(error.message, EXIT_REFUSED)
    except Exception as error:
        sentence = explain(error)
        if sentence is not None:
            _end(sentence, EXIT_REFUSED)
        log.exception("command failed")
        _end(f"Belfry failed unexpectedly: {error!r}", EXIT_DEFECT)


def _end(sentence: str, status: int) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(status)
