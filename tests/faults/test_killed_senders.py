"""Hundreds of messages through services that refuse and senders that are killed: all arrive, none more than twice."""

import os
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.core.config import Settings
from app.core.ids import new_id
from app.core.scopes import Scope
from app.notifications.channel_changes import ChannelDraft, make_channel
from app.notifications.claiming import NEVER_KNOWN
from app.notifications.couriers.errands import Place
from app.notifications.models import Delivery
from app.notifications.types import ChannelKind, DeliveryKind, Facts, NotificationType
from app.tenants.roles import Role
from tests.factories.tenants import make_member
from tests.fakes.chat.server import HOOK, ChatServer, Way
from tests.fakes.database import OpenDatabase
from tests.fakes.vault import SEALER

MESSAGES = 400
CHANNELS = 4
# Each process lives for so many messages at most.
LONGEST_LIFE = 40


@pytest.mark.slow
def test_all_arrive_and_whoever_may_have_it_twice_is_marked(database: OpenDatabase, settings: Settings):
    start, dice = datetime.now(UTC), random.Random(7)
    with ChatServer() as server:
        server.chat.retry_after = 30
        ways = [Way.WELL] * 94 + [Way.LIMITED, Way.BROKEN, Way.BROKEN, Way.MOVED, Way.HUGE, Way.BROKEN]
        server.chat.plan.extend(dice.choices(ways, k=3 * MESSAGES))
        channels = furnish(database, server, start)
        kills = send_all(database, settings, server, start, dice)
        told = Counter(message["embeds"][0]["title"] for message in server.chat.messages.values())
        keys = Counter(hook.headers["idempotency-key"] for hook in server.chat.hooks)

    with database.reading() as session:
        rows = session.scalars(select(Delivery)).all()
    discord = {row for row in rows if channels[row.channel_id] is ChannelKind.DISCORD}
    # What had no known end twice over is not sent a third time; it had arrived.
    assert all(row.state == "sent" or (row.state == "given_up" and row.last_error == NEVER_KNOWN) for row in rows)
    assert kills >= MESSAGES // LONGEST_LIFE
    assert {f"✕ {row.facts['title']}".replace("-", "\\-") for row in discord} == set(told)
    assert {str(row.id) for row in rows} - {str(row.id) for row in discord} == set(keys)
    twice = {title for title, times in told.items() if times > 1}
    assert max(told.values()) <= 2
    assert twice <= {f"✕ {row.facts['title']}".replace("-", "\\-") for row in discord if row.maybe_twice}


def furnish(database: OpenDatabase, server: ChatServer, now: datetime) -> dict[UUID, ChannelKind]:
    """An organization with channels, and messages that wait for each."""
    with database.transaction() as session:
        member = make_member(session, role=Role.ADMIN)
    scope = Scope.tenant(member.organization_id)
    kinds: dict[UUID, ChannelKind] = {}
    with database.transaction(scope) as session:
        for number in range(CHANNELS):
            kind = ChannelKind.DISCORD if number % 2 else ChannelKind.WEBHOOK
            secret = HOOK.removeprefix("/api/webhooks/")
            if kind is ChannelKind.WEBHOOK:
                secret = f'{{"url": "{server.url}/hook", "key": "{"k" * 20}"}}'
            draft = ChannelDraft(f"#{number}", kind, Place({"host": "127.0.0.1"}, secret))
            kinds[make_channel(session, actor=member.actor, sealer=SEALER, draft=draft, now=now)] = kind
        channels = list(kinds)
        for number in range(MESSAGES):
            facts = Facts(type=NotificationType.RUN_FAILED, kind=DeliveryKind.EVENT, title=f"Run {number} failed")
            session.add(
                Delivery(
                    id=new_id(), organization_id=member.organization_id, channel_id=channels[number % CHANNELS],
                    kind="event", type=facts.type.value, key=str(number), facts=facts.as_json(), state="pending",
                    next_try_at=now, created_at=now,
                )
            )  # fmt: skip
    return kinds


def send_all(
    database: OpenDatabase, settings: Settings, server: ChatServer, start: datetime, dice: random.Random
) -> int:
    """Let processes send until all is sent. Returns how many of them were killed."""
    kills, moment = 0, start
    while True:
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "SENDER_DATABASE": settings.database_url,
            "SENDER_CHAT": server.url,
            "SENDER_MOMENT": moment.isoformat(),
            "SENDER_DIES_AFTER": str(dice.randrange(10, LONGEST_LIFE)),
        }
        done = subprocess.run([sys.executable, "-m", "tests.faults.sender_process"], env=environment, check=False)
        if done.returncode == 0:
            return kills
        assert done.returncode == -9
        kills, moment = kills + 1, end_of_lease(database)


def end_of_lease(database: OpenDatabase) -> datetime:
    """When others may send what the dead one had under way."""
    with database.reading() as session:
        until: datetime | None = session.scalar(select(func.max(Delivery.lease_until)))
    assert until is not None
    return until + timedelta(seconds=1)
