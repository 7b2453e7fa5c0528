"""Settings of an installation whose services are where a test says."""

from dataclasses import replace

from app.core.config import Settings


def with_services(settings: Settings, **told: str) -> Settings:
    """These settings, with some of `ServiceSettings` set to what was told."""
    # mypy cannot see which names there are; `replace` refuses those that are none.
    return replace(settings, services=replace(settings.services, **told))  # type: ignore[arg-type]
