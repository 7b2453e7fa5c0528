"""`belfry schedules mute` and `belfry jobs mute`: tell nothing of one of them for some hours, or until it succeeds."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import click

from app.cli.code_names import job_argument, schedule_argument
from app.cli.console import Console, moment, pass_console, with_organization
from app.cli.terminal import say
from app.notifications.mutes import LONGEST_MUTE, mute_job, mute_schedule, unmute_job, unmute_schedule

_MOST_HOURS = LONGEST_MUTE // timedelta(hours=1)
_hours = click.argument("hours", type=click.IntRange(0, _MOST_HOURS), required=False)
_until_success = click.option(
    "--until-success", is_flag=True, help=f"End it with the next run that goes well, after {_MOST_HOURS} HOURS at most."
)


@click.command()
@schedule_argument
@_hours
@_until_success
@with_organization
@pass_console
def mute(console: Console, schedule_id: UUID, hours: int | None, until_success: bool) -> None:
    """Tell nothing of a schedule for so many HOURS; runs go on. 0 ends it."""
    _mute(console, mute_schedule, unmute_schedule, {"schedule_id": schedule_id}, hours, until_success)


@click.command("mute")
@job_argument
@_hours
@_until_success
@with_organization
@pass_console
def mute_of_job(console: Console, job_id: UUID, hours: int | None, until_success: bool) -> None:
    """Tell nothing of a job for so many HOURS, whatever starts it; runs go on. 0 ends it."""
    _mute(console, mute_job, unmute_job, {"job_id": job_id}, hours, until_success)


def _mute(
    console: Console, begin: Callable[..., None], end: Callable[..., bool], which: dict[str, UUID], hours: int | None,
    until_success: bool,
) -> None:  # fmt: skip
    if hours is None and not until_success:
        raise click.UsageError("Say for how many HOURS, or --until-success.")
    with console.desk() as desk:
        it = {"actor": desk.actor, "now": desk.now, **which}
        if hours == 0:
            end(desk.session, **it)
            say("It is told of again.")
            return
        until = desk.now + timedelta(hours=hours or _MOST_HOURS)
        begin(desk.session, until=until, until_success=until_success, **it)
    when = "it succeeds, at the latest until " if until_success else ""
    say(f"Nothing is told of it until {when}{moment(until)}.")
