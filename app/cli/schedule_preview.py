"""`belfry schedules preview`: when a cron text fires, asked of the same function as the scheduler."""

from datetime import datetime, timedelta
from typing import Any

import click

from app.cli.console import as_json, moment, show
from app.cli.rhythm_options import read_moment, read_rhythm, when_options
from app.schedules.describe import describe, notes
from app.schedules.fire_times import Rhythm, fire_times

MOST_PREVIEWED = 1000


@click.command()
@click.argument("cron")
@click.option("--zone", default="UTC", show_default=True, help="IANA time zone.")
@click.option("--from", "start", metavar="WHEN", help="A date (midnight in the zone) or an instant; now by default.")
@click.option("--count", default=5, show_default=True, type=click.IntRange(1, MOST_PREVIEWED))
@click.option("--spread-key", default="", help="What H is spread by.")
@when_options
@as_json
def preview(
    cron: str, zone: str, start: str | None, count: int, spread_key: str, said: dict[str, Any], is_json: bool
) -> None:
    """Show when a cron text fires, exactly as the scheduler will."""
    when = read_rhythm(cron, said, timezone=zone, spread_key=spread_key)
    begin = _read_start(start, when)
    # The start itself counts, and "strictly after" is how fire times are asked for.
    found = fire_times(when, after=begin - timedelta(microseconds=1), limit=count)
    remarks = notes(when, now=begin)
    value = {
        "cron": when.cron.text,
        "zone": when.zone.name,
        "description": describe(when),
        "instants": [moment(at) for at in found],
        "notes": list(remarks),
    }
    lines = [describe(when), *(_line(at, when) for at in found), *remarks]
    show(value, "\n".join(lines), is_json=is_json)


def _read_start(text: str | None, when: Rhythm) -> datetime:
    return datetime.now(when.zone.tzinfo) if text is None else read_moment(text, when.zone, option="--from")


def _line(at: datetime, when: Rhythm) -> str:
    clock = "%H:%M:%S" if at.second else "%H:%M"
    return f"{at.astimezone(when.zone.tzinfo):%a %d %b %Y {clock} %z}  {moment(at)}"
