"""A connection to land figures in, the way a worker does, and a look at what is in the tables then."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.scopes import Scope
from app.syncs.days import DayRange
from app.syncs.figures import FetchedWindow, Figure, Level, Metric, Stream
from app.syncs.landing import HoldRun, Landed, land_window
from app.syncs.models import FigureChange, LandedEntity, LandedFigure, Landing, StreamState
from app.syncs.series import Wanted
from tests.factories.figures import campaign, days_from, figure, make_connection, window
from tests.factories.work import make_organization
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

FIRST = date(2026, 11, 1)
# In Riga the 20th has begun.
FETCHED = utc("2026-11-20 05:00")
RUN = new_id()


def held(_session: Session) -> None:
    """A run that is still its attempt's."""


def figures(days: int = 3, campaigns: int = 2, *, first: date = FIRST, spend: str = "11.97") -> list[Figure]:
    """Spend and clicks of some campaigns, each day and each campaign with numbers of its own."""
    entities = [campaign(str(number)) for number in range(campaigns)]
    return [
        one
        for offset, day in enumerate(days_from(first, days))
        for number, entity in enumerate(entities)
        for one in (
            figure(day, entity, Metric.SPEND, Decimal(spend) + offset + Decimal(number) / 100),
            figure(day, entity, Metric.CLICKS, 10 * offset + number),
        )
    ]


@dataclass(frozen=True)
class KpiWorld:
    """One connection of one organization."""

    database: OpenDatabase
    organization_id: UUID
    connection_id: UUID

    @classmethod
    def make(cls, database: OpenDatabase, **columns: Any) -> "KpiWorld":
        with database.transaction() as session:
            organization_id = make_organization(session)
            return cls(database, organization_id, make_connection(session, organization_id, **columns).id)

    @property
    def scope(self) -> Scope:
        return Scope.tenant(self.organization_id)

    def window(
        self, fetched: list[Figure], *, first: date = FIRST, days: int = 3, fetched_at: datetime = FETCHED, **more: Any
    ) -> FetchedWindow:
        last = first + timedelta(days=days - 1)
        return window(fetched, first_day=first, last_day=last, fetched_at=fetched_at, **more)

    def land(self, fetched: FetchedWindow, *, run_id: UUID = RUN, hold_run: HoldRun = held) -> Landed:
        with self.database.transaction(self.scope) as session:
            return self.land_in(session, fetched, run_id=run_id, hold_run=hold_run)

    def land_in(
        self, session: Session, fetched: FetchedWindow, *, run_id: UUID = RUN, hold_run: HoldRun = held
    ) -> Landed:
        return land_window(
            session,
            organization_id=self.organization_id,
            connection_id=self.connection_id,
            run_id=run_id,
            window=fetched,
            hold_run=hold_run,
            now=fetched.fetched_at + timedelta(minutes=1),
        )

    def wanted(self, metric: Metric = Metric.SPEND, *, days: int = 3, **more: Any) -> Wanted:
        last = FIRST + timedelta(days=days - 1)
        return Wanted(self.organization_id, (self.connection_id,), metric, DayRange(FIRST, last), **more)

    def table(self) -> dict[tuple[str, date, str], tuple[Decimal, str | None]]:
        """What counts: the live figures, by metric, day and entity."""
        with self.database.reading(self.scope) as session:
            rows = session.scalars(select(LandedFigure).where(LandedFigure.vanished_at.is_(None)))
            return {(row.metric, row.day, row.entity_id): (row.value, row.currency) for row in rows}

    def everything(self) -> list[list[tuple[Any, ...]]]:
        """All rows of figures and changes, to the last column."""
        with self.database.reading(self.scope) as session:
            return [
                sorted(map(tuple, session.execute(select(*table.__table__.columns))), key=str)
                for table in (LandedFigure, FigureChange, LandedEntity)
            ]

    def rows(self, table: type[Any]) -> list[Any]:
        with self.database.reading(self.scope) as session:
            return list(session.scalars(select(table)))

    def changes(self) -> list[tuple[str, date, str, Decimal | None, Decimal | None]]:
        found = [(row.metric, row.day, row.entity_id, row.old_value, row.new_value) for row in self.rows(FigureChange)]
        return sorted(found, key=str)

    def stream(self) -> StreamState:
        (row,) = self.rows(StreamState)
        assert isinstance(row, StreamState)
        return row

    def landings(self) -> list[Landing]:
        return self.rows(Landing)


def truth(fetched: list[Figure]) -> dict[tuple[str, date, str], tuple[Decimal, str | None]]:
    """What the table is to say once these are landed."""
    return {(one.metric.value, one.day, one.entity.id): (one.value, one.currency) for one in fetched}


REACH = Stream("reach", Level.ACCOUNT, frozenset({Metric.REACH}))
