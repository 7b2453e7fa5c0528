"""What a process remembers of a broker that did not answer."""

import sqlite3

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError

from app.queue.link import LONGEST_WAIT_SECONDS, SPARE_SECONDS, BrokerAway, Errand, Link
from tests.fakes.clock import Ticks


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def link(ticks: Ticks) -> Link:
    return Link(ticks=ticks)


def ask(link: Link, error: Exception | None = None, *, errand: Errand = Errand.GIVE) -> bool:
    """Whether the broker was asked at all."""
    was_asked = False
    try:
        with link.asking_unless_away(errand):
            was_asked = True
            if error is not None:
                raise error
    except BrokerAway:
        pass
    return was_asked


class TestLink:
    @pytest.mark.parametrize("error", [RedisConnectionError("refused"), OSError("reset"), TimeoutError()])
    def test_calls_every_failure_a_broker_that_is_away(self, link: Link, error: Exception) -> None:
        with pytest.raises(BrokerAway), link.asking(Errand.TAKE):
            raise error

        assert link.is_away

    def test_leaves_mistakes_of_ours_as_they_are(self, link: Link) -> None:
        with pytest.raises(KeyError), link.asking(Errand.TAKE):
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

        with link.asking_unless_away(Errand.GIVE):
            assert not ask(link)

    def test_knows_from_any_answer_that_it_is_back(self, link: Link) -> None:
        ask(link, OSError())

        with link.asking(Errand.TAKE):
            pass

        assert not link.is_away
        assert ask(link)

    def test_lets_readers_wait_longer_after_each_failure(self, link: Link) -> None:
        waits = []
        for _ in range(8):
            ask(link)
            with pytest.raises(BrokerAway), link.asking(Errand.TAKE):
                raise OSError
            waits.append(link.seconds_to_wait())

        assert waits[0] < waits[-1] <= LONGEST_WAIT_SECONDS

    def test_says_once_that_it_is_away_and_once_that_it_is_back(
        self, link: Link, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "app.queue.link")
        for _ in range(3):
            with pytest.raises(BrokerAway), link.asking(Errand.TAKE):
                raise OSError
        for _ in range(3):
            with link.asking(Errand.TAKE):
                pass

        assert [record.message for record in caplog.records] == ["broker away", "broker answers again"]


FULL = OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")


def full_disk() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


class TestARefusal:
    @pytest.mark.parametrize(
        "error", [FULL, ReadOnlyError("You can't write against a read only replica."), full_disk()]
    )
    def test_is_no_answer_although_all_else_is_answered(self, link: Link, error: Exception) -> None:
        ask(link, error)

        for errand in (Errand.TAKE, Errand.COUNT):
            assert ask(link, errand=errand)
        assert link.is_away
        assert str(error).rstrip(".") in (link.refusal or "")

    def test_is_over_once_what_was_refused_is_taken(self, link: Link, ticks: Ticks) -> None:
        ask(link, FULL)
        ticks.value += SPARE_SECONDS

        ask(link)

        assert (link.is_away, link.refusal) == (False, None)

    def test_spares_senders_the_next_one(self, link: Link, ticks: Ticks) -> None:
        ask(link, FULL)

        assert not ask(link)
        ticks.value += SPARE_SECONDS
        assert ask(link)

    def test_is_said_once_and_once_that_it_is_over(
        self, link: Link, ticks: Ticks, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "app.queue.link")
        for error in (FULL, FULL, None):
            for errand in (Errand.TAKE, Errand.COUNT):
                ask(link, errand=errand)
            ask(link, error)
            ticks.value += SPARE_SECONDS

        assert [record.message for record in caplog.records] == ["broker refuses hints", "broker takes hints again"]
        assert "Mend that" in caplog.records[0].problem
