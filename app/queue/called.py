"""What a hint says, before it is a message."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Called:
    """A run that was called out of the line, and its queue."""

    run_id: UUID
    queue: str
