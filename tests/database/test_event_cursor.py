"""The cursor of the teller: nothing is lost and nothing taken twice, in whatever order transactions commit."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.scopes import ENGINE
from app.events.service import Topic, append_event
from app.notifications.cursor import Hole, take_events
from app.notifications.models import Cursor
from tests.database.telling_world import TellingWorld
from tests.factories.work import make_organization
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")
LATER = timedelta(minutes=2)


class Reader:
    """Takes events as the teller does, at a time that goes on."""

    def __init__(self, database: OpenDatabase) -> None:
        self.database = database
        self.clock = ManualClock("2027-01-05 12:00")
        with database.transaction() as session:
            self.organization_id = make_organization(session)
        assert self.take() == []

    def take(self, *, limit: int = 500) -> list[str]:
        self.clock.moment += LATER
        with self.database.transaction(ENGINE) as session:
            batch = take_events(session, now=self.clock.moment, limit=limit)
        return [] if batch is None else [event.kind for event in batch.events]

    def holes(self) -> list[Hole]:
        with self.database.reading(ENGINE) as session:
            return [Hole.of_json(stored) for stored in session.scalars(select(Cursor)).one().holes]

    def append(self, session: Session, *kinds: str) -> None:
        for kind in kinds:
            append_event(
                session, organization_id=self.organization_id, topic=Topic.RUNS, kind=kind,
                subject_id=self.organization_id, now=NOW,
            )  # fmt: skip
        session.flush()


@pytest.fixture
def reader(database: OpenDatabase) -> Reader:
    return Reader(database)


class TestEvents:
    def test_are_taken_once_in_their_order(self, reader: Reader) -> None:
        with reader.database.transaction() as session:
            reader.append(session, "a", "b", "c")

        assert [reader.take(limit=2), reader.take(limit=2), reader.take()] == [["a", "b"], ["c"], []]

    def test_of_before_the_first_look_are_not_told(self, database: OpenDatabase) -> None:
        with database.transaction() as session:
            organization_id = make_organization(session)
            append_event(
                session, organization_id=organization_id, topic=Topic.RUNS, kind="old", subject_id=organization_id,
                now=NOW,
            )  # fmt: skip

        assert Reader(database).take() == []

    def test_are_taken_again_where_the_transaction_fails(self, reader: Reader) -> None:
        with reader.database.transaction() as session:
            reader.append(session, "a")
        with reader.database.transaction(ENGINE) as session:
            assert take_events(session, now=NOW) is not None
            session.rollback()

        assert reader.take() == ["a"]


class TestOnPostgres:
    @pytest.fixture
    def engine(self) -> str:
        return "postgresql"

    def test_an_event_that_commits_after_a_later_one_is_not_lost(self, reader: Reader) -> None:
        with reader.database.session() as slow:
            reader.append(slow, "slow")
            with reader.database.transaction() as fast:
                reader.append(fast, "fast")
            assert reader.take() == ["fast"]
            assert reader.take() == []

            slow.commit()

        assert reader.take() == ["slow"]
        assert (reader.take(), reader.holes()) == ([], [])

    def test_several_that_commit_in_any_order_are_each_taken_once(self, reader: Reader) -> None:
        sessions = [reader.database.session() for _ in range(4)]
        for number, session in enumerate(sessions):
            reader.append(session, f"{number}a", f"{number}b")
        taken = []
        for number in (2, 0, 3, 1):
            sessions[number].commit()
            sessions[number].close()
            taken.append(reader.take())

        assert taken == [["2a", "2b"], ["0a", "0b"], ["3a", "3b"], ["1a", "1b"]]
        assert (reader.take(), reader.holes()) == ([], [])

    def test_a_number_that_was_given_back_is_not_waited_for_for_ever(self, reader: Reader) -> None:
        with reader.database.session() as session:
            reader.append(session, "never")
            session.rollback()
        with reader.database.transaction() as session:
            reader.append(session, "a")

        assert (reader.take(), len(reader.holes())) == (["a"], 1)
        assert (reader.take(), reader.holes()) == ([], [])

    def test_a_transaction_that_goes_on_keeps_nobody_waiting(self, reader: Reader) -> None:
        with reader.database.session() as endless:
            reader.append(endless, "endless")
            taken = []
            for kind in ("a", "b", "c"):
                with reader.database.transaction() as session:
                    reader.append(session, kind)
                taken.append(reader.take())
            assert len(reader.holes()) == 1

        assert taken == [["a"], ["b"], ["c"]]

    def test_a_second_teller_takes_nothing_meanwhile(self, reader: Reader) -> None:
        with reader.database.transaction() as session:
            reader.append(session, "a")
        with reader.database.session() as first:
            assert take_events(first, now=NOW) is not None
            with reader.database.transaction(ENGINE) as second:
                assert take_events(second, now=NOW) is None
            first.commit()

        assert reader.take() == []


class TestHoles:
    def test_are_divided_by_what_comes(self) -> None:
        hole = Hole(10, 20, 5, NOW)

        left = hole.without([10, 14, 15, 20, 99])

        assert [(rest.first, rest.last) for rest in left] == [(11, 13), (16, 19)]

    def test_are_the_same_when_read_again(self) -> None:
        hole = Hole(10, 20, 5, NOW)

        assert Hole.of_json(hole.as_json()) == hole


KILLED = """
import os, signal, sys
from datetime import datetime
from app.core.db import open_database
from app.core.scopes import ENGINE
from app.notifications.passes import read_events

database = open_database(sys.argv[1])
with database.transaction(ENGINE) as session:
    done = read_events(session, now=datetime.fromisoformat(sys.argv[2]))
    assert done.messages == 1, done
    os.kill(os.getpid(), signal.SIGKILL)
"""


class TestKilled:
    def test_a_teller_that_dies_before_it_commits_leaves_all_to_the_next_one(self, database: OpenDatabase) -> None:
        world = TellingWorld(database)
        world.fail()
        url = database.write.url.render_as_string(hide_password=False)

        code = [sys.executable, "-c", KILLED, url, world.clock.moment.isoformat()]
        ended = subprocess.run(code, env=os.environ, check=False, timeout=60)

        assert ended.returncode == -signal.SIGKILL
        assert world.deliveries() == []
        assert world.say() == [("opened", "Orders failed")]
