"""Whether a sync has the connection it needs. Nobody can make one in this version, so none has."""

from collections.abc import Mapping
from typing import Any

from app.jobs.kinds.base import KindName
from app.jobs.services import SERVICE_NAMES, Service

# Asked of each schedule of a list.
_SYNC = KindName.SYNC.value


def needs_connection(kind: str) -> bool:
    """Whether jobs of this kind cannot start before somebody connects an account."""
    return kind == _SYNC


def what_to_connect(definition: Mapping[str, Any]) -> str:
    """What to do about it, for a person."""
    return f"This sync needs a connection to {service_name(definition)}, and there is none. Connect an account first."


def service_name(definition: Mapping[str, Any]) -> str:
    """The service as people call it."""
    word = str(definition.get("service", ""))
    return SERVICE_NAMES[Service(word)] if word in set(Service) else f"“{word}”"
