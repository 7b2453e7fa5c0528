"""`belfry system`: how the whole installation stands, pausing all of it, and what to send to somebody who helps."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from app.cli.console import Console, as_json, demo_lines, moment, pass_console, show
from app.cli.terminal import say
from app.core.clock import DatabaseClock
from app.core.scopes import PLATFORM
from app.ops.diagnostics import read_diagnostics
from app.ops.installation import Installation, read_installation
from app.ops.pause import pause_everything, resume_everything
from app.schedules.stops import UNSAID_REASON


@click.group()
def system() -> None:
    """Look at the whole installation, pause it and let it go on."""


@system.command("show")
@as_json
@pass_console
def show_command(console: Console, is_json: bool) -> None:
    """Scheduler, processes, versions, database, and what is kept for how long."""
    console.schema.require()
    with console.database.reading(PLATFORM) as session:
        now = DatabaseClock().now(session)
        found = read_installation(session, console.settings, now=now)
    is_demo = console.settings.is_demo
    lines = [*demo_lines(console), *_lines(found, now)]
    show({"is_demo": is_demo} | _facts(found, now), "\n".join(lines), is_json=is_json)


@system.command()
@click.option("--reason", default=UNSAID_REASON, help="Why. Everybody reads it on every page.")
@click.option("--keep-queues", is_flag=True, help="Leave the queues open: what waits and runs by hand still start.")
@pass_console
def pause(console: Console, reason: str, keep_queues: bool) -> None:
    """Start nothing any more: no schedule, and no queue. What runs goes on."""
    with console.platform_desk() as desk:
        who: dict[str, Any] = {"actor": desk.actor, "now": desk.now}
        done = pause_everything(desk.session, **who, reason=reason, with_queues=not keep_queues)
    say(done.words)


@system.command()
@pass_console
def resume(console: Console) -> None:
    """Go on: plan the slots that come from now on, and open the queues that were paused with everything."""
    with console.platform_desk() as desk:
        done = resume_everything(desk.session, actor=desk.actor, now=desk.now)
    say("Nothing was paused." if done.is_nothing else "Everything goes on.")


@system.command()
@pass_console
def diagnostics(console: Console) -> None:
    """Print what somebody who helps has to know, as JSON without secrets and names."""
    console.schema.require()
    with console.database.reading(PLATFORM) as session:
        found = read_diagnostics(session, console.settings, now=DatabaseClock().now(session))
    click.echo(json.dumps(found, indent=2))


def _lines(found: Installation, now: datetime) -> list[str]:
    kept = found.retention.runs
    stop = found.stop
    return [
        f"Scheduler: {'keeps time' if found.keeps_time(now) else 'down'}, next due {moment(found.next_due_at) or '-'}",
        *([f"Paused since {moment(stop.stopped_at)} by {stop.stopped_by}: {stop.reason}"] if stop else []),
        f"Versions: {', '.join(found.versions)}",
        f"Database: {found.database.engine} {found.database.version}, migration {found.database.migration},"
        f" {found.database.size or 0:,} bytes",
        f"Broker: {found.broker}",
        f"Kept: runs and logs {'for ever' if kept is None else f'{kept.days} days'},"
        f" events {found.retention.events.days} days, next clean-up {moment(found.retention.next_tidying_at) or '-'}",
        *(
            f"Process {row.name}: version {row.version}, {row.running} of {row.slots} runs,"
            f" {'-' if row.memory_mib is None else row.memory_mib} MiB, last report {moment(row.beat_at)}"
            for row in found.processes
        ),
        *(
            f"Pages {row.name}: version {row.version}, {'-' if row.memory_mib is None else row.memory_mib} MiB,"
            f" last report {moment(row.beat_at)}{' (silent)' if row.is_silent(now) else ''}"
            for row in found.pages
        ),
        f"Canary: {_canary_words(found)}",
        *found.health.problems,
        *found.health.remarks,
    ]


def _canary_words(found: Installation) -> str:
    canary = found.canary
    late = [hop.words for hop in canary.hops if not hop.is_ok]
    well = f"came through {moment(canary.last_passed_at) or '-'}" if canary.is_on else "off"
    return f"{'; '.join(late) or well}, gaps in 30 days: {len(canary.gaps)}"


def _facts(found: Installation, now: datetime) -> dict[str, Any]:
    kept = found.retention.runs
    return {
        "keeps_time": found.keeps_time(now),
        "next_due_at": found.next_due_at,
        "stop": None if found.stop is None else asdict(found.stop),
        "versions": found.versions,
        "database": asdict(found.database),
        "broker": found.broker,
        "canary": found.canary.as_json(),
        "runs_kept_days": None if kept is None else kept.days,
        "events_kept_days": found.retention.events.days,
        "next_clean_up_at": found.retention.next_tidying_at,
        "paused_queues": [row.name for row in found.paused_queues],
        "processes": [asdict(row) for row in found.processes],
        "pages": [asdict(row) | {"is_silent": row.is_silent(now)} for row in found.pages],
        "running": [asdict(run) for run in found.in_hand],
        "problems": found.health.problems,
        "remarks": found.health.remarks,
    }
