"""The `belfry` command: its groups, and how failures become words and exit statuses."""

import logging
import sys
from importlib import import_module
from typing import NoReturn

import click

from app.cli.terminal import say
from app.core.errors import AppError
from app.core.failures import explain
from app.core.log import set_up_logging
from app.core.process import keep_files_private, share_one_heap
from app.core.version import VERSION

log = logging.getLogger(__name__)

EXIT_REFUSED = 2
EXIT_DEFECT = 1


# Where each command is. A worker loads its own alone: what the others need would be half of its memory.
COMMANDS = {
    "up": "processes:up",
    "worker": "workers:worker",
    "scheduler": "workers:scheduler",
    "scheduling": "scheduling:scheduling",
    "health": "processes:health",
    "overview": "overview:overview",
    "system": "system:system",
    "db": "database:database",
    "user": "users:users",
    "setup-link": "users:setup_link",
    "schedules": "schedules:schedules",
    "jobs": "jobs:jobs",
    "runs": "runs:runs",
    "syncs": "syncs:syncs",
    "queue": "queue:queue",
    "bulk": "bulk:bulk",
    "connections": "connections:connections",
    "incidents": "incidents:incidents",
    "channels": "channels:channels",
    "notifications": "notifications:notifications",
    "maintenance": "notifications:maintenance",
    "texts": "texts:texts",
    "rules": "rules:rules",
    "deliveries": "deliveries:deliveries",
    "members": "members:members",
    "organizations": "organizations:organizations",
    "tokens": "tokens:tokens",
    "views": "views:views",
    "audit": "audit:audit",
    "data": "data:data",
    "keys": "keys:keys",
    "zones": "zones:zones",
}


class LazyGroup(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"app.cli.{module}"), name)
        return command


@click.group(cls=LazyGroup)
@click.version_option(VERSION, prog_name="belfry")
def belfry() -> None:
    """Run recurring work on time, and see it."""


def main() -> None:
    """The entry point. What can be explained is one sentence and exit status 2; only a defect shows its trace."""
    keep_files_private()
    share_one_heap()
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
    say(sentence, err=True)
    sys.exit(status)
