"""Rules in words, as people read them. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from app.notifications.rules import RuleTerms
from app.notifications.types import DEFAULT_TYPES, UNCHOSEN, NotificationType, ScopeKind

# What a type is called where somebody ticks it, and in a sentence that begins with “When”.
TYPE_NAMES: Mapping[NotificationType, str] = {
    NotificationType.RUN_FAILED: "A run failed",
    NotificationType.RECOVERED: "It works again",
    NotificationType.RETRYING: "A try failed and is repeated",
    NotificationType.RUN_SUCCEEDED: "A run succeeded",
    NotificationType.CONNECTION_EXPIRING: "A login or an API version ends soon",
    NotificationType.CONNECTION_EXPIRED: "A login has expired or is refused",
    NotificationType.RATE_LIMITED: "A rate limit delays work",
    NotificationType.LATE: "A run is late",
    NotificationType.MISSED_SLOTS: "Runs were missed",
    NotificationType.LONGER_THAN_USUAL: "A run takes longer than usual",
    NotificationType.STUCK: "A run is stuck",
    NotificationType.DATA_STALE: "Figures are stale",
    NotificationType.DATA_AT_RISK: "Figures may be late",
    NotificationType.SUSPICIOUS_SYNC: "A sync looks wrong or is empty",
    NotificationType.QUEUE_BACKLOG: "A queue falls behind",
    NotificationType.SYSTEM_SILENT: "Scheduler or workers are silent",
    NotificationType.SCHEDULE_SET_ASIDE: "A schedule cannot be planned",
    NotificationType.CHANNEL_BROKEN: "A channel does not work any more",
    NotificationType.DAILY_SUMMARY: "Daily summary",
}
CHOSEN_TYPES = tuple(type_ for type_ in NotificationType if type_ not in UNCHOSEN)
_SUBJECTS = {
    ScopeKind.ORGANIZATION: "anything",
    ScopeKind.SCHEDULE: "schedule “{}”",
    ScopeKind.JOB: "job “{}”",
    ScopeKind.TAG: "a schedule tagged {}",
    ScopeKind.SERVICE: "a sync of {}",
}
_OTHERS = {
    NotificationType.RETRYING: "is tried again",
    NotificationType.RUN_SUCCEEDED: "succeeds",
    NotificationType.CONNECTION_EXPIRING: "has a login or an API version that ends soon",
    NotificationType.CONNECTION_EXPIRED: "has a login that is refused",
    NotificationType.RATE_LIMITED: "waits for a rate limit",
    NotificationType.LATE: "is late",
    NotificationType.MISSED_SLOTS: "misses a run",
    NotificationType.LONGER_THAN_USUAL: "takes longer than usual",
    NotificationType.STUCK: "is stuck",
    NotificationType.DATA_STALE: "has stale figures",
    NotificationType.DATA_AT_RISK: "may have figures too late",
    NotificationType.SUSPICIOUS_SYNC: "reads figures that look wrong",
    NotificationType.QUEUE_BACKLOG: "waits in a queue that falls behind",
    NotificationType.SYSTEM_SILENT: "waits for a scheduler or workers that are silent",
    NotificationType.SCHEDULE_SET_ASIDE: "cannot be planned",
    NotificationType.CHANNEL_BROKEN: "cannot be told through a channel",
}


def say_rule(rule: RuleTerms, *, scope_name: str | None = None, channels: Sequence[str]) -> str:
    """“When a schedule tagged revenue fails 2 times in a row, tell #data; again when it recovers.”

    `scope_name` is the name of what the rule is about, `channels` those of its channels that are there.
    """
    subject = _SUBJECTS[rule.scope_kind].format(scope_name or rule.scope_value or "that was deleted")
    whom = _listed(channels) if channels else "nobody"
    again = "; again when it recovers" if rule.tells_recovery and channels else ""
    return f"When {subject} {_happens(rule)}, tell {whom}{again}.{_pace(rule)}"


def _happens(rule: RuleTerms) -> str:
    if rule.types >= DEFAULT_TYPES:
        extra = rule.types - DEFAULT_TYPES
        often = "" if rule.after_failures == 1 else f" (failures from the {ordinal(rule.after_failures)} in a row)"
        more = "".join(f", or {_OTHERS[type_]}" for type_ in NotificationType if type_ in extra and type_ in _OTHERS)
        return f"goes wrong{often}{more}"
    said = [_fails(rule)] if NotificationType.RUN_FAILED in rule.types else []
    said += [_OTHERS[type_] for type_ in NotificationType if type_ in rule.types and type_ in _OTHERS]
    return _listed(said, word="or") if said else "does nothing that is chosen"


def _fails(rule: RuleTerms) -> str:
    return "fails" if rule.after_failures == 1 else f"fails {rule.after_failures} times in a row"


def _pace(rule: RuleTerms) -> str:
    if rule.cooldown == timedelta(hours=1):
        return ""
    if not rule.cooldown:
        return " The same cause is told each time."
    minutes = int(rule.cooldown.total_seconds() // 60)
    return f" The same cause is told at most once in {_duration(minutes)}."


def _duration(minutes: int) -> str:
    for size, name in ((1_440, "day"), (60, "hour")):
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def ordinal(number: int) -> str:
    """“1st”, “2nd”, “11th”."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _listed(items: Collection[str], *, word: str = "and") -> str:
    *first, last = items
    return f"{', '.join(first)} {word} {last}" if first else last
