"""How many look outside at once for channels that people set up or test."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from app.core.ids import new_id
from app.notifications.channel_desk import ChannelDesk, TooManyChannelTests
from app.notifications.couriers.errands import Place
from app.notifications.types import ChannelKind
from app.tenants.access import Actor
from app.tenants.roles import Role

ADA, BO = (Actor(new_id(), Role.ADMIN, name) for name in ("Ada", "Bo"))


@dataclass
class Nested:
    """A courier whose check goes on as long as whatever is asked of it next."""

    meanwhile: list[Callable[[], object]]
    fields: tuple[object, ...] = ()
    checked: list[int] = field(default_factory=list)

    def clean(self, given: Mapping[str, str], *, before: Place | None = None) -> Place:
        self.checked.append(len(self.meanwhile))
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return Place({}, "")


def asked_at_once(*actors: Actor) -> int:
    """How many of them are served while all the others before them still are."""
    courier = Nested([])
    desk = ChannelDesk(None, None, None, lambda _: {ChannelKind.DISCORD: courier})  # type: ignore[arg-type,dict-item]
    first, *others = [lambda actor=actor: desk.draft(actor, "discord", "#data", {}) for actor in actors]
    courier.meanwhile.extend(others)
    with pytest.raises(TooManyChannelTests):
        first()
    # All turns were given back.
    desk.draft(ADA, "discord", "#data", {})
    return len(courier.checked) - 1


class TestTurns:
    def test_an_organization_leaves_one_for_the_others(self):
        assert asked_at_once(ADA, ADA, ADA) == 2

    def test_the_others_have_it_however_many_of_the_first_wait(self):
        assert asked_at_once(ADA, ADA, BO, BO) == 3
