"""Where hints lie on their way: lists in Redis, or a SQLite file. Neither keeps anything but hints."""

import random
import threading
from collections.abc import Collection
from datetime import datetime
from typing import Any

from huey.storage import RedisStorage, SqliteStorage
from redis import ConnectionPool, Redis, UnixDomainSocketConnection
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from app.queue.served import Served

# Threads ask the file this often when nothing is to do. Hints of their own process wake them at once.
POLL_SECONDS = 0.2

# How long Redis lets a reader wait for a hint. Its answer has to be waited for longer, or silence would look like
# a broken connection.
REDIS_POLL_SECONDS = 1
READ_SECONDS = 3.0
# Pages send. They wait this long for a connection and this long for an answer, and no longer.
SEND_SECONDS = 1.0
# A connection that was idle for so long is asked for a sign of life before it is relied on.
HEALTH_CHECK_SECONDS = 15


class HintsAlone:
    """huey's revocations and planned tasks, which we never use: so they cost no question and cannot be forged."""

    # huey: dequeue waits by itself, the consumer need not sleep.
    blocking = True

    def peek_many(self, keys: list[str]) -> dict[str, bytes]:
        return {}

    def delete_data(self, key: str) -> bool:
        return False

    def read_schedule(self, ts: datetime) -> list[bytes]:
        return []


class FileQueue(HintsAlone, SqliteStorage):  # type: ignore[misc]
    """A SQLite file, whose readers wait for a writer of their own process, or a moment."""

    served: Served

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._news = threading.Condition()
        super().__init__(*args, **kwargs)

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        self._add([(self.name, data)])

    def send_hints(self, hints: list[tuple[str, bytes]]) -> None:
        """Each in its queue; all or none of them."""
        self._add([(self._lane(queue), data) for queue, data in hints])

    def count_hints(self, queues: Collection[str]) -> dict[str, int]:
        """How many lie in each of these queues."""
        found = dict(self.sql("SELECT queue, count(*) FROM task GROUP BY queue", (), results=True))
        return {queue: int(found.get(self._lane(queue), 0)) for queue in queues}

    def queue_size(self) -> int:
        return int(self.sql("SELECT count(*) FROM task", (), results=True)[0][0])

    def dequeue(self) -> bytes | None:
        found = self._take()
        if found is None:
            with self._news:
                self._news.wait(POLL_SECONDS)
            found = self._take()
        return found

    def flush_queue(self) -> None:
        self.sql("DELETE FROM task", (), commit=True)

    def _add(self, rows: list[tuple[str, bytes]]) -> None:
        with self.db(commit=True) as cursor:
            cursor.executemany("INSERT INTO task (queue, data) VALUES (?, ?)", rows)
        with self._news:
            self._news.notify(len(rows))

    def _take(self) -> bytes | None:
        """The oldest of all that is waited for."""
        names = [self.name, *(self._lane(queue) for queue in self.served.names)]
        marks = ", ".join("?" for _ in names)
        oldest = f"SELECT id, data FROM task WHERE queue IN ({marks}) ORDER BY id LIMIT 1"  # noqa: S608 - marks alone
        # Without the write lock at first: mostly nothing is there.
        if not self.sql(oldest, names, results=True):
            return None
        with self.db(commit=True) as cursor:
            found = cursor.execute(oldest, names).fetchone()
            if found is None:
                return None
            cursor.execute("DELETE FROM task WHERE id = ?", (found[0],))
            return bytes(found[1])

    def _lane(self, queue: str) -> str:
        return f"{self.name}.{queue}"


class RedisQueue(HintsAlone, RedisStorage):  # type: ignore[misc]
    """A list in Redis for each queue. Those who wait for hints and those who send them have own connections."""

    served: Served

    def __init__(self, name: str, *, url: str) -> None:
        super().__init__(name, read_timeout=REDIS_POLL_SECONDS, connection_pool=_pool(url, READ_SECONDS))
        # Each thread that waits for hints keeps a connection: to fetch one and bring it back costs as much as to ask.
        self._of_thread = threading.local()
        self._sender = Redis(connection_pool=_pool(url, SEND_SECONDS))

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        self._sender.lpush(self.queue_key, data)

    def send_hints(self, hints: list[tuple[str, bytes]]) -> None:
        """Each in its queue; all or none of them."""
        of_queue: dict[str, list[bytes]] = {}
        for queue, data in hints:
            of_queue.setdefault(self._key(queue), []).append(data)
        if len(of_queue) == 1:
            ((key, messages),) = of_queue.items()
            self._sender.lpush(key, *messages)
            return
        with self._sender.pipeline(transaction=True) as together:
            for key, messages in of_queue.items():
                together.lpush(key, *messages)
            together.execute()

    def count_hints(self, queues: Collection[str]) -> dict[str, int]:
        """How many lie in each of these queues."""
        names = list(queues)
        with self._sender.pipeline(transaction=False) as together:
            for queue in names:
                together.llen(self._key(queue))
            return {queue: int(number) for queue, number in zip(names, together.execute(), strict=True)}

    def dequeue(self) -> bytes | None:
        keys = [self.queue_key, *(self._key(queue) for queue in self.served.names)]
        # Redis looks into them in this order, so a different one each time gives every queue its turn.
        random.shuffle(keys)
        # huey's own takes a connection that does not answer for an empty queue.
        found: Any = self._reader().brpop(keys, timeout=self.read_timeout)
        return None if found is None else bytes(found[1])

    def _reader(self) -> Redis:
        if not hasattr(self._of_thread, "reader"):
            self._of_thread.reader = Redis(connection_pool=self.pool, single_connection_client=True)
        reader: Redis = self._of_thread.reader
        return reader

    def queue_size(self) -> int:
        return int(self._sender.llen(self.queue_key)) + sum(self.count_hints(self.served.known).values())

    def flush_queue(self) -> None:
        self.conn.delete(self.queue_key, *(self._key(queue) for queue in self.served.known))

    def _key(self, queue: str) -> str:
        return f"{self.queue_key}.{queue}"


def _pool(url: str, seconds: float) -> ConnectionPool:
    """Connections that give up after so many seconds. What the URL itself says of time-outs wins."""
    pool = ConnectionPool.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        health_check_interval=HEALTH_CHECK_SECONDS,
        # A connection that Redis closed, for instance by a restart, is made anew at once. One that hangs is not.
        retry=Retry(NoBackoff(), 1, (RedisConnectionError,)),
        # The plain protocol needs fewer questions before the first command.
        protocol=2,
        driver_info=None,
    )
    if not issubclass(pool.connection_class, UnixDomainSocketConnection):
        pool.connection_kwargs["socket_keepalive"] = True
    return pool
