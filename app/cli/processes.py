"""`belfry up` and `health`: all processes of an installation, and how they are."""

from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from app.cli.children import children_of
from app.cli.console import Console, pass_console, show
from app.cli.database import migrate
from app.cli.greeting import Greeter
from app.cli.listening import refuse_unusable_address
from app.cli.supervisor import Supervisor
from app.cli.terminal import say
from app.core.clock import DatabaseClock
from app.core.failures import explain
from app.core.keys import with_keys
from app.core.scopes import ENGINE, Scope, rescoped
from app.ops.canary.report import read_report
from app.ops.code_definitions import load_definitions
from app.ops.code_standing import standing_of
from app.ops.health import Health, check_health
from app.tenants.platform import acting_for_the_installation

EXIT_UNHEALTHY = 1
_SHOWN_GAPS = 10


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
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@click.option("--deep", is_flag=True, help="Say how far the canary came, hop by hop.")
@pass_console
def health(console: Console, is_json: bool, deep: bool) -> None:
    """Exit 0 when time is kept and runs start, else 1 with the reason."""
    found = _look(console)
    if deep and console.schema.sentence() is None:
        _show_deep(console, is_json=is_json)
        return
    value = {"healthy": found.is_well, "problem": " ".join(found.problems) or None, "remarks": list(found.remarks)}
    show(value, "\n".join(found.problems or ["healthy"]), is_json=is_json)
    if not is_json:
        for remark in found.remarks:
            say(remark, err=True)
    if not found.is_well:
        raise SystemExit(EXIT_UNHEALTHY)


def _show_deep(console: Console, *, is_json: bool) -> None:
    settings = console.settings
    with console.database.reading(ENGINE) as session:
        now = DatabaseClock().now(session)
        found = read_report(session, is_on=settings.canary, is_pinged=settings.heartbeat_url is not None, now=now)
    lines = [f"{'ok' if hop.is_ok else 'TOO LATE':8}  {hop.words}" for hop in found.hops]
    lines += [f"gap       {gap.in_words}" for gap in found.gaps[:_SHOWN_GAPS]]
    show(found.as_json(), "\n".join(lines), is_json=is_json)
    if not found.is_well:
        raise SystemExit(EXIT_UNHEALTHY)


def _look(console: Console) -> Health:
    problem = console.schema.sentence()
    if problem is not None:
        return Health((problem,))
    definitions = load_definitions(console.settings)
    try:
        with console.database.reading(ENGINE) as session:
            now = DatabaseClock().now(session)
            found = check_health(session, now=now)
            with rescoped(session, Scope.tenant(acting_for_the_installation("command line").organization_id)):
                standing = standing_of(session, definitions=definitions, now=now)
            return replace(found, remarks=(*found.remarks, *map(str, standing.all)))
    except SQLAlchemyError as error:
        return Health((explain(error) or f"The database failed: {error!r}",))
