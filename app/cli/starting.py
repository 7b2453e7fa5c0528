"""How a job is started by hand: the parameters of that run alone, and what is said of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import click

from app.cli.console import show
from app.core.errors import Invalid
from app.jobs.kinds.base import JobKinds
from app.jobs.queries import JobRow

set_parameters = click.option(
    "--set", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of this run alone. May be repeated."
)


class ParameterUnreadable(Invalid):
    """A parameter on the command line has no name or no value."""


def arguments_of(job: JobRow, parameters: Sequence[str], *, kinds: JobKinds) -> dict[str, Any] | None:
    """What a run takes in place of the job's own arguments; nothing without parameters.

    Raises ParameterUnreadable, and what the kind of the job raises.
    """
    given = _read(parameters)
    return kinds[job.kind].check_arguments(job.definition, given) if given else None


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
