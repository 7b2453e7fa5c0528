"""Landings and data pages read what they are about, and no table from end to end."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.scopes import rescope
from app.syncs.figure_sources import first_days
from app.syncs.figures import Metric
from app.syncs.movements import list_entity_movements, list_movements
from app.syncs.series import each_figure, flagged_days, list_entities, list_figures, read_series
from tests.database.kpi_world import FETCHED, FIRST, KpiWorld, figures
from tests.database.test_query_plans import plans_of
from tests.fakes.database import OpenDatabase

TABLES = ("connections", "kpi_figures", "kpi_entities", "kpi_changes", "kpi_streams", "kpi_landings")
LATER = FETCHED + timedelta(hours=1)


@pytest.fixture
def world(database: OpenDatabase) -> KpiWorld:
    """Figures of several organizations, some of them changed."""
    worlds = [KpiWorld.make(database) for _ in range(3)]
    for each in worlds:
        each.land(each.window(figures(campaigns=20)))
        each.land(each.window(figures(campaigns=20, spend="5")[3:], fetched_at=LATER))
    if database.is_postgres:
        with database.transaction() as session:
            session.execute(text("ANALYZE"))
    return worlds[0]


@pytest.fixture
def tenant(world: KpiWorld, session: Session) -> Iterator[Session]:
    rescope(session, world.scope)
    yield session
    session.rollback()


def scans(plans: list[str]) -> list[str]:
    return [
        plan
        for plan in plans
        if any(
            (plan.startswith(f"SCAN {table}") and "USING" not in plan) or f"Seq Scan on {table}" in plan
            for table in TABLES
        )
    ]


class TestQueryPlans:
    def test_of_a_landing(self, world: KpiWorld, tenant: Session):
        again = world.window(figures(campaigns=20), fetched_at=LATER + timedelta(hours=1))

        plans = plans_of(tenant.get_bind(), lambda: world.land_in(tenant, again))

        assert scans(plans) == []
        assert any("kpi_landings" in plan for plan in plans)

    def test_of_a_series(self, engine: str, world: KpiWorld, tenant: Session):
        plans = plans_of(tenant.get_bind(), lambda: read_series(tenant, world.wanted(), lookback_days=28))

        assert scans(plans) == []
        assert engine == "sqlite" or any("pk_kpi_figures" in plan for plan in plans)

    def test_of_what_a_sum_is_made_of(self, world: KpiWorld, tenant: Session):
        plans = plans_of(tenant.get_bind(), lambda: list_entities(tenant, world.wanted(Metric.CLICKS), limit=5))

        assert scans(plans) == []

    def test_of_every_figure(self, world: KpiWorld, tenant: Session):
        plans = plans_of(tenant.get_bind(), lambda: list(each_figure(tenant, world.wanted(), batch=10)))

        assert scans(plans) == []

    def test_of_why_a_number_moved(self, world: KpiWorld, tenant: Session):
        movement = list_movements(tenant, world.wanted(), limit=1)[0]

        def ask() -> None:
            list_movements(tenant, world.wanted(), limit=5)
            list_entity_movements(tenant, world.wanted(), movement=movement, limit=5)

        plans = plans_of(tenant.get_bind(), ask)

        assert scans(plans) == []
        assert any("ix_kpi_changes_series" in plan for plan in plans)

    def test_of_what_is_known_of_days(self, world: KpiWorld, tenant: Session):
        wanted = world.wanted()
        here = {"organization_id": world.organization_id, "connection_ids": wanted.connection_ids}

        def ask() -> None:
            first_days(tenant, **here, level=wanted.level, metric=wanted.metric)
            flagged_days(tenant, wanted)
            list_figures(tenant, wanted, limit=10, after=(world.connection_id, FIRST, ""))

        assert scans(plans_of(tenant.get_bind(), ask)) == []
