"""What every benchmark does with what it measured: the median of the rounds, and one line of JSON at the end."""

import json
import statistics
from collections.abc import Callable, Mapping

from bench.services import Engine

ROUNDS = 5


def median_of_rounds(measure: Callable[[], Mapping[str, float]], *, rounds: int = ROUNDS) -> dict[str, float]:
    """Measure so many times, show each round, and return the median of every figure."""
    found = []
    for _ in range(rounds):
        found.append(measure())
        print(json.dumps(rounded(found[-1])), flush=True)
    return {name: statistics.median(figures[name] for figures in found) for name in found[0]}


def percentile(values: list[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def print_figures(bench: str, engine: Engine, figures: Mapping[str, float]) -> None:
    """The last line of a benchmark: what it measured, for people and programs."""
    print(json.dumps({"bench": bench, "engine": engine.value, **rounded(figures)}), flush=True)


def rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3 if value < 10 else 1) for name, value in figures.items()}
