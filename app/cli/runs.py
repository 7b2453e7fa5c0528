"""`belfry runs`: list, show, log, tail, cancel, retry, retry-now, give-up, again, remove."""

import time
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

import click

from app.cli.console import Console, as_json, moment, pass_console, show, with_organization
from app.cli.run_compare import compare_command
from app.cli.run_facts import result_lines, run_facts
from app.cli.run_list import list_runs_command
from app.cli.run_log import keep_bytes, log_of_run, print_line
from app.cli.starting import changed_on_line, set_parameters, show_started
from app.cli.terminal import say
from app.cli.why import why_of_run
from app.ops.cancel_words import cancel_words
from app.ops.kinds import job_kinds
from app.ops.run_advice import advice_on
from app.runs import service, steering
from app.runs.attempt_queries import AttemptRow, list_attempts, newest_progress
from app.runs.logs import read_lines
from app.runs.queries import RunRow, get_run
from app.runs.relatives import Relatives, counts_in_words, relatives_of
from app.runs.repeats import run_again
from app.runs.states import RunState
from app.tenants.audit_masks import masked

TAIL_SECONDS = 0.5
EXIT_FAILED = 1


@click.group()
def runs() -> None:
    """See runs and their logs, cancel what goes on, and retry what failed."""


runs.add_command(list_runs_command)
runs.add_command(compare_command)
runs.add_command(why_of_run)
runs.add_command(log_of_run)


@runs.command("show")
@click.argument("run_id", type=click.UUID)
@with_organization
@as_json
@pass_console
def show_command(console: Console, run_id: UUID, is_json: bool) -> None:
    """Show one run with its attempts, the runs it started and those it was started by."""
    with console.reading() as desk:
        organization_id = desk.actor.organization_id
        row = get_run(desk.session, organization_id=organization_id, run_id=run_id)
        attempts = list_attempts(desk.session, organization_id=organization_id, run_id=run_id)
        around = relatives_of(desk.session, row)
    facts = run_facts(row) | {"advice": advice_on(row, attempts[-1] if attempts else None) or None}
    value = facts | {"attempts": [_attempt(attempt) for attempt in attempts]} | _relatives(around)
    lines = [f"{name}: {fact}" for name, fact in facts.items() if fact is not None]
    lines += [_try_line(attempt) for attempt in attempts]
    lines += result_lines(attempts[-1].result) if attempts else []
    lines += _relative_lines(around)
    show(value, "\n".join(lines), is_json=is_json)


@runs.command()
@click.argument("run_id", type=click.UUID)
@keep_bytes
@with_organization
@pass_console
def tail(console: Console, run_id: UUID, is_raw: bool) -> None:
    """Print a run's log until it is over. Exit status 1 when it did not succeed."""
    seen, last_said = 0, None
    while True:
        with console.reading() as desk:
            organization_id = desk.actor.organization_id
            # The state first: lines written between the two reads are then still printed in this round.
            row = get_run(desk.session, organization_id=organization_id, run_id=run_id)
            lines = read_lines(desk.session, organization_id=organization_id, run_id=run_id, after=seen)
            said = newest_progress(desk.session, organization_id=organization_id, run_id=run_id)
        for line in lines:
            print_line(f"{moment(line.at)} {line.level.value:7} {line.text}", is_raw=is_raw)
            seen = line.number
        if said not in (None, last_said):
            print_line(f"progress {said}", is_raw=is_raw)
        last_said = said
        if row.is_over and not lines:
            break
        time.sleep(0 if lines else TAIL_SECONDS)
    print_line(f"{row.state.value}{': ' + row.error if row.error else ''}", is_raw=is_raw)
    if row.state is not RunState.SUCCEEDED:
        raise SystemExit(EXIT_FAILED)


@runs.command()
@click.argument("run_id", type=click.UUID)
@with_organization
@as_json
@pass_console
def cancel(console: Console, run_id: UUID, is_json: bool) -> None:
    """Cancel a run that waits or is running."""
    with console.desk() as desk:
        is_over = steering.cancel_run(desk.session, actor=desk.actor, run_id=run_id, now=desk.now)
        run = get_run(desk.session, organization_id=desk.actor.organization_id, run_id=run_id)
        does = cancel_words(desk.session, kinds=job_kinds(console.settings), run=run)
    stops = f"It is being stopped. {does} See when it has ended with: belfry runs tail {run_id}"
    show({"is_over": is_over}, "Cancelled." if is_over else stops, is_json=is_json)


@runs.command("retry-now")
@click.argument("run_id", type=click.UUID)
@with_organization
@pass_console
def retry_now(console: Console, run_id: UUID) -> None:
    """Let a run that waits for its next try start at once."""
    with console.desk() as desk:
        steering.retry_run_now(desk.session, actor=desk.actor, run_id=run_id, now=desk.now)
    say("The next try starts now.")


@runs.command("give-up")
@click.argument("run_id", type=click.UUID)
@with_organization
@pass_console
def give_up(console: Console, run_id: UUID) -> None:
    """Let a run that waits for its next try end as failed."""
    with console.desk() as desk:
        steering.give_run_up(desk.session, actor=desk.actor, run_id=run_id, now=desk.now)
    say("Given up.")


@runs.command()
@click.argument("run_id", type=click.UUID)
@with_organization
@as_json
@pass_console
def retry(console: Console, run_id: UUID, is_json: bool) -> None:
    """Give a failed run another go."""
    with console.desk() as desk:
        retry_id = service.retry_run(desk.session, actor=desk.actor, run_id=run_id, now=desk.now)
    show({"run": str(retry_id)}, f"Started run {retry_id}.", is_json=is_json)


@runs.command()
@click.argument("run_id", type=click.UUID)
@set_parameters
@with_organization
@as_json
@pass_console
def again(console: Console, run_id: UUID, parameters: tuple[str, ...], is_json: bool) -> None:
    """Run what has ended once more, with the same parameters, or with others in their place."""
    kinds = job_kinds(console.settings)
    with console.desk() as desk:
        before = get_run(desk.session, organization_id=desk.actor.organization_id, run_id=run_id)
        new_id = run_again(
            desk.session, actor=desk.actor, kinds=kinds, run_id=run_id, request_key=str(uuid4()), now=desk.now,
            parameters=changed_on_line(desk.session, before, parameters, kinds=kinds),
        )  # fmt: skip
    show_started(new_id, is_json=is_json)


@runs.command()
@click.argument("run_id", type=click.UUID)
@with_organization
@pass_console
def remove(console: Console, run_id: UUID) -> None:
    """Take a waiting or failed run off the queue."""
    with console.desk() as desk:
        service.remove_run(desk.session, actor=desk.actor, run_id=run_id, now=desk.now)
    say("Removed.")


def _relatives(around: Relatives) -> dict[str, Any]:
    return {
        "parent": str(around.parent.id) if around.parent else None,
        "cause": str(around.cause.id) if around.cause else None,
        "children": [_relative(row) for row in around.children],
        "started_runs": [_relative(row) for row in around.followers],
    }


def _relative(row: RunRow) -> dict[str, str]:
    return {"id": str(row.id), "job": row.job_name, "state": row.state.value}


def _relative_lines(around: Relatives) -> list[str]:
    older = [("started by", around.parent), ("follows", around.cause)]
    lines = [f"{word}: run {row.id} of {row.job_name}" for word, row in older if row is not None]
    if around.children:
        lines.append(f"children: {counts_in_words(around.children)}")
    younger = [*(("child", row) for row in around.children), *(("started", row) for row in around.followers)]
    return lines + [f"{word}: run {row.id} of {row.job_name} {row.state.value}" for word, row in younger]


def _attempt(row: AttemptRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "state": row.state.value,
        "error": row.error,
        "detail": row.detail,
        "worker": row.worker,
        "started": moment(row.started_at),
        "finished": moment(row.finished_at),
        "error_class": row.error_class and row.error_class.value,
        "come_back": moment(row.come_back_at),
        "progress": row.progress and asdict(row.progress),
        "result": masked("result", row.result),
    }


def _try_line(row: AttemptRow) -> str:
    said = f"({row.progress})" if row.progress else ""
    return " ".join(part for part in (f"try {row.number}:", row.state.value, said, row.error or "") if part)
