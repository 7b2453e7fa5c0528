"""The kind of job that reads a service. Belfry makes these jobs itself, one for each service of an organization."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.jobs.kinds.base import DefinitionInvalid, Outcome, OutcomeStatus, RunContext, StopWay
from app.jobs.kinds.definitions import refuse_arguments
from app.jobs.kinds.sync.connection import service_name, what_to_connect
from app.jobs.services import Service
from app.vault.service import SecretOwner

MADE_BY_BELFRY = (
    "Belfry makes the sync jobs itself, one for each service. Change when and how they run, not what they read."
)


class SyncKind:
    """Knows what a sync is, and what it lacks."""

    def check(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        # As Belfry makes them; whoever changes one hands that in again.
        if set(definition) != {"service"} or definition["service"] not in set(Service):
            raise DefinitionInvalid({"service": MADE_BY_BELFRY})
        return dict(definition)

    def check_arguments(self, definition: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        return refuse_arguments(arguments, "A sync takes no parameters. Leave them out.")

    def store(
        self,
        session: Session,
        definition: Mapping[str, Any],
        *,
        owner: SecretOwner,
        before: Mapping[str, Any] | None,
        now: datetime,
    ) -> dict[str, Any]:
        return dict(definition)

    def secret_ids(self, definition: Mapping[str, Any]) -> frozenset[UUID]:
        # What signs a sync in belongs to its connection.
        return frozenset()

    def without_secrets(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        return dict(definition)

    def describe(self, definition: Mapping[str, Any]) -> str:
        return f"Reads {service_name(definition)}"

    def is_for_platform(self, definition: Mapping[str, Any]) -> bool:
        return False

    def may_repeat(self, definition: Mapping[str, Any]) -> bool:
        # It reads, and what it lands is landed again in the same place.
        return True

    def why_not_startable(self, definition: Mapping[str, Any]) -> str | None:
        return None

    def stop_way(self, definition: Mapping[str, Any]) -> StopWay:
        return StopWay.NEXT_CALL

    def run(self, definition: Mapping[str, Any], context: RunContext) -> Outcome:
        return Outcome(OutcomeStatus.FAILED, what_to_connect(definition), may_retry=False)
