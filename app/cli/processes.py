"""`belfry up`, `worker`, `scheduler` and `health`: the processes of an installation."""

import json
import os
import signal
import threading
from pathlib import Path

import click

from app.cli.children import PARENT_VARIABLE, children_of
from app.cli.console import Console, pass_console
from app.cli.database import migrate
from app.cli.greeting import Greeter
from app.cli.listening import refuse_unusable_address
from app.cli.supervisor import Supervisor
from app.core.clock import DatabaseClock
from app.core.keys import with_keys
from app.core.process import die_with_parent
from app.core.scopes import ENGINE
from app.ops.heartbeats import HEALTHY_WITHIN, last_scheduler_beat
from app.worker import run_scheduler, run_worker

EXIT_UNHEALTHY = 1


@click.command()
@pass_console
def up(console: Console) -> None:
    """Run everything on this machine: pages, worker and scheduler."""
    # First of all: whoever serves at the address may be this very installation.
    refuse_unusable_address(console.settings.listen_host, console.settings.listen_port)
    settings = with_keys(console.settings)
    if settings.auto_migrate:
        migrate(settings)
    # Here, and not in each child, or they would be started again and again.
    console.schema.refuse_powerful_login()
    folder = Path.cwd()
    greeter = Greeter(console.database, console.schema, settings)
    Supervisor(settings, children_of(folder), folder=folder).run(greeter.greet)


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
    _die_with_supervisor()
    run_scheduler(console.settings, _set_by_signals())


@click.command()
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@pass_console
def health(console: Console, is_json: bool) -> None:
    """Exit 0 when a scheduler was heard of within five minutes, else 1 with the reason."""
    problem = console.schema.sentence() or _scheduler_problem(console)
    click.echo(json.dumps({"healthy": problem is None, "problem": problem}) if is_json else problem or "healthy")
    if problem is not None:
        raise SystemExit(EXIT_UNHEALTHY)


def _scheduler_problem(console: Console) -> str | None:
    with console.database.reading(ENGINE) as session:
        now = DatabaseClock().now(session)
        beat_at = last_scheduler_beat(session)
    if beat_at is None:
        return "No scheduler is running. Start one with: belfry up, belfry worker or belfry scheduler"
    if now - beat_at > HEALTHY_WITHIN:
        return f"No scheduler has reported since {beat_at:%Y-%m-%d %H:%M:%S} UTC. Restart it."
    return None


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
