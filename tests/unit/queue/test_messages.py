"""What travels on the broker: JSON with ids, and nothing that can become code."""

import json
import pickle
from typing import Any

import pytest
from huey import MemoryHuey

from app.queue.messages import JSONSerializer
from app.queue.tasks import make_tasks


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("the message was unpickled",))


@pytest.fixture
def huey() -> MemoryHuey:
    return MemoryHuey("test", results=False, serializer=JSONSerializer())


class TestMessages:
    def test_come_back_as_they_were_sent(self, huey: MemoryHuey) -> None:
        seen: list[str] = []
        hints = make_tasks(huey, execute=lambda run_id: seen.append(str(run_id)), tick=None)
        run_id = "01890000-0000-7000-8000-000000000001"
        hints.send([run_id])  # type: ignore[list-item]

        huey.execute(huey.dequeue())

        assert seen == [run_id]

    def test_are_plain_json(self, huey: MemoryHuey) -> None:
        hints = make_tasks(huey, execute=lambda run_id: None, tick=None)
        hints.send(["01890000-0000-7000-8000-000000000001"])  # type: ignore[list-item]

        (raw,) = huey.storage.enqueued_items()

        assert json.loads(raw)["kwargs"] == {"run_id": "01890000-0000-7000-8000-000000000001"}

    @pytest.mark.parametrize(
        "hostile",
        [
            pickle.dumps(Trap()),
            b"\x80\x04",
            b"[1, 2]",
            b'{"name": "execute_run", "surprise": 1}',
            b'{"name": "execute_run", "args": ["x"]}',
        ],
    )
    def test_that_are_not_ours_are_refused(self, hostile: bytes) -> None:
        with pytest.raises(ValueError):
            JSONSerializer().deserialize(hostile)
