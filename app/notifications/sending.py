"""One message from its row to the place it is meant for: claimed, written, carried, and what came of it noted."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.db import Database
from app.core.lengths import duration
from app.core.scopes import Scope
from app.core.sealing import KeyUnknown, SealBroken, Sealer
from app.notifications.claiming import LEASE, Claim, Due, claim_next
from app.notifications.couriers.errands import Couriers, Errand, Fate, NotDelivered, Receipt
from app.notifications.messages.content import Content
from app.notifications.messages.texts import MessageText
from app.notifications.messages.writing import Press, can_be_worded, write
from app.notifications.outcomes import note_failed, note_sent
from app.notifications.standing_in import break_channel
from app.notifications.types import DeliveryState, Facts
from app.vault.service import SecretNotFound


@dataclass(frozen=True)
class Sent:
    """What came of one try. `state` is None where somebody else had taken the message over."""

    claim: Claim
    state: DeliveryState | None
    words: str


@dataclass(frozen=True)
class Dispatch:
    """Sends the messages of one channel at a time. Safe to share between threads."""

    database: Database
    clock: Clock
    sealer: Sealer
    couriers: Couriers
    press: Press
    # Whether the installation has a mail server: then admins are told of what nobody else can be.
    can_mail: bool = False
    lease: timedelta = LEASE
    ticks: Callable[[], float] = time.monotonic

    def send_next(self, due: Due) -> Sent | None:
        """Send the next message of a channel. None when there is nothing to send now."""
        claim = self._claim(Scope.tenant(due.organization_id), due)
        return None if claim is None else self.send_claimed(claim)

    def send_claimed(self, claim: Claim) -> Sent:
        """Send what was claimed, and note what came of it."""
        scope = Scope.tenant(claim.organization_id)
        started = self.ticks()
        try:
            receipt = self.carry(claim)
        except NotDelivered as failure:
            return self._fail(scope, claim, failure)
        words = f"Delivered to “{claim.channel_name}” in {duration(self.ticks() - started)}. {receipt.words}"
        receipt = replace(receipt, words=words)

        def note(session: Session) -> bool:
            return note_sent(session, claim=claim, receipt=receipt, now=self.clock.now(session))

        return Sent(claim, DeliveryState.SENT if self.database.run(scope, note) else None, words)

    def carry(self, claim: Claim) -> Receipt:
        """Bring it there, once. Raises NotDelivered."""
        now = self._now(claim)
        try:
            content = self.written(claim, now)
        except (KeyError, ValueError, TypeError) as error:
            # One row that cannot be read stops no other.
            raise NotDelivered("What it has to say cannot be read.", fate=Fate.REFUSED) from error
        errand = Errand(
            key=claim.key,
            kind=claim.delivery_kind.value,
            made_at=claim.made_at,
            now=now,
            edits=claim.edits,
            reached=claim.reached,
        )
        try:
            return self.couriers[claim.kind].carry(claim.place, content, errand)
        except NotDelivered:
            raise
        except Exception as error:
            # A defect of ours: what became of it is not known, and the others of the channel go on.
            raise NotDelivered(f"It could not be sent ({type(error).__name__}).", fate=Fate.DOUBTFUL) from error

    def written(self, claim: Claim, now: datetime) -> Content:
        """What the message says: in the organization's own words where its text is meant for such a message."""
        facts = Facts.of_json(claim.facts)
        is_meant = can_be_worded(claim.delivery_kind, facts.type)
        text = text_of(claim.texts, facts.type.value) if is_meant else None
        return write(facts, press=self.press, now=now, text=text)

    def _claim(self, scope: Scope, due: Due) -> Claim | None:
        def claim(session: Session) -> Claim | None:
            now = self.clock.now(session)
            return claim_next(session, due=due, couriers=self.couriers, sealer=self.sealer, now=now, lease=self.lease)

        try:
            return self.database.run(scope, claim)
        except (SecretNotFound, SealBroken) as error:
            reason = f"{error.message} Give the channel its secret again."

            def break_it(session: Session) -> bool:
                here = {"organization_id": due.organization_id, "channel_id": due.channel_id}
                now = self.clock.now(session)
                return break_channel(session, **here, reason=reason, now=now, can_mail=self.can_mail)

            self.database.run(scope, break_it)
            return None
        except KeyUnknown:
            # Another worker may have the key; this one says so in the log, by the loop that asked.
            raise

    def _fail(self, scope: Scope, claim: Claim, failure: NotDelivered) -> Sent:
        is_idempotent = self.couriers[claim.kind].is_idempotent

        def note(session: Session) -> DeliveryState | None:
            now = self.clock.now(session)
            return note_failed(
                session, claim=claim, failure=failure, is_idempotent=is_idempotent, now=now, can_mail=self.can_mail
            )

        return Sent(claim, self.database.run(scope, note), failure.message)

    def _now(self, claim: Claim) -> datetime:
        with self.database.reading(Scope.tenant(claim.organization_id)) as session:
            return self.clock.now(session)


def text_of(texts: Mapping[str, Any], type_: str) -> MessageText | None:
    """The organization's own text for a type, if it has one that can be read."""
    stored = texts.get(type_)
    if not isinstance(stored, Mapping) or not stored.get("title"):
        return None
    return MessageText(str(stored["title"]), str(stored.get("body", "")))
