"""The floor of throughput: huey as it comes, with a quiet log and messages like ours, whose tasks do nothing."""

import argparse
import threading
import time
from pathlib import Path

from huey import Huey, RedisHuey, SqliteHuey
from sqlalchemy.engine import make_url

from app.core.ids import new_id
from app.queue.messages import JSONSerializer

THREADS = 8


def open_huey(broker_url: str) -> Huey:
    """A queue of its own on the same broker."""
    name = f"floor-{new_id()}"
    if not broker_url.startswith("sqlite"):
        return RedisHuey(name, url=broker_url, serializer=JSONSerializer())
    path = Path(make_url(broker_url).database or "").with_name(f"{name}.db")
    return SqliteHuey(name, filename=str(path), serializer=JSONSerializer())


def main() -> None:
    """Fill the queue, work it off, and print how many tasks that were in a second, by one process as our worker is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("broker_url")
    parser.add_argument("tasks", type=int)
    options = parser.parse_args()
    huey = open_huey(options.broker_url)
    ends: list[float] = []
    is_over = threading.Event()

    def do_nothing(run_id: str) -> None:
        ends.append(time.perf_counter())
        if len(ends) == options.tasks:
            is_over.set()

    task = huey.task()(do_nothing)
    ids = [str(new_id()) for _ in range(options.tasks)]
    consumer = huey.create_consumer(workers=THREADS, periodic=False, max_delay=0.5)
    began = time.perf_counter()
    # Handing out is counted: so it is where our worker hands out its own hints.
    for run_id in ids:
        task(run_id=run_id)
    consumer.start()
    is_over.wait()
    print(options.tasks / (max(ends) - began))
    consumer.stop(graceful=True)


if __name__ == "__main__":
    main()
