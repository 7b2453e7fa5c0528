"""What a rule or a time of maintenance is about, as people name it: a schedule or job by its name, a service by its."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.called import LONGEST_PART, Named, meant_by
from app.core.errors import Invalid
from app.core.text import quoted, storable
from app.jobs.names import jobs_called
from app.jobs.services import SERVICE_NAMES
from app.notifications.types import ScopeKind
from app.schedules.names import schedules_called

# A name that so many have names none of them.
_MOST_MEANT = 5


class ScopeUnclear(Invalid):
    """The name is nobody's, or that of several."""


def value_of_scope(session: Session, *, organization_id: UUID, kind: str, text: str) -> str | None:
    """What is stored of it: an id, a tag, or the word of a service. An id may be given in place of a name.

    What is no kind at all, the command refuses. Raises ScopeUnclear.
    """
    typed = storable(text).strip()
    called: dict[str, Callable[..., list[Named]]] = {
        ScopeKind.SCHEDULE.value: schedules_called,
        ScopeKind.JOB.value: jobs_called,
    }
    if kind in called and typed and not _is_id(typed):
        return str(_meant(session, called[kind], organization_id, kind, typed))
    if kind == ScopeKind.SERVICE.value:
        words = {name.casefold(): service.value for service, name in SERVICE_NAMES.items()}
        return words.get(typed.casefold(), typed.lower())
    return typed or None


def _meant(
    session: Session, called: Callable[..., list[Named]], organization_id: UUID, kind: str, typed: str
) -> UUID:  # fmt: skip
    found = called(session, organization_id=organization_id, text=typed[:LONGEST_PART], limit=_MOST_MEANT)
    meant = meant_by(typed, found)
    if meant is not None:
        return meant.id
    if not found:
        raise ScopeUnclear(f"No {kind} is called {quoted(typed)}.", field="scope_name")
    raise ScopeUnclear(f"Several {kind}s have {quoted(typed)} in their name. Give its id.", field="scope_name")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
