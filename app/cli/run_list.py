"""`belfry runs list`: what ran, runs and is to run."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, as_json, choice_of, pass_console, show, table, with_organization
from app.cli.run_facts import run_facts
from app.core.lengths import duration
from app.ops.run_notes import RunNotes, against_usual, length_of, read_notes
from app.ops.source_words import source_words
from app.ops.time_bounds import read_bound
from app.runs.filters import RunFilter, search_text
from app.runs.queries import RunRow
from app.runs.run_lists import list_runs
from app.runs.states import RunState, Source
from app.tenants.roster import get_organization


@click.command("list")
@click.option("--state", type=choice_of(RunState))
@click.option("--trigger", type=choice_of(Source), help="Why they exist, or through what somebody asked for them.")
@click.option("--schedule", "schedule_id", type=click.UUID, metavar="ID", help="Those of one schedule.")
@click.option("--job", "job_id", type=click.UUID, metavar="ID", help="Those of one job.")
@click.option("--since", default="", metavar="WHEN", help="A day on the organization's clock, or an instant.")
@click.option("--until", default="", metavar="WHEN", help="The same; a day is included.")
@click.option("--search", default="", help="Part of a name, of an error, or of what was to be done.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200))
@with_organization
@as_json
@pass_console
def list_runs_command(
    console: Console, state: str | None, trigger: str | None, schedule_id: UUID | None, job_id: UUID | None,
    since: str, until: str, search: str, limit: int, is_json: bool,
) -> None:  # fmt: skip
    """List runs, newest first."""
    wanted = RunFilter(
        state=RunState(state) if state else None,
        source=Source(trigger) if trigger else None,
        schedule_id=schedule_id,
        job_id=job_id,
        query=search_text(search),
    )
    with console.reading() as desk:
        session, here = desk.session, desk.actor.organization_id
        zone = get_organization(session, organization_id=here).timezone
        wanted = replace(
            wanted,
            since=read_bound(since, zone=zone, name="--since"),
            until=read_bound(until, zone=zone, name="--until", is_end=True),
        )
        page = list_runs(session, organization_id=here, run_filter=wanted, limit=limit)
        notes, now = read_notes(session, page.rows, organization_id=here), desk.now
    facts = [run_facts(row) | _noted(row, notes, now) for row in page.rows]
    headings = ["ID", "JOB", "SCHEDULE", "STATE", "TRIGGER", "DUE", "TOOK", "TRIES"]
    keys = ("id", "job", "schedule", "state", "asked", "due", "took", "tries")
    cells = [[str(fact[key] or "-") for key in keys] for fact in facts]
    show(facts, table(headings, cells, empty="No runs."), is_json=is_json)


def _noted(row: RunRow, notes: RunNotes, now: datetime) -> dict[str, Any]:
    took, usual = length_of(row, now=now), notes.usual_of(row)
    words = "" if took is None else " ".join(filter(None, (duration(took), against_usual(took, usual))))
    return {
        "asked": source_words(row, asked_by=notes.asked_by(row)),
        "requested_by": notes.asked_by(row),
        "duration_seconds": None if took is None else round(took.total_seconds(), 3),
        "usual_seconds": None if usual is None else round(usual.total_seconds(), 3),
        "took": words,
    }
