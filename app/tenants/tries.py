"""How often a password may be tried: by account, by address and by both. Counting only, no passwords here."""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil

from sqlalchemy import ColumnElement, delete, func, select, text
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.errors import Unavailable
from app.core.ids import digest
from app.tenants.models import SignInFailure

WINDOW = timedelta(minutes=15)
# One guesser stops after five.
MOST_BY_ACCOUNT_AND_ADDRESS = 5
# Wide, because a whole office may stand behind one address, and one person there must not lock out the others.
MOST_BY_ADDRESS = 100
# An account is never locked, or anybody could keep its owner out. Guessing at it from many places becomes slow
# instead: a second longer for each try, so that about forty fit into the window however many places there are.
FREE_BY_ACCOUNT = 20
DELAY_STEP = timedelta(seconds=1)
LONGEST_DELAY = timedelta(seconds=30)
# By one sign-in on its way; the rest is left to others.
MOST_FORGOTTEN = 1_000


# Held until the end of the transaction. SQLite lets one transaction write at a time and needs none.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class TooManyTries(Unavailable):
    """Too many wrong passwords lately; the message says how long to wait."""

    def __init__(self, wait: timedelta) -> None:
        # Rounded up: whoever comes back after so many seconds is let through.
        self.wait_seconds = max(1, ceil(wait.total_seconds()))
        super().__init__(f"Too many tries. Try again in {_duration_words(self.wait_seconds)}.")


def count_try(session: Session, *, email: str, address: str, now: datetime) -> None:
    """Count a try as failed until it is forgotten. Raises TooManyTries, and then counts nothing."""
    _count_alone(session, email=email, address=address)
    forget_old_tries(session, now=now)
    account = SignInFailure.email_digest == _account_key(email)
    place = SignInFailure.address == network_of(address)
    waits = [
        _wait(session, now, MOST_BY_ACCOUNT_AND_ADDRESS, account, place),
        _wait(session, now, MOST_BY_ADDRESS, place),
        _delay(session, now, account),
    ]
    if any(waits):
        raise TooManyTries(max(waits))
    session.add(SignInFailure(email_digest=_account_key(email), address=network_of(address), at=now))
    session.flush()


def forget_tries(session: Session, *, email: str, address: str) -> None:
    """The right password came: forget what this account got wrong from this address."""
    mine = SignInFailure.email_digest == _account_key(email), SignInFailure.address == network_of(address)
    session.execute(delete(SignInFailure).where(*mine))


def forget_old_tries(session: Session, *, now: datetime, limit: int = MOST_FORGOTTEN) -> int:
    """Delete tries that count no more, and say how many."""
    # What somebody else is about to delete is left to them: two that wait for each other's rows would be stuck.
    old = select(SignInFailure.id).where(SignInFailure.at <= now - WINDOW).limit(limit)
    query = delete(SignInFailure).where(SignInFailure.id.in_(old.with_for_update(skip_locked=True)))
    return count_changed(session, query.execution_options(synchronize_session=False))


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the 64 bits that one IPv6 customer has to choose from."""
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Network((found, 64), strict=False))
    return str(found)


def _account_key(email: str) -> str:
    # Only a digest is kept: people type their password into the wrong field.
    return digest(email.strip().lower())


def _count_alone(session: Session, *, email: str, address: str) -> None:
    """Let tries at one account or from one place wait for each other, or those of one moment would not be seen."""
    if session.get_bind().dialect.name == "postgresql":
        # Everybody takes the account's first, so no two can wait for each other.
        for name in (f"tries at {_account_key(email)}", f"tries from {network_of(address)}"):
            session.execute(_LOCK, {"name": name})


def _wait(session: Session, now: datetime, most: int, *which: ColumnElement[bool]) -> timedelta:
    """How long until fewer than `most` of these tries lie in the window."""
    query = (
        select(SignInFailure.at)
        .where(SignInFailure.at > now - WINDOW, *which)
        .order_by(SignInFailure.at.desc())
        .offset(most - 1)
        .limit(1)
    )
    blocking = session.execute(query).scalar_one_or_none()
    return timedelta(0) if blocking is None else blocking + WINDOW - now


def _delay(session: Session, now: datetime, account: ColumnElement[bool]) -> timedelta:
    """How long until the next try at an account, from anywhere. Zero until many have failed."""
    query = select(func.count(), func.max(SignInFailure.at)).where(SignInFailure.at > now - WINDOW, account)
    failures, last = session.execute(query).one()
    if failures < FREE_BY_ACCOUNT:
        return timedelta(0)
    delay = min(LONGEST_DELAY, DELAY_STEP * (failures - FREE_BY_ACCOUNT + 1))
    return max(timedelta(0), last + delay - now)


def _duration_words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{ceil(seconds / 60)} min"
