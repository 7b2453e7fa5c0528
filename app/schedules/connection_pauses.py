"""How a schedule says that it was switched off together with its connection. Pure."""

# Who switched it off then; the reason follows.
PAUSED_BY = "Belfry, because "


def is_paused_for_connection(*, enabled: bool, switched_by: str | None) -> bool:
    """Whether it was switched off because its connection cannot be read, and nobody has switched it since."""
    return not enabled and (switched_by or "").startswith(PAUSED_BY)
