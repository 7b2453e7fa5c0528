"""Browsers of every role, as the tests of pages have them."""

from tests.web.conftest import (
    admin,
    anonymous,
    app,
    compiled_templates,
    open_browser,
    operator,
    organization_id,
    owner,
    platform_admin,
    stranger,
    viewer,
)

__all__ = [
    "admin",
    "anonymous",
    "app",
    "compiled_templates",
    "open_browser",
    "operator",
    "organization_id",
    "owner",
    "platform_admin",
    "stranger",
    "viewer",
]
