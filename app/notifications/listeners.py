"""Who hears of an incident, and which channel tells them: those that a rule names, and whoever was told before. Pure.

Where a channel broke after it had told something, the one that stands in tells the rest of it; where it is mended, the
one that stood in goes on with what it told.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from app.notifications.cases import Case
from app.notifications.decisions import Told, Want
from app.notifications.types import ChannelState


@dataclass(frozen=True)
class Listener:
    """What a channel was told of a cause, and the channel that tells it now: itself, or what stands in for it."""

    told: Told
    by: UUID

    @property
    def is_itself(self) -> bool:
        """Whether the channel tells it itself. Only then can it write over what it told before."""
        return self.by == self.told.channel_id

    def want(self, want: Want | None) -> Want | None:
        """The message as it is told now."""
        return want if want is None or self.is_itself else replace(want, by=self.by)


@dataclass(frozen=True)
class Channels:
    """How the channels of an organization stand, and which one stands in for those that are broken."""

    states: Mapping[UUID, ChannelState]
    instead: tuple[UUID, ...] = ()

    def used(self, channel_ids: Collection[UUID]) -> list[UUID]:
        """Those that are used now; for one that is broken what stands in for it."""
        return list(dict.fromkeys(by for one in channel_ids if (by := self.voice_of(one)) is not None))

    def voice_of(self, channel_id: UUID) -> UUID | None:
        """What tells it now; None where it is off or gone. Where nothing stands in, messages wait for it."""
        state = self.states.get(channel_id)
        if state is ChannelState.BROKEN and self.instead:
            return self.instead[0]
        return channel_id if state in (ChannelState.ON, ChannelState.BROKEN) else None

    def listeners(
        self, channel_ids: Collection[UUID], case: Case, known: Mapping[UUID, Told], make: Callable[[UUID], Told]
    ) -> list[Listener]:
        """Who hears of an incident by a rule that names these channels.

        `known` is what the rule told of the cause, by channel, and `make` what is noted of one that was told nothing.
        """
        found: dict[UUID, Listener] = {}
        missing: list[UUID] = []
        for channel_id in channel_ids:
            by, told = self.voice_of(channel_id), known.get(channel_id)
            if by == channel_id:
                found[channel_id] = Listener(_noted(told or make(channel_id), stands_in=False), by)
            elif by is not None and told is not None and _has_heard(told, case):
                found[channel_id] = Listener(told, by)
            elif by is not None:
                missing.append(by)
        for channel_id, told in known.items():
            by = self.voice_of(channel_id)
            if by is not None and channel_id not in found and told.stands_in and _has_heard(told, case):
                found[channel_id] = Listener(told, by)
        # One message is enough for those that are broken, also where another channel stands in by now.
        if missing and not any(one.told.stands_in for one in found.values()):
            for by in missing:
                if by not in found:
                    found[by] = Listener(_noted(known.get(by) or make(by), stands_in=True), by)
        return list(found.values())


def _has_heard(told: Told, case: Case) -> bool:
    return told.is_told and told.incident_id == case.id


def _noted(told: Told, *, stands_in: bool) -> Told:
    told.stands_in = stands_in
    return told
