"""What people ask of channels that takes a look outside, or at a secret: drafts are checked here, and channels tested.

Outside of any transaction, a few at a time. What is done with a draft is in channel_changes.py.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.config import Settings
from app.core.db import Database
from app.core.errors import Unavailable
from app.core.fair_turns import FairTurns
from app.core.key_rings import key_ring
from app.core.scopes import Scope
from app.core.sealing import KeyUnknown, SealBroken, Sealer
from app.events.changes import record_change
from app.events.service import Topic
from app.notifications.channel_changes import ChannelDraft, believe_again, load_channel, open_place
from app.notifications.channel_rows import ChannelNotFound, first_of_kind
from app.notifications.couriers.errands import ChannelInvalid, Couriers, Place
from app.notifications.messages.writing import Press
from app.notifications.outbox import put_test
from app.notifications.sending import Dispatch
from app.notifications.types import ChannelKind, ChannelState, DeliveryState
from app.tenants.access import Actor, Permission, require
from app.vault.service import SecretNotFound

# A process that serves pages has eight threads; some have to be left for those who ask for nothing outside.
MOST_AT_ONCE = 3
# One organization whose channels all hang leaves a turn for the others.
MOST_OF_AN_ORGANIZATION = 2


class TooManyChannelTests(Unavailable):
    """Others are testing channels at this moment, or several of the same organization."""


@dataclass(frozen=True)
class ChannelTried:
    """What a test found: whether the message arrived, and a sentence for people."""

    is_good: bool
    words: str
    delivery_id: UUID | None = None


@dataclass(frozen=True)
class TheDraft:
    """The one channel of a kind as it is to be. Without an id there is none yet."""

    channel_id: UUID | None
    draft: ChannelDraft


def _all_couriers(settings: Settings) -> Couriers:
    # What they load, as for letters, is megabytes that most processes with pages never need.
    from app.notifications.couriers.office import couriers  # noqa: PLC0415

    return couriers(settings)


@dataclass
class ChannelDesk:
    """The one of a process that serves pages. `make_couriers` is asked when the first is needed."""

    settings: Settings
    database: Database
    clock: Clock
    make_couriers: Callable[[Settings], Couriers] = _all_couriers
    _turns: FairTurns = field(
        default_factory=lambda: FairTurns(MOST_AT_ONCE, most_of_each=MOST_OF_AN_ORGANIZATION), init=False
    )

    @cached_property
    def sealer(self) -> Sealer:
        return Sealer(key_ring(self.settings))

    @cached_property
    def couriers(self) -> Couriers:
        return self.make_couriers(self.settings)

    def draft(
        self, actor: Actor, kind: str, name: str, given: Mapping[str, str], *, is_fallback: bool = False
    ) -> ChannelDraft:
        """A new channel as somebody described it. Raises ChannelInvalid or TooManyChannelTests."""
        known = kind_of(kind)
        self._refuse_unknown(known, given)
        with self._turn(actor):
            return ChannelDraft(name, known, self.couriers[known].clean(given), is_fallback)

    def redraft(
        self,
        actor: Actor,
        channel_id: UUID,
        name: str | None,
        given: Mapping[str, str],
        *,
        is_fallback: bool | None = None,
    ) -> ChannelDraft:
        """A channel as it is to be from now on: what is not given and a secret that is empty stay as they are.

        Raises ChannelNotFound as well.
        """
        require(actor, Permission.MANAGE_NOTIFICATIONS)

        def read(session: Session) -> tuple[ChannelKind, str, bool, Mapping[str, str], Place | None]:
            channel = load_channel(session, organization_id=actor.organization_id, channel_id=channel_id)
            try:
                place = open_place(session, sealer=self.sealer, channel=channel)
            except (SecretNotFound, SealBroken, KeyUnknown):
                place = None
            return ChannelKind(channel.kind), channel.name, channel.is_fallback, dict(channel.settings), place

        kind, old_name, was_fallback, settings, before = self.database.run(_scope(actor), read)
        self._refuse_unknown(kind, given)
        with self._turn(actor):
            place = self.couriers[kind].clean({**settings, **given}, before=before)
        fallback = was_fallback if is_fallback is None else is_fallback
        return ChannelDraft(name or old_name, kind, place, fallback)

    def _refuse_unknown(self, kind: ChannelKind, given: Mapping[str, str]) -> None:
        names = [words.name for words in self.couriers[kind].fields]
        if not set(given) <= set(names):
            raise ChannelInvalid(f"A channel of this kind has: {', '.join(names)}.", field="settings")

    def draft_the(self, actor: Actor, kind: ChannelKind, name: str | None, given: Mapping[str, str]) -> TheDraft:
        """A draft of the one channel of a kind, for those who know of one only: of a new one, if there is none."""
        channel_id = self._the(actor, kind)
        if channel_id is None:
            require(actor, Permission.MANAGE_NOTIFICATIONS)
            return TheDraft(None, self.draft(actor, kind.value, name or self.couriers[kind].label, given))
        return TheDraft(channel_id, self.redraft(actor, channel_id, name, given))

    def test_the(self, actor: Actor, kind: ChannelKind) -> ChannelTried:
        """Test the one channel of a kind. Raises ChannelNotFound where there is none."""
        channel_id = self._the(actor, kind)
        if channel_id is None:
            raise ChannelNotFound(f"There is no channel for {self.couriers[kind].label} yet. Set one up first.")
        return self.test(actor, channel_id)

    def _the(self, actor: Actor, kind: ChannelKind) -> UUID | None:
        with self.database.reading(_scope(actor)) as session:
            found = first_of_kind(session, organization_id=actor.organization_id, kind=kind)
        return None if found is None else found.id

    def test(self, actor: Actor, channel_id: UUID) -> ChannelTried:
        """Send a test message now and say what came of it; a good one ends that a channel is broken.

        Raises ChannelNotFound or TooManyChannelTests. The test is a delivery as all others, and audited.
        """
        require(actor, Permission.MANAGE_NOTIFICATIONS)
        with self._turn(actor):
            press, can_mail = Press(self.settings.public_url), self.settings.mail is not None
            dispatch = Dispatch(self.database, self.clock, self.sealer, self.couriers, press, can_mail)
            try:
                claim = self.database.run(
                    _scope(actor),
                    lambda session: put_test(
                        session, actor=actor, sealer=self.sealer, channel_id=channel_id, now=self.clock.now(session)
                    ),
                )
            except (SecretNotFound, SealBroken, KeyUnknown) as error:
                return ChannelTried(False, error.message)
            sent = dispatch.send_claimed(claim)
        is_good = sent.state is DeliveryState.SENT
        self.database.run(_scope(actor), lambda session: self._note(session, actor, channel_id, is_good, sent.words))
        return ChannelTried(is_good, sent.words, claim.delivery_id)

    def _note(self, session: Session, actor: Actor, channel_id: UUID, is_good: bool, words: str) -> None:
        now = self.clock.now(session)
        channel = load_channel(session, organization_id=actor.organization_id, channel_id=channel_id)
        if is_good and channel.state == ChannelState.BROKEN.value:
            believe_again(session, channel, now=now)
            self._record(session, actor, channel_id, "mended", f"The channel “{channel.name}” is used again", now)
        outcome = "ok" if is_good else "failed"
        summary = f"Tested the channel “{channel.name}”, {outcome}: {words}"[:500]
        self._record(session, actor, channel_id, "tested", summary, now)

    def _record(self, session: Session, actor: Actor, channel_id: UUID, verb: str, summary: str, now: datetime) -> None:
        record_change(
            session, actor=actor, topic=Topic.NOTIFICATIONS, action=f"channel.{verb}", subject_id=channel_id,
            summary=summary, now=now,
        )  # fmt: skip

    @contextmanager
    def _turn(self, actor: Actor) -> Iterator[None]:
        with self._turns.taken(actor.organization_id) as is_mine:
            if not is_mine:
                message = "Several channels are being tested at this moment. Try again in a few seconds."
                raise TooManyChannelTests(message)
            yield


def kind_of(word: str) -> ChannelKind:
    """The kind of a word. Raises ChannelInvalid."""
    try:
        return ChannelKind(word)
    except ValueError:
        known = ", ".join(ChannelKind)
        raise ChannelInvalid(f"There is no such kind of channel. Kinds: {known}.", field="kind") from None


def _scope(actor: Actor) -> Scope:
    return Scope.tenant(actor.organization_id, actor.user_id)
