"""`belfry queue`: what waits, runs and failed, and the switch of each queue."""

import click

from app.cli.console import Console, as_json, moment, pass_console, show, with_organization
from app.runs.states import RunState
from app.runs.statistics import count_queue
from app.runs.switches import QUEUES, list_switches, pause_queue, resume_queue

LABELS = {
    RunState.READY: "waiting",
    RunState.RUNNING: "running",
    RunState.WAITING_RETRY: "waiting for a retry",
    RunState.FAILED: "failed",
}
a_queue = click.argument("name", type=click.Choice(QUEUES))


@click.group()
def queue() -> None:
    """See the queue, pause and resume it."""


@queue.command()
@with_organization
@as_json
@pass_console
def status(console: Console, is_json: bool) -> None:
    """How many runs wait, run and failed, and which queues are paused."""
    with console.reading() as desk:
        counts = count_queue(desk.session, organization_id=desk.actor.organization_id)
        switches = list_switches(desk.session)
    value: dict[str, object] = {state.value: counts[state] for state in LABELS}
    value["paused"] = [switch.name for switch in switches]
    lines = [f"{counts[state]:6} {label}" for state, label in LABELS.items()]
    lines += [f"{one.name} is paused by {one.paused_by} since {moment(one.paused_at)}" for one in switches]
    show(value, "\n".join(lines), is_json=is_json)


@queue.command()
@a_queue
@pass_console
def pause(console: Console, name: str) -> None:
    """Start nothing of a queue, for all organizations. What runs goes on."""
    with console.platform_desk() as desk:
        did_pause = pause_queue(desk.session, actor=desk.actor, name=name, now=desk.now)
    click.echo(f"The queue {name} is paused." if did_pause else f"The queue {name} was paused already.")


@queue.command()
@a_queue
@pass_console
def resume(console: Console, name: str) -> None:
    """Let a queue start runs again."""
    with console.platform_desk() as desk:
        did_resume = resume_queue(desk.session, actor=desk.actor, name=name, now=desk.now)
    click.echo(f"The queue {name} is open again." if did_resume else f"The queue {name} was not paused.")
