"""How schedules and jobs are named on the command line: by an id, or by the name that they have in code.

What code defines belongs to the installation's own organization, so with its name nobody has to say which one.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click
from sqlalchemy.orm import Session

from app.cli.console import Console
from app.core.scopes import Scope
from app.ops.code_rows import find_code_job, find_code_schedule
from app.tenants.platform import acting_for_the_installation

Command = TypeVar("Command", bound=Callable[..., Any])
Find = Callable[[Session, str], UUID | None]


def schedule_argument(command: Command) -> Command:
    """Add the id of a schedule to a command, which is typed as an id or as the one in code."""
    return click.argument("schedule_id", metavar="SCHEDULE", callback=_read_schedule)(command)


def schedule_name_argument(command: Command) -> Command:
    """The same for a command that looks a schedule up by its name as well."""
    return click.argument("name", callback=_read_schedule_name)(command)


def job_argument(command: Command) -> Command:
    """Add the id of a job to a command, which is typed as an id or as the name in code."""
    return click.argument("job_id", metavar="JOB", callback=_read_job)(command)


def _read_schedule(context: click.Context, _parameter: click.Parameter, text: str) -> UUID:
    return _find(context, text, find_code_schedule) or _read_id(text, "schedules")


def _read_schedule_name(context: click.Context, _parameter: click.Parameter, text: str) -> str:
    if context.ensure_object(Console).organization is not None:
        # Whoever names an organization means a schedule of it, which may be called like one in code.
        return text
    return str(_find(context, text, find_code_schedule) or text)


def _read_job(context: click.Context, _parameter: click.Parameter, text: str) -> UUID:
    return _find(context, text, find_code_job) or _read_id(text, "jobs")


def _find(context: click.Context, text: str, find: Find) -> UUID | None:
    """What it finds; then the command goes on in the installation's own organization, unless another one was named."""
    console = context.ensure_object(Console)
    console.schema.require()
    here = acting_for_the_installation("command line").organization_id
    with console.database.reading(Scope.tenant(here)) as session:
        found = find(session, text)
    if found is not None and console.organization is None:
        console.organization = str(here)
    return found


def _read_id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        advice = f"See: belfry {what} list" + (", or with --code" if what == "schedules" else "")
        raise click.BadParameter(f"{text!r} is neither an id nor a name in code. {advice}") from error
