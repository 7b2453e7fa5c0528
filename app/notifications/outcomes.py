"""What became of a try, written down: on the message and on its channel, by whoever still holds the claim."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.text import first_words
from app.notifications.claiming import GIVE_UP_AFTER, TOO_OLD, Claim, backoff, note_doubt
from app.notifications.couriers.errands import Fate, NotDelivered, Receipt
from app.notifications.models import Channel, Delivery
from app.notifications.standing_in import break_channel
from app.notifications.types import DeliveryKind, DeliveryState

# After a failure that is no wish to be left alone, the other messages of the channel wait so long at most: a message
# that fails by itself must not hold them up.
LONGEST_HOLD = timedelta(seconds=30)
LONGEST_WORDS = 500


def note_sent(session: Session, *, claim: Claim, receipt: Receipt, now: datetime) -> bool:
    """It has arrived. False if the claim was somebody else's meanwhile: then that one says what became of it."""
    values = {
        "state": DeliveryState.SENT.value,
        "sent_at": now,
        "lease_until": None,
        "provider_ref": receipt.ref,
        "words": first_words(receipt.words, longest=LONGEST_WORDS),
        "last_error": None,
    }
    if not _write(session, claim, **values):
        return False
    mine = Channel.organization_id == claim.organization_id, Channel.id == claim.channel_id
    session.execute(update(Channel).where(*mine).values(last_ok_at=now, quiet_until=None))
    return True


def note_failed(
    session: Session,
    *,
    claim: Claim,
    failure: NotDelivered,
    is_idempotent: bool,
    now: datetime,
    can_mail: bool = False,
) -> DeliveryState | None:
    """It did not arrive, or nobody knows. Returns how it stands now; None if the claim was somebody else's."""
    query = select(Delivery).where(*_mine(claim)).with_for_update().execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        return None
    words = first_words(failure.message, longest=LONGEST_WORDS)
    row.last_error, row.lease_until, row.state = words, None, DeliveryState.FAILED.value
    row.reached = [*dict.fromkeys((*(row.reached or ()), *failure.reached))]
    wait = max(backoff(row.tries), failure.rest or timedelta())
    row.next_try_at = now + wait
    _judge(session, claim, row, failure, is_idempotent=is_idempotent, now=now)
    if claim.delivery_kind is DeliveryKind.TEST:
        # Whoever asked has the answer.
        row.state = DeliveryState.GIVEN_UP.value
    if row.state == DeliveryState.FAILED.value and row.next_try_at - row.created_at > GIVE_UP_AFTER:
        row.state, row.last_error = DeliveryState.GIVEN_UP.value, f"{TOO_OLD} {words}"
    session.flush()
    state = DeliveryState(row.state)
    if failure.fate is Fate.BROKEN:
        # It moves to another channel with the rest of what waits.
        here = {"organization_id": claim.organization_id, "channel_id": claim.channel_id}
        if not break_channel(session, **here, reason=words, now=now, can_mail=can_mail):
            # It is off or broken already, and was tested: what the test found is the last that is known of it.
            _note_trouble(session, claim, words, now=now)
    elif failure.fate is not Fate.GONE:
        _hold_channel(session, claim, words, rest=failure.rest, wait=wait, now=now)
    return state


def _judge(
    session: Session, claim: Claim, row: Delivery, failure: NotDelivered, *, is_idempotent: bool, now: datetime
) -> None:
    match failure.fate:
        case Fate.REFUSED:
            row.state = DeliveryState.GIVEN_UP.value
        case Fate.DOUBTFUL:
            note_doubt(row, is_harmless=is_idempotent or claim.edits is not None)
        case Fate.GONE:
            # Told anew, for there is nothing left to write over.
            _forget_message(session, row, claim.edits)
            row.next_try_at = now
        case Fate.LATER | Fate.BROKEN:
            pass


def _hold_channel(
    session: Session, claim: Claim, words: str, *, rest: timedelta | None, wait: timedelta, now: datetime
) -> None:
    until = now + (rest if rest is not None else min(wait, LONGEST_HOLD))
    _note_trouble(session, claim, words, now=now, quiet_until=until)


def _note_trouble(session: Session, claim: Claim, words: str, *, now: datetime, **values: object) -> None:
    mine = Channel.organization_id == claim.organization_id, Channel.id == claim.channel_id
    session.execute(update(Channel).where(*mine).values(last_error=words, last_error_at=now, **values))


def _forget_message(session: Session, row: Delivery, ref: str | None) -> None:
    told = Delivery.incident_id == row.incident_id, Delivery.channel_id == row.channel_id, Delivery.provider_ref == ref
    query = update(Delivery).where(Delivery.organization_id == row.organization_id, *told)
    session.execute(query.values(provider_ref=None).execution_options(synchronize_session=False))


def _write(session: Session, claim: Claim, **values: object) -> bool:
    query = update(Delivery).where(*_mine(claim)).values(**values).execution_options(synchronize_session=False)
    return count_changed(session, query) == 1


def _mine(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.organization_id == claim.organization_id,
        Delivery.id == claim.delivery_id,
        Delivery.state == DeliveryState.SENDING.value,
        Delivery.token == claim.token,
    )
