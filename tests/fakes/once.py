"""What is the same in every app is made once in a test run: every test makes an app and engines of its own."""

import os
import ssl
from functools import cache
from typing import Any

import httpx
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

from app.queue import dispatch
from app.web import assets
from tests.fakes.routes import share_routes

# So many statements are known to all engines together: a few times what the whole of Belfry has.
_MOST_STATEMENTS = 20_000


def make_apps_fast() -> None:
    """Keep what is made of routes, static files and statements, which is most of what an app and its queries take."""
    share_routes()
    assets.read_assets = cache(assets.read_assets)
    dispatch.forget_stale_step = cache(dispatch.forget_stale_step)
    dispatch.StaleHints = cache(dispatch.StaleHints)  # type: ignore[assignment,misc]
    _share_authorities()
    _share_statements()


def _share_authorities() -> None:
    """Read the certificates of the world's and the machine's authorities once for each place where they may lie."""
    make = httpx.create_ssl_context

    @cache
    def make_of(*_places: str | None) -> ssl.SSLContext:
        context = make(trust_env=False)
        context.load_default_certs()
        context.load_default_certs = lambda *_: None  # type: ignore[method-assign]
        return context

    def make_once(**options: Any) -> ssl.SSLContext:
        if options != {"trust_env": False}:
            return make(**options)
        return make_of(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))

    httpx.create_ssl_context = make_once


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
