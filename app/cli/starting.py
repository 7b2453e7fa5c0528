"""How a job is started by hand: the parameters of that run alone, and what is said of it."""

from collections.abc import Sequence
from uuid import UUID

import click

from app.cli.console import show
from app.core.errors import Invalid
from app.jobs.given_arguments import GivenArguments
from app.jobs.kinds.base import JobKinds
from app.jobs.queries import JobRow

set_parameters = click.option(
    "--set", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of this run alone. May be repeated."
)


class ParameterUnreadable(Invalid):
    """A parameter on the command line has no name or no value."""


def given_on_line(job: JobRow, parameters: Sequence[str], *, kinds: JobKinds) -> GivenArguments | None:
    """What a run takes in place of the job's own arguments. Raises ParameterUnreadable.

    Nothing without parameters, unless the job is known to be unable to start so: then its kind says what is missing.
    """
    given = _read(parameters)
    if not given and kinds[job.kind].why_not_startable(job.definition) is None:
        # The workers may have code that this console has not.
        return None
    return GivenArguments(given, kinds)


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
