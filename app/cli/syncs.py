"""`belfry syncs`: how the figures of connections stand, what people say about them, and syncing once more."""

from uuid import UUID, uuid4

import click

from app.cli.console import Console, as_json, moment, pass_console, show, table, with_organization
from app.cli.starting import show_started
from app.ops.stream_facts import StreamFacts, read_stream_facts, sync_again
from app.syncs.stream_changes import promise_by, read_minute, say_normal

NEVER = "never"
connection_argument = click.argument("connection_id", metavar="CONNECTION", type=click.UUID)
stream_argument = click.argument("stream")


@click.group()
def syncs() -> None:
    """See how new figures are, and say what is normal."""


@syncs.command("list")
@connection_argument
@with_organization
@as_json
@pass_console
def list_command(console: Console, connection_id: UUID, is_json: bool) -> None:
    """List the streams of a connection: how new they are, and what is odd about them."""
    with console.desk() as desk:
        found = read_stream_facts(
            desk.session, organization_id=desk.actor.organization_id, connection_id=connection_id, now=desk.now
        )
    cells = [[facts.row.name, facts.words, facts.doubt_words or "as usual"] for facts in found]
    text = table(["STREAM", "HOW NEW", "IN DOUBT"], cells, empty="Nothing has come in yet.")
    show([_shown(facts) for facts in found], text, is_json=is_json)


@syncs.command()
@connection_argument
@with_organization
@as_json
@pass_console
def again(console: Console, connection_id: UUID, is_json: bool) -> None:
    """Sync a connection now."""
    with console.desk() as desk:
        run_id = sync_again(
            desk.session, actor=desk.actor, connection_id=connection_id, request_key=str(uuid4()), now=desk.now
        )
    show_started(run_id, is_json=is_json)


@syncs.command()
@connection_argument
@stream_argument
@with_organization
@as_json
@pass_console
def normal(console: Console, connection_id: UUID, stream: str, is_json: bool) -> None:
    """Say that what looks odd about a stream is normal."""
    with console.desk() as desk:
        doubt = say_normal(desk.session, actor=desk.actor, connection_id=connection_id, stream=stream, now=desk.now)
    words = "Nothing was in doubt." if doubt is None else f"What came of {stream} counts as normal now."
    show({"stream": stream, "doubt": doubt and doubt.value}, words, is_json=is_json)


@syncs.command()
@connection_argument
@stream_argument
@click.argument("by", metavar=f"TIME|{NEVER}")
@with_organization
@as_json
@pass_console
def promise(console: Console, connection_id: UUID, stream: str, by: str, is_json: bool) -> None:
    """Promise the figures of each day by a time of the next one, such as 07:00, by the account's clocks."""
    minute = read_minute("" if by == NEVER else by)
    with console.desk() as desk:
        promise_by(
            desk.session, actor=desk.actor, connection_id=connection_id, stream=stream, minute=minute, now=desk.now
        )
    words = f"Nothing is promised of {stream} now." if minute is None else f"{stream} is promised by {by}."
    show({"stream": stream, "promised_by": None if minute is None else by}, words, is_json=is_json)


def _shown(facts: StreamFacts) -> dict[str, object]:
    row, standing = facts.row, facts.standing
    return {
        "stream": row.name,
        "data_through": None if row.data_through is None else row.data_through.isoformat(),
        "fetched_at": moment(row.fetched_at),
        "promised_by": facts.promised_by,
        "deadline": None if standing is None else moment(standing.deadline),
        "freshness": None if standing is None else standing.freshness.value,
        "doubt": None if row.doubt is None else row.doubt.value,
        "rows_seen": facts.rows_seen,
        "usual": facts.usual,
    }
