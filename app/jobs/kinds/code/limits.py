"""What a run of a function may use at most, and what is said when it used more."""

from dataclasses import dataclass
from enum import StrEnum

MIB = 1024 * 1024


class Limit(StrEnum):
    """What a guard ends a run for by itself."""

    MEMORY = "memory"
    PROCESSES = "processes"
    LEASE = "lease"  # nobody said in time that the run may go on


@dataclass(frozen=True)
class Limits:
    """For the function and all that it starts, together. `processes` counts their threads as well."""

    memory_mib: int
    processes: int

    @property
    def memory_bytes(self) -> int:
        return self.memory_mib * MIB


@dataclass(frozen=True)
class Breach:
    """A limit that was passed, and what was measured then: MiB, or processes and threads."""

    limit: Limit
    measured: int = 0


def breach_message(breach: Breach, limits: Limits) -> str:
    """What was too much, and what to do about it."""
    if breach.limit is Limit.MEMORY:
        return memory_message(limits, f"took {breach.measured:,} MiB of memory")
    return (
        f"The function had {breach.measured:,} processes and threads at once and was ended: {limits.processes:,} are "
        "allowed. Have it start fewer, or allow more with BELFRY_FUNCTION_PROCESSES or the function's own limit."
    )


def memory_message(limits: Limits, what: str = "asked for more memory than there is for it") -> str:
    """The same for memory, also where the function itself was refused it."""
    return (
        f"The function {what} and was ended: {limits.memory_mib:,} MiB are allowed, with all that it starts. "
        "Have it hold less at once, or allow more with BELFRY_FUNCTION_MEMORY_MIB or the function's own limit."
    )
