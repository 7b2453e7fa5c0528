"""`belfry schedules why` and `belfry runs why`: what holds a schedule or a run back."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

import click

from app.cli.code_names import schedule_argument
from app.cli.console import Console, as_json, pass_console, show, with_organization
from app.ops.why.answers import why_run, why_schedule
from app.ops.why.reasons import Why, in_utc


@click.command("why")
@schedule_argument
@with_organization
@as_json
@pass_console
def why_of_schedule(console: Console, schedule_id: UUID, is_json: bool) -> None:
    """Say why a schedule, named by name, id or the one in code, did not run, or when it will."""
    with console.reading() as desk:
        here, telling = desk.actor.organization_id, in_utc(desk.now)
        why = why_schedule(desk.session, organization_id=here, schedule_id=schedule_id, telling=telling)
    _show(why, is_json=is_json)


@click.command("why")
@click.argument("run_id", type=click.UUID)
@with_organization
@as_json
@pass_console
def why_of_run(console: Console, run_id: UUID, is_json: bool) -> None:
    """Say why a run waits, or what became of it."""
    with console.reading() as desk:
        organization_id = desk.actor.organization_id
        why = why_run(desk.session, organization_id=organization_id, run_id=run_id, telling=in_utc(desk.now))
    _show(why, is_json=is_json)


def _show(why: Why, *, is_json: bool) -> None:
    lines = [why.words, *(f"Also: {one.words}" for one in why.also)]
    show(_facts(why) | {"also": [_facts(one) for one in why.also]}, "\n".join(lines), is_json=is_json)


def _facts(why: Why) -> dict[str, Any]:
    facts = asdict(why)
    del facts["also"]
    return facts | {"code": why.code.value, "holds": why.holds}
