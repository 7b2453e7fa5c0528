"""`belfry tokens`: what programs sign in to the API with."""

from datetime import datetime
from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, as_json, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.tenants.roster import find_member
from app.tenants.token_queries import SCOPE_WORDS, TokenRow, list_tokens
from app.tenants.tokens import DEFAULT_DAYS, MOST_DAYS, TokenDraft, create_token, revoke_token


@click.group()
def tokens() -> None:
    """See, make and revoke tokens for the API."""


@tokens.command("list")
@with_organization
@as_json
@pass_console
def list_command(console: Console, is_json: bool) -> None:
    """List the tokens of all members that nobody revoked, newest first."""
    with console.reading() as desk:
        rows = list_tokens(desk.session, organization_id=desk.actor.organization_id)
        facts = [_token(row, desk.now) for row in rows]
    headings = ["ID", "NAME", "MEMBER", "SCOPES", "STATE", "EXPIRES", "LAST USED"]
    keys = ("id", "name", "email", "scopes", "state", "expires", "last_used")
    cells = [[_cell(fact[key]) for key in keys] for fact in facts]
    show(facts, table(headings, cells, empty="None."), is_json=is_json)


@tokens.command()
@click.argument("name")
@click.option("--member", "email", metavar="EMAIL", required=True, help="Address of the member whose token it is.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPE_WORDS),
    multiple=True,
    required=True,
    help="What it may do, of what the member's role allows. Repeat it for more.",
)
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=DEFAULT_DAYS, show_default=True)
@click.option("--never-expires", is_flag=True, help="Let it live for ever, whatever --days says.")
@with_organization
@as_json
@pass_console
def create(
    console: Console, name: str, email: str, scopes: tuple[str, ...], days: int, never_expires: bool, is_json: bool
) -> None:
    """Make a token for a member, and print it. It cannot be read again."""
    draft = TokenDraft(name, scopes, None if never_expires else days)
    with console.desk() as desk:
        member = find_member(desk.session, organization_id=desk.actor.organization_id, email=email)
        made = create_token(desk.session, actor=desk.actor, user_id=member.user_id, draft=draft, now=desk.now)
    until = "never expires" if made.expires_at is None else f"expires {moment(made.expires_at)}"
    # Beside the output, so that a script reads the token and nothing else.
    say(f"{made.name} is a token of {member.email} and {until}. It is shown only now.", err=True)
    value = {
        "id": made.id,
        "name": made.name,
        "email": member.email,
        "scopes": made.scopes,
        "expires": made.expires_at,
        "token": made.token,
    }
    show(value, made.token, is_json=is_json)


@tokens.command()
@click.argument("token_id", metavar="ID", type=click.UUID)
@with_organization
@pass_console
def revoke(console: Console, token_id: UUID) -> None:
    """End a token of any member at once."""
    with console.desk() as desk:
        revoke_token(desk.session, actor=desk.actor, token_id=token_id, now=desk.now)
    say("The token is revoked. Programs that use it are refused from now on.")


def _token(row: TokenRow, now: datetime) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "prefix": row.prefix,
        "email": row.user_email,
        "scopes": list(row.scopes),
        "state": row.state(now).value,
        "created": moment(row.created_at),
        "expires": moment(row.expires_at),
        "last_used": moment(row.last_used_at),
    }


def _cell(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value or "-")
