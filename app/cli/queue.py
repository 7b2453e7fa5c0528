"""`belfry queue`: what waits, runs and failed."""

import click

from app.cli.console import Console, as_json, pass_console, show, with_organization
from app.runs.states import RunState
from app.runs.statistics import count_queue

LABELS = {
    RunState.READY: "waiting",
    RunState.RUNNING: "running",
    RunState.WAITING_RETRY: "waiting for a retry",
    RunState.FAILED: "failed",
}


@click.group()
def queue() -> None:
    """See the queue."""


@queue.command()
@with_organization
@as_json
@pass_console
def status(console: Console, is_json: bool) -> None:
    """How many runs wait, run and failed."""
    with console.reading() as desk:
        counts = count_queue(desk.session, organization_id=desk.actor.organization_id)
    value = {state.value: counts[state] for state in LABELS}
    show(value, "\n".join(f"{counts[state]:6} {label}" for state, label in LABELS.items()), is_json=is_json)
