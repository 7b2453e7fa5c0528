"""What a person typed into a form that cannot be taken now, under the labels of its fields."""

from collections.abc import Iterable

# Fields that no person sees.
_HIDDEN = frozenset(
    {
        "again", "at", "count", "counted_from", "cron_was", "csrf_token", "day", "days", "dialog", "id", "job_id",
        "kept", "kind", "minute", "more", "next", "preset", "preview", "q", "reload", "replaced", "request_key",
        "revision", "schedule_id", "spread_key", "tab", "time", "timezone_was", "token", "unit", "username", "version",
    }
)  # fmt: skip
_LABELS = {
    "clock_change": "When the clocks change",
    "cron": "Cron text",
    "email": "Email",
    "ends_at": "Not after",
    "function": "What it does",
    "missed": "If Belfry was off at that time",
    "has_seconds": "Allow seconds",
    "overlap": "If the previous run is still going",
    "retry_backoff": "The wait",
    "retry_delay_seconds": "Seconds between tries",
    "starts_at": "Not before",
    "step_name": "Step",
    "time_limit_seconds": "Time limit in seconds",
    "timeout_seconds": "Seconds to wait for the answer",
    "timezone": "Time zone",
    "url": "Address",
    "when_lost": "If its worker dies or loses touch in the middle",
}


def typed_fields(sent: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Label and value of each field that a person filled."""
    return [(_label(name), _value(name, value)) for name, value in sent if name not in _HIDDEN]


def _label(name: str) -> str:
    # The arguments of a function are named by whoever wrote it.
    plain = name.removeprefix("argument_").replace("_", " ").capitalize()
    return _LABELS.get(name, plain)


def _value(name: str, value: str) -> str:
    # Their values may be keys, and somebody may look over a shoulder. They are sent again all the same.
    if name == "headers":
        return ", ".join(line.partition(":")[0].strip() for line in value.splitlines() if line.strip())
    # What a tick box sends is its own affair.
    return "yes" if name in {"enabled", "has_seconds"} and value == "y" else value
