"""How schedules and jobs are named on the command line: by name, by id, or by the name that they have in code.

Whose they are need not be said where only one is called so. What code defines belongs to the installation's own
organization.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import click
from sqlalchemy.orm import Session

from app.cli.console import Console
from app.core.errors import Conflict
from app.core.names import has_unshowable
from app.core.scopes import IDENTITY, Scope, rescope
from app.ops.code_rows import find_code_job, find_code_schedule
from app.schedules.names import names_like
from app.schedules.queries import ScheduleNotFound, find_schedules
from app.tenants.organizations import OrganizationRow, find_organization, list_organizations
from app.tenants.platform import acting_for_the_installation

Command = TypeVar("Command", bound=Callable[..., Any])
Find = Callable[[Session, str], UUID | None]


class ScheduleNameUnclear(Conflict):
    """Several schedules are called so, and the message says how to name one of them."""


# With more of them, whoever names a schedule says whose it is.
_MOST_PLACES = 100


def schedule_argument(command: Command) -> Command:
    """Add a schedule to a command, which is typed as its name, its id or the one in code; it comes as its id."""
    return click.argument("schedule_id", metavar="SCHEDULE", callback=_read_schedule)(command)


def schedule_option(words: str) -> Callable[[Command], Command]:
    """The same as an option, which may be left out."""
    return click.option("--schedule", "schedule_id", metavar="SCHEDULE", callback=_read_schedule, help=words)


def job_argument(command: Command) -> Command:
    """Add the id of a job to a command, which is typed as an id or as the name in code."""
    return click.argument("job_id", metavar="JOB", callback=_read_job)(command)


def _read_schedule(context: click.Context, _parameter: click.Parameter, text: str | None) -> UUID | None:
    if text is None:
        return None
    if has_unshowable(text):
        raise click.BadParameter("This contains characters that no name has.")
    console = context.ensure_object(Console)
    console.schema.require()
    with console.database.reading(IDENTITY) as session:
        places = _places(session, console.organization)
        found = [(place, each) for place in places for each in _schedules_called(session, place, text)]
        if not found:
            raise _not_found(session, places, text)
    if len(found) > 1:
        raise ScheduleNameUnclear(_unclear_words(text, found))
    place, schedule_id = found[0]
    # The command goes on in the organization of what it found.
    console.organization = str(place.id)
    return schedule_id


def _places(session: Session, organization: str | None) -> list[OrganizationRow]:
    """Where to look: in the organization that was named, or in all of them, the installation's own included."""
    if organization is not None:
        return [find_organization(session, name=organization)]
    found = list_organizations(session)
    # Of very many, one has to be named.
    return found if len(found) <= _MOST_PLACES else [find_organization(session, name=None)]


def _schedules_called(session: Session, place: OrganizationRow, text: str) -> list[UUID]:
    rescope(session, Scope.tenant(place.id))
    found = {row.id for row in find_schedules(session, organization_id=place.id, name=text)}
    in_code = find_code_schedule(session, text) if place.is_system else None
    return sorted(found if in_code is None else {in_code})


def _not_found(session: Session, places: Sequence[OrganizationRow], text: str) -> ScheduleNotFound:
    like: list[str] = []
    for place in places:
        rescope(session, Scope.tenant(place.id))
        like += names_like(session, organization_id=place.id, name=text)
    advice = f"Did you mean {' or '.join(f'“{name}”' for name in like)}?" if like else "See: belfry schedules list"
    return ScheduleNotFound(f"There is no schedule “{text}” here. {advice}")


def _unclear_words(text: str, found: Sequence[tuple[OrganizationRow, UUID]]) -> str:
    places = {place.id for place, _ in found}
    ids = ", ".join(f"{schedule_id} ({'in code' if place.is_system else place.name})" for place, schedule_id in found)
    advice = "Say its id, or which organization with --organization" if len(places) > 1 else "Say its id, or rename one"
    return f"{len(found)} schedules are called “{text}”. {advice}: {ids}"


def _read_job(context: click.Context, _parameter: click.Parameter, text: str) -> UUID:
    return _find(context, text, find_code_job) or _read_id(text)


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


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is neither an id nor a name in code. See: belfry jobs list") from error
