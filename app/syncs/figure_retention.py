"""Forgets what nobody asks for any more: what figures once were, and what old landings brought. Figures stay."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.ids import first_id_of
from app.syncs.models import FigureChange, Landing
from app.syncs.streams import KEEP_LANDINGS

# Ids are made by the machines' own clocks, which may be ahead of the database's.
_CLOCKS_APART = timedelta(hours=1)


def forget_changes(session: Session, *, organization_id: UUID, before: datetime, limit: int) -> int:
    """Delete at most `limit` changes of figures that are older than an instant."""
    # Ids grow with time, so that the primary key leads to the oldest.
    old = (
        select(FigureChange.id)
        .where(FigureChange.id < first_id_of(before + _CLOCKS_APART), FigureChange.at < before)
        .where(FigureChange.organization_id == organization_id)
        .order_by(FigureChange.id)
        .limit(limit)
    )
    return _delete(session, FigureChange, old)


def forget_landings(session: Session, *, organization_id: UUID, now: datetime, limit: int) -> int:
    """The same for landings from which nothing is learnt any more, of streams that nobody syncs now as well."""
    before = now - KEEP_LANDINGS
    old = (
        select(Landing.id)
        .where(Landing.id < first_id_of(before + _CLOCKS_APART), Landing.fetched_at < before)
        .where(Landing.organization_id == organization_id)
        .order_by(Landing.id)
        .limit(limit)
    )
    return _delete(session, Landing, old)


def _delete(session: Session, table: type[FigureChange] | type[Landing], old: Select[UUID]) -> int:
    # Fetched first: under row security PostgreSQL makes no use of an index for a list that it has to find out.
    ids = list(session.scalars(old))
    if not ids:
        return 0
    return count_changed(session, delete(table).where(table.id.in_(ids)).execution_options(synchronize_session=False))
