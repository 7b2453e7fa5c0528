"""An organization with channels, and what sends to them, for tests of deliveries."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.ids import new_id
from app.core.scopes import ENGINE, Scope
from app.notifications.channel_changes import ChannelDraft, make_channel
from app.notifications.claiming import find_due
from app.notifications.couriers.errands import Errand, Fate, NotDelivered, Place, Receipt
from app.notifications.messages.content import Content
from app.notifications.messages.writing import Press
from app.notifications.models import Channel, Delivery
from app.notifications.sending import Dispatch, Sent
from app.notifications.types import ChannelKind, DeliveryKind, Facts, NotificationType
from app.tenants.roles import Role
from tests.factories.tenants import Member, make_member
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.vault import SEALER


@dataclass
class ScriptedCourier:
    """Takes everything, unless the script says how the next tries fail. It remembers what it carried."""

    can_edit: bool = True
    is_idempotent: bool = False
    label: str = "Scripted"
    fields: tuple[Any, ...] = ()
    script: list[NotDelivered | BaseException | None] = field(default_factory=list)
    carried: list[tuple[str, Content, Errand]] = field(default_factory=list)

    def clean(self, given: Any, *, before: Place | None = None) -> Place:
        return Place({}, "secret")

    def carry(self, place: Place, content: Content, errand: Errand) -> Receipt:
        assert place.secret.startswith("secret")
        next_ = self.script.pop(0) if self.script else None
        if next_ is not None and getattr(next_, "fate", None) is not Fate.DOUBTFUL:
            raise next_
        self.carried.append((place.secret, content, errand))
        if next_ is not None:
            raise next_
        return Receipt("It took it.", errand.edits or str(len(self.carried)))


def later(**more: Any) -> NotDelivered:
    return NotDelivered("It is down.", fate=Fate.LATER, **more)


def doubtful() -> NotDelivered:
    return NotDelivered("It did not answer.", fate=Fate.DOUBTFUL)


def broken() -> NotDelivered:
    return NotDelivered("It is gone.", fate=Fate.BROKEN)


@dataclass
class PostOffice:
    """`courier` carries for channels of Discord, `hook` for webhooks, which know keys and cannot edit."""

    database: OpenDatabase
    clock: ManualClock
    courier: ScriptedCourier = field(default_factory=ScriptedCourier)
    hook: ScriptedCourier = field(default_factory=lambda: ScriptedCourier(can_edit=False, is_idempotent=True))
    email: str = "ada@example.com"

    def __post_init__(self) -> None:
        with self.database.transaction() as session:
            self.member: Member = make_member(session, email=self.email, role=Role.ADMIN)
        couriers = dict.fromkeys(ChannelKind, self.courier) | {ChannelKind.WEBHOOK: self.hook}
        self.dispatch = Dispatch(self.database, self.clock, SEALER, couriers, Press("https://belfry.example"))  # type: ignore[arg-type]

    @property
    def here(self) -> UUID:
        return self.member.organization_id

    def channel(self, name: str = "#data", kind: ChannelKind = ChannelKind.DISCORD, **more: Any) -> UUID:
        with self.database.transaction(Scope.tenant(self.here)) as session:
            draft = ChannelDraft(name, kind, Place({}, f"secret of {name}"), **more)
            return make_channel(session, actor=self.member.actor, sealer=SEALER, draft=draft, now=self.clock.moment)

    def put(
        self,
        channel_id: UUID,
        kind: DeliveryKind = DeliveryKind.OPENED,
        *,
        incident_id: UUID | None = None,
        title: str = "Ads failed",
        at: datetime | None = None,
    ) -> UUID:
        at = at or self.clock.moment
        facts = Facts(type=NotificationType.RUN_FAILED, kind=kind, title=title, organization="Northwind")
        row = Delivery(
            id=new_id(), organization_id=self.here, channel_id=channel_id, incident_id=incident_id, kind=kind.value,
            type=facts.type.value, key=new_id().hex, facts=facts.as_json(), state="pending", next_try_at=at,
            created_at=at,
        )  # fmt: skip
        with self.database.transaction() as session:
            session.add(row)
        return row.id

    def send(self) -> list[Sent]:
        """Send all that is due now, each channel until it has no more or fails."""
        sent: list[Sent] = []
        for due in self.due():
            while (one := self.dispatch.send_next(due)) is not None:
                sent.append(one)
                if one.state is None or one.state.value != "sent":
                    break
        return sent

    def due(self) -> list[Any]:
        with self.database.reading(ENGINE) as session:
            return find_due(session, now=self.clock.moment)

    def row(self, delivery_id: UUID) -> Delivery:
        with self.database.reading() as session:
            return session.scalars(select(Delivery).where(Delivery.id == delivery_id)).one()

    def rows(self, channel_id: UUID) -> list[Delivery]:
        with self.database.reading() as session:
            query = select(Delivery).where(Delivery.channel_id == channel_id).order_by(Delivery.created_at, Delivery.id)
            return list(session.scalars(query))

    def channel_row(self, channel_id: UUID) -> Channel:
        with self.database.reading() as session:
            return session.scalars(select(Channel).where(Channel.id == channel_id)).one()

    def pass_time(self, **amount: float) -> None:
        self.clock.advance(**amount)
