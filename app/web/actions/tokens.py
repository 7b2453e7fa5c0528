"""What the forms of one's own API tokens do."""

from uuid import UUID

from flask import Response

from app.core.errors import Conflict, Invalid
from app.core.ids import digest
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.tenants import tokens
from app.tenants.access import Permission
from app.tenants.replays import Replay, begin_or_replay, keep_answer
from app.tenants.tokens import TokenDraft
from app.web.blueprint import web
from app.web.forms.base import text_of
from app.web.forms.tokens import TokenForm
from app.web.pages.tokens import made_page, open_scopes, own_token, tokens_page
from app.web.permissions import route
from app.web.responses import ToastKind, see_other, toast

_MADE_BEFORE = (
    "That token was made already, and it is shown only once. If you did not copy it, revoke it and make another."
)


@route(web, "/account/tokens", permission=Permission.VIEW, methods=["POST"])
def make_token() -> Response:
    """Make a token, and show it this once."""
    form = TokenForm(open_scopes())
    if not form.validate():
        return tokens_page(status=422, form=form)
    if _came_before(form):
        return toast(see_other("web.tokens"), _MADE_BEFORE, kind=ToastKind.ERROR)
    actor = current_actor()
    draft = TokenDraft(text_of(form.name), tuple(form.scopes.data or ()), form.days)
    try:
        made = tokens.create_token(
            request_session(), actor=actor, user_id=actor.user_id, draft=draft, now=request_now()
        )
    except (Invalid, Conflict) as error:
        form.show_error(error)
        return tokens_page(status=status_of(error), form=form)
    return made_page(made)


@route(web, "/account/tokens/<uuid:token_id>/revoke", permission=Permission.VIEW, methods=["POST"])
def revoke_token(token_id: UUID) -> Response:
    """End one of one's own tokens."""
    token = own_token(token_id).token
    tokens.revoke_token(request_session(), actor=current_actor(), token_id=token.id, now=request_now())
    return toast(see_other("web.tokens"), f"{token.name} revoked. Programs that use it are refused from now on.")


def _came_before(form: TokenForm) -> bool:
    """Whether this very form has made a token: reloading the page that shows one would make another."""
    session, actor, key = request_session(), current_actor(), digest(text_of(form.once))
    before = begin_or_replay(session, actor=actor, key=key, fingerprint=digest("token form"), now=request_now())
    if before is None:
        # Only that there was an answer is kept: the token is in it.
        keep_answer(session, actor=actor, key=key, replay=Replay(200, ""))
    return before is not None
