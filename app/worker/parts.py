"""What worker and scheduler processes are put together from: everything that follows from their settings."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from app.core.clock import Clock, DatabaseClock
from app.core.config import Settings
from app.core.http import OutboundClient
from app.core.key_rings import key_ring
from app.core.schema import SchemaGate, newest_migration
from app.core.sealing import Sealer
from app.core.version import VERSION
from app.jobs.kinds.base import JobKinds
from app.jobs.kinds.code.supply import GuardSupply
from app.notifications.couriers.judging import LazySender
from app.notifications.couriers.office import couriers
from app.notifications.messages.writing import Press
from app.notifications.sender import Sender
from app.notifications.sending import Dispatch
from app.notifications.teller import Teller
from app.ops.bookkeeping import Bookkeeper
from app.ops.bulk.carrier import BulkCarrier
from app.ops.canary.watch import CanaryWatch
from app.ops.capacity import live_slots
from app.ops.code_loader import CodeLoader
from app.ops.heartbeats import facts_of_this_process
from app.ops.housekeeping import Housekeeper
from app.ops.kinds import guard_supply, job_kinds
from app.ops.pulse import Pulse
from app.ops.statistics import Statistics
from app.queue.dispatch import Dispatcher
from app.queue.finder import Finder
from app.queue.hints import Hints
from app.queue.scheduler import Scheduler
from app.queue.served import Served
from app.queue.slots import Slots
from app.runs.claims import LeaseTerms
from app.runs.executor import Executor
from app.runs.facts import Taking
from app.runs.keeper import Keeper
from app.runs.tally import Tally
from app.worker.pools import Pools
from app.worker.stand_in import StandIn

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    """What worker and scheduler processes share."""

    settings: Settings
    pools: Pools
    clock: Clock
    schema: SchemaGate
    kinds: JobKinds
    functions: GuardSupply
    sealer: Sealer
    served: Served = field(default_factory=Served)

    @classmethod
    def from_settings(cls, settings: Settings, *, queues: Collection[str] | None = None) -> "Parts":
        pools = Pools.open(settings)
        schema = SchemaGate(
            pools.beat,
            expected=newest_migration(),
            is_strict=settings.is_production,
            others=(pools.work, pools.tick, pools.tell),
        )
        schema.refuse_powerful_login()
        functions = guard_supply(settings)
        kinds = job_kinds(settings, functions)
        return cls(
            settings, pools, DatabaseClock(), schema, kinds, functions, Sealer(key_ring(settings)), Served(queues)
        )

    def pulse(
        self, *, slots: int, schedules: bool, tally: Tally | None = None, queues: frozenset[str] | None = None
    ) -> Pulse:
        facts = facts_of_this_process(version=VERSION, slots=slots, schedules=schedules, queues=queues)
        problem = self.schema.sentence()
        if problem is not None:
            log.error("database cannot be used", extra={"problem": problem})
        return Pulse(self.pools.beat, self.clock, self.schema, facts, Statistics(tally))

    def housekeeper(self) -> Housekeeper:
        days = self.settings.retention_days
        changes = self.settings.figure_changes_days
        return Housekeeper(
            self.pools.tick,
            self.clock,
            self.schema,
            timedelta(days=days) if days else None,
            timedelta(days=changes) if changes else None,
        )

    def bookkeeper(self) -> Bookkeeper:
        return Bookkeeper(self.pools.tick, self.clock, self.schema)

    def teller(self) -> Teller:
        return Teller(self.pools.tick, self.clock, self.schema)

    def canary_watch(self) -> CanaryWatch:
        url = self.settings.heartbeat_url
        # It calls that one address and no other.
        http = LazySender(lambda: OutboundClient(own_urls=() if url is None else (url,)))
        return CanaryWatch(self.pools.tick, self.clock, self.schema, self.settings.canary, url, http)

    def stand_in(self) -> StandIn:
        return StandIn(self.pools.tick, self.clock, self.schema, self.teller())

    def bulk_carrier(self, dispatcher: Dispatcher) -> BulkCarrier:
        return BulkCarrier(self.pools.tick, self.clock, self.schema, dispatcher.dispatch)

    def sender(self) -> Sender:
        press = Press(self.settings.public_url)
        can_mail = self.settings.mail is not None
        dispatch = Dispatch(self.pools.tell, self.clock, self.sealer, couriers(self.settings), press, can_mail)
        return Sender(dispatch, self.schema)

    def code_loader(self) -> CodeLoader:
        return CodeLoader(self.pools.tick, self.clock, self.schema, self.settings)

    def keeper(self) -> Keeper:
        beat = self.settings.heartbeat_seconds
        return Keeper(database=self.pools.beat, clock=self.clock, terms=self._terms, heartbeat_seconds=beat)

    def executor(self, keeper: Keeper, *, worker: str, tally: Tally | None = None) -> Executor:
        return Executor(
            database=self.pools.work,
            kinds=self.kinds,
            clock=self.clock,
            http=OutboundClient(allowed_private=self.settings.allowed_private_addresses),
            sealer=self.sealer,
            worker=worker,
            terms=self._terms,
            keeper=keeper,
            tally=tally or Tally(),
            taking=Taking(self.served.named, is_called_alone=True),
        )

    def finder(
        self,
        slots: Slots,
        dispatcher: Dispatcher,
        *,
        is_broker_away: Callable[[], bool],
        execute: Callable[[UUID], bool],
    ) -> Finder:
        return Finder(
            database=self.pools.tick,
            clock=self.clock,
            schema=self.schema,
            slots=slots,
            served=self.served,
            is_broker_away=is_broker_away,
            execute=execute,
            retry_in=dispatcher.come_back_in,
        )

    @property
    def _terms(self) -> LeaseTerms:
        return LeaseTerms.for_lease(self.settings.lease_seconds)

    def dispatcher(self, hints: Hints) -> Dispatcher:
        # The scheduler waits for it after each tick, so it waits for an answer no longer than the tick does.
        slots, served = self.settings.workers, self.served
        return Dispatcher(self.pools.tick, self.clock, hints, live_slots, own_slots=slots, served=served, stays=True)

    def scheduler(self, dispatcher: Dispatcher, pulse: Pulse) -> Scheduler:
        return Scheduler(
            database=self.pools.tick,
            clock=self.clock,
            schema=self.schema,
            kinds=self.kinds,
            dispatcher=dispatcher,
            poll_seconds=self.settings.poll_seconds,
            sweep_seconds=self.settings.sweep_seconds,
            hold_seconds=self.settings.lease_seconds,
            first_sweep_seconds=self.settings.heartbeat_seconds,
            report=pulse.note_tick,
        )
