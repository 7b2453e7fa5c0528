"""The options that say how a job is tried, limited and queued: the same for making and changing one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from app.cli.console import Command, choice_of
from app.jobs.policies import Backoff, ErrorClass, Priority, RetryPolicy, WhenLost
from app.jobs.service import JobDraft

NONE = "none"
_WHEN_LOST = (
    "If its worker dies or loses touch in the middle: retry, fail (it ends as lost, and a person decides), or what its "
    "kind says: functions are tried again only if declared safe to repeat, all others always."
)


class NumberOrNone(click.ParamType[Any]):
    """A whole number, or the word that takes a limit away."""

    name = "number|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return NONE if value == NONE else click.INT.convert(value, param, ctx)


_OPTIONS = (
    click.option("--description"),
    click.option("--tries", type=int, help="How often in all. Default: 3."),
    click.option("--retry-delay", type=int, help="Seconds before the second try. Default: by kind."),
    click.option("--backoff", type=choice_of(Backoff), help="Whether the wait doubles. Default: by kind."),
    click.option("--longest-delay", type=int, help="Seconds that no wait is longer than. Default: 3600."),
    click.option("--jitter/--no-jitter", default=None, help="Spread each wait by chance, by up to 20 %."),
    click.option(
        "--not-on",
        multiple=True,
        type=click.Choice([*(one.value for one in ErrorClass), NONE]),
        help="Kinds of trouble that end it at once; name each, or none. A refused credential always does.",
    ),
    click.option("--when-lost", type=choice_of(WhenLost), help=_WHEN_LOST),
    click.option("--time-limit", type=int, help="Seconds. Default: 600."),
    click.option("--soft-limit", type=NumberOrNone(), help="Seconds after which it says that it takes long, or none."),
    click.option("--queue", metavar="NAME", help="A queue that exists, or none: the one of its kind."),
    click.option("--priority", type=click.Choice([priority.word for priority in Priority])),
    click.option("--concurrency", type=NumberOrNone(), help="How many of its runs may go on at once, or none."),
)


def with_job_options(command: Command) -> Command:
    """Add them to a command, which takes those that were given by their names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def with_options(draft: JobDraft, options: Mapping[str, Any]) -> JobDraft:
    """The draft with what was given."""
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    fields = {
        "description": "description",
        "time_limit": "time_limit_seconds",
        "soft_limit": "soft_limit_seconds",
        "queue": "queue",
        "concurrency": "concurrency",
    }
    said = {field: _or_none(given[name]) for name, field in fields.items() if name in given}
    if "priority" in given:
        said["priority"] = Priority.of(given["priority"])
    return replace(draft, retry=_with_retry(draft.retry, given), **said)


def _with_retry(retry: RetryPolicy, given: Mapping[str, Any]) -> RetryPolicy:
    fields = {
        "tries": "tries",
        "retry_delay": "delay_seconds",
        "longest_delay": "longest_delay_seconds",
        "jitter": "has_jitter",
    }
    said = {field: given[name] for name, field in fields.items() if name in given}
    if "backoff" in given:
        said["backoff"] = Backoff(given["backoff"])
    if "when_lost" in given:
        said["when_lost"] = WhenLost(given["when_lost"])
    if "not_on" in given:
        said["not_on"] = frozenset(ErrorClass(word) for word in given["not_on"] if word != NONE)
    return replace(retry, **said)


def _or_none(value: Any) -> Any:
    return None if value == NONE else value
