"""`belfry deliveries`: every message of the last days, and what became of it."""

from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, as_json, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.notifications.channel_rows import DeliveryRow, list_channels, list_deliveries
from app.notifications.outbox import send_again


@click.group()
def deliveries() -> None:
    """See what was told, and send it again."""


@deliveries.command("list")
@click.option("--channel", "channel_id", metavar="ID", type=click.UUID, help="Those of one channel.")
@click.option("--limit", default=50, type=click.IntRange(1, 200), help="How many at most.")
@with_organization
@as_json
@pass_console
def list_command(console: Console, channel_id: UUID | None, limit: int, is_json: bool) -> None:
    """List messages, the newest first."""
    with console.reading() as desk:
        here = desk.actor.organization_id
        names = {row.id: row.name for row in list_channels(desk.session, organization_id=here)}
        rows = list_deliveries(desk.session, organization_id=here, limit=limit, channel_id=channel_id)
    facts = [_facts(row, names) for row in rows]
    cells = [
        [one["id"], one["at"], one["channel"], one["state"], one["title"], one["words"] or one["last_error"] or "-"]
        for one in facts
    ]
    headings = ["ID", "AT", "CHANNEL", "STATE", "MESSAGE", "RESULT"]
    show(facts, table(headings, cells, empty="None. Nothing was told."), is_json=is_json)


@deliveries.command()
@click.argument("delivery_id", metavar="ID", type=click.UUID)
@with_organization
@pass_console
def resend(console: Console, delivery_id: UUID) -> None:
    """Send once more what was sent, given up or not sent."""
    with console.desk() as desk:
        new = send_again(desk.session, actor=desk.actor, delivery_id=delivery_id, now=desk.now)
    say(f"It is sent again, as {new}.")


def _facts(row: DeliveryRow, names: dict[UUID, str]) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "at": moment(row.sent_at or row.created_at),
        "channel": names.get(row.channel_id, "a deleted channel"),
        "kind": row.kind.value,
        "type": row.type,
        "title": row.title,
        "state": row.state.value,
        "tries": row.tries,
        "maybe_twice": row.maybe_twice,
        "words": row.words,
        "last_error": row.last_error,
    }
