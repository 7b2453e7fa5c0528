"""Whether this installation can do its work: a list of checks that whoever adds a dependency extends."""

from collections.abc import Callable
from dataclasses import dataclass

from app.core.schema import UPGRADE_COMMAND, SchemaState
from app.edge.runtime import runtime


@dataclass(frozen=True)
class Finding:
    """The answer of one check. `command` is what mends it, where a command can."""

    name: str
    is_ok: bool
    message: str = ""
    command: str | None = None


Check = Callable[[], Finding]


def check_schema() -> Finding:
    """The database answers and has the tables this code was written for."""
    gate = runtime().schema
    state = gate.state()
    mends = state in {SchemaState.MISSING, SchemaState.DIFFERENT}
    return Finding(
        name="database",
        is_ok=state is SchemaState.CURRENT,
        message=gate.sentence() or "",
        command=UPGRADE_COMMAND if mends else None,
    )


CHECKS: tuple[Check, ...] = (check_schema,)
