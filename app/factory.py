"""Composition root of the web process: settings, database, kinds and interfaces become one Flask app."""

from collections.abc import Callable

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.api.probes import probes
from app.api.site import install_api
from app.core.clock import Clock, DatabaseClock
from app.core.config import Settings
from app.core.db import Database, open_database
from app.core.paths import TEMPLATES
from app.core.schema import SchemaGate, newest_migration
from app.edge.database import make_request_database
from app.edge.permissions import refuse_undeclared
from app.edge.runtime import EXTENSION, Runtime
from app.jobs.kinds.base import JobKinds
from app.notifications.channel_desk import ChannelDesk
from app.ops.attention import AttentionBook
from app.ops.capacity import live_slots
from app.ops.code_definitions import load_definitions
from app.ops.glance_book import GlanceBook
from app.ops.kinds import job_kinds
from app.ops.login_desk import LoginDesk
from app.ops.preview_books import PreviewBooks
from app.queue.dispatch import make_dispatcher
from app.web.site import install_site

# One for each of the server's 8 threads, and a few for what a request asks beside its transaction.
PAGE_CONNECTIONS = 12


def create_app(
    settings: Settings,
    *,
    database: Database | None = None,
    kinds: JobKinds | None = None,
    clock: Clock | None = None,
    dispatch: Callable[[], object] | None = None,
    logins: LoginDesk | None = None,
    channels: ChannelDesk | None = None,
) -> Flask:
    """The web application. Tests hand in their own parts."""
    app = Flask("belfry", template_folder=str(TEMPLATES), static_folder=None)
    database = database or open_database(settings.database_url, connections=PAGE_CONNECTIONS)
    clock = clock or DatabaseClock()
    requests = make_request_database()
    requests.start(app, database)
    definitions = load_definitions(settings)
    dispatcher = make_dispatcher(settings, database, clock, live_slots=live_slots)
    app.extensions[EXTENSION] = Runtime(
        settings=settings,
        database=database,
        requests=requests,
        schema=SchemaGate(database, expected=newest_migration(), is_strict=settings.is_production),
        definitions=definitions,
        kinds=job_kinds(settings, definitions=definitions) if kinds is None else kinds,
        clock=clock,
        dispatch=dispatch or dispatcher.dispatch,
        broker_problem=dispatcher.hints.problem,
        previews=PreviewBooks(),
        glances=GlanceBook(),
        attention=AttentionBook(),
        logins=logins or LoginDesk(settings, database),
        channels=channels or ChannelDesk(settings, database, clock),
    )
    _trust_proxies(app, settings.trusted_proxies)
    install_site(app, settings)
    install_api(app, settings)
    app.register_blueprint(probes)
    refuse_undeclared(app)
    return app


def _trust_proxies(app: Flask, count: int) -> None:
    """Believe what that many proxies say about who calls. Without one, the headers are the caller's own words."""
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
