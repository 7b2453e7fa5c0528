"""Counts requests: in Redis when that is the broker, and in this process when it is away."""

import time
from collections.abc import Callable
from math import ceil
from typing import TypeVar

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from app.api.rates import Allowance, PerMinute
from app.queue.link import BrokerAway, Errand, Link

# An answer must not wait longer than this for a counter. After a failure the link spares Redis for two seconds.
_REDIS_SECONDS = 0.25
_PREFIX = "belfry-limits"

Told = TypeVar("Told")


class Counters:
    """Shared by all web processes through Redis; each process's own where there is none or it is away."""

    def __init__(self, broker_url: str) -> None:
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = None if broker_url.startswith("sqlite") else _redis_limiter(broker_url)
        self._link = Link()

    def hit(self, rate: PerMinute, who: str) -> Allowance:
        """Count a request, unless there were too many already."""
        item = _item(rate)
        return self._ask(lambda limiter: _allowance(limiter, item, who, is_spent=not limiter.hit(item, who)))

    def look(self, rate: PerMinute, who: str) -> Allowance:
        """Count nothing."""
        item = _item(rate)
        return self._ask(lambda limiter: _allowance(limiter, item, who, is_spent=not limiter.test(item, who)))

    def _ask(self, question: Callable[[SlidingWindowCounterRateLimiter], Told]) -> Told:
        if self._shared is not None:
            try:
                with self._link.asking_unless_away(Errand.GIVE):
                    return question(self._shared)
            except BrokerAway:
                # Counted here instead: requests go on, and a flood still ends somewhere.
                pass
        return question(self._own)


def _item(rate: PerMinute) -> RateLimitItem:
    return RateLimitItemPerMinute(rate.amount, namespace=rate.namespace)


def _allowance(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, who: str, *, is_spent: bool) -> Allowance:
    window = limiter.get_window_stats(item, who)
    seconds = max(1, ceil(window.reset_time - time.time()))
    return Allowance(item.amount, 0 if is_spent else window.remaining, seconds, is_spent)


def _redis_limiter(url: str) -> SlidingWindowCounterRateLimiter:
    pool = ConnectionPool.from_url(
        url,
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
        # A connection that Redis closed, for instance by a restart, is made anew at once. One that hangs is not.
        retry=Retry(NoBackoff(), 1, (RedisConnectionError,)),
        protocol=2,
        driver_info=None,
    )
    return SlidingWindowCounterRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix=_PREFIX))
