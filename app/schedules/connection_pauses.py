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


def switched_off(switched_by: str, when: str, *, has: str = "") -> str:
    """“ana switched it off at 12:00”, with the reason behind it where Belfry did. `has` stands before the verb."""
    verb = f"{has} switched" if has else "switched"
    who, reason = (switched_by, "") if not switched_by.startswith(PAUSED_BY) else _parted(switched_by)
    return f"{who} {verb} it off at {when}{reason}"


def _parted(switched_by: str) -> tuple[str, str]:
    who, comma, reason = switched_by.partition(", ")
    return who, f"{comma}{reason}"
