"""Channels as pages show them: what everybody may see of where they lead, and how they fare."""

from dataclasses import dataclass

from app.notifications.channel_rows import ChannelRow, DeliveryRow
from app.notifications.couriers.errands import Courier, Couriers
from app.notifications.types import ChannelKind, ChannelState, DeliveryState

# Which colour and mark each state has.
BADGES = {ChannelState.ON: "ok", ChannelState.OFF: "disabled", ChannelState.BROKEN: "failed"}
STATE_WORDS = {ChannelState.ON: "On", ChannelState.OFF: "Off", ChannelState.BROKEN: "Does not work"}
# Kinds with a courier of their own come before the one that speaks to all others.
KINDS = tuple(ChannelKind)


@dataclass(frozen=True)
class KindCard:
    """A kind of channel to choose."""

    kind: ChannelKind
    label: str
    text: str

    @property
    def action(self) -> str:
        """What its button says. Names keep their capital letter."""
        is_name = self.kind in (ChannelKind.DISCORD, ChannelKind.TELEGRAM)
        return f"Use {self.label if is_name else self.label[:1].lower() + self.label[1:]}"


@dataclass(frozen=True)
class ChannelLine:
    """One channel. `tested` is a test message that was just sent to it."""

    row: ChannelRow
    kind: str
    where: str
    badge: str
    words: str
    tested: DeliveryRow | None

    @property
    def is_on(self) -> bool:
        return self.row.state is ChannelState.ON

    @property
    def test_badge(self) -> str:
        """How the test ended, as a badge."""
        return "ok" if self.tested is not None and self.tested.state is DeliveryState.SENT else "failed"

    @property
    def test_words(self) -> str:
        """What the test found: when it arrived, or what was answered."""
        if self.tested is None:
            return ""
        return self.tested.words or self.tested.last_error or "Nothing was answered."


_CARD_TEXTS = {
    ChannelKind.DISCORD: "Messages in a channel of your server, brought up to date while an incident goes on.",
    ChannelKind.TELEGRAM: "Messages of a bot to a person, group or channel, brought up to date in place.",
    ChannelKind.EMAIL: "Letters to one or more addresses, through the mail server of this installation.",
    ChannelKind.WEBHOOK: "Signed JSON to an address of yours, for programs.",
    ChannelKind.APPRISE: "Slack, Teams, Matrix, ntfy and others, by an address as Apprise writes it.",
}


def kind_cards(couriers: Couriers) -> list[KindCard]:
    """Every kind of channel there is."""
    return [KindCard(kind, couriers[kind].label, _CARD_TEXTS[kind]) for kind in KINDS]


def channel_line(row: ChannelRow, courier: Courier, *, tested: DeliveryRow | None = None) -> ChannelLine:
    """One channel as a row."""
    is_its_own = tested is not None and tested.channel_id == row.id
    return ChannelLine(
        row=row,
        kind=str(row.settings.get("service") or courier.label),
        where=_where(row),
        badge=BADGES[row.state],
        words=STATE_WORDS[row.state],
        tested=tested if is_its_own else None,
    )


def _where(row: ChannelRow) -> str:
    """What of its place is no secret."""
    said = row.settings
    if row.kind is ChannelKind.TELEGRAM:
        topic = said.get("topic_id")
        return f"{said.get('chat_id', '')}{f', topic {topic}' if topic else ''}"
    if row.kind is ChannelKind.EMAIL:
        return str(said.get("addresses", ""))
    if row.kind is ChannelKind.WEBHOOK:
        return str(said.get("host", ""))
    return f"…{row.secret_hint}" if row.secret_hint else ""
