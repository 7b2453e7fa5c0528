"""The API as one part that the factory puts into an app."""

from flask import Flask

from app.api.admission import LIMITS
from app.api.blueprint import PREFIX, VERSION_PREFIX
from app.api.errors import install_error_answers
from app.api.late_counters import RateLimits
from app.api.routes import api
from app.core.config import Settings


def install_api(app: Flask, settings: Settings) -> None:
    """The operations, below /api/v1 and below /api, which stands for the current version."""
    app.extensions[LIMITS] = RateLimits(
        broker_url=settings.broker_url, requests_per_minute=settings.api_requests_per_minute
    )
    install_error_answers(app)
    app.register_blueprint(api, url_prefix=VERSION_PREFIX)
    app.register_blueprint(api, url_prefix=PREFIX, name="api_current")
