"""Who is asking: a browser's session or a program's token, as an actor and a person; and the request's one instant."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from flask import Flask, g, has_request_context, session
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.clock import present_of
from app.core.errors import Forbidden
from app.core.ids import digest
from app.core.scopes import IDENTITY, NOBODY, Scope
from app.edge.runtime import request_session, runtime, working_as
from app.tenants.access import Actor
from app.tenants.platform import for_the_installation
from app.tenants.preferences import Preferences
from app.tenants.queries import SignedInSession, find_signed_in
from app.tenants.sign_in import SEEN_EVERY, note_seen
from app.tenants.token_queries import SignedInToken, find_signed_in_token, is_token
from app.tenants.tokens import USED_EVERY, note_used

log = logging.getLogger(__name__)


class SignInNeeded(Forbidden):
    """Nobody is signed in, or no longer."""


class TokenRefused(SignInNeeded):
    """The token that came is none of ours, expired or revoked, or its owner is no longer here."""


@dataclass(frozen=True)
class Person:
    """Who is signed in, as pages show it. Times are shown in `timezone`."""

    user_id: UUID
    name: str
    email: str
    timezone: str
    organization_name: str
    preferences: Preferences


@dataclass(frozen=True)
class SignedIn:
    """What Flask-Login carries through a request. Its id is the session's secret token, never the user's id."""

    token: str
    row: SignedInSession | None = None
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        return self.token


def install_identity(app: Flask) -> None:
    """Teach an app who is signed in."""
    manager = LoginManager()
    # The rows decide whether a session lives. Flask-Login's own check would end it with every change of network.
    manager.session_protection = None
    manager.user_loader(_load)
    manager.init_app(app, add_context_processor=False)


def request_now() -> datetime:
    """The instant of this request, by the one clock. Asked once, so that a page agrees with itself."""
    if "now" not in g:
        g.now = _ask_the_time()
    now: datetime = g.now
    return now


def _ask_the_time() -> datetime:
    # A request that holds a connection asks on it: waiting for a second one could last as long as others do the same.
    if request_session().in_transaction():
        return runtime().clock.now(request_session())
    with runtime().database.reading(NOBODY) as reading:
        return runtime().clock.now(reading)


def ask_no_more() -> None:
    """The database failed this request. What is left of it is to come out without asking again, and again waiting."""
    g.is_database_away = True


def page_now() -> datetime:
    """The same for pages that must come out even while the database is away."""
    if "now" not in g and _is_database_away():
        return datetime.now(UTC)
    try:
        return request_now()
    except SQLAlchemyError:
        return datetime.now(UTC)


def signed_in_session() -> SignedInSession | None:
    """The browser session of this request, or None. Whoever came with a token is no browser, whatever cookie it has."""
    if "bearer" in g:
        return None
    user = current_user._get_current_object() if has_request_context() else None
    return user.row if isinstance(user, SignedIn) else None


def current_session() -> SignedInSession:
    """The session of this request. Raises SignInNeeded."""
    found = signed_in_session()
    if found is None:
        raise SignInNeeded("You are not signed in, or no longer. Sign in, then try again.")
    return found


def accept_bearer(token: str) -> None:
    """Let a token say who asks, and nothing else: the cookie no longer counts."""
    g.bearer = token


def current_token() -> SignedInToken | None:
    """The token of this request, None where a browser asks. Raises TokenRefused."""
    if "bearer" not in g:
        return None
    if "token" not in g:
        g.token = _load_token(g.bearer)
    token: SignedInToken = g.token
    return token


def current_actor() -> Actor:
    """Who acts in this request. Raises SignInNeeded."""
    token = current_token()
    if token is not None:
        return token.actor
    found = current_session()
    return Actor(
        organization_id=found.organization_id,
        role=found.role,
        label=found.email,
        user_id=found.user_id,
        is_platform_admin=found.is_platform_admin,
    )


def tenant_scope() -> Scope:
    """The organization that the person of this request sees. Raises SignInNeeded."""
    found = current_token() or current_session()
    return Scope.tenant(found.organization_id, found.user_id)


def current_person() -> Person:
    """The person whose request this is. Raises SignInNeeded."""
    found = current_token() or current_session()
    return Person(
        user_id=found.user_id,
        name=found.name,
        email=found.email,
        timezone=found.timezone,
        organization_name=found.organization_name,
        preferences=found.preferences,
    )


def begin_browser_session(token: str) -> None:
    """Sign the browser in. What the cookie held before is forgotten, so nobody can have planted it."""
    session.clear()
    session.permanent = True
    login_user(SignedIn(token))


def end_browser_session() -> None:
    """Sign the browser out. Ending the row is what makes a copied cookie worthless."""
    logout_user()
    session.clear()


def _load(token: str) -> SignedIn | None:
    # Asked first: without tables there is nobody to find, and the page has to come out all the same.
    if _is_database_away():
        return None
    with runtime().database.reading(IDENTITY) as reading:
        # The same statement tells the time, unless it is known.
        row = find_signed_in(
            reading, token_digest=digest(token), now=g.get("now") or present_of(runtime().clock, reading)
        )
    if row is None:
        return None
    g.setdefault("now", row.asked_at)
    if g.now - row.seen_at >= SEEN_EVERY:
        _note_seen(row)
    return SignedIn(token, row)


def _is_database_away() -> bool:
    return "is_database_away" in g or not runtime().schema.is_current()


def _note_seen(row: SignedInSession) -> None:
    try:
        with runtime().database.transaction(IDENTITY) as writing:
            note_seen(writing, session_id=row.session_id, now=g.now)
    except SQLAlchemyError:
        # A page must not fail because the write lock was taken; the next request notes it.
        log.warning("session not noted as seen", extra={"session_id": row.session_id})


def _load_token(token: str) -> SignedInToken:
    row = None
    # Most of what is tried in the wild does not even look like a token: no reason to ask the database.
    if is_token(token):
        with runtime().database.reading(IDENTITY) as reading:
            g.setdefault("now", runtime().clock.now(reading))
            row = find_signed_in_token(reading, token_digest=digest(token), now=g.now)
    if row is None:
        raise TokenRefused("This token is not valid: it is mistyped, expired or revoked. Make a new one.")
    if row.last_used_at is None or g.now - row.last_used_at >= USED_EVERY:
        _note_used(row)
    return row


def _note_used(row: SignedInToken) -> None:
    try:
        with runtime().database.transaction(IDENTITY) as writing:
            note_used(writing, token_id=row.token_id, now=g.now)
    except SQLAlchemyError:
        log.warning("token not noted as used", extra={"token_id": row.token_id})


@contextmanager
def acting_for_installation() -> Iterator[tuple[Session, Actor]]:
    """The session and the platform admin of this request, both in the installation's own organization.

    What is written in the block is flushed at its end. Raises PlatformAdminNeeded.
    """
    actor = for_the_installation(current_actor())
    with working_as(Scope.tenant(actor.organization_id, actor.user_id)) as session:
        yield session, actor
        session.flush()
