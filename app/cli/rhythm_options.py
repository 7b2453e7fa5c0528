"""What the commands on schedules share: the options that say when one runs, and how they are read."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import wraps
from typing import Any, TypeVar

import click

from app.cli.console import choice_of
from app.core.errors import Invalid
from app.schedules.clock_changes import ClockChange
from app.schedules.zones import Zone, find_zone

Command = TypeVar("Command", bound=Callable[..., Any])

# A calendar ends in 9999, and a zone's offset has to fit in before that.
YEARS = range(1970, 9991)
_NO_BOUND = "none"
LONGEST_SPREAD_KEY = 64

CRON_HELP = (
    "Five fields, “every 90 minutes from 08:00”, or “at 2027-12-24 18:00”. "
    "Several cron lines or times: say it once for each."
)


class MomentInvalid(Invalid):
    """A moment on the command line cannot be read."""


def when_options(command: Command) -> Command:
    """Options beside the cron text, handed on as `said`: the fields of a draft that were named, bounds as text."""

    @click.option("--clock-change", type=choice_of(ClockChange), help="What a fixed time does when the clocks change.")
    @click.option("--seconds/--no-seconds", "has_seconds", default=None, help="Let cron lines begin with seconds.")
    @click.option("--starts", "starts_at", metavar="WHEN", help="No slot before it; “none” takes it away.")
    @click.option("--ends", "ends_at", metavar="WHEN", help="No slot at or after it; “none” takes it away.")
    @wraps(command)
    def with_said(*args: Any, **options: Any) -> Any:
        names = "clock_change", "has_seconds", "starts_at", "ends_at"
        given = {name: options.pop(name) for name in names}
        said = {name: value for name, value in given.items() if value is not None}
        return command(*args, said=said, **options)

    return with_said  # type: ignore[return-value]


tag_options = click.option("--tag", "tags", multiple=True, help="A word to find it by; say it once for each.")


def _read_spread_key(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    if len(text) > LONGEST_SPREAD_KEY or not (text.isascii() and text.isprintable()):
        raise click.BadParameter(f"Use at most {LONGEST_SPREAD_KEY} plain ASCII characters.")
    return text


spread_key_option = click.option(
    "--spread-key",
    default="",
    callback=_read_spread_key,
    help="What H is spread by. Unless given: one made of job and name, or the one that the schedule has.",
)


def read_said(said: Mapping[str, Any], *, timezone: str) -> dict[str, Any]:
    """The fields of a draft. Raises MomentInvalid or UnknownZone."""
    zone = find_zone(timezone)
    read = dict(said)
    if "clock_change" in read:
        read["clock_change"] = ClockChange(read["clock_change"])
    for name, option in (("starts_at", "--starts"), ("ends_at", "--ends")):
        if name in read:
            text = read[name]
            read[name] = None if text.lower() == _NO_BOUND else read_moment(text, zone, option=option)
    return read


def read_moment(text: str, zone: Zone, *, option: str) -> datetime:
    """A date, which is its midnight in the zone, or an instant. Raises MomentInvalid."""
    found = _parse_moment(text, zone, option)
    if found.year not in YEARS:
        raise MomentInvalid(f"{option} {text!r} is out of reach. Use the years {YEARS[0]} to {YEARS[-1]}.")
    return found


def _parse_moment(text: str, zone: Zone, option: str) -> datetime:
    try:
        if len(text) == len("2027-03-13"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=zone.tzinfo)
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise MomentInvalid(
            f"{option} {text!r} is neither a date nor an instant. Write 2027-03-13 or 2027-03-13T08:00:00Z."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=zone.tzinfo)
