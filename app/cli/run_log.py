"""`belfry runs log`: what a run wrote, or the lines of it that are looked for."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, Desk, as_json, choice_of, moment, pass_console, show, with_organization
from app.core.names import visible
from app.core.text import storable
from app.jobs.kinds.base import Level
from app.runs.logs import Line, LogFilter, last_line_number, read_lines
from app.runs.queries import get_run

_AT_ONCE = 1_000
_MOST = click.IntRange(1, 100_000)

keep_bytes = click.option(
    "--raw", "is_raw", is_flag=True, help="As the run wrote it, also what steers a terminal, such as colours."
)


@click.command("log")
@click.argument("run_id", type=click.UUID)
@click.option("--level", type=choice_of(Level), default=Level.INFO.value, help="Lines as loud as this, and louder.")
@click.option("--search", default="", help="Lines with this text, letter by letter.")
@click.option("--ignore-case", is_flag=True, help="Search capitals and small letters alike.")
@click.option("--after", default=0, type=click.IntRange(0, 2**31 - 2), help="Only lines behind this number.")
@click.option("--last", type=_MOST, help="Only so many, from the end.")
@keep_bytes
@with_organization
@as_json
@pass_console
def log_of_run(
    console: Console, run_id: UUID, level: str, search: str, ignore_case: bool, after: int, last: int | None,
    is_raw: bool, is_json: bool,
) -> None:  # fmt: skip
    """Print what a run wrote until now, with the number of each line."""
    wanted = LogFilter(Level(level), storable(search), ignores_case=ignore_case)
    with console.reading() as desk:
        get_run(desk.session, organization_id=desk.actor.organization_id, run_id=run_id)
        lines = _lines(desk, run_id, wanted, after, last)
        if is_json:
            show([_facts(line) for line in lines], "", is_json=True)
            return
        for line in lines:
            print_line(f"{line.number:>6} {moment(line.at)} {line.level.value:7} {line.text}", is_raw=is_raw)


def print_line(text: str, *, is_raw: bool) -> None:
    """A line of a log. A job may write anything, and its reader's terminal is not its own."""
    # Without a word about colours click takes them out where nobody looks.
    click.echo(text if is_raw else visible(text), color=True)


def _lines(desk: Desk, run_id: UUID, wanted: LogFilter, after: int, last: int | None) -> Iterator[Line]:
    """A part at a time: a log may be longer than anybody wants to hold at once."""
    which: dict[str, Any] = {"organization_id": desk.actor.organization_id, "run_id": run_id, "wanted": wanted}
    if last is not None:
        yield from read_lines(desk.session, after=after, limit=last, from_end=True, **which)
        return
    # What is written meanwhile is for `tail`.
    end = last_line_number(desk.session, organization_id=desk.actor.organization_id, run_id=run_id) + 1
    while lines := read_lines(desk.session, after=after, before=end, limit=_AT_ONCE, **which):
        yield from lines
        after = lines[-1].number


def _facts(line: Line) -> dict[str, Any]:
    return {"number": line.number, "at": moment(line.at), "level": line.level.value, "text": line.text}
