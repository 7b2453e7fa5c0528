"""`belfry schedules preview`: when a cron text fires, asked of the same function as the scheduler."""

from datetime import date, datetime, timedelta

import click

from app.cli.console import as_json, moment, show
from app.core.errors import Invalid
from app.schedules.describe import describe, notes
from app.schedules.fire_times import Rhythm, fire_times, rhythm

MOST_PREVIEWED = 1000
# A calendar ends in 9999, and a zone's offset has to fit in before that.
FROM_YEARS = range(1970, 9991)


class FromInvalid(Invalid):
    """The start of a preview cannot be read."""


@click.command()
@click.argument("cron")
@click.option("--zone", default="UTC", show_default=True, help="IANA time zone.")
@click.option("--from", "start", metavar="WHEN", help="A date (midnight in the zone) or an instant; now by default.")
@click.option("--count", default=5, show_default=True, type=click.IntRange(1, MOST_PREVIEWED))
@click.option("--spread-key", default="", help="What H is spread by.")
@as_json
def preview(cron: str, zone: str, start: str | None, count: int, spread_key: str, is_json: bool) -> None:
    """Show when a cron text fires, exactly as the scheduler will."""
    when = rhythm(cron, timezone=zone, spread_key=spread_key)
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
    if text is None:
        return datetime.now(when.zone.tzinfo)
    begin = _parse_start(text, when)
    if begin.year not in FROM_YEARS:
        raise FromInvalid(f"--from {text!r} is out of reach. Use the years {FROM_YEARS[0]} to {FROM_YEARS[-1]}.")
    return begin


def _parse_start(text: str, when: Rhythm) -> datetime:
    try:
        if len(text) == len("2027-03-13"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=when.zone.tzinfo)
        begin = datetime.fromisoformat(text)
    except ValueError as error:
        raise FromInvalid(
            f"--from {text!r} is neither a date nor an instant. Write 2027-03-13 or 2027-03-13T08:00:00Z."
        ) from error
    return begin if begin.tzinfo else begin.replace(tzinfo=when.zone.tzinfo)


def _line(at: datetime, when: Rhythm) -> str:
    return f"{at.astimezone(when.zone.tzinfo):%a %d %b %Y %H:%M %z}  {moment(at)}"
