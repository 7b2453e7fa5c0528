"""`belfry schedules validate`: whether a text would be accepted, judged as saving judges it."""

from datetime import UTC, datetime
from typing import Any

import click

from app.cli.console import as_json, moment, show
from app.cli.rhythm_options import read_said, when_options
from app.core.errors import Invalid
from app.schedules.preview import RhythmPreview, preview_text

_RUNS_SHOWN = 5


@click.command()
@click.argument("cron")
@click.option("--zone", "--timezone", default="UTC", show_default=True, help="IANA time zone.")
@click.option("--spread-key", default="", help="What H is spread by.")
@when_options
@as_json
@click.pass_context
def validate(
    context: click.Context, cron: str, zone: str, spread_key: str, said: dict[str, Any], is_json: bool
) -> None:
    """Say whether a cron text would be accepted: exit status 1, and what to write instead, when it would not."""
    try:
        read = read_said(said, timezone=zone)
        found = preview_text(
            cron, now=datetime.now(UTC), count=_RUNS_SHOWN, timezone=zone, spread_key=spread_key, **read
        )
    except Invalid as error:
        show(_facts(None, error.message), error.message, is_json=is_json)
        context.exit(1)
    show(_facts(found, None), found.sentence, is_json=is_json)


def _facts(found: RhythmPreview | None, error: str | None) -> dict[str, Any]:
    return {
        "valid": found is not None,
        "description": None if found is None else found.sentence,
        "next_runs": [] if found is None else [moment(at) for at in found.next_runs],
        "error": error,
    }
