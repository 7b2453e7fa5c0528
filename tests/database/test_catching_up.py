"""Two hours in which no message gets through: what is told then is short, and all of it is."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from app.core.scopes import Scope
from app.notifications.channel_changes import ChannelDraft, make_channel
from app.notifications.couriers.errands import Errand, Fate, NotDelivered, Place, Receipt
from app.notifications.messages.content import Content
from app.notifications.messages.writing import Press
from app.notifications.models import Channel
from app.notifications.sender import Sender
from app.notifications.sending import Dispatch
from app.notifications.types import ChannelKind, ChannelState, DeliveryKind
from app.schedules.models import Schedule
from tests.database.post_office import ScriptedCourier
from tests.database.telling_world import AlwaysCurrent, TellingWorld
from tests.factories.notifications import make_rule
from tests.factories.tenants import make_member
from tests.factories.work import make_schedule
from tests.fakes.database import OpenDatabase
from tests.fakes.vault import SEALER

SCHEDULES = 24
MINUTES = 120
# A person reads no more than that when the channel is back: what was begun, and the rest at once.
MOST_TOLD = 6


@dataclass
class MovedCourier(ScriptedCourier):
    """Takes nothing while it is down."""

    is_down: bool = True
    tries: int = 0
    # Of what somebody gets anew, reminders aside: those come as ever.
    titles: list[str] = field(default_factory=list)

    def carry(self, place: Place, content: Content, errand: Errand) -> Receipt:
        self.tries += 1
        if self.is_down:
            raise NotDelivered("It did not answer.", fate=Fate.LATER)
        if errand.edits is None and errand.kind != DeliveryKind.REMINDER:
            self.titles.append(content.title)
        return super().carry(place, content, errand)


class DownWorld(TellingWorld):
    """All its schedules fail, and its one channel hangs; teller and sender do what they do in that time."""

    def __init__(self, database: OpenDatabase) -> None:
        super().__init__(database)
        self.courier = MovedCourier()
        couriers: Any = dict.fromkeys(ChannelKind, self.courier)
        dispatch = Dispatch(database, self.clock, SEALER, couriers, Press("https://belfry.example"))
        self.sender = Sender(dispatch, AlwaysCurrent())
        with database.transaction() as session:
            # The one below is the only one.
            session.get_one(Channel, self.channel_id).state = ChannelState.OFF.value
            member = make_member(session, organization_id=self.organization_id)
            self.schedules: list[Schedule] = [
                make_schedule(session, self.job, name=f"Export {number:02}") for number in range(SCHEDULES)
            ]
        with database.transaction(Scope.tenant(self.organization_id)) as session:
            draft = ChannelDraft("#data", ChannelKind.DISCORD, Place({}, "secret of #data"))
            self.hook_id = make_channel(session, actor=member.actor, sealer=SEALER, draft=draft, now=self.clock.moment)
            make_rule(session, self.organization_id, self.hook_id)

    def pass_minutes(self, minutes: int, *, at_once: int = 1) -> None:
        for _ in range(0, minutes, at_once):
            self.clock.advance(minutes=at_once)
            self.teller.tell()
            self.teller.look_again()
            self.sender.send_due()

    def waiting(self) -> int:
        states = {"pending", "failed", "sending"}
        return sum(row.state in states for row in self.deliveries() if row.channel_id == self.hook_id)


@pytest.fixture
def world(database: OpenDatabase) -> DownWorld:
    """Each schedule has failed, one every three minutes; half of them work again."""
    down = DownWorld(database)
    for number, schedule in enumerate(down.schedules):
        down.fail(schedule=schedule)
        down.pass_minutes(MINUTES // SCHEDULES, at_once=MINUTES // SCHEDULES)
        if number % 2:
            down.succeed(schedule=schedule)
    down.pass_minutes(3)
    return down


class TestAChannelThatIsDownForHours:
    def test_keeps_little_waiting_and_is_not_asked_all_the_time(self, world: DownWorld) -> None:
        assert world.courier.titles == []
        assert world.waiting() <= 5
        assert world.courier.tries <= MINUTES

    def test_catches_up_with_what_is_wrong_and_no_flood(self, world: DownWorld) -> None:
        world.courier.is_down = False

        world.pass_minutes(10)

        digests = [title for title in world.courier.titles if "incidents open" in title]
        assert len(world.courier.titles) <= MOST_TOLD
        assert len(digests) == 1

    def test_tells_everything_that_is_still_wrong(self, world: DownWorld) -> None:
        world.courier.is_down = False

        world.pass_minutes(10)

        open_ones = [one for one in world.incidents() if one.state != "closed"]
        told = {row.incident_id for row in world.tellings_of(world.hook_id) if row.is_told}
        assert len(open_ones) == SCHEDULES // 2
        assert {one.id for one in open_ones} <= told
