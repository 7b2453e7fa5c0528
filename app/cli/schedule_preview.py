"""`belfry schedules preview`: when a cron text fires, asked of the same function as the scheduler."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, as_json, moment, pass_console, show, with_organization
from app.cli.rhythm_options import read_moment, read_rhythm, when_options
from app.cli.schedule_company import company_facts, company_lines, company_of
from app.schedules.describe import describe, notes
from app.schedules.fire_times import Rhythm, fire_times

MOST_PREVIEWED = 1000


@click.command()
@click.argument("cron")
@click.option("--zone", "--timezone", default="UTC", show_default=True, help="IANA time zone.")
@click.option("--from", "start", metavar="WHEN", help="A date (midnight in the zone) or an instant; now by default.")
@click.option("--count", default=5, show_default=True, type=click.IntRange(1, MOST_PREVIEWED))
@click.option("--spread-key", default="", help="What H is spread by.")
@click.option("--job", "job_id", type=click.UUID, help="Say also what else starts then, and whether it has a twin.")
@when_options
@with_organization
@as_json
@pass_console
def preview(
    console: Console,
    cron: str,
    zone: str,
    start: str | None,
    count: int,
    spread_key: str,
    job_id: UUID | None,
    said: dict[str, Any],
    is_json: bool,
) -> None:
    """Show when a cron text fires, exactly as the scheduler will."""
    when = read_rhythm(cron, said, timezone=zone, spread_key=spread_key)
    begin = _read_start(start, when)
    # The start itself counts, and "strictly after" is how fire times are asked for.
    found = fire_times(when, after=begin - timedelta(microseconds=1), limit=count)
    remarks, company = notes(when, now=begin), company_of(console, when, job_id)
    value = {
        "cron": when.cron.text,
        "zone": when.zone.name,
        "description": describe(when),
        "instants": [moment(at) for at in found],
        "notes": list(remarks),
        **company_facts(company),
    }
    lines = [describe(when), *(_line(at, when) for at in found), *remarks, *company_lines(company)]
    show(value, "\n".join(lines), is_json=is_json)


def _read_start(text: str | None, when: Rhythm) -> datetime:
    return datetime.now(when.zone.tzinfo) if text is None else read_moment(text, when.zone, option="--from")


def _line(at: datetime, when: Rhythm) -> str:
    clock = "%H:%M:%S" if at.second else "%H:%M"
    return f"{at.astimezone(when.zone.tzinfo):%a %d %b %Y {clock} %z}  {moment(at)}"
