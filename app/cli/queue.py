"""`belfry queue`: what waits, runs and failed, and the switch of each queue. Its limits are in queue_limits.py."""

from dataclasses import asdict
from datetime import datetime

import click

from app.cli.console import Console, as_json, moment, pass_console, show, with_organization
from app.cli.queue_bulk import bulk_command
from app.cli.queue_limits import create, delete, set_command
from app.cli.queue_runs import causes_command, runs_command, stuck_command, take_command
from app.cli.terminal import say
from app.core.lengths import duration
from app.core.scopes import PLATFORM
from app.ops.heartbeats import ProcessRow, list_processes, with_runs_in_hand
from app.runs.in_hand import count_in_hand
from app.runs.queue_limits import list_limits
from app.runs.queues import QueueRow, list_queues
from app.runs.states import RunState
from app.runs.statistics import count_queue
from app.runs.switches import list_switches, pause_queue, resume_queue

LABELS = {
    RunState.READY: "waiting",
    RunState.RUNNING: "running",
    RunState.WAITING: "waiting for another run",
    RunState.WAITING_RETRY: "waiting for a retry",
    RunState.FAILED: "failed",
}
a_queue = click.argument("name")


@click.group()
def queue() -> None:
    """See the queues and their runs, limit, pause and resume them, take stuck runs from workers."""


COMMANDS = (create, set_command, delete, runs_command, causes_command, stuck_command, take_command, bulk_command)

for command in COMMANDS:
    queue.add_command(command)


@queue.command()
@with_organization
@as_json
@pass_console
def status(console: Console, is_json: bool) -> None:
    """How many runs wait, run and failed, the limits of each queue, which are paused, and who does the work."""
    with console.reading() as desk:
        counts = count_queue(desk.session, organization_id=desk.actor.organization_id)
        figures = list_queues(desk.session, organization_id=desk.actor.organization_id, now=desk.now)
        switches = list_switches(desk.session)
        limits = list_limits(desk.session)
        processes = list_processes(desk.session, now=desk.now)
    with console.database.reading(PLATFORM) as session:
        processes = with_runs_in_hand(processes, count_in_hand(session))
    value: dict[str, object] = {state.value: counts[state] for state in LABELS}
    value["paused"] = [switch.name for switch in switches]
    value["queues"] = [asdict(row) for row in limits]
    value["figures"] = [_figures(row) for row in figures]
    value["processes"] = [asdict(process) for process in processes]
    lines = [f"{counts[state]:6} {label}" for state, label in LABELS.items()]
    lines += [f"{row.name}: {row.words}" for row in limits]
    lines += [_of_figures(row) for row in figures if row.hour.per_minute or row.waits.most is not None]
    lines += [f"{one.name} is paused by {one.paused_by} since {moment(one.paused_at)}" for one in switches]
    lines += [_of_process(process, desk.now) for process in processes]
    show(value, "\n".join(lines), is_json=is_json)


@queue.command()
@a_queue
@pass_console
def pause(console: Console, name: str) -> None:
    """Start nothing of a queue, for all organizations. What runs goes on."""
    with console.platform_desk() as desk:
        did_pause = pause_queue(desk.session, actor=desk.actor, name=name, now=desk.now)
    say(f"The queue {name} is paused." if did_pause else f"The queue {name} was paused already.")


@queue.command()
@a_queue
@pass_console
def resume(console: Console, name: str) -> None:
    """Let a queue start runs again."""
    with console.platform_desk() as desk:
        did_resume = resume_queue(desk.session, actor=desk.actor, name=name, now=desk.now)
    say(f"The queue {name} is open again." if did_resume else f"The queue {name} was not paused.")


def _figures(row: QueueRow) -> dict[str, object]:
    half, most = row.waits.half, row.waits.most
    facts = {name: getattr(row, name) for name in ("name", "waiting", "running", "retrying", "failed", "is_cut")}
    return facts | {
        "runs_per_minute": row.hour.per_minute,
        "wait_p50_seconds": None if half is None else half.total_seconds(),
        "wait_p95_seconds": None if most is None else most.total_seconds(),
        "depth": list(row.hour.waiting),
    }


def _of_figures(row: QueueRow) -> str:
    waits = "" if row.waits.most is None else f", 95% wait {duration(row.waits.most)} at most"
    return f"{row.name}: {row.hour.per_minute:.1f} runs a minute{waits}"


def _of_process(process: ProcessRow, now: datetime) -> str:
    facts = [f"version {process.version}", f"last report {moment(process.beat_at)}"]
    if process.slots:
        facts.insert(0, f"{process.running} of {process.slots} slots in use")
    if process.queues is not None:
        facts.append(f"serves {process.queues.replace(',', ', ')} alone")
    if process.ticked_at is not None:
        facts.append(f"last tick {moment(process.ticked_at)} took {process.tick_ms} ms")
    if process.is_silent(now):
        facts.append("silent")
    if process.is_stopping:
        facts.append("stopping")
    line = f"{process.name}: {', '.join(facts)}"
    return line if process.problem is None else f"{line}. It starts nothing: {process.problem}"
