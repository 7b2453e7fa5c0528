"""What is the same in every app is made once in a test run: every test makes an app and engines of its own."""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from app.web import assets

# What compiling a route leaves in it, all of it only read afterwards. The functions are bound to the route anew.
_MADE = "_parts", "_trace", "_converters"
_BUILDERS = "_build", "_build_unknown"
# So many statements are known to all engines together: a few times what the whole of Belfry has.
_MOST_STATEMENTS = 20_000


def make_apps_fast() -> None:
    """Keep what is made of routes, static files and statements, which is most of what an app and its queries take."""
    Rule.compile = _compile_once(Rule.compile)  # type: ignore[method-assign]
    assets.read_assets = cache(assets.read_assets)
    _share_statements()


def _compile_once(compile_anew: Callable[[Rule], None]) -> Callable[[Rule], None]:
    made: dict[object, tuple[dict[str, Any], frozenset[str], dict[str, Any]]] = {}

    def compile_once(rule: Rule) -> None:
        assert rule.map is not None
        # All that the outcome depends on; the converters are those of every app.
        key = rule.rule, repr(rule.defaults), rule.subdomain, rule.host, rule.map.host_matching, rule.merge_slashes
        if key not in made:
            compile_anew(rule)
            builders = {name: getattr(rule, name).__func__ for name in _BUILDERS}
            made[key] = {name: getattr(rule, name) for name in _MADE}, frozenset(rule.arguments), builders
            return
        parts, arguments, builders = made[key]
        vars(rule).update(parts, arguments=set(arguments))
        vars(rule).update({name: builder.__get__(rule) for name, builder in builders.items()})

    return compile_once


def _share_statements() -> None:
    """Let an engine find the statements that another one has compiled for a server of the same kind and version."""
    known: LRUCache[Any, Any] = LRUCache(_MOST_STATEMENTS)
    make = Engine.__init__

    # The library reads off the names which options an engine takes.
    def make_sharing(
        engine: Engine,
        pool: Any,
        dialect: Any,
        url: Any,
        hide_parameters: bool = False,
        **more: Any,
    ) -> None:
        make(engine, pool, dialect, url, hide_parameters=hide_parameters, **more)
        engine._compiled_cache = known

    def is_alike(one: DefaultDialect, other: object) -> bool:
        return type(one) is type(other) and _version(one) == _version(other)

    Engine.__init__ = make_sharing  # type: ignore[method-assign]
    DefaultDialect.__eq__ = is_alike  # type: ignore[method-assign]
    DefaultDialect.__hash__ = lambda dialect: hash(type(dialect))  # type: ignore[method-assign]


def _version(dialect: object) -> object:
    return getattr(dialect, "server_version_info", None)
