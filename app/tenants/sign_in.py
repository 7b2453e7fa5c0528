"""Signing in and out: tries, sessions, changing the password. Reading a session is in queries.py.

`sign_in` and `change_password` bring their own transactions: a refused try has to stay counted, and the slow hash
must not hold the write lock.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.core.db import Database, count_changed
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.ids import digest, new_token
from app.core.scopes import IDENTITY
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import LoginSession, User
from app.tenants.passwords import check_password, hash_password, needs_rehash, verify_password
from app.tenants.queries import IDLE_LIMIT, Account, find_account, find_account_of, find_home
from app.tenants.tries import count_try, forget_tries

SESSION_LIFE = timedelta(days=30)
SEEN_EVERY = timedelta(minutes=1)
_LONGEST_USER_AGENT = 255


class SignInRefused(Invalid):
    """Address or password is wrong; which of them stays untold."""


class PasswordWrong(Invalid):
    """The current password was needed and is another one."""


class PasswordChangedMeanwhile(Conflict):
    """The password is no longer the one that was just checked."""


class NowhereToGo(Forbidden):
    """The user is no member of any organization."""


def sign_in(database: Database, *, email: str, password: str, address: str, user_agent: str, now: datetime) -> str:
    """The token of a new session. Raises TooManyTries, SignInRefused or NowhereToGo."""
    with database.transaction(IDENTITY) as session:
        # Counted before it is checked: tries that arrive together cannot slip through side by side.
        count_try(session, email=email, address=address, now=now)
        account = find_account(session, email=email)
    is_right = verify_password(account.password_hash if account else None, password)
    if account is None or account.is_disabled or not is_right:
        raise SignInRefused("Email or password is wrong.")
    better_hash = hash_password(password) if needs_rehash(account.password_hash) else None
    with database.transaction(IDENTITY) as session:
        forget_tries(session, email=email, address=address)
        if better_hash is not None:
            _replace_hash(session, account, better_hash)
        return start_session(session, user_id=account.user_id, email=account.email, user_agent=user_agent, now=now)


def start_session(
    session: Session,
    *,
    user_id: UUID,
    email: str,
    user_agent: str,
    now: datetime,
    organization_id: UUID | None = None,
) -> str:
    """The token of a new session of a user who has just proved who they are. Raises NowhereToGo.

    It sees the organization that is named, or the user's own one.
    """
    home = find_home(session, user_id=user_id, wanted=organization_id)
    if home is None:
        raise NowhereToGo("Your account belongs to no organization. Ask the person who invited you.")
    seen_id, role = home
    _drop_dead_sessions(session, user_id=user_id, now=now)
    token = new_token()
    session.add(
        LoginSession(
            token_digest=digest(token),
            user_id=user_id,
            organization_id=seen_id,
            user_agent=user_agent[:_LONGEST_USER_AGENT],
            created_at=now,
            seen_at=now,
            expires_at=now + SESSION_LIFE,
        )
    )
    actor = Actor(organization_id=seen_id, role=role, label=email, user_id=user_id)
    _note(session, actor, "account.signed_in", "Signed in", now)
    return token


def sign_out(session: Session, *, actor: Actor, session_id: UUID, now: datetime) -> None:
    """End a session of the actor's. Its cookie is worth nothing from here on."""
    ended = delete(LoginSession).where(LoginSession.id == session_id, LoginSession.user_id == actor.user_id)
    if count_changed(session, ended):
        _note(session, actor, "account.signed_out", "Signed out", now)


def note_seen(session: Session, *, session_id: UUID, now: datetime) -> None:
    """Remember that a session is in use. At most once a minute, whoever asks and how often."""
    query = update(LoginSession).where(LoginSession.id == session_id, LoginSession.seen_at <= now - SEEN_EVERY)
    session.execute(query.values(seen_at=now))


def change_password(
    database: Database, *, actor: Actor, session_id: UUID, current: str, new: str, address: str, now: datetime
) -> None:
    """Replace one's own password and end all other sessions. Raises TooManyTries, PasswordWrong, PasswordRefused."""
    with database.transaction(IDENTITY) as session:
        account = None if actor.user_id is None else find_account_of(session, user_id=actor.user_id)
        email = account.email if account else actor.label
        count_try(session, email=email, address=address, now=now)
    if account is None or not verify_password(account.password_hash, current):
        raise PasswordWrong("This is not your current password.", field="current_password")
    with database.transaction(IDENTITY) as session:
        forget_tries(session, email=email, address=address)
    check_password(new, email=email, field="new_password")
    new_hash = hash_password(new)
    with database.transaction(IDENTITY) as session:
        if not _replace_hash(session, account, new_hash):
            raise PasswordChangedMeanwhile("Your password was changed a moment ago. Sign in again.")
        others = LoginSession.user_id == account.user_id, LoginSession.id != session_id
        session.execute(delete(LoginSession).where(*others))
        _note(session, actor, "account.password_changed", "Changed their password", now)


def _replace_hash(session: Session, account: Account, new_hash: str) -> bool:
    # Only the hash that was verified may be replaced; a change in between must win.
    query = update(User).where(User.id == account.user_id, User.password_hash == account.password_hash)
    return count_changed(session, query.values(password_hash=new_hash)) == 1


def _drop_dead_sessions(session: Session, *, user_id: UUID, now: datetime) -> None:
    session.execute(delete(LoginSession).where(LoginSession.expires_at <= now))
    idle = LoginSession.user_id == user_id, LoginSession.seen_at <= now - IDLE_LIMIT
    session.execute(delete(LoginSession).where(*idle))


def _note(session: Session, actor: Actor, action: str, summary: str, now: datetime) -> None:
    record(
        session,
        actor=actor,
        action=action,
        subject_kind="user",
        subject_id=actor.user_id,
        summary=summary,
        now=now,
    )
