"""What each event means for people. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from app.jobs.policies import ErrorClass
from app.notifications.signals import (
    LONGEST_TEXT,
    VERSION_RETIRED,
    EventFacts,
    News,
    Relief,
    RunFacts,
    Signal,
    Subject,
    SubjectKind,
    ThingFacts,
    Trouble,
    connection_key,
    subject_of,
)
from app.notifications.types import NotificationType as Type

# A wait that the service asked for is worth telling when it is so long.
LONG_WAIT = timedelta(minutes=30)
# Trouble of these classes is one cause for all that goes through a connection.
_OF_CONNECTIONS = {ErrorClass.NETWORK, ErrorClass.RATE_LIMITED, ErrorClass.SERVER, ErrorClass.REFUSED}
# Somebody sees to an incident no longer: it means nothing new, but people may have to be told of it now.
THOUGHT_OVER = "incident.unacknowledged"
# What is over as soon as the run of which it was told has ended, however it did.
_UNTIL_THE_END = frozenset({Type.LATE, Type.LONGER_THAN_USUAL, Type.STUCK, Type.RATE_LIMITED})
# Why a run waits without having failed.
_NO_FAILURE = {"deferred", "key_missing"}


def signals_of(event: EventFacts, run: RunFacts | None, thing: ThingFacts | None) -> list[Signal]:
    """What an event means; nothing, mostly. `run` is that of an event about a run, `thing` any other subject.

    Raises ValueError, KeyError or TypeError where its data are not what they should be.
    """
    if event.kind in _OF_RUNS:
        found = [] if run is None else _OF_RUNS[event.kind](event, run)
        return [one for one in found if isinstance(one, Relief)] if run is not None and run.is_canary else found
    reader = _OF_THINGS.get(event.kind)
    if thing is not None and thing.is_canary and event.kind == "schedule.missed":
        # Its gaps say so, with where it hung: people are told once.
        return []
    return [] if reader is None else reader(event, thing or ThingFacts(name=""))


def is_of_interest(kind: str) -> bool:
    """Whether an event of this kind means anything."""
    return kind in INTERESTING


def is_of_run(kind: str) -> bool:
    """Whether its subject is a run."""
    return kind in _OF_RUNS


def failure_key(run: RunFacts, cause: str | None, error_class: str | None) -> str:
    """The cause of a failed run, as incidents go by it."""
    if run.connection_id is not None and error_class in _OF_CONNECTIONS:
        return connection_key(run.connection_id, error_class)
    subject = subject_of(run)
    return f"{subject.kind}:{subject.id}:{cause or 'unknown'}"


def _failed(event: EventFacts, run: RunFacts) -> list[Signal]:
    state = event.data.get("state", "failed")
    if state != "failed":
        return _retrying(event, run)
    ended = _ended(event, run, "Its run failed.")
    if event.data.get("reason") == "given_up":
        # By a person, who knows.
        return ended
    error_class = event.data.get("class")
    key, title = failure_key(run, event.data.get("cause") or run.cause, error_class), f"{subject_of(run).name} failed"
    return [*ended, _trouble(event, run, Type.RUN_FAILED, key, title, text=run.error or "", error_class=error_class)]


def _cancelled(event: EventFacts, run: RunFacts) -> list[Signal]:
    return _ended(event, run, "Its run was cancelled.")


def _ended(event: EventFacts, run: RunFacts, words: str) -> list[Signal]:
    its_own = (subject_of(run).id,)
    return [Relief(event.organization_id, event.at, its_own, (), False, words, run.id, only=_UNTIL_THE_END)]


def _retrying(event: EventFacts, run: RunFacts) -> list[Signal]:
    attempt = int(event.data.get("attempt") or 1)
    ready_at = _moment(event.data.get("ready_at"))
    error = str(event.data.get("error") or "")[:LONGEST_TEXT]
    has_failed = event.data.get("reason") not in _NO_FAILURE
    found: list[Signal] = [
        News(
            event.id, event.organization_id, event.at, Type.RETRYING, subject_of(run),
            f"{subject_of(run).name} is tried again", error, attempt, ready_at, run.id, run.schedule_id, run.job_id,
            run.tags, run.service, str(event.data.get("class") or ""),
        )
    ] if has_failed else []  # fmt: skip
    is_long = ready_at is not None and ready_at - event.at >= LONG_WAIT
    if event.data.get("class") == ErrorClass.RATE_LIMITED and run.connection_id is not None and is_long:
        assert ready_at is not None
        key = connection_key(run.connection_id, "waits")
        title = f"{run.connection_name or 'A connection'} waits for its rate limit"
        text = f"The service asked to be left alone until {ready_at:%Y-%m-%d %H:%M} UTC. {error}".strip()
        found.append(_trouble(event, run, Type.RATE_LIMITED, key, title, text=text, error_class="rate_limited"))
    return found


def _succeeded(event: EventFacts, run: RunFacts) -> list[Signal]:
    ids = (run.job_id,) if run.schedule_id is None else (run.schedule_id, run.job_id)
    subject = subject_of(run)
    return [
        Relief(event.organization_id, event.at, ids, run_id=run.id),
        News(
            event.id, event.organization_id, event.at, Type.RUN_SUCCEEDED, subject, f"{subject.name} succeeded",
            run_id=run.id, schedule_id=run.schedule_id, job_id=run.job_id, tags=run.tags, service=run.service,
        ),
    ]  # fmt: skip


def _watched(type_: Type, what: str, words: str) -> Callable[[EventFacts, RunFacts], list[Signal]]:
    def read(event: EventFacts, run: RunFacts) -> list[Signal]:
        subject = subject_of(run)
        text = event.text(otherwise=run.error or "")
        return [_trouble(event, run, type_, f"{subject.kind}:{subject.id}:{what}", f"{subject.name} {words}", text)]

    return read


def _trouble(
    event: EventFacts, run: RunFacts, type_: Type, key: str, title: str, text: str, error_class: object = None
) -> Trouble:
    return Trouble(
        event.organization_id, event.at, type_, key, subject_of(run), title, text[:LONGEST_TEXT], run.id,
        run.schedule_id, run.job_id, run.connection_id, run.connection_name, run.tags, run.service,
        None if error_class is None else str(error_class),
    )  # fmt: skip


def _of_thing(
    type_: Type,
    kind: SubjectKind,
    what: str,
    title: str,
    *,
    supersedes: str | None = None,
    is_worse: bool = False,
    error_class: str | None = None,
) -> Callable[[EventFacts, ThingFacts], list[Signal]]:
    """`title` and `what` may name {name} and what is in the data."""

    def read(event: EventFacts, thing: ThingFacts) -> list[Signal]:
        said = {"name": f"“{thing.name}”" if thing.name else "A " + kind.value, **_Missing(event.data)}
        name = thing.name or str(said.get("part") or said.get("queue") or kind.value)
        begin = f"{kind.value}:{event.subject_id}:"
        given = _Missing(said)
        trouble = Trouble(
            event.organization_id, event.at, type_, (begin + what.format_map(given))[:120],
            Subject(kind, event.subject_id, name), title.format_map(given)[:LONGEST_TEXT],
            event.text(otherwise=str(event.data.get("reason") or "")),
            schedule_id=event.subject_id if kind is SubjectKind.SCHEDULE else None,
            job_id=thing.job_id,
            connection_id=event.subject_id if kind is SubjectKind.CONNECTION else None,
            connection_name=thing.name if kind is SubjectKind.CONNECTION else None,
            tags=thing.tags, service=thing.service, is_worse=is_worse, readers=thing.readers, error_class=error_class,
        )  # fmt: skip
        if supersedes is None:
            return [trouble]
        before = (begin + supersedes.format_map(given))[:120]
        words = "It has become another trouble."
        return [
            Relief(event.organization_id, event.at, (), (before,), has_recovered=False, words=words),
            trouble,
        ]

    return read


def _over(kind: SubjectKind, *whats: str, has_recovered: bool = True, words: str = "") -> "_ThingReader":
    def read(event: EventFacts, thing: ThingFacts) -> list[Signal]:
        given = _Missing(event.data)
        keys = tuple(f"{kind.value}:{event.subject_id}:{what.format_map(given)}"[:120] for what in whats)
        return [Relief(event.organization_id, event.at, (), keys, has_recovered, words)]

    return read


def _gone(words: str) -> "_ThingReader":
    def read(event: EventFacts, thing: ThingFacts) -> list[Signal]:
        return [Relief(event.organization_id, event.at, (event.subject_id,), has_recovered=False, words=words)]

    return read


class _Missing(dict[str, Any]):
    """Words of an event's data by their names. Those that are not there are nothing."""

    def __missing__(self, key: str) -> str:
        return ""


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


_RunReader = Callable[[EventFacts, RunFacts], list[Signal]]
_ThingReader = Callable[[EventFacts, ThingFacts], list[Signal]]

_OF_RUNS: dict[str, _RunReader] = {
    "run.failed": _failed,
    "run.lost": _failed,
    "run.waiting_retry": _retrying,
    "run.succeeded": _succeeded,
    "run.cancelled": _cancelled,
    "run.missed": _watched(Type.MISSED_SLOTS, "missed", "missed a run"),
    "run.late": _watched(Type.LATE, "late", "is late"),
    "run.slow": _watched(Type.LONGER_THAN_USUAL, "slow", "takes longer than its soft limit"),
    "run.longer": _watched(Type.LONGER_THAN_USUAL, "slow", "takes longer than usual"),
    "run.stuck": _watched(Type.STUCK, "stuck", "is stuck"),
}
_CONNECTION, _SCHEDULE = SubjectKind.CONNECTION, SubjectKind.SCHEDULE
_OF_THINGS: dict[str, _ThingReader] = {
    "connection.expiring": _of_thing(
        Type.CONNECTION_EXPIRING, _CONNECTION, "expiring", "The login of {name} expires in {days} days", is_worse=True
    ),
    "connection.expired": _of_thing(
        Type.CONNECTION_EXPIRED, _CONNECTION, "refused", "The login of {name} has expired", supersedes="expiring"
    ),
    "connection.refused": _of_thing(
        Type.CONNECTION_EXPIRED, _CONNECTION, "refused", "The login of {name} is refused", supersedes="expiring"
    ),
    "connection.reconnected": _over(_CONNECTION, "refused", "expiring", words="It was reconnected."),
    "connection.rotated": _over(_CONNECTION, "refused", "expiring", words="Its login was replaced."),
    "connection.disconnected": _over(
        _CONNECTION, "refused", "expiring", "waits", "version", has_recovered=False, words="It was disconnected."
    ),
    "connection.version_retired": _of_thing(
        Type.CONNECTION_EXPIRING,
        _CONNECTION,
        "version",
        "{name} is read with a version that its service retired",
        error_class=VERSION_RETIRED,
    ),
    "connection.version_served": _over(
        _CONNECTION, "version", words="The service serves the version that it is asked for."
    ),
    "figures.at_risk": _of_thing(
        Type.DATA_AT_RISK, _CONNECTION, "risk:{stream}", "Figures of {name} will hardly be there in time ({stream})"
    ),
    "figures.stale": _of_thing(
        Type.DATA_STALE,
        _CONNECTION,
        "stale:{stream}",
        "Figures of {name} are stale ({stream})",
        supersedes="risk:{stream}",
    ),
    "figures.fresh": _over(_CONNECTION, "risk:{stream}", "stale:{stream}"),
    "figures.unpromised": _over(
        _CONNECTION, "risk:{stream}", "stale:{stream}", has_recovered=False, words="Nobody waits for them any more."
    ),
    "figures.doubted": _of_thing(
        Type.SUSPICIOUS_SYNC, _CONNECTION, "doubt:{stream}", "Figures of {name} look wrong ({stream})"
    ),
    "figures.believed": _over(_CONNECTION, "doubt:{stream}"),
    "schedule.missed": _of_thing(Type.MISSED_SLOTS, _SCHEDULE, "missed", "{name} missed {slots} runs"),
    "schedule.set_aside": _of_thing(
        Type.SCHEDULE_SET_ASIDE, _SCHEDULE, "set_aside", "{name} cannot be planned any more"
    ),
    "schedule.in_time": _over(_SCHEDULE, "late", words="No run of it waits too long any more."),
    "schedule.edited": _over(_SCHEDULE, "set_aside", words="It was edited."),
    "schedule.repaired": _over(_SCHEDULE, "set_aside"),
    "schedule.deleted": _gone("The schedule was deleted."),
    "job.deleted": _gone("The job was deleted."),
    "queue.backlog": _of_thing(Type.QUEUE_BACKLOG, SubjectKind.QUEUE, "{queue}", "Queue {queue} falls behind"),
    "queue.relieved": _over(SubjectKind.QUEUE, "{queue}"),
    "system.silent": _of_thing(Type.SYSTEM_SILENT, SubjectKind.SYSTEM, "{part}", "Nothing is heard of the {part}"),
    "system.heard": _over(SubjectKind.SYSTEM, "{part}"),
    # The same cause as the silence of the part at which it hangs, which may be noticed before it or never.
    "canary.gap": _of_thing(
        Type.SYSTEM_SILENT, SubjectKind.SYSTEM, "{part}", "Belfry's own run does not come through any more"
    ),
    "canary.passed": _over(SubjectKind.SYSTEM, "scheduler", "workers", words="Belfry's own run comes through again."),
    "channel.broken": _of_thing(Type.CHANNEL_BROKEN, SubjectKind.CHANNEL, "broken", "{name} does not work any more"),
    "channel.mended": _over(SubjectKind.CHANNEL, "broken"),
}
INTERESTING = frozenset(_OF_RUNS) | frozenset(_OF_THINGS) | {THOUGHT_OVER}
