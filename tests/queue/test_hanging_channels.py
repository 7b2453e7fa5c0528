"""Every channel hangs: runs go on, nothing is held meanwhile, and on both brokers."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.core.clock import DatabaseClock
from app.core.config import Settings
from app.notifications import sender as sending
from app.notifications.couriers.errands import Errand, Fate, NotDelivered, Place, Receipt
from app.notifications.messages.content import Content
from app.notifications.models import Channel, Delivery
from app.notifications.sender import MOST_OF_AN_ORGANIZATION, THREADS, Sender
from app.notifications.types import ChannelKind, DeliveryState
from app.runs.models import Run, in_state
from app.runs.states import RunState
from tests.database.post_office import PostOffice, ScriptedCourier
from tests.database.telling_world import AlwaysCurrent
from tests.factories.work import make_job, make_organization, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.queue.crew import PATIENCE_SECONDS, Crew, GatedKind, eventually

RUNS = 30


@dataclass
class HangingCourier(ScriptedCourier):
    """Says that somebody waits for it, and answers only when it is over."""

    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    over: threading.Event = field(default_factory=threading.Event)

    def carry(self, place: Place, content: Content, errand: Errand) -> Receipt:
        self.begun.release()
        self.over.wait(2 * PATIENCE_SECONDS)
        raise NotDelivered("It did not answer.", fate=Fate.LATER)


@pytest.fixture
def crew(settings: Settings) -> Iterator[Crew]:
    hired = Crew(settings, GatedKind(), name="w-1", slots=2)
    yield hired
    hired.stop()


@pytest.fixture
def hanging(database: OpenDatabase, crew: Crew, monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingCourier]:
    """More channels than the worker has threads for them, of two organizations, and each of these hangs by now."""
    monkeypatch.setattr(sending, "EVERY_SECONDS", 0.02)
    courier = HangingCourier()
    now = ManualClock(_now(database).isoformat())
    offices = [PostOffice(database, now, email=f"{name}@example.com") for name in ("ada", "bea")]
    for office in offices:
        for number in range(MOST_OF_AN_ORGANIZATION + 1):
            office.put(office.channel(f"#ops-{number}"))
    couriers: Any = dict.fromkeys(ChannelKind, courier)
    parts = {"database": crew.parts.pools.tell, "clock": DatabaseClock(), "couriers": couriers}
    sender = Sender(replace(offices[0].dispatch, **parts), AlwaysCurrent())
    sender.start()
    for _ in range(THREADS):
        assert courier.begun.acquire(timeout=PATIENCE_SECONDS)
    yield courier
    sender.close()
    courier.over.set()
    assert eventually(lambda: not _senders())


class TestWhileEveryChannelHangs:
    def test_runs_go_on(self, database: OpenDatabase, crew: Crew, hanging: HangingCourier) -> None:
        _ready_runs(database)
        crew.start_consumer()
        crew.start_finder(is_broker_away=lambda: False)
        crew.dispatch()

        assert eventually(lambda: _count(database, select(Run.id).where(in_state(RunState.SUCCEEDED))) == RUNS)
        assert _count(database, select(Delivery.id).where(Delivery.state == DeliveryState.SENDING.value)) == THREADS

    def test_nobody_waits_for_a_row_or_for_the_right_to_write(
        self, database: OpenDatabase, hanging: HangingCourier
    ) -> None:
        with database.transaction() as session:
            for table in (Delivery, Channel):
                # Refused at once where somebody holds one of them; SQLite has one writer, and that is this one now.
                found = session.scalars(select(table.id).with_for_update(nowait=True)).all()
                session.execute(update(table).values(created_at=table.created_at))

                assert len(found) == 2 * (MOST_OF_AN_ORGANIZATION + 1)


def _now(database: OpenDatabase) -> datetime:
    with database.reading() as session:
        return DatabaseClock().now(session).astimezone(UTC)


def _ready_runs(database: OpenDatabase) -> list[UUID]:
    with database.transaction() as session:
        now = DatabaseClock().now(session)
        job = make_job(session, make_organization(session))
        return [make_run(session, job, now=now) for _ in range(RUNS)]


def _count(database: OpenDatabase, query: Any) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _senders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sender")]
