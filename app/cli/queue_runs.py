"""`belfry queue runs|causes|stuck|take`: runs by tab, dead letters by cause, and runs that look stuck."""

from dataclasses import asdict
from uuid import UUID

import click

from app.cli.console import Console, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.core.lengths import duration
from app.ops.stuck_runs import StuckEvidence, read_evidence, remove_stuck_run
from app.runs.cause_groups import list_causes
from app.runs.queries import RunRow
from app.runs.queue_filter import QueueFilter, QueueTab, read_whole
from app.runs.queue_lists import list_queue_tab

_LONGEST_WORDS = 80


@click.command("runs")
@click.option("--tab", type=choice_of(QueueTab), default=QueueTab.WAITING.value, help="Which runs.")
@click.option("--queue", "queue_name", default="", help="Of this queue alone.")
@click.option("--cause", default="", help="Dead letters of this cause alone, as `belfry queue causes` names it.")
@click.option("--search", default="", help="Part of the name of a job or schedule or of an error.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="How many.")
@with_organization
@as_json
@pass_console
def runs_command(
    console: Console, tab: str, queue_name: str, cause: str, search: str, limit: int, is_json: bool
) -> None:
    """Runs that wait, run, are retried, failed for good, were removed, or all."""
    args = {"tab": tab, "queue": queue_name, "cause": cause, "q": search}
    if cause and not QueueFilter.from_args(args).cause:
        raise click.UsageError("A cause is 16 letters and digits, and goes with --tab dead. See: belfry queue causes")
    wanted = read_whole(args)
    with console.reading() as desk:
        found = list_queue_tab(
            desk.session, organization_id=desk.actor.organization_id, wanted=wanted, now=desk.now, limit=limit
        )
    lines = table(
        ["run", "job", "queue", "state", "tries", "made", "error"],
        [_line(row) for row in found.rows],
        empty="No such runs.",
    )
    show([_facts(row) for row in found.rows], lines, is_json=is_json)


@click.command("causes")
@with_organization
@as_json
@pass_console
def causes_command(console: Console, is_json: bool) -> None:
    """Dead letters grouped by what caused them, the largest groups first."""
    with console.reading() as desk:
        wanted = QueueFilter(QueueTab.DEAD)
        found = list_causes(desk.session, organization_id=desk.actor.organization_id, wanted=wanted, limit=100)
    rows = [
        [one.cause, f"{one.runs:,}", f"{one.schedules:,}", str(moment(one.first_at)), str(moment(one.last_at)),
         one.jobs_words, _short(one.error)]
        for one in found.groups
    ]  # fmt: skip
    headings = ["cause", "runs", "schedules", "first", "last", "job", "error of the last one"]
    show([asdict(one) for one in found.groups], table(headings, rows, empty="Nothing dead."), is_json=is_json)


@click.command("stuck")
@with_organization
@as_json
@pass_console
def stuck_command(console: Console, is_json: bool) -> None:
    """Runs that look stuck: their worker is silent, or they run far longer than their job ever does."""
    with console.reading() as desk:
        found = read_evidence(desk.session, organization_id=desk.actor.organization_id, now=desk.now)
    stuck = [one for one in found.values() if one.is_stuck]
    lines = [f"{one.held.run_id}  {one.held.job_name}: {one.words}" for one in stuck]
    show([_evidence(one) for one in stuck], "\n".join(lines) or "No run looks stuck.", is_json=is_json)


@click.command("take")
@click.argument("run_id", type=click.UUID)
@click.option("--retry", "is_retried", is_flag=True, help="Start another one when the lease of this one is over.")
@with_organization
@pass_console
def take_command(console: Console, run_id: UUID, is_retried: bool) -> None:
    """Take a run that looks stuck from its worker. Code that may still run there is not stopped by it."""
    with console.desk() as desk:
        taken = remove_stuck_run(desk.session, actor=desk.actor, run_id=run_id, is_retried=is_retried, now=desk.now)
    say("Removed. Its slot is free; code that may still run on its worker was not stopped.")
    if taken.retry_id is not None:
        say(f"The run {taken.retry_id} starts at {moment(taken.starts_at)}.")


def _line(row: RunRow) -> list[str]:
    tries = f"{row.attempt}/{row.tries}"
    facts = [str(row.id), row.job_name, row.queue, row.state.value, tries, str(moment(row.created_at))]
    return [*facts, _short(row.error)]


def _facts(row: RunRow) -> dict[str, object]:
    names = (
        "id", "job_id", "job_name", "schedule_id", "schedule_name", "queue", "state", "reason", "error", "cause",
        "attempt", "tries", "worker", "ready_at", "created_at", "started_at", "finished_at", "removed_at",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}


def _evidence(found: StuckEvidence) -> dict[str, object]:
    length = found.length
    return {
        "run_id": found.held.run_id,
        "job_name": found.held.job_name,
        "worker": found.held.worker,
        "began_at": found.held.began_at,
        "beat_at": found.beat_at,
        "ran": duration(found.ran),
        "typical": None if length is None else duration(length.typical),
        "is_silent": found.is_silent,
        "is_long": found.is_long,
        "words": found.words,
    }


def _short(error: str | None) -> str:
    line = next(iter((error or "").splitlines()), "")
    return line if len(line) <= _LONGEST_WORDS else f"{line[: _LONGEST_WORDS - 1]}…"
