"""Which connection a sync reads from, and what to do where it has none."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.jobs.kinds.base import KindName
from app.jobs.services import SERVICE_NAMES, Service, is_destination

# Asked of each schedule of a list.
_SYNC = KindName.SYNC.value


def connection_of(definition: Mapping[str, Any]) -> UUID | None:
    """The connection that a sync reads from; None where it has none, or names none that can be read."""
    said = definition.get("connection_id")
    try:
        return UUID(said) if isinstance(said, str) else None
    except ValueError:
        return None


def needs_connection(kind: str, connection_id: object) -> bool:
    """Whether a job of this kind cannot start before somebody connects an account."""
    return kind == _SYNC and not connection_id


def what_to_connect(definition: Mapping[str, Any]) -> str:
    """What to do about it, for a person."""
    what = "a spreadsheet" if is_destination(definition.get("service")) else "an account"
    return f"This sync needs a connection to {service_name(definition)}, and there is none. Connect {what} first."


def push_words(plan: Any) -> str:
    """`Pushes spend, clicks by campaign and day to Google Sheets: “Spend”`."""
    said = plan if isinstance(plan, Mapping) else {}
    metrics = said.get("metrics")
    what = ", ".join(str(one).replace("_", " ") for one in metrics) if isinstance(metrics, list) else "figures"
    by = f"{said.get('level', 'account')} and {said.get('grain', 'day')}"
    return f"Pushes {what} by {by} to Google Sheets: “{said.get('tab', '')}”"


def service_name(definition: Mapping[str, Any]) -> str:
    """The service as people call it."""
    word = str(definition.get("service", ""))
    return SERVICE_NAMES[Service(word)] if word in set(Service) else f"“{word}”"
