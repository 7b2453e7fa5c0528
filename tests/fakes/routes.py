"""Routes that all apps of a test run share: they are made, compiled and ordered once, and only read afterwards."""

from functools import cached_property
from typing import Any

from flask import Flask
from werkzeug.routing import Map, Rule
from werkzeug.routing.matcher import StateMachineMatcher
from werkzeug.routing.rules import RuleFactory

_rules: dict[object, Rule] = {}
_tables: dict[tuple[int, ...], "_Table"] = {}


def share_routes() -> None:
    """From now on, every app that is made gets them."""
    Flask.url_rule_class = staticmethod(_find_rule)  # type: ignore[assignment]
    Flask.url_map_class = _SharedMap


def _find_rule(rule: str, *, methods: set[str], **options: Any) -> Rule:
    key = rule, tuple(sorted(methods)), repr(sorted(options.items()))
    if key not in _rules:
        _rules[key] = Rule(rule, methods=methods, **options)
    return _rules[key]


class _Table:
    """What a map makes of its rules."""

    def __init__(self, rules: list[Rule], owner: Map) -> None:
        self.matcher = StateMachineMatcher(owner.merge_slashes)
        self.by_endpoint: dict[Any, list[Rule]] = {}
        for rule in rules:
            # One that another map has knows all it needs: no app of ours has converters or hosts of its own.
            if rule.map is None:
                rule.bind(owner)
            self.matcher.add(rule)
            self.by_endpoint.setdefault(rule.endpoint, []).append(rule)


class _SharedMap(Map):
    """Gathers rules, and when it is first asked for one, looks whether another map has the same."""

    def __init__(self, **options: Any) -> None:
        self._given: list[Rule] = []
        super().__init__(**options)

    def add(self, rulefactory: RuleFactory) -> None:
        self._given.extend(rulefactory.get_rules(self))
        vars(self).pop("_table", None)
        self._remap = True

    @cached_property
    def _table(self) -> _Table:
        key = tuple(map(id, self._given))
        if key not in _tables:
            _tables[key] = _Table(self._given, self)
        return _tables[key]

    @property  # type: ignore[override]
    def merge_slashes(self) -> bool:
        """As in every app that is not told otherwise. The base class would ask the matcher, which begins with this."""
        return True

    # The base class sets them at first and asks for them later.
    @property  # type: ignore[override]
    def _matcher(self) -> StateMachineMatcher:
        return self._table.matcher

    @_matcher.setter
    def _matcher(self, _empty: StateMachineMatcher) -> None:
        pass

    @property  # type: ignore[override]
    def _rules_by_endpoint(self) -> dict[Any, list[Rule]]:
        return self._table.by_endpoint

    @_rules_by_endpoint.setter
    def _rules_by_endpoint(self, _empty: dict[Any, list[Rule]]) -> None:
        pass
