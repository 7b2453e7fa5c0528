"""The website as one part that the factory puts into an app."""

from flask import Flask
from htmx_flask import Htmx

from app.core.config import Settings
from app.core.paths import STATIC
from app.edge.forgery import install_forgery_protection
from app.edge.identity import install_identity
from app.web.assets import install_assets
from app.web.compression import install_compression
from app.web.context import install_context
from app.web.errors import install_error_pages
from app.web.fragment_tags import install_fragment_tags
from app.web.routes import web
from app.web.security import install_security_headers
from app.web.session import install_session_cookie


def install_site(app: Flask, settings: Settings) -> None:
    """Pages, static files, sessions, error pages and headers."""
    install_compression(app)
    install_fragment_tags(app)
    Htmx(app)
    install_session_cookie(app, settings)
    install_identity(app)
    install_forgery_protection(app)
    install_assets(app, STATIC)
    install_context(app)
    install_error_pages(app)
    install_security_headers(app, settings)
    app.register_blueprint(web)
