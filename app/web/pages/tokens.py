"""One's own API tokens in the current organization. What the form does is in actions/tokens.py."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import Response

from app.core.ids import new_token
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.tenants.access import Permission
from app.tenants.token_queries import TokenRow, TokenState, list_tokens
from app.tenants.tokens import DEFAULT_DAYS, NewToken, TokenNotFound, scopes_open_to
from app.web.blueprint import web
from app.web.forms.tokens import SCOPE_PHRASES, TokenForm
from app.web.permissions import route
from app.web.responses import invalid, page

# Long enough to find out why a program is refused all of a sudden.
OVER_SHOWN = timedelta(days=30)


@dataclass(frozen=True)
class TokenLine:
    """A token as the table shows it. `allows` says in phrases what it may do."""

    token: TokenRow
    state: TokenState
    allows: tuple[str, ...]


@route(web, "/account/tokens", permission=Permission.VIEW)
def tokens() -> Response:
    """One's own tokens, and the form of a new one."""
    return tokens_page()


@route(web, "/account/tokens/<uuid:token_id>/revoke", permission=Permission.VIEW)
def confirm_revocation(token_id: UUID) -> Response:
    """The question before a token is revoked."""
    return page("tokens/revoke.html", line=own_token(token_id), is_own=True)


def tokens_page(*, status: int = 200, form: TokenForm | None = None) -> Response:
    """The tokens; after a refusal with the messages of the form that was sent."""
    usual = {"once": new_token(), "scopes": [Permission.VIEW.value], "expires_in_days": str(DEFAULT_DAYS)}
    return invalid(
        "tokens/index.html",
        status=status,
        lines=_own_lines(),
        form=form or TokenForm(open_scopes(), formdata=None, data=usual),
        over_days=OVER_SHOWN.days,
    )


def made_page(made: NewToken) -> Response:
    """A new token, shown this once."""
    address = f"{runtime().settings.public_url}/api/v1/me"
    return page(
        "tokens/made.html",
        made=made,
        allows=_phrases(made.scopes),
        example=f'curl -H "Authorization: Bearer {made.token}" {address}',
    )


def own_token(token_id: UUID) -> TokenLine:
    """A token that can be revoked. Raises TokenNotFound for anybody else's too, whatever one's role is."""
    for line in _own_lines():
        if line.token.id == token_id and line.token.revoked_at is None:
            return line
    raise TokenNotFound("There is no such token of yours here. It may have been revoked.")


def token_line(row: TokenRow, now: datetime) -> TokenLine:
    """Anybody's token, with all it may do."""
    return TokenLine(row, row.state(now), _phrases(row.scopes))


def open_scopes() -> tuple[str, ...]:
    """What the person of this request may let a token do."""
    actor = current_actor()
    return scopes_open_to(actor.role, is_platform_admin=actor.is_platform_admin)


def _own_lines() -> list[TokenLine]:
    actor, now = current_actor(), request_now()
    rows = list_tokens(
        request_session(),
        organization_id=actor.organization_id,
        user_id=actor.user_id,
        ended_since=now - OVER_SHOWN,
    )
    return [TokenLine(row, row.state(now), _in_short(row.scopes)) for row in rows]


def _in_short(scopes: tuple[str, ...]) -> tuple[str, ...]:
    is_all = len(scopes) > 1 and set(scopes) >= set(open_scopes())
    return ("Everything that your role allows",) if is_all else _phrases(scopes)


def _phrases(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(SCOPE_PHRASES[scope] for scope in scopes)
