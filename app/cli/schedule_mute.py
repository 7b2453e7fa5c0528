"""`belfry schedules mute`: tell nothing of one schedule for some hours."""

from datetime import timedelta
from uuid import UUID

import click

from app.cli.code_names import schedule_argument
from app.cli.console import Console, moment, pass_console, with_organization
from app.cli.terminal import say
from app.notifications.mutes import LONGEST_MUTE, mute_schedule, unmute_schedule


@click.command()
@schedule_argument
@click.argument("hours", type=click.IntRange(0, LONGEST_MUTE // timedelta(hours=1)))
@with_organization
@pass_console
def mute(console: Console, schedule_id: UUID, hours: int) -> None:
    """Tell nothing of a schedule for so many HOURS; runs go on. 0 ends it."""
    with console.desk() as desk:
        if hours == 0:
            unmute_schedule(desk.session, actor=desk.actor, schedule_id=schedule_id, now=desk.now)
            say("It is told of again.")
            return
        until = desk.now + timedelta(hours=hours)
        mute_schedule(desk.session, actor=desk.actor, schedule_id=schedule_id, until=until, now=desk.now)
    say(f"Nothing is told of it until {moment(until)}.")
