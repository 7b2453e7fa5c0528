"""What is deleted because nobody needs it any more, and how little of it at once."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.core.clock import Clock
from app.core.ids import first_id_of, new_id
from app.core.schema import SchemaGate, newest_migration
from app.events.models import Event
from app.jobs.kinds.base import Level
from app.ops.batches import LARGEST_BATCH, LONGEST_SECONDS, SMALLEST_BATCH, delete_in_batches, next_size
from app.ops.heartbeats import ProcessFacts, beat
from app.ops.housekeeping import EVENTS_KEPT, Housekeeper
from app.ops.models import Heartbeat
from app.runs.models import Attempt, LogLine, Run
from app.runs.states import RunState
from app.schedules.models import Schedule
from app.syncs.models import FigureChange, Landing
from app.syncs.shop_models import ShopOrder, ShopSale
from app.syncs.shop_retention import KEEP_DAYS
from app.tenants.models import IdempotencyKey, SignInFailure
from tests.factories.figures import make_connection
from tests.factories.tenants import make_member
from tests.factories.work import make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

YEAR = timedelta(days=365)


def housekeeper(
    database: OpenDatabase, clock: Clock, *, runs_kept: timedelta | None = YEAR, changes_kept: timedelta | None = None
) -> Housekeeper:
    return Housekeeper(database, clock, SchemaGate(database, expected=newest_migration()), runs_kept, changes_kept)


def old_run(database: OpenDatabase, *, ended: datetime, lines: int = 3) -> UUID:
    with database.transaction() as session:
        organization_id = make_organization(session, name=f"Org {new_id()}")
        run_id = make_run(session, make_job(session, organization_id), now=ended)
        run = session.get_one(Run, run_id)
        run.state, run.finished_at = RunState.SUCCEEDED.value, ended
        common = {"run_id": run_id, "token": 1, "organization_id": organization_id}
        session.add(Attempt(**common, number=1, state="succeeded", worker="w", result={}, started_at=ended))
        session.flush()
        for number in range(lines):
            session.add(LogLine(**common, number=number, level=Level.INFO.value, text="x", at=ended))
        return run_id


def count(database: OpenDatabase, model: type) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(model)).one()


def old_order(order_id: str, at: datetime, here: dict[str, UUID]) -> ShopOrder:
    moments = {"created_at": at, "processed_at": at, "updated_at": at, "changed_at": at, "processed_day": at.date()}
    return ShopOrder(order_id=order_id, is_test=False, **moments, **here)


def sale_of(order_id: str, at: datetime, sale_id: str, here: dict[str, UUID]) -> ShopSale:
    words = {"agreement_id": "SalesAgreement/1", "reason": "ORDER", "action": "ORDER", "line_type": "PRODUCT"}
    amounts = {"amount": Decimal(1), "tax": Decimal(0), "discount": Decimal(0), "currency": "EUR"}
    return ShopSale(
        order_id=order_id, sale_id=sale_id, is_test=False, happened_at=at, day=at.date(), changed_at=at,
        **words, **amounts, **here,
    )  # fmt: skip


class TestTidying:
    def test_deletes_old_runs_with_their_tries_and_logs(self, database: OpenDatabase, clock: ManualClock) -> None:
        old_run(database, ended=clock.moment - YEAR - timedelta(days=1), lines=120)
        kept = old_run(database, ended=clock.moment - YEAR + timedelta(days=1))

        deleted = housekeeper(database, clock).tidy()

        assert (deleted["runs"], deleted["log_lines"]) == (1, 120)
        assert [count(database, model) for model in (Run, Attempt, LogLine)] == [1, 1, 3]
        with database.reading() as session:
            assert session.get(Run, kept) is not None

    def test_forgets_what_figures_were_long_ago(self, database: OpenDatabase, clock: ManualClock) -> None:
        old, new = clock.moment - timedelta(days=401), clock.moment - timedelta(days=99)
        with database.transaction() as session:
            connection = make_connection(session, make_organization(session))
            here = {"organization_id": connection.organization_id, "connection_id": connection.id}
            for at in (old, new):
                of = {"level": "campaign", "metric": "spend", "day": at.date(), "entity_id": "1", "run_id": new_id()}
                session.add(FigureChange(id=first_id_of(at), at=at, new_value=Decimal(1), **of, **here))
                days = {"first_day": at.date(), "last_day": at.date(), "days": 1, "rows_seen": 1, "rows_changed": 1}
                source = {"api_version": "v26.0", "mapping_version": 1, "flags": "", "run_id": new_id()}
                session.add(
                    Landing(
                        id=first_id_of(at), stream="campaigns", fetched_at=at, landed_at=at, **days, **source, **here
                    )
                )

        deleted = housekeeper(database, clock, changes_kept=timedelta(days=400)).tidy()

        assert (deleted["figure_changes"], deleted["landings"]) == (1, 1)
        assert (count(database, FigureChange), count(database, Landing)) == (1, 1)

    def test_forgets_sales_of_days_that_nobody_sums_any_more(self, database: OpenDatabase, clock: ManualClock) -> None:
        """An order lives as long as its newest sale."""
        old, new = clock.moment - timedelta(days=KEEP_DAYS + 8), clock.moment - timedelta(days=KEEP_DAYS)
        with database.transaction() as session:
            connection = make_connection(session, make_organization(session), service="shopify")
            here = {"organization_id": connection.organization_id, "connection_id": connection.id}
            for order_id, sold_at in (("Order/1", old), ("Order/2", new)):
                session.add(old_order(order_id, old, here))
                session.add(sale_of(order_id, old, "Sale/1", here))
                session.add(sale_of(order_id, sold_at, "Sale/2", here))

        deleted = housekeeper(database, clock).tidy()

        assert (deleted["shop_orders"], count(database, ShopOrder), count(database, ShopSale)) == (1, 1, 2)

    def test_keeps_runs_for_ever_where_that_is_wanted(self, database: OpenDatabase, clock: ManualClock) -> None:
        old_run(database, ended=clock.moment - 9 * YEAR)

        housekeeper(database, clock, runs_kept=None).tidy()

        assert count(database, Run) == 1

    def test_leaves_alone_what_is_not_over(self, database: OpenDatabase, clock: ManualClock) -> None:
        with database.transaction() as session:
            make_run(session, make_job(session, make_organization(session)), now=clock.moment - 2 * YEAR)

        housekeeper(database, clock).tidy()

        assert count(database, Run) == 1

    def test_keeps_what_a_run_that_goes_on_has_still_to_count(self, database: OpenDatabase, clock: ManualClock) -> None:
        child = old_run(database, ended=clock.moment - 2 * YEAR)
        with database.transaction() as session:
            run = session.get_one(Run, child)
            parent_job = make_job(session, run.organization_id, name="All")
            run.parent_run_id = make_run(session, parent_job, now=clock.moment - 2 * YEAR)

        housekeeper(database, clock).tidy()

        assert count(database, Run) == 2

    def test_deletes_old_facts_of_all_organizations(self, database: OpenDatabase, clock: ManualClock) -> None:
        for ended in (clock.moment - EVENTS_KEPT - timedelta(hours=1), clock.moment):
            old_run(database, ended=ended)
        before = count(database, Event)

        deleted = housekeeper(database, clock).tidy()

        assert (before, deleted["events"], count(database, Event)) == (2, 1, 1)

    def test_deletes_old_answers_tries_and_silent_processes(self, database: OpenDatabase, clock: ManualClock) -> None:
        ago = clock.moment - timedelta(days=2)
        with database.transaction() as session:
            member = make_member(session)
            key = {"organization_id": member.actor.organization_id, "user_id": member.user_id, "fingerprint": "f"}
            session.add(IdempotencyKey(**key, key="old", created_at=ago))
            session.add(IdempotencyKey(**key, key="new", created_at=clock.moment))
            session.add(SignInFailure(email_digest="d", address="a", at=ago))
            beat(session, ProcessFacts(new_id(), "gone", "1", 5, True), now=ago, ticked_at=None, tick_ms=None)

        housekeeper(database, clock).tidy()

        assert [count(database, model) for model in (IdempotencyKey, SignInFailure, Heartbeat)] == [1, 0, 0]

    def test_deletes_nothing_by_a_clock_that_was_set_meanwhile(
        self, database: OpenDatabase, clock: ManualClock
    ) -> None:
        keeper = housekeeper(database, clock)
        keeper.tidy()
        old_run(database, ended=clock.moment)
        clock.advance(days=3 * 365)

        deleted = keeper.tidy()

        assert (deleted, count(database, Run)) == ({}, 1)

    def test_stops_between_two_batches_when_its_process_does(self, database: OpenDatabase, clock: ManualClock) -> None:
        old_run(database, ended=clock.moment - 2 * YEAR)
        keeper = housekeeper(database, clock)
        keeper.close()

        assert keeper.tidy()["runs"] == 0


class TestBatches:
    def test_go_on_until_nothing_is_left(self) -> None:
        left = 1_000

        def delete(limit: int) -> int:
            nonlocal left
            taken = min(limit, left)
            left -= taken
            return taken

        assert delete_in_batches(delete, pause=lambda _seconds: None) == 1_000

    @pytest.mark.parametrize(
        ("size", "took", "following"),
        [
            (100, 0.001, 200),
            (100, LONGEST_SECONDS, 100),
            (100, 1.0, 50),
            (SMALLEST_BATCH, 1.0, SMALLEST_BATCH),
            (LARGEST_BATCH, 0.0, LARGEST_BATCH),
        ],
    )
    def test_are_made_to_take_a_moment(self, size: int, took: float, following: int) -> None:
        assert next_size(size, took) == following

    def test_give_others_at_least_as_long_a_turn(self) -> None:
        moments = iter([0.0, 0.3, 1.0, 1.0])
        pauses: list[float] = []
        counts = iter([50, 0])

        delete_in_batches(lambda _limit: next(counts), pause=pauses.append, ticks=lambda: next(moments))

        assert pauses == [0.3]


class TestCompleting:
    def test_works_out_the_minutes_of_schedules_from_before(self, database: OpenDatabase, clock: ManualClock) -> None:
        with database.transaction() as session:
            job = make_job(session, make_organization(session))
            old = make_schedule(session, job, cron="1 0 * * *").id
            unreadable = make_schedule(session, job, cron="R * * * *").id
            known = make_schedule(session, job, minutes=b"known").id

        looked_at = housekeeper(database, clock).complete()

        with database.reading() as session:
            kept = {found.id: found.minutes for found in session.scalars(select(Schedule))}
        assert looked_at == 2
        assert kept == {old: bytes([2]) + bytes(179), unreadable: b"", known: b"known"}
        assert housekeeper(database, clock).complete() == 0


class TestLoginsThatEnd:
    def test_are_warned_of_once_each(self, database: OpenDatabase, clock: ManualClock) -> None:
        for name in ("Northwind", "Southwind"):
            with database.transaction() as session:
                organization_id = make_organization(session, name=name)
                make_connection(session, organization_id, expires_at=clock.moment + timedelta(days=6))
        keeper = housekeeper(database, clock)

        told = [keeper.warn(), keeper.warn()]
        clock.advance(days=4)

        assert [*told, keeper.warn()] == [2, 0, 2]
        with database.transaction() as session:
            kinds = session.scalars(select(Event.kind)).all()
        assert set(kinds) == {"connection.expiring"}
