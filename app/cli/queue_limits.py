"""`belfry queue create|set|delete`: queues of one's own, and what goes on at once and how fast it starts."""

import re
from dataclasses import asdict, replace

import click

from app.cli.console import Console, as_json, pass_console, show
from app.cli.terminal import say
from app.runs.queue_limits import (
    QueueLimits,
    QueueLimitsRow,
    change_queue,
    create_queue,
    delete_queue,
    get_limits,
)

NONE = "none"
_RATE = re.compile(r"([0-9]{1,9})/([0-9]{0,9})s")

at_once = click.option(
    "--at-once", metavar="NUMBER", help="How many of its runs go on at once, or none for any number."
)
rate = click.option(
    "--rate", metavar="RATE", help="How many start, for example 10/s or 30/60s, or none for any number."
)


@click.command()
@click.argument("name")
@at_once
@rate
@as_json
@pass_console
def create(console: Console, name: str, at_once: str | None, rate: str | None, is_json: bool) -> None:
    """Make a queue, which jobs may name and workers may serve."""
    limits = _changed(QueueLimits(), at_once, rate)
    with console.platform_desk() as desk:
        create_queue(desk.session, actor=desk.actor, name=name, limits=limits, now=desk.now)
        made = get_limits(desk.session, name=name)
    _show("Made the queue", made, is_json=is_json)


@click.command("set")
@click.argument("name")
@at_once
@rate
@as_json
@pass_console
def set_command(console: Console, name: str, at_once: str | None, rate: str | None, is_json: bool) -> None:
    """Give a queue other limits; what is left out stays. They count from the next start on."""
    with console.platform_desk() as desk:
        before = get_limits(desk.session, name=name)
        limits = _changed(QueueLimits(before.concurrency, before.rate_starts, before.rate_seconds), at_once, rate)
        change_queue(desk.session, actor=desk.actor, name=name, limits=limits, now=desk.now, version=before.version)
        found = get_limits(desk.session, name=name)
    _show("The queue", found, is_json=is_json)


@click.command()
@click.argument("name")
@pass_console
def delete(console: Console, name: str) -> None:
    """Delete a queue that no job and no waiting run uses."""
    with console.platform_desk() as desk:
        delete_queue(desk.session, actor=desk.actor, name=name, now=desk.now)
    say(f"Deleted the queue {name}.")


def read_at_once(text: str) -> int | None:
    """A number of runs, or the word for none. Raises click.BadParameter."""
    if text == NONE:
        return None
    if not (text.isascii() and text.isdigit()):
        raise click.BadParameter(f"“{text}” is neither a whole number nor “{NONE}”.")
    return int(text[:9])


def _changed(limits: QueueLimits, at_once: str | None, rate: str | None) -> QueueLimits:
    if at_once is not None:
        limits = replace(limits, concurrency=read_at_once(at_once))
    if rate is None:
        return limits
    starts, seconds = _read_rate(rate)
    return replace(limits, rate_starts=starts, rate_seconds=seconds)


def _read_rate(text: str) -> tuple[int | None, int | None]:
    if text == NONE:
        return None, None
    found = _RATE.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"“{text}” is no rate. Write for example 10/s, 30/60s or {NONE}.")
    return int(found[1]), int(found[2] or 1)


def _show(what: str, row: QueueLimitsRow, *, is_json: bool) -> None:
    show(asdict(row), f"{what} {row.name}: {row.words}.", is_json=is_json)
