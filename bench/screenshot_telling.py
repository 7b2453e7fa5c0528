"""Who is told in the pictures, by a Discord and a Telegram of this machine that take everything."""

from collections.abc import Mapping

from app.core.clock import DatabaseClock
from app.notifications.channel_changes import make_channel
from app.notifications.channel_desk import ChannelDesk
from app.notifications.cursor import take_events
from app.notifications.rule_changes import RuleDraft, add_rule
from app.notifications.types import ScopeKind
from app.tenants.access import Actor
from bench.installation import Installation
from tests.fakes.chat.server import BOT, CHAT, HOOK, ChatServer


def settings_of(chat: ChatServer) -> Mapping[str, str]:
    """What leads Belfry there instead of to the services."""
    return {"BELFRY_DISCORD_BASE_URL": chat.url, "BELFRY_TELEGRAM_BASE_URL": chat.url}


def let_tell(place: Installation, actor: Actor) -> None:
    """Two channels, one of which stands in for the other, a rule for everything and one for a tag."""
    desk = ChannelDesk(place.settings, place.database, DatabaseClock())
    data = desk.draft("discord", "#data", {"webhook_url": f"{place.settings.services.discord_base_url}{HOOK}"})
    night = desk.draft("telegram", "On call", {"token": BOT, "chat_id": CHAT}, is_fallback=True)
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        # What happens from here on is told, as where a scheduler was there all the time.
        take_events(session, now=now)
        first, second = (
            make_channel(session, actor=actor, sealer=desk.sealer, draft=draft, now=now) for draft in (data, night)
        )
        add_rule(session, actor=actor, draft=RuleDraft([first]), now=now)
        tagged = RuleDraft([first, second], scope_kind=ScopeKind.TAG.value, scope_value="shop", after_failures=2)
        add_rule(session, actor=actor, draft=tagged, now=now)
