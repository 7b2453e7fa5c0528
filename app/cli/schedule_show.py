"""`belfry schedules show`: one schedule, what comes next and how long it takes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import click

from app.cli.code_names import schedule_argument
from app.cli.console import Console, as_json, moment, pass_console, show, with_organization
from app.core.errors import Invalid
from app.core.lengths import duration
from app.ops.schedule_lengths import ScheduleLengths, read_lengths
from app.schedules.fire_times import fire_times
from app.schedules.owners import owner_words
from app.schedules.policy_words import schedule_policy_sentences
from app.schedules.preview import sentence_of
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.service import rhythm_of

MOST_SHOWN = 100


@click.command("show")
@schedule_argument
@click.option("--next", "count", default=5, show_default=True, type=click.IntRange(0, MOST_SHOWN), help="Coming runs.")
@with_organization
@as_json
@pass_console
def show_schedule(console: Console, schedule_id: UUID, count: int, is_json: bool) -> None:
    """Show a schedule, its next runs and how long they take.

    SCHEDULE is its name, its id, or the one that it has in code.
    """
    with console.reading() as desk:
        organization_id = desk.actor.organization_id
        row = get_schedule(desk.session, organization_id=organization_id, schedule_id=schedule_id)
        lengths = read_lengths(desk.session, organization_id=organization_id, schedule_id=row.id, now=desk.now)
        coming = _coming(row, count, desk.now)
    show(_facts(row, coming, lengths), "\n".join(_lines(row, coming, lengths)), is_json=is_json)


def _coming(row: ScheduleRow, count: int, now: datetime) -> list[datetime]:
    try:
        return fire_times(rhythm_of(row), after=now, limit=count)
    except Invalid:
        # Its problem says why.
        return []


def _facts(row: ScheduleRow, coming: list[datetime], lengths: ScheduleLengths) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "job": row.job_name,
        "cron": row.cron,
        "zone": row.timezone,
        "description": sentence_of(row),
        "state": "enabled" if row.enabled else "disabled",
        "owner": row.owner if row.owner_id else None,
        "policies_in_words": schedule_policy_sentences(row),
        "problem": row.problem,
        "next_runs": [moment(at) for at in coming],
        "typical_seconds": None if lengths.usual is None else lengths.usual.typical.total_seconds(),
        "longest_seconds": None if lengths.longest is None else lengths.longest.took.total_seconds(),
    }


def _lines(row: ScheduleRow, coming: list[datetime], lengths: ScheduleLengths) -> list[str]:
    took = [duration(run.took) for run in lengths.runs[-1:]]
    lines = [f"{row.name}: {sentence_of(row)}", f"Runs {row.job_name}. {'Enabled' if row.enabled else 'Disabled'}."]
    lines += [f"Owner: {owner_words(row)}."] if row.owner else []
    lines += schedule_policy_sentences(row)
    lines += [row.problem] if row.problem else []
    lines += [f"{lengths.sentence} The last one took {took[0]}."] if lengths.sentence and took else []
    lines += ["Next:" if row.enabled else "Would run:"] if coming else []
    return [*lines, *(f"  {moment(at)}" for at in coming)]
