"""`/tokens`: what programs sign in with."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment, Name, Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.edge.identity import current_actor, current_token, request_now, tenant_scope
from app.edge.runtime import request_session, working_as
from app.tenants import tokens
from app.tenants.access import Permission, may
from app.tenants.token_queries import SCOPE_WORDS, TokenRow, list_tokens
from app.tenants.tokens import DEFAULT_DAYS, MOST_DAYS, TokenDraft


class TokenIn(Body):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Deploys", "scopes": ["view", "run"], "expires_in_days": 90}]}
    )

    name: Name
    scopes: Annotated[
        list[Annotated[str, Field(json_schema_extra={"enum": list(SCOPE_WORDS)}, max_length=32)]],
        Field(min_length=1, max_length=len(SCOPE_WORDS)),
    ]
    expires_in_days: Annotated[
        Annotated[int, Field(ge=1, le=MOST_DAYS)] | None, Field(description="null: it never expires.")
    ] = DEFAULT_DAYS


class TokenOut(Answer):
    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    user_id: UUID
    user_name: str
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class NewTokenOut(Answer):
    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None
    token: Annotated[str | None, Field(description="Shown here and never again; null when an answer is repeated.")]


@resource("GET", "/tokens", permission=Permission.VIEW, query=Paging, answer=TokenOut, is_list=True)
def list_api_tokens(query: Paging) -> Page[TokenOut]:
    """Tokens that nobody revoked, oldest first.

    One's own; whoever manages the team sees everybody's.
    """
    actor = current_actor()
    whose = None if may(actor, Permission.MANAGE_TEAM) else actor.user_id
    rows = list_tokens(request_session(), organization_id=actor.organization_id, user_id=whose)
    return cut([_shown(row) for row in rows], query, key=lambda one: (one.created_at.isoformat(), str(one.id)))


@resource("POST", "/tokens", signed_in=True, body=TokenIn, answer=NewTokenOut, status=201, secret_fields=("token",))
def create_token(body: TokenIn) -> NewTokenOut:
    """Make a token of one's own.

    A token needs the scope manage_team to make another one, which may do no more and live no longer than itself.
    """
    own = current_token()
    with working_as(tenant_scope()) as session:
        made = tokens.create_token(
            session,
            actor=current_actor(),
            user_id=current_actor().user_id,
            draft=TokenDraft(body.name, tuple(body.scopes), body.expires_in_days),
            now=request_now(),
            until=own.expires_at if own else None,
        )
    return NewTokenOut(
        id=made.id,
        name=made.name,
        prefix=made.prefix,
        scopes=list(made.scopes),
        created_at=made.created_at,
        expires_at=made.expires_at,
        token=made.token,
    )


@resource("DELETE", "/tokens/<uuid:token_id>", signed_in=True)
def revoke_token(token_id: UUID) -> Message:
    """End a token at once.

    A token may always end itself; for others it needs the scope manage_team.
    """
    own = current_token()
    with working_as(tenant_scope()) as session:
        tokens.revoke_token(
            session,
            actor=current_actor(),
            token_id=token_id,
            now=request_now(),
            own_token_id=own.token_id if own else None,
        )
    return Message(None, "Token revoked. Programs that use it are refused from now on.")


def _shown(row: TokenRow) -> TokenOut:
    return TokenOut(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        scopes=list(row.scopes),
        user_id=row.user_id,
        user_name=row.user_name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
