"""What a change of a job changed, field by field, as the audit keeps it and as people read it. Pure."""

from collections.abc import Mapping
from typing import Any

from app.core.lengths import whole_seconds
from app.jobs.policies import Priority

# What is compared of a job's columns, in the order in which it is told.
_COLUMNS = (
    "name", "description", "tries", "retry_delay_seconds", "retry_backoff", "retry_longest_delay_seconds",
    "retry_has_jitter", "retry_not_on", "when_lost", "time_limit_seconds", "soft_limit_seconds", "queue", "priority",
    "concurrency", "code_group",
)  # fmt: skip
_LABELS = {
    "does": "what it does",
    "definition": "details of what it does",
    "retry_delay_seconds": "first wait",
    "retry_backoff": "wait",
    "retry_longest_delay_seconds": "longest wait",
    "retry_has_jitter": "waits spread",
    "retry_not_on": "no further try after",
    "when_lost": "when its worker is lost",
    "time_limit_seconds": "time limit",
    "soft_limit_seconds": "soft limit",
    "concurrency": "runs at once",
    "code_group": "group",
    "chain": "starts",
    "in_code": "defined in code",
}
_NOTHING = {
    "soft_limit_seconds": "none",
    "concurrency": "any number",
    "queue": "that of its kind",
    "retry_not_on": "nothing but a refused credential",
}
_WORDS: dict[str, dict[Any, str]] = {
    "retry_backoff": {"fixed": "stays the same", "exponential": "doubles"},
    "when_lost": {"kind": "as its kind says", "retry": "it is tried again", "fail": "it ends as lost"},
}
_LONGEST = 200


def changed_fields(
    before: Mapping[str, Any], after: Mapping[str, Any], *, does: tuple[str, str]
) -> dict[str, list[Any]]:
    """Old and new value of each column that differs. `does` says in a line what the job did and does.

    What a definition holds is not kept, because it may be secret: only that it changed.
    """
    found = {
        name: [_kept(name, before[name]), _kept(name, after[name])]
        for name in _COLUMNS
        if name in before and name in after and before[name] != after[name]
    }
    if does[0] != does[1]:
        found["does"] = [*does]
    elif before["definition"] != after["definition"]:
        found["definition"] = ["not kept", "not kept"]
    return found


def change_lines(changes: Mapping[str, Any]) -> list[str]:
    """“tries: 3 → 5”, one for each field."""
    pairs = ((name, value) for name, value in changes.items() if isinstance(value, list) and len(value) == 2)
    return [f"{label_of(name)}: {said(name, old)} → {said(name, new)}" for name, (old, new) in pairs]


def label_of(name: str) -> str:
    """A field as people call it."""
    return _LABELS.get(name, name)


def _kept(name: str, value: Any) -> Any:
    if name == "priority":
        return Priority(value).word
    return sorted(filter(None, value.split(","))) if name == "retry_not_on" else value


def said(name: str, value: Any) -> str:
    """The value of a field in words."""
    if value is None or value in ("", []):
        return _NOTHING.get(name, "nothing")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_seconds") and isinstance(value, int):
        return whole_seconds(value)
    if isinstance(value, list):
        return ", ".join(str(one).replace("_", " ") for one in value)
    text = " ".join(_WORDS.get(name, {}).get(value, str(value)).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
