"""What a sync job says: the service, the connection it reads from or pushes to, and what of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.jobs.kinds.base import DefinitionInvalid
from app.jobs.services import Service, is_destination
from app.syncs.sheets.plan import PushPlan, read_plan
from app.syncs.sources import Source

Sources = Mapping[Service, Source]


@dataclass(frozen=True)
class SyncDefinition:
    """Without a connection it cannot start yet; without streams it reads all that its service has.

    One of a service that figures are pushed to has a plan instead of streams.
    """

    service: Service
    connection_id: UUID | None = None
    streams: tuple[str, ...] = ()
    push: PushPlan | None = None

    def as_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"service": self.service.value}
        if self.connection_id is not None:
            said["connection_id"] = str(self.connection_id)
        if self.streams:
            said["streams"] = list(self.streams)
        if self.push is not None:
            said["push"] = self.push.as_json()
        return said


def read_sync(definition: Mapping[str, Any], *, sources: Sources) -> SyncDefinition:
    """The definition as it is meant. Raises DefinitionInvalid, naming each field."""
    service = definition.get("service")
    known = {"service", "connection_id", "push" if is_destination(service) else "streams"}
    problems = {name: f"“{name}” is not known here. Take it out." for name in sorted(map(str, set(definition) - known))}
    if service not in set(Service):
        problems["service"] = f"“service” has to be one of: {', '.join(Service)}."
        raise DefinitionInvalid(problems)
    connection_id = _connection(definition.get("connection_id"), problems)
    push = read_plan(definition.get("push"), problems) if is_destination(service) else None
    streams = _streams(definition.get("streams"), Service(service), sources, problems) if push is None else ()
    if problems:
        raise DefinitionInvalid(problems)
    return SyncDefinition(Service(service), connection_id, streams, push)


def _connection(said: Any, problems: dict[str, str]) -> UUID | None:
    if said is None or said == "":
        return None
    try:
        return UUID(said)
    except (ValueError, AttributeError, TypeError):
        problems["connection_id"] = "“connection_id” has to be the id of a connection."
        return None


def _streams(said: Any, service: Service, sources: Sources, problems: dict[str, str]) -> tuple[str, ...]:
    if said is None or said == []:
        return ()
    known = tuple(sources[service].streams) if service in sources else ()
    if not isinstance(said, list) or any(name not in known for name in said):
        which = f"of: {', '.join(known)}" if known else "empty: this version cannot read that service yet"
        problems["streams"] = f"“streams” has to be a list {which}."
        return ()
    # In the order in which they are read, and each once.
    return tuple(name for name in known if name in said)
