"""Whether this installation can do its work: a list of checks that whoever adds a dependency extends."""

from collections.abc import Callable
from dataclasses import dataclass

from app.core.schema import UPGRADE_COMMAND, SchemaState
from app.edge.runtime import runtime


@dataclass(frozen=True)
class Finding:
    """The answer of one check. `command` is what mends it, where a command can.

    Without what is not vital, less is done or later, but what is asked for is still served.
    """

    name: str
    is_ok: bool
    message: str = ""
    command: str | None = None
    is_vital: bool = True


Check = Callable[[], Finding]


def check_schema() -> Finding:
    """The database answers and has the tables this code was written for."""
    gate = runtime().schema
    state = gate.state()
    mends = state in {SchemaState.MISSING, SchemaState.OLDER}
    return Finding(
        name="database",
        is_ok=state is SchemaState.CURRENT,
        message=gate.sentence() or "",
        command=UPGRADE_COMMAND if mends else None,
    )


def check_broker() -> Finding:
    """The broker answers. Without it runs still start, a little later."""
    problem = runtime().broker_problem()
    return Finding(name="broker", is_ok=problem is None, message=problem or "", is_vital=False)


CHECKS: tuple[Check, ...] = (check_schema, check_broker)
