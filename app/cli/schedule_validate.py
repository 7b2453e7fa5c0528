"""`belfry schedules validate`: whether a text would be accepted, judged as saving judges it."""

from datetime import UTC, datetime
from typing import Any

import click

from app.cli.console import as_json, moment, show
from app.cli.rhythm_options import read_said, spread_key_option, when_options
from app.core.errors import Invalid
from app.schedules.preview import RhythmPreview, preview_rhythm
from app.schedules.proposals import propose_new

_RUNS_SHOWN = 5


@click.command()
@click.argument("cron")
@click.option("--zone", "--timezone", default="UTC", show_default=True, help="IANA time zone.")
@spread_key_option
@when_options
@as_json
@click.pass_context
def validate(
    context: click.Context, cron: str, zone: str, spread_key: str, said: dict[str, Any], is_json: bool
) -> None:
    """Say whether a cron text would be accepted: exit status 1, and what to write instead, when it would not."""
    try:
        read = read_said(said, timezone=zone)
        now = datetime.now(UTC)
        wanted = {"cron": cron, "timezone": zone, "spread_key": spread_key} | read
        proposal = propose_new(wanted, organization_id=None, job_id=None, name=None, now=now)
    except Invalid as error:
        show(_facts(None, error.message, None), error.message, is_json=is_json)
        context.exit(1)
    found = preview_rhythm(proposal.when, now=now, count=_RUNS_SHOWN)
    text = "\n".join(filter(None, [found.sentence, proposal.note]))
    show(_facts(found, None, proposal.note), text, is_json=is_json)


def _facts(found: RhythmPreview | None, error: str | None, note: str | None) -> dict[str, Any]:
    return {
        "valid": found is not None,
        "description": None if found is None else found.sentence,
        "next_runs": [] if found is None else [moment(at) for at in found.next_runs],
        "note": note,
        "error": error,
    }
