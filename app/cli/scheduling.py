"""`belfry scheduling`: stop all planning of the installation, start it again, and say how it is."""

from dataclasses import asdict

import click

from app.cli.console import Console, as_json, moment, pass_console, show
from app.cli.terminal import say
from app.core.clock import DatabaseClock
from app.core.scopes import PLATFORM
from app.schedules.clock_steps import current_hold
from app.schedules.stops import UNSAID_REASON, current_stop, start_scheduling, stop_scheduling


@click.group()
def scheduling() -> None:
    """Stop and start scheduling, for the whole installation."""


@scheduling.command()
@click.option("--reason", default=UNSAID_REASON, help="Why. Everybody reads it on every page.")
@pass_console
def stop(console: Console, reason: str) -> None:
    """Start nothing on schedule any more. What runs goes on, and runs by hand still start."""
    with console.platform_desk() as desk:
        did_stop = stop_scheduling(desk.session, actor=desk.actor, reason=reason, now=desk.now)
    say("Scheduling is stopped." if did_stop else "Scheduling was stopped already. Nothing was changed.")


@scheduling.command()
@pass_console
def start(console: Console) -> None:
    """Start scheduling again, with the slots that come from now on."""
    with console.platform_desk() as desk:
        did_start = start_scheduling(desk.session, actor=desk.actor, now=desk.now)
    say("Scheduling is on again." if did_start else "Scheduling was not stopped. Nothing was changed.")


@scheduling.command()
@as_json
@pass_console
def status(console: Console, is_json: bool) -> None:
    """Whether scheduling is stopped: by whom, since when, and why."""
    console.schema.require()
    with console.database.reading(PLATFORM) as session:
        found = current_stop(session)
        hold = current_hold(session, now=DatabaseClock().now(session))
    if found is None:
        held = {} if hold is None else {"held_until": hold.held_until, "held_because": hold.text}
        waits = "" if hold is None else f" {hold.text} Nothing is planned until {moment(hold.held_until)}."
        show({"is_stopped": False} | held, f"Scheduling is on.{waits}", is_json=is_json)
        return
    facts = asdict(found)
    del facts["started_at"]
    text = f"Scheduling is stopped since {moment(found.stopped_at)} by {found.stopped_by}: {found.reason}"
    show({"is_stopped": True} | facts, text, is_json=is_json)
