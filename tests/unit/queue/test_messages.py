"""What travels on the broker: JSON with ids, and nothing that can become code or ask huey for more."""

import json
import pickle
from typing import Any
from uuid import UUID

import pytest
from huey.storage import MemoryStorage

from app.queue.broker import Carrier
from app.queue.called import Called
from app.queue.messages import JSONSerializer, MessageRefused
from app.queue.tasks import make_tasks

RUN_ID = UUID("01890000-0000-7000-8000-000000000001")
HINT = {"id": "x", "name": "app.queue.tasks.execute_run", "kwargs": {"run_id": str(RUN_ID)}}


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("the message was unpickled",))


class MemoryQueue(MemoryStorage):  # type: ignore[misc]
    """In memory, with what our queues can beside huey's."""

    def send_hints(self, hints: list[tuple[str, bytes]]) -> None:
        for _queue, message in hints:
            self.enqueue(message)


@pytest.fixture
def carrier() -> Carrier:
    return Carrier(storage_class=MemoryQueue)


def follow(carrier: Carrier, *messages: bytes) -> list[UUID]:
    """The runs that a worker looks at when these messages lie on the queue."""
    seen: list[UUID] = []
    make_tasks(carrier, execute=seen.append, tick=None)
    for message in messages:
        carrier.storage.enqueue(message)
    while carrier.pending_count():
        task = carrier.dequeue()
        if task is not None:
            carrier.execute(task)
    return seen


class TestMessages:
    def test_come_back_as_they_were_sent(self, carrier: Carrier) -> None:
        seen: list[UUID] = []
        hints = make_tasks(carrier, execute=seen.append, tick=None)
        hints.send([Called(RUN_ID, "code")])

        carrier.execute(carrier.dequeue())

        assert seen == [RUN_ID]

    def test_carry_an_id_and_nothing_else(self, carrier: Carrier) -> None:
        make_tasks(carrier, execute=lambda run_id: None, tick=None).send([Called(RUN_ID, "code")])

        (raw,) = carrier.storage.enqueued_items()

        assert json.loads(raw).keys() == {"id", "name", "kwargs"}
        assert json.loads(raw)["kwargs"] == {"run_id": str(RUN_ID)}

    def test_of_the_version_before_are_understood(self, carrier: Carrier) -> None:
        old = HINT | {"retries": 0, "retry_delay": 0, "args": []}

        assert follow(carrier, json.dumps(old).encode()) == [RUN_ID]

    def test_may_say_more_than_this_version_knows(self, carrier: Carrier) -> None:
        newer = HINT | {"kwargs": {"run_id": str(RUN_ID), "priority": "high"}}

        assert follow(carrier, json.dumps(newer).encode()) == [RUN_ID]

    @pytest.mark.parametrize(
        "hostile",
        [
            pickle.dumps(Trap()),
            b"\x80\x04",
            b"[1, 2]",
            b"[" * 100_000,
            b'{"name": "execute_run", "surprise": 1}',
            b'{"name": "execute_run", "args": ["x"]}',
            json.dumps(HINT | {"retries": 1_000_000}).encode(),
            json.dumps(HINT | {"eta": "2027-01-01"}).encode(),
            json.dumps(HINT | {"on_complete": [1]}).encode(),
            json.dumps(HINT | {"kwargs": ["run_id"]}).encode(),
            json.dumps(HINT | {"id": {"not": "a text"}}).encode(),
        ],
    )
    def test_that_are_not_ours_are_refused(self, hostile: bytes) -> None:
        with pytest.raises(MessageRefused):
            JSONSerializer().deserialize(hostile)

    @pytest.mark.parametrize(
        "foreign",
        [
            pickle.dumps(Trap()),
            json.dumps(HINT | {"name": "os.system"}).encode(),
            json.dumps(HINT | {"kwargs": {}}).encode(),
            json.dumps(HINT | {"kwargs": {"run_id": "../../etc/passwd"}}).encode(),
            json.dumps(HINT | {"kwargs": {"run_id": [1, 2]}}).encode(),
        ],
    )
    def test_that_are_not_ours_cost_the_next_one_nothing(
        self, carrier: Carrier, foreign: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        seen = follow(carrier, foreign, json.dumps(HINT).encode())

        assert seen == [RUN_ID]
        assert [record.levelname for record in caplog.records if record.levelno > 20] == []

    def test_of_the_minute_pass_a_worker_without_scheduler(
        self, carrier: Carrier, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG", "app.queue")
        beats: list[bool] = []
        other = Carrier(storage_class=MemoryStorage)
        make_tasks(other, execute=lambda run_id: None, tick=lambda: beats.append(True))
        (tick,) = other.read_periodic(None)

        other.enqueue(tick)
        seen = follow(carrier, other.storage.dequeue())

        assert (seen, beats) == ([], [])
        assert "message refused" not in caplog.text
