"""`belfry up`, `worker`, `scheduler` and `health`: the processes of an installation."""

import os
import signal
import threading
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from app.cli.children import PARENT_VARIABLE, children_of
from app.cli.console import Console, pass_console, show
from app.cli.database import migrate
from app.cli.greeting import Greeter
from app.cli.listening import refuse_unusable_address
from app.cli.supervisor import Supervisor
from app.core.clock import DatabaseClock
from app.core.failures import explain
from app.core.keys import with_keys
from app.core.process import die_with_parent
from app.core.scopes import ENGINE
from app.ops.health import Health, check_health
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
    """Exit 0 when time is kept and runs start, else 1 with the reason."""
    found = _look(console)
    value = {"healthy": found.is_well, "problem": " ".join(found.problems) or None, "remarks": list(found.remarks)}
    show(value, "\n".join(found.problems or ["healthy"]), is_json=is_json)
    if not is_json:
        for remark in found.remarks:
            click.echo(remark, err=True)
    if not found.is_well:
        raise SystemExit(EXIT_UNHEALTHY)


def _look(console: Console) -> Health:
    problem = console.schema.sentence()
    if problem is not None:
        return Health((problem,))
    try:
        with console.database.reading(ENGINE) as session:
            return check_health(session, now=DatabaseClock().now(session))
    except SQLAlchemyError as error:
        return Health((explain(error) or f"The database failed: {error!r}",))


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
