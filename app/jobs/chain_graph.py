"""What follows from what: whether chains lead back to where they began, and how many runs one may start. Pure."""

from collections import deque
from collections.abc import Mapping
from typing import TypeVar

from app.jobs.policies import ChainOutcome

Node = TypeVar("Node")
# By job: which jobs it starts, after which end.
Chains = Mapping[Node, Mapping[ChainOutcome, frozenset[Node]]]


def find_way_back(chains: Chains[Node], *, job: Node, then: Node) -> list[Node] | None:
    """The shortest circle that a chain from one job to another would close, from the job to itself; None without one.

    What starts after success and after failure is the same here: a job may do either, each time another.
    """
    came_from: dict[Node, Node] = {}
    seen, waiting = {then}, deque([then])
    while waiting:
        here = waiting.popleft()
        if here == job:
            return [job, *_way(came_from, then, here)]
        for following in _after_either(chains, here) - seen:
            seen.add(following)
            came_from[following] = here
            waiting.append(following)
    return None


def count_most_starts(chains: Chains[Node]) -> int:
    """How many runs may follow from a single one, of whichever job. Expects no circles."""
    following: dict[Node, int] = {}
    waiting = list(chains)
    while waiting:
        here = waiting[-1]
        missing = [job for job in _after_either(chains, here) if job not in following]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        # A run ends in one way: the one counts that more follows from.
        ends = chains.get(here, {}).values()
        following[here] = max((sum(1 + following[job] for job in end) for end in ends), default=0)
    return max(following.values(), default=0)


def _after_either(chains: Chains[Node], job: Node) -> set[Node]:
    return set().union(*chains.get(job, {}).values())


def _way(came_from: Mapping[Node, Node], first: Node, last: Node) -> list[Node]:
    way = [last]
    while way[-1] != first:
        way.append(came_from[way[-1]])
    return way[::-1]
