"""Connections, and what their tests found, as the API says it."""

from uuid import UUID

from app.api.connection_shapes import ConnectionOut, ConnectionScheduleOut
from app.ops.connection_facts import ConnectionFacts


def connection_out(facts: ConnectionFacts, job_id: UUID | None = None) -> ConnectionOut:
    row = facts.row
    return ConnectionOut(
        id=row.id,
        name=row.name,
        service=row.service,
        account_id=row.account_id,
        state=facts.standing,
        state_words=facts.words,
        timezone=row.zone,
        currency=row.currency,
        made_by=row.made_by,
        created_at=row.created_at,
        token_hint=row.secret_hint,
        token_set_at=row.secret_set_at,
        expires_at=row.expires_at,
        data_expires_at=row.data_expires_at,
        expiry_known_at=row.expiry_known_at,
        last_tested_at=row.last_tested_at,
        last_test_good=row.last_test_good,
        last_test_words=row.last_test_words,
        last_used_at=row.last_used_at,
        refused_at=row.refused_at,
        refused_reason=row.refused_reason,
        ended_at=row.ended_at,
        job_id=job_id,
        schedules=[
            ConnectionScheduleOut(id=one.id, name=one.name, enabled=one.enabled, is_paused_for_it=one.is_paused_for_it)
            for one in facts.schedules
        ],
    )
