"""How often the schedules that need somebody are counted anew."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.core.ids import new_id
from app.events.service import Topic
from app.ops.attention import Attention, AttentionBook
from app.ops.news import News
from app.ops.schedule_glances import Glance
from app.ops.schedule_health import ScheduleHealth
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
HERE = new_id()


class Counting:
    """Stands for the database: says how often it was asked, and takes as long as it is told."""

    def __init__(self) -> None:
        self.asked = 0
        self.takes = 0.0
        self.moment = 0.0

    def __call__(self) -> list[Glance]:
        self.asked += 1
        self.moment += self.takes
        return [make_glance(ScheduleHealth.FAILING)] * self.asked


def make_glance(health: ScheduleHealth) -> Glance:
    return Glance(HERE, "Nightly", True, (), None, None, False, None, health)


def news(number: int) -> News:
    return News(dict.fromkeys(Topic, number), None, None, None, None, has_enabled=True)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def ask(counting: Counting) -> Callable[..., int]:
    book = AttentionBook(seconds=lambda: counting.moment, effort=lambda: counting.moment, most=2)

    def ask(number: int, *, now: datetime = NOW, organization_id: UUID = HERE) -> int:
        return book.read(organization_id, news=news(number), now=now, glances=counting).failing

    return ask


class TestTheNumbers:
    def test_tell_failing_from_late(self) -> None:
        healths = [*ScheduleHealth, ScheduleHealth.LATE]

        found = AttentionBook().read(HERE, news=news(1), now=NOW, glances=lambda: [make_glance(one) for one in healths])

        assert found == Attention(failing=1, late=2)

    def test_are_kept_while_nothing_changes(self, ask: Callable[..., int]) -> None:
        assert [ask(1), ask(1), ask(1)] == [1, 1, 1]

    def test_are_counted_after_every_change_where_that_takes_no_time(self, ask: Callable[..., int]) -> None:
        assert [ask(1), ask(2), ask(3)] == [1, 2, 3]

    def test_are_not_believed_for_long(self, ask: Callable[..., int]) -> None:
        assert [ask(1), ask(1, now=NOW + timedelta(seconds=31))] == [1, 2]

    def test_take_no_more_than_a_twentieth_of_the_time(self, ask: Callable[..., int], counting: Counting) -> None:
        counting.takes = 0.1
        first = ask(1)
        counting.moment += 1.9
        soon = ask(2)
        counting.moment += 0.2

        assert (first, soon, ask(3)) == (1, 1, 2)

    def test_are_each_organizations_own(self, ask: Callable[..., int]) -> None:
        assert [ask(1), ask(1, organization_id=new_id()), ask(1)] == [1, 2, 1]

    def test_of_those_asked_about_longest_ago_are_forgotten(self, ask: Callable[..., int]) -> None:
        others = [new_id(), new_id()]

        assert [ask(1), *(ask(1, organization_id=other) for other in others), ask(1)] == [1, 2, 3, 4]
