"""The arguments that somebody gives a run in the place of the job's own, and of those that they see masked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import Forbidden
from app.jobs.kinds.base import DefinitionInvalid, JobKinds
from app.jobs.queries import JobRow
from app.tenants.access import Actor
from app.tenants.audit_masks import MASK, masked


class ParametersForPlatform(Forbidden):
    """What the job does with them concerns the whole installation."""


@dataclass(frozen=True)
class GivenArguments:
    """What somebody gave, as it came, and the kinds that understand it."""

    values: Mapping[str, Any]
    kinds: JobKinds


def checked_arguments(
    actor: Actor, job: JobRow, given: GivenArguments | None, *, stored: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The arguments in their checked form. Also with none given, a job that cannot run without any is refused.

    Where they are the mask of what is `stored`, which is what the job has unless it is said, they are what is stored.
    Raises DefinitionInvalid where its kind cannot take them, and ParametersForPlatform.
    """
    if given is None:
        return {}
    kind = given.kinds[job.kind]
    shown = job.definition.get("arguments") if stored is None else stored
    values = unmasked(given.values, shown if isinstance(shown, Mapping) else {})
    checked = kind.check_arguments(job.definition, values)
    if values and kind.is_for_platform(job.definition) and not actor.is_platform_admin:
        message = f"Only platform admins may give “{job.name}” parameters: it concerns the whole installation."
        raise ParametersForPlatform(message)
    return checked


def unmasked(given: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody gave, with what is stored wherever they left it masked, as it was shown to them.

    Raises DefinitionInvalid where a mask stands for nothing that is stored: it would be taken for the value itself.
    """
    found, problems = {}, {}
    for name, value in given.items():
        found[name] = _unmasked(name, value, stored.get(name))
        if found[name] != stored.get(name) and _has_mask(found[name]):
            problems[f"arguments.{name}"] = (
                f"{MASK} stands for a value that is hidden. Leave it as it was, or replace it."
            )
    if problems:
        raise DefinitionInvalid(problems)
    return found


def _unmasked(name: str, given: Any, stored: Any) -> Any:
    if stored is None or given == masked(name, stored):
        return given if stored is None else stored
    if isinstance(given, dict) and isinstance(stored, dict):
        return {key: _unmasked(str(key), value, stored.get(key)) for key, value in given.items()}
    if isinstance(given, list) and isinstance(stored, list) and len(given) == len(stored):
        return [_unmasked(name, *pair) for pair in zip(given, stored, strict=True)]
    return given


def _has_mask(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_mask, value.values()))
    if isinstance(value, list):
        return any(map(_has_mask, value))
    return isinstance(value, str) and MASK in value
