"""How schedules and jobs are named on the command line: by an id, or by the name that they have in code.

What code defines belongs to the installation's own organization, so with its name nobody has to say which one.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click
from sqlalchemy import Select, or_, select

from app.cli.console import Console
from app.core.scopes import Scope
from app.jobs.models import Job
from app.schedules.models import Schedule
from app.tenants.models import SYSTEM_ORGANIZATION_ID

Command = TypeVar("Command", bound=Callable[..., Any])


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
    return _find(context, _schedule_in_code(text)) or _read_id(text, "schedules")


def _read_schedule_name(context: click.Context, _parameter: click.Parameter, text: str) -> str:
    if context.ensure_object(Console).organization is not None:
        # Whoever names an organization means a schedule of it, which may be called like one in code.
        return text
    return str(_find(context, _schedule_in_code(text)) or text)


def _read_job(context: click.Context, _parameter: click.Parameter, text: str) -> UUID:
    return _find(context, _job_in_code(text)) or _read_id(text, "jobs")


def _schedule_in_code(text: str) -> Select[UUID]:
    named = [Schedule.code_id == text, *(Schedule.id == one for one in _id_of(text))]
    here = Schedule.organization_id == SYSTEM_ORGANIZATION_ID, Schedule.code_id.is_not(None)
    return select(Schedule.id).where(*here, Schedule.deleted_at.is_(None), or_(*named))


def _job_in_code(text: str) -> Select[UUID]:
    named = [Job.code_name == text, *(Job.id == one for one in _id_of(text))]
    here = Job.organization_id == SYSTEM_ORGANIZATION_ID, Job.code_name.is_not(None)
    return select(Job.id).where(*here, Job.deleted_at.is_(None), or_(*named))


def _find(context: click.Context, query: Select[UUID]) -> UUID | None:
    """What it finds; then the command goes on in the installation's own organization, unless another one was named."""
    console = context.ensure_object(Console)
    console.schema.require()
    with console.database.reading(Scope.tenant(SYSTEM_ORGANIZATION_ID)) as session:
        found = session.scalar(query)
    if found is not None and console.organization is None:
        console.organization = str(SYSTEM_ORGANIZATION_ID)
    return found


def _read_id(text: str, what: str) -> UUID:
    for found in _id_of(text):
        return found
    advice = f"See: belfry {what} list" + (", or with --code" if what == "schedules" else "")
    raise click.BadParameter(f"{text!r} is neither an id nor a name in code. {advice}")


def _id_of(text: str) -> tuple[UUID, ...]:
    try:
        return (UUID(text),)
    except ValueError:
        return ()
