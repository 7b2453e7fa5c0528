"""Forgets what nobody asks for any more: what figures once were, and what old landings brought. Figures stay."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.db import count_changed
from app.core.ids import first_id_of
from app.syncs.models import FigureChange, Landing
from app.syncs.streams import KEEP_LANDINGS

# Ids are made by the machines' own clocks, which may be ahead of the database's.
_CLOCKS_APART = timedelta(hours=1)


def forget_changes(session: Session, *, organization_id: UUID, before: datetime, limit: int) -> int:
    """Delete at most `limit` changes of figures that are older than an instant."""
    return _forget(session, FigureChange, FigureChange.at, organization_id, before, limit)


def forget_landings(session: Session, *, organization_id: UUID, now: datetime, limit: int) -> int:
    """The same for landings from which nothing is learnt any more, of streams that nobody syncs now as well."""
    return _forget(session, Landing, Landing.fetched_at, organization_id, now - KEEP_LANDINGS, limit)


def _forget(
    session: Session,
    table: type[FigureChange] | type[Landing],
    at: InstrumentedAttribute[datetime],
    organization_id: UUID,
    before: datetime,
    limit: int,
) -> int:
    # Ids grow with time, so that the primary key leads to the oldest. Fetched first: under row security PostgreSQL
    # makes no use of an index for a list that it has to find out.
    is_old = table.id < first_id_of(before + _CLOCKS_APART), at < before, table.organization_id == organization_id
    ids = list(session.scalars(select(table.id).where(*is_old).order_by(table.id).limit(limit)))
    if not ids:
        return 0
    return count_changed(session, delete(table).where(table.id.in_(ids)).execution_options(synchronize_session=False))
