"""`belfry runs list`: what ran, runs and is to run."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, Desk, as_json, choice_of, pass_console, show, table, with_organization
from app.cli.run_facts import run_facts
from app.cli.terminal import say
from app.core.called import Named, meant_by
from app.core.errors import NotFound
from app.core.lengths import duration
from app.jobs.names import jobs_called
from app.ops.run_notes import RunNotes, against_usual, length_of, read_notes
from app.ops.source_words import source_words
from app.ops.time_bounds import read_bound
from app.runs.filters import RunFilter, search_text
from app.runs.queries import RunRow
from app.runs.run_lists import list_runs, place_of
from app.runs.states import RunState, Source
from app.schedules.names import schedules_called
from app.tenants.roster import get_organization

_MOST_MEANT = 5


class NothingCalledSo(NotFound):
    """No schedule or job has this name, and the message says which ones may be meant."""


@click.command("list")
@click.option("--state", type=choice_of(RunState))
@click.option("--trigger", type=choice_of(Source), help="Why they exist, or through what somebody asked for them.")
@click.option("--schedule", metavar="NAME|ID", help="Those of one schedule.")
@click.option("--job", metavar="NAME|ID", help="Those of one job.")
@click.option("--since", default="", metavar="WHEN", help="A day on the organization's clock, or an instant.")
@click.option("--until", default="", metavar="WHEN", help="The same; a day is included.")
@click.option("--search", default="", help="Part of a name, of an error, or of what was to be done.")
@click.option("--older-than", metavar="ID", type=click.UUID, help="Those behind this run, such as the last one listed.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200))
@with_organization
@as_json
@pass_console
def list_runs_command(
    console: Console, state: str | None, trigger: str | None, schedule: str | None, job: str | None,
    since: str, until: str, search: str, older_than: UUID | None, limit: int, is_json: bool,
) -> None:  # fmt: skip
    """List runs, newest first."""
    wanted = RunFilter(
        state=RunState(state) if state else None,
        source=Source(trigger) if trigger else None,
        query=search_text(search),
    )
    with console.reading() as desk:
        session, here = desk.session, desk.actor.organization_id
        zone = get_organization(session, organization_id=here).timezone
        wanted = replace(
            wanted,
            schedule_id=None if schedule is None else _id_of("schedule", schedule, desk, schedules_called),
            job_id=None if job is None else _id_of("job", job, desk, jobs_called),
            since=read_bound(since, zone=zone, name="--since"),
            until=read_bound(until, zone=zone, name="--until", is_end=True),
        )
        place = None if older_than is None else place_of(session, organization_id=here, run_id=older_than)
        page = list_runs(session, organization_id=here, run_filter=wanted, limit=limit, older_than=place)
        notes, now = read_notes(session, page.rows, organization_id=here), desk.now
    facts = [run_facts(row) | _noted(row, notes, now) for row in page.rows]
    headings = ["ID", "JOB", "SCHEDULE", "STATE", "TRIGGER", "DUE", "TOOK", "TRIES"]
    keys = ("id", "job", "schedule", "state", "asked", "due", "took", "tries")
    cells = [[str(fact[key] or "-") for key in keys] for fact in facts]
    show(facts, table(headings, cells, empty="No runs."), is_json=is_json)
    if wanted.is_search and page.older_than is not None and len(page.rows) < limit:
        # Beside what is listed: it may be read by a program.
        say(f"Looked through {page.looked_at:,} runs. Go on with --older-than {page.older_than[1]}", err=True)


def _id_of(noun: str, text: str, desk: Desk, called: Callable[..., list[Named]]) -> UUID:
    """What is called so, or the id itself, which may be one of something that was deleted."""
    with suppress(ValueError):
        return UUID(text)
    found = called(desk.session, organization_id=desk.actor.organization_id, text=text, limit=_MOST_MEANT)
    meant = meant_by(text, found)
    if meant is None:
        advice = (
            f"Did you mean {' or '.join(f'“{one.name}”' for one in found)}?" if found else f"See: belfry {noun}s list"
        )
        raise NothingCalledSo(f"No {noun} is called “{text}”. {advice}")
    return meant.id


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
