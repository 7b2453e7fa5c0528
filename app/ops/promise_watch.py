"""Looks every minute whether promised figures will be there in time, and tells of those that will not."""

from uuid import UUID

from app.core.clock import Clock
from app.core.db import Database
from app.core.scopes import ENGINE, Scope
from app.ops.stream_facts import standing_of
from app.ops.sync_starts import next_starts
from app.syncs.promises import has_to_be_told, organizations_with_promises, tell_standing
from app.syncs.stream_rows import list_streams


def tell_promises(database: Database, clock: Clock) -> int:
    """Tell of every promise at stake that nobody was told of. Returns how many were told."""
    with database.reading(ENGINE) as session:
        organizations = organizations_with_promises(session)
    return sum(_tell(database, clock, organization_id) for organization_id in organizations)


def _tell(database: Database, clock: Clock, organization_id: UUID) -> int:
    scope = Scope.tenant(organization_id)
    with database.reading(scope) as session:
        now = clock.now(session)
        rows = [
            row
            for row in list_streams(session, organization_id=organization_id)
            if row.promised_minute is not None and not row.is_ended
        ]
        ids = {row.connection_id for row in rows}
        starts = next_starts(session, organization_id=organization_id, connection_ids=ids)
    standings = [(row, standing_of(row, next_start=starts.get(row.connection_id), now=now)) for row in rows]
    news = [(row, found) for row, found in standings if found is not None and has_to_be_told(row, found)]
    if not news:
        return 0
    with database.transaction(scope) as session:
        return sum(tell_standing(session, row, found, organization_id=organization_id, now=now) for row, found in news)
