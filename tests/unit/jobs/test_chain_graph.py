"""Circles of chains, and how many runs one may start."""

from app.jobs.chain_graph import Chains, count_most_starts, find_way_back
from app.jobs.policies import ChainOutcome


def chains(*links: str, after: ChainOutcome = ChainOutcome.SUCCESS) -> dict[str, dict[ChainOutcome, frozenset[str]]]:
    """From texts such as "a>b": a starts b."""
    found: dict[str, dict[ChainOutcome, frozenset[str]]] = {}
    for link in links:
        job, then = link.split(">")
        ends = found.setdefault(job, {})
        ends[after] = ends.get(after, frozenset()) | {then}
    return found


NONE: Chains[str] = {}


class TestWayBack:
    def test_a_job_that_starts_itself_goes_round_at_once(self) -> None:
        assert find_way_back(NONE, job="a", then="a") == ["a", "a"]

    def test_two_that_start_each_other_go_round(self) -> None:
        assert find_way_back(chains("b>a"), job="a", then="b") == ["a", "b", "a"]

    def test_the_shortest_of_several_ways_is_told(self) -> None:
        found = chains("b>c", "c>d", "d>a", "c>a")

        assert find_way_back(found, job="a", then="b") == ["a", "b", "c", "a"]

    def test_a_circle_over_success_and_failure_is_one(self) -> None:
        found = chains("b>c") | chains("c>a", after=ChainOutcome.FAILURE)

        assert find_way_back(found, job="a", then="b") == ["a", "b", "c", "a"]

    def test_two_ways_to_the_same_job_are_no_circle(self) -> None:
        found = chains("a>b", "b>d", "c>d")

        assert find_way_back(found, job="a", then="c") is None

    def test_a_circle_somewhere_else_is_not_run_into_for_ever(self) -> None:
        assert find_way_back(chains("c>d", "d>c", "b>c"), job="a", then="b") is None


class TestMostStarts:
    def test_nothing_follows_from_nothing(self) -> None:
        assert count_most_starts(NONE) == 0

    def test_a_row_of_jobs_starts_each_once(self) -> None:
        assert count_most_starts(chains("c>d", "a>b", "b>c")) == 3

    def test_a_job_to_which_several_ways_lead_starts_several_times(self) -> None:
        assert count_most_starts(chains("a>b", "a>c", "b>d", "c>d")) == 4

    def test_of_success_and_failure_only_one_happens(self) -> None:
        found = {"a": {ChainOutcome.SUCCESS: frozenset("bc"), ChainOutcome.FAILURE: frozenset("d")}}

        assert count_most_starts(found) == 2

    def test_pairs_that_start_pairs_are_counted_without_walking_every_way(self) -> None:
        steps = [f"{one}{step}>{other}{step + 1}" for step in range(40) for one in "xy" for other in "xy"]

        assert count_most_starts(chains(*steps)) == 2**41 - 2
