"""Where a run stands in line, counted over all organizations. Pure."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from app.ops.why.facts import Active, RunFacts, Traffic


@dataclass(frozen=True)
class Taken:
    """How many runs take a place that this one needs, and how many start before it."""

    queue: int
    job: int
    connection: int
    organization: int
    before: int

    @classmethod
    def of(cls, run: RunFacts, traffic: Traffic) -> "Taken":
        """Counted for one run."""
        active = traffic.active
        own = [one for one in active if one.organization_id == run.organization_id]
        key = run.connection_key
        return cls(
            queue=sum(one.queue == run.queue for one in active),
            job=sum(one.job_id == run.job_id for one in own),
            connection=sum(one.connection_key == key for one in own) if key is not None else 0,
            organization=len(own),
            before=_count_before(run, traffic),
        )


def busy_slots(active: Collection[Active], workers: Collection[str]) -> int:
    """How many runs are going on at these workers."""
    return sum(one.worker in workers for one in active)


def _count_before(run: RunFacts, traffic: Traffic) -> int:
    """How many waiting runs go first: those of its own organization, and of others what their fair share is.

    Whose organization has least in hand goes first, so each one gets as many turns as this run has to wait for.
    """
    in_hand = Counter(one.organization_id for one in traffic.active)
    turn = run.place + in_hand[run.organization_id]
    others = (line for line in traffic.lines if line.organization_id != run.organization_id)
    turns = ((line.waiting, turn - 1 - in_hand[line.organization_id]) for line in others)
    return run.place - 1 + sum(min(waiting, most) for waiting, most in turns if most > 0)
