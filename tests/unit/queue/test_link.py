"""What a process remembers of a broker that did not answer."""

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from app.queue.link import LONGEST_WAIT_SECONDS, SPARE_SECONDS, BrokerAway, Link


class Ticks:
    """A monotonic clock that a test moves."""

    value = 100.0

    def __call__(self) -> float:
        return self.value


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def link(ticks: Ticks) -> Link:
    return Link(ticks=ticks)


def ask(link: Link, error: Exception | None = None) -> bool:
    """Whether the broker was asked at all."""
    was_asked = False
    try:
        with link.asking_unless_away():
            was_asked = True
            if error is not None:
                raise error
    except BrokerAway:
        pass
    return was_asked


class TestLink:
    @pytest.mark.parametrize("error", [RedisConnectionError("refused"), OSError("reset"), TimeoutError()])
    def test_calls_every_failure_a_broker_that_is_away(self, link: Link, error: Exception) -> None:
        with pytest.raises(BrokerAway), link.asking():
            raise error

        assert link.is_away

    def test_leaves_mistakes_of_ours_as_they_are(self, link: Link) -> None:
        with pytest.raises(KeyError), link.asking():
            raise KeyError("ours")

        assert not link.is_away

    def test_spares_senders_the_wait_after_a_failure(self, link: Link, ticks: Ticks) -> None:
        ask(link, OSError())

        assert not ask(link)
        ticks.value += SPARE_SECONDS
        assert ask(link)

    def test_lets_one_sender_alone_find_out_whether_it_is_back(self, link: Link, ticks: Ticks) -> None:
        ask(link, OSError())
        ticks.value += SPARE_SECONDS

        with link.asking_unless_away():
            assert not ask(link)

    def test_knows_from_any_answer_that_it_is_back(self, link: Link) -> None:
        ask(link, OSError())

        with link.asking():
            pass

        assert not link.is_away
        assert ask(link)

    def test_lets_readers_wait_longer_after_each_failure(self, link: Link) -> None:
        waits = []
        for _ in range(8):
            ask(link)
            with pytest.raises(BrokerAway), link.asking():
                raise OSError
            waits.append(link.seconds_to_wait())

        assert waits[0] < waits[-1] <= LONGEST_WAIT_SECONDS

    def test_says_once_that_it_is_away_and_once_that_it_is_back(
        self, link: Link, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "app.queue.link")
        for _ in range(3):
            with pytest.raises(BrokerAway), link.asking():
                raise OSError
        for _ in range(3):
            with link.asking():
                pass

        assert [record.message for record in caplog.records] == ["broker away", "broker answers again"]
