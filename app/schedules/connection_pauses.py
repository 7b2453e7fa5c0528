"""How a schedule says that it was switched off together with its connection. Pure."""

# Who switched it off then; the reason follows.
PAUSED_BY = "Belfry, because "
# The reason where the service no longer takes the login.
REFUSED = "its connection can no longer be read"


def is_paused_for_connection(*, enabled: bool, switched_by: str | None) -> bool:
    """Whether it was switched off because its connection cannot be read, and nobody has switched it since."""
    return not enabled and (switched_by or "").startswith(PAUSED_BY)


def is_paused_for_refusal(*, enabled: bool, switched_by: str | None) -> bool:
    """Whether that was because the service refused the login of its connection."""
    return not enabled and switched_by == f"{PAUSED_BY}{REFUSED}"
