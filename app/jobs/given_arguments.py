"""The arguments that somebody gives a run in the place of the job's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import Forbidden
from app.jobs.kinds.base import JobKinds
from app.jobs.queries import JobRow
from app.tenants.access import Actor


class ParametersForPlatform(Forbidden):
    """What the job does with them concerns the whole installation."""


@dataclass(frozen=True)
class GivenArguments:
    """What somebody gave, as it came, and the kinds that understand it."""

    values: Mapping[str, Any]
    kinds: JobKinds


def checked_arguments(actor: Actor, job: JobRow, given: GivenArguments | None) -> dict[str, Any]:
    """The arguments in their checked form. Also with none given, a job that cannot run without any is refused.

    Raises DefinitionInvalid where its kind cannot take them, and ParametersForPlatform.
    """
    if given is None:
        return {}
    kind = given.kinds[job.kind]
    checked = kind.check_arguments(job.definition, given.values)
    if given.values and kind.is_for_platform(job.definition) and not actor.is_platform_admin:
        message = f"Only platform admins may give “{job.name}” parameters: it concerns the whole installation."
        raise ParametersForPlatform(message)
    return checked
