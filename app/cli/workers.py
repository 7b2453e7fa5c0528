"""`belfry worker` and `belfry scheduler`: the processes that execute runs and keep time, and load nothing else."""

import os
import signal
import threading

import click

from app.cli.children import PARENT_VARIABLE
from app.cli.console import Console, pass_console
from app.core.process import die_with_parent
from app.worker import run_scheduler, run_worker

SWITCHED_OFF = (
    "No scheduler was started: BELFRY_SCHEDULER_ENABLED is off here. Runs by hand start all the same; another machine "
    "may keep time. Set it to on, or leave it out, to keep time here."
)


@click.command()
@click.option("--no-scheduler", is_flag=True, help="Only execute runs; another process keeps time.")
@pass_console
def worker(console: Console, no_scheduler: bool) -> None:
    """Execute runs, and keep time unless told otherwise."""
    _die_with_supervisor()
    settings = console.settings
    run_worker(settings, with_scheduler=settings.scheduler_enabled and not no_scheduler)


@click.command()
@pass_console
def scheduler(console: Console) -> None:
    """Keep time, and execute nothing."""
    if not console.settings.scheduler_enabled:
        click.echo(SWITCHED_OFF)
        return
    _die_with_supervisor()
    run_scheduler(console.settings, _set_by_signals())


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
