"""Connections, and what their tests found, as the API says it."""

from uuid import UUID

from app.api.connection_shapes import ConnectionOut, ConnectionScheduleOut, QuotaOut
from app.ops.connection_facts import ConnectionFacts
from app.ops.quota_runway import QuotaRunway


def connection_out(
    facts: ConnectionFacts, job_id: UUID | None = None, quota: QuotaRunway | None = None
) -> ConnectionOut:
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
        quota=None if quota is None else _quota(quota),
        schedules=[
            ConnectionScheduleOut(id=one.id, name=one.name, enabled=one.enabled, is_paused_for_it=one.is_paused_for_it)
            for one in facts.schedules
        ],
    )


def _quota(quota: QuotaRunway) -> QuotaOut:
    return QuotaOut(
        used_percent=quota.used_percent,
        as_of=quota.as_of,
        refills_at=quota.refills_at,
        is_filled=quota.is_filled,
        cost_percent=quota.cost_percent,
        planned=quota.planned,
        runs_dry_at=quota.runs_dry_at,
        rests_until=quota.rests_until,
        rests_because=quota.rests_because,
    )
