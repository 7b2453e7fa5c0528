"""How a job is started by hand: the parameters of that run alone, and what is said of it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import click
from sqlalchemy.orm import Session

from app.cli.console import show
from app.core.errors import Invalid
from app.jobs.given_arguments import GivenArguments
from app.jobs.kinds.base import JobKind, JobKinds
from app.jobs.kinds.code.arguments import argument_fields, entered_value
from app.jobs.kinds.code.kind import CodeKind
from app.jobs.queries import JobRow, get_job
from app.runs.queries import RunRow
from app.runs.repeats import parameters_of_run

set_parameters = click.option(
    "--set", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of this run alone. May be repeated."
)


class ParameterUnreadable(Invalid):
    """A parameter on the command line has no name or no value."""


def given_on_line(job: JobRow, parameters: Sequence[str], *, kinds: JobKinds) -> GivenArguments | None:
    """What a run takes in place of the job's own arguments. Raises ParameterUnreadable.

    Nothing without parameters, unless the job is known to be unable to start so: then its kind says what is missing.
    """
    given = _in_their_types(_read(parameters), kinds[job.kind], job)
    if not given and kinds[job.kind].why_not_startable(job.definition) is None:
        # The workers may have code that this console has not.
        return None
    return GivenArguments(given, kinds)


def changed_on_line(
    session: Session, before: RunRow, parameters: Sequence[str], *, kinds: JobKinds
) -> dict[str, Any] | None:
    """Those of an old run with these in their place; None where none is to change. Raises ParameterUnreadable."""
    if not parameters:
        return None
    job = get_job(session, organization_id=before.organization_id, job_id=before.job_id)
    changed = _in_their_types(_read(parameters), kinds[job.kind], job)
    return parameters_of_run(session, run=before) | changed


def _in_their_types(given: Mapping[str, str], kind: JobKind, job: JobRow) -> dict[str, Any]:
    function = kind.function_of(job.definition) if isinstance(kind, CodeKind) else None
    fields = {} if function is None else {field.name: field for field in argument_fields(function)}
    return {name: entered_value(fields[name], text) if name in fields else text for name, text in given.items()}


def show_started(run_id: UUID, *, is_json: bool) -> None:
    """Name the run, and where its log can be followed."""
    show({"run": str(run_id)}, f"Started run {run_id}. Watch it with: belfry runs tail {run_id}", is_json=is_json)


def _read(words: Sequence[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name.strip():
            raise ParameterUnreadable(f"--set {word!r} has no value. Write it as --set name=value.")
        found[name.strip()] = value
    return found
