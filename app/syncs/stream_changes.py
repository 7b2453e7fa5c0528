"""What people say about streams: that what looks odd is normal, and by when figures are promised."""

import re
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.events.changes import record_change
from app.events.service import Topic
from app.syncs import streams
from app.syncs.connections import load_connection
from app.syncs.streams import Doubt, StreamNotFound
from app.tenants.access import Actor, Permission, require

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class PromiseInvalid(Invalid):
    """What was said is no time of day."""


def read_minute(text: str) -> int | None:
    """The minute of the day that `07:00` means; None for an empty text. Raises PromiseInvalid."""
    said = text.strip()
    if not said:
        return None
    found = _TIME.fullmatch(said)
    if found is None:
        raise PromiseInvalid("Write the time as 07:00, or leave it empty to promise nothing.", field="by")
    return int(found[1]) * 60 + int(found[2])


def minute_words(minute: int) -> str:
    """`07:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def say_normal(session: Session, *, actor: Actor, connection_id: UUID, stream: str, now: datetime) -> Doubt | None:
    """What looks odd is normal: what is usual is learnt anew. Returns what the doubt was, None where there was none.

    Raises ConnectionNotFound, ConnectionEnded or StreamNotFound.
    """
    require(actor, Permission.RUN)
    name = _name_of(session, actor, connection_id)
    doubt = streams.call_normal(
        session, organization_id=actor.organization_id, connection_id=connection_id, stream=stream, now=now
    )
    if doubt is not None:
        summary = f"Said that what came of {stream} of “{name}” is normal"
        record_change(
            session, actor=actor, topic=Topic.CONNECTIONS, action="connection.called_normal", subject_id=connection_id,
            summary=summary, now=now, changes={"doubt": [doubt.value, None]},
        )  # fmt: skip
    return doubt


def promise_by(
    session: Session, *, actor: Actor, connection_id: UUID, stream: str, minute: int | None, now: datetime
) -> None:
    """Promise the figures of each day by a minute of the next one, by the account's clocks; None promises nothing.

    Raises ConnectionNotFound, ConnectionEnded or StreamNotFound.
    """
    require(actor, Permission.EDIT_SCHEDULES)
    name = _name_of(session, actor, connection_id)
    before = streams.promised_minute(
        session, organization_id=actor.organization_id, connection_id=connection_id, stream=stream
    )
    if before == minute:
        return
    streams.promise(
        session, organization_id=actor.organization_id, connection_id=connection_id, stream=stream, minute=minute
    )
    words = "no longer" if minute is None else f"by {minute_words(minute)}"
    record_change(
        session, actor=actor, topic=Topic.CONNECTIONS, action="connection.promised", subject_id=connection_id,
        summary=f"Promised {stream} of “{name}” {words}", now=now,
        changes={"promised_by": [None if each is None else minute_words(each) for each in (before, minute)]},
    )  # fmt: skip


def _name_of(session: Session, actor: Actor, connection_id: UUID) -> str:
    return load_connection(session, organization_id=actor.organization_id, connection_id=connection_id).name


__all__ = ["Doubt", "PromiseInvalid", "StreamNotFound", "minute_words", "promise_by", "read_minute", "say_normal"]
