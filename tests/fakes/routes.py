"""Routes that are compiled once in a test run: every test makes an app of its own, with the same routes each time."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


def compile_routes_once() -> None:
    """Keep what werkzeug makes of a route, which is half of what it takes to make an app."""
    compile_anew: Callable[[Rule, bool], Any] = Rule._compile_builder
    made: dict[object, Any] = {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Any:
        # All that the function depends on; the rule itself is given to it when it is called.
        key = rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown
        if key not in made:
            made[key] = compile_anew(rule, append_unknown)
        return made[key]

    Rule._compile_builder = compile_once  # type: ignore[method-assign]
