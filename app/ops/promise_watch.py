"""Looks every minute whether promised figures will be there in time; tells of those that will not, and that do come."""

from typing import Any
from uuid import UUID

from app.core.clock import Clock
from app.core.db import Database
from app.core.scopes import ENGINE, Scope
from app.ops.stream_facts import standing_of
from app.ops.sync_starts import next_starts
from app.syncs.freshness import Freshness
from app.syncs.promises import has_to_be_told, organizations_with_promises, tell_over, tell_standing
from app.syncs.stream_rows import StreamRow, list_streams


def tell_promises(database: Database, clock: Clock) -> int:
    """Tell of every promise at stake that nobody was told of, and of what that is over. Returns how many were told."""
    with database.reading(ENGINE) as session:
        organizations = organizations_with_promises(session)
    return sum(_tell(database, clock, organization_id) for organization_id in organizations)


def _tell(database: Database, clock: Clock, organization_id: UUID) -> int:
    scope = Scope.tenant(organization_id)
    with database.reading(scope) as session:
        now = clock.now(session)
        rows = list_streams(session, organization_id=organization_id)
        promised = [row for row in rows if _is_promised(row)]
        ids = {row.connection_id for row in promised}
        starts = next_starts(session, organization_id=organization_id, connection_ids=ids)
    standings = [(row, standing_of(row, next_start=starts.get(row.connection_id), now=now)) for row in promised]
    news = [(row, found) for row, found in standings if found is not None and has_to_be_told(row, found)]
    kept = {id(row) for row, found in standings if found is not None and found.freshness is Freshness.FRESH}
    over = [row for row in rows if row.told is not None and (id(row) in kept or not _is_promised(row))]
    if not news and not over:
        return 0
    here: dict[str, Any] = {"organization_id": organization_id, "now": now}
    with database.transaction(scope) as session:
        told = sum(tell_standing(session, row, found, **here) for row, found in news)
        return told + sum(tell_over(session, row, is_kept=id(row) in kept, **here) for row in over)


def _is_promised(row: StreamRow) -> bool:
    return row.promised_minute is not None and not row.is_ended
