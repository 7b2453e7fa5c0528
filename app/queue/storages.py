"""Where hints lie on their way: a Redis list, or a SQLite file. Neither keeps anything but hints."""

import threading
from datetime import datetime
from typing import Any

from huey.storage import RedisStorage, SqliteStorage
from redis import ConnectionPool, Redis, UnixDomainSocketConnection
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._news = threading.Condition()
        super().__init__(*args, **kwargs)

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        self.enqueue_many([data])

    def enqueue_many(self, messages: list[bytes]) -> None:
        """All or none of them."""
        with self.db(commit=True) as cursor:
            cursor.executemany("INSERT INTO task (queue, data) VALUES (?, ?)", [(self.name, data) for data in messages])
        with self._news:
            self._news.notify(len(messages))

    def dequeue(self) -> bytes | None:
        found: bytes | None = super().dequeue()
        if found is None:
            with self._news:
                self._news.wait(POLL_SECONDS)
            found = super().dequeue()
        return found


class RedisQueue(HintsAlone, RedisStorage):  # type: ignore[misc]
    """A list in Redis. Those who wait for hints and those who send them have connections of their own."""

    def __init__(self, name: str, *, url: str) -> None:
        super().__init__(name, read_timeout=REDIS_POLL_SECONDS, connection_pool=_pool(url, READ_SECONDS))
        self._sender = Redis(connection_pool=_pool(url, SEND_SECONDS))

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        self.enqueue_many([data])

    def enqueue_many(self, messages: list[bytes]) -> None:
        """All or none of them."""
        self._sender.lpush(self.queue_key, *messages)

    def dequeue(self) -> bytes | None:
        # huey's own takes a connection that does not answer for an empty queue.
        found = self.conn.brpop([self.queue_key], timeout=self.read_timeout)
        return None if found is None else bytes(found[1])

    def queue_size(self) -> int:
        return int(self._sender.llen(self.queue_key))


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
