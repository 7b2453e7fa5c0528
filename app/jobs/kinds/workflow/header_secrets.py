"""The values of a workflow's headers as secrets: which are sealed, how they are kept over an edit, and opened."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy.orm import Session

from app.core.sealing import Sealer
from app.jobs.kinds.base import DefinitionInvalid, RunContext
from app.jobs.kinds.workflow.steps import Header, HttpStep, Workflow
from app.vault import service as vault
from app.vault.service import SecretNotFound, SecretOwner

# What everybody sends in the same way. Any other header may be somebody's own key, whatever it is called.
OPEN_HEADERS = frozenset(
    {
        "accept", "accept-charset", "accept-language", "cache-control", "content-disposition", "content-encoding",
        "content-language", "content-type", "if-match", "if-modified-since", "if-none-match", "if-unmodified-since",
        "origin", "pragma", "prefer", "range", "user-agent",
    }
)  # fmt: skip

# A header by its name in lower case, and how many of that name came before it.
_Place = tuple[str, int]


def is_secret(name: str) -> bool:
    """Whether the value of a header of this name is sealed."""
    return name.lower() not in OPEN_HEADERS


def open_headers(step: HttpStep, context: RunContext) -> list[tuple[str, str]]:
    """Names and values, ready to be sent. Raises what opening a secret raises."""
    return [(header.name, _open(header, context)) for header in step.headers]


def sealed_ids(workflow: Workflow) -> frozenset[UUID]:
    """The secrets that a workflow uses."""
    return frozenset(one.secret_id for step in workflow.steps for one in step.headers if one.secret_id is not None)


def without_values(workflow: Workflow) -> Workflow:
    """The workflow without values that should have been sealed."""

    def cleared(step: HttpStep) -> HttpStep:
        headers = (one.model_copy(update={"value": None}) if _bare_value(one) else one for one in step.headers)
        return step.model_copy(update={"headers": tuple(headers)})

    return workflow.model_copy(update={"steps": tuple(cleared(step) for step in workflow.steps)})


@dataclass(frozen=True)
class HeaderVault:
    """Puts the values of one job's headers away."""

    session: Session
    sealer: Sealer
    owner: SecretOwner
    now: datetime

    def store(self, workflow: Workflow, before: Workflow | None) -> Workflow:
        """The workflow as it is stored. What it leaves out is kept from before; raises DefinitionInvalid if it cannot.

        A new value takes the place of the old one, for runs that wait as well, unless it is meant for another server.
        """
        stored = [_stored_headers(before, number, step) for number, step in enumerate(workflow.steps)]
        problems = dict(_problems(workflow, stored))
        if problems:
            raise DefinitionInvalid(problems)
        return workflow.model_copy(update={"steps": tuple(map(self._store_step, workflow.steps, stored))})

    def _store_step(self, step: HttpStep, stored: Mapping[_Place, Header]) -> HttpStep:
        headers = (self._store(header, stored.get(place)) for place, header in _placed(step.headers))
        return step.model_copy(update={"headers": tuple(headers)})

    def _store(self, header: Header, stored: Header | None) -> Header:
        if header.value is None and stored is not None:
            header = stored.model_copy(update={"name": header.name})
        value = _bare_value(header)
        if value is None:
            return header
        place: dict[str, Any] = {"sealer": self.sealer, "owner": self.owner, "field": _field(header)}
        secret_id = None if stored is None else stored.secret_id
        if secret_id is None or not vault.replace(self.session, secret_id=secret_id, value=value, **place):
            secret_id = vault.seal(self.session, value=value, now=self.now, **place)
        return Header(name=header.name, secret_id=secret_id)


def _open(header: Header, context: RunContext) -> str:
    if header.secret_id is not None:
        return context.open_secret(header.secret_id, _field(header))
    if header.value is None:
        raise SecretNotFound(f"The value of the header {header.name} is gone. Enter it again in the job.")
    return header.value


def _field(header: Header) -> str:
    return f"header:{header.name.lower()}"


def _bare_value(header: Header) -> str | None:
    """The value that stands in the open and should be sealed. In an empty one there is nothing to hide."""
    return header.value if header.value and is_secret(header.name) else None


def _placed(headers: Iterable[Header]) -> Iterator[tuple[_Place, Header]]:
    seen: Counter[str] = Counter()
    for header in headers:
        name = header.name.lower()
        yield (name, seen[name]), header
        seen[name] += 1


def _stored_headers(before: Workflow | None, number: int, step: HttpStep) -> dict[_Place, Header]:
    """What a step may keep. A key is handed to the server it was entered for, and to no other."""
    if before is None or number >= len(before.steps) or _server(before.steps[number]) != _server(step):
        return {}
    return dict(_placed(before.steps[number].headers))


def _server(step: HttpStep) -> tuple[str, str, int | None]:
    url = httpx.URL(step.url)
    return url.scheme, url.host, url.port


def _problems(workflow: Workflow, stored: Sequence[Mapping[_Place, Header]]) -> Iterator[tuple[str, str]]:
    for number, step in enumerate(workflow.steps):
        for index, (place, header) in enumerate(_placed(step.headers)):
            if not _can_be_stored(header, stored[number].get(place)):
                field = f"steps.{number}.headers.{index}.value"
                yield field, f"Enter the value of {header.name}: none is stored for it and this server."


def _can_be_stored(header: Header, kept: Header | None) -> bool:
    if header.value is not None:
        return True
    return kept is not None and header.secret_id in {None, kept.secret_id}
