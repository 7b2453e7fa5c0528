"""`belfry worker` and `belfry scheduler`: the processes that execute runs and keep time, and load nothing else."""

import os
import signal
import threading
from dataclasses import replace

import click

from app.cli.children import PARENT_VARIABLE
from app.cli.console import Console, pass_console
from app.cli.terminal import say
from app.core.process import die_with_parent
from app.core.scopes import ENGINE
from app.runs.switches import check_queue
from app.worker.processes import run_scheduler, run_worker

SWITCHED_OFF = (
    "No scheduler was started: BELFRY_SCHEDULER_ENABLED is off here. Runs by hand start all the same; another machine "
    "may keep time. Set it to on, or leave it out, to keep time here."
)


@click.command()
@click.option("--no-scheduler", is_flag=True, help="Only execute runs; another process keeps time.")
@click.option(
    "--queues", metavar="NAMES", help="Only runs of these queues, with commas between them; all unless given."
)
@click.option("--slots", type=click.IntRange(1, 256), help="How many runs at once; BELFRY_WORKERS unless given.")
@pass_console
def worker(console: Console, no_scheduler: bool, queues: str | None, slots: int | None) -> None:
    """Execute runs, and keep time unless told otherwise."""
    _die_with_supervisor()
    settings = console.settings if slots is None else replace(console.settings, workers=slots)
    named = None if queues is None else _named(console, queues)
    run_worker(settings, with_scheduler=settings.scheduler_enabled and not no_scheduler, queues=named)


@click.command()
@pass_console
def scheduler(console: Console) -> None:
    """Keep time, and execute nothing."""
    if not console.settings.scheduler_enabled:
        say(SWITCHED_OFF)
        return
    _die_with_supervisor()
    run_scheduler(console.settings, _set_by_signals())


def _named(console: Console, queues: str) -> list[str]:
    """The names that were given. Raises QueueUnknown, where the database can be asked."""
    names = [name.strip() for name in queues.split(",") if name.strip()]
    if not names:
        raise click.UsageError("Name at least one queue, for example --queues sync,workflow")
    # Otherwise the worker waits for its database as any other does.
    if console.schema.sentence() is None:
        with console.database.reading(ENGINE) as session:
            for name in names:
                check_queue(session, name)
    return names


def _set_by_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set. For a process that starts its threads later and has no children."""
    closed = threading.Event()
    ends = {signal.SIGTERM, signal.SIGINT}
    # A thread of its own takes them: a handler runs in the main thread, and could deadlock with its very wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)

    def wait() -> None:
        signal.sigwait(ends)
        closed.set()

    threading.Thread(target=wait, name="signals", daemon=True).start()
    return closed


def _die_with_supervisor() -> None:
    parent = os.environ.get(PARENT_VARIABLE)
    if parent:
        die_with_parent(int(parent))
