"""What code defines, on the command line: check it, put it in force, list it, go back to it."""

from typing import Any

import click

from app.cli.console import Console, as_json, moment, pass_console, show, table
from app.cli.terminal import say
from app.core.clock import DatabaseClock
from app.core.scopes import Scope
from app.ops import code_schedules
from app.ops.code_definitions import Definitions, load_definitions
from app.ops.code_loader import put_in_force
from app.ops.code_rows import CodeScheduleRow, list_code_schedules
from app.schedules.policy_words import schedule_policy_sentences
from app.tenants.platform import acting_for_the_installation

EXIT_PROBLEMS = 1


@click.command("check")
@as_json
@pass_console
def check_code(console: Console, is_json: bool) -> None:
    """Look at the modules of BELFRY_JOBS: exit status 1 with the list when something cannot be used."""
    found = load_definitions(console.settings)
    facts = {
        "jobs": [one.code_name for one in found.jobs if "function" in one.definition],
        "schedules": [one.id for one in found.schedules],
        "problems": [{"source": each.source, "text": each.text} for each in found.problems],
    }
    show(facts, "\n".join([_counted(found), *map(str, found.problems)]), is_json=is_json)
    if found.problems:
        raise SystemExit(EXIT_PROBLEMS)


@click.command("sync")
@as_json
@pass_console
def sync_code(console: Console, is_json: bool) -> None:
    """Put what the code defines here in force, also where newer definitions are. For every deploy."""
    console.schema.require()
    found = load_definitions(console.settings)
    report = put_in_force(console.database, DatabaseClock(), found, is_asked_for=True)
    problems = [*found.problems, *report.refused]
    facts = {
        "added": list(report.added),
        "changed": list(report.changed),
        "left": list(report.left),
        "problems": [{"source": each.source, "text": each.text} for each in problems],
    }
    show(facts, "\n".join([_counted(found), report.words, *map(str, problems)]), is_json=is_json)
    if problems:
        raise SystemExit(EXIT_PROBLEMS)


@click.command("revert")
@click.argument("code_id", metavar="NAME")
@pass_console
def revert_to_code(console: Console, code_id: str) -> None:
    """Have a schedule that code defines again as the code says it, by its name there."""
    console.schema.require()
    actor = acting_for_the_installation("command line")
    with console.database.transaction(Scope.tenant(actor.organization_id)) as session:
        now = DatabaseClock().now(session)
        did_revert = code_schedules.revert_code_schedule(session, actor=actor, code_id=code_id, now=now)
    say("Reverted." if did_revert else "It is as the code says already.")


def show_code_schedules(console: Console, *, is_json: bool) -> None:
    """What `belfry schedules list --code` prints."""
    console.schema.require()
    here = acting_for_the_installation("command line").organization_id
    with console.database.reading(Scope.tenant(here)) as session:
        rows = list_code_schedules(session, now=DatabaseClock().now(session))
    headings = ["ID", "NAME", "CRON", "ZONE", "STATE", "NEXT RUN", "SKIPPED", "DEFINED IN", "CHANGED HERE"]
    facts = [_facts(row) for row in rows]
    cells = [[str(cell or "-") for cell in each.values()] for each in facts]
    said = [schedule_policy_sentences(row.schedule) for row in rows]
    facts = [each | {"policies_in_words": words} for each, words in zip(facts, said, strict=True)]
    show(facts, table(headings, cells, empty="The code defines no schedules."), is_json=is_json)


def _facts(row: CodeScheduleRow) -> dict[str, Any]:
    state = "left the code" if row.code.left_at else "enabled" if row.schedule.enabled else "disabled"
    return {
        "id": str(row.schedule.id),
        "name": row.code.id,
        "cron": row.schedule.cron,
        "zone": row.schedule.timezone,
        "state": state,
        "next_run": moment(row.schedule.next_run_at),
        "skipped": row.passed_over,
        "source": row.code.source,
        "overrides": ", ".join(f"{each.field} (in code {each.in_code})" for each in row.overrides),
    }


def _counted(found: Definitions) -> str:
    jobs = sum("function" in one.definition for one in found.jobs)
    return f"{jobs} jobs and {len(found.schedules)} schedules in code, {len(found.problems)} problems."
