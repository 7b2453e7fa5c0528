"""The part of the job form that says how often a job is tried, how long it may take, and where it stands in line."""

from collections.abc import Iterable
from typing import Any

from wtforms import BooleanField, IntegerField, RadioField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.jobs.kinds.base import KindName
from app.jobs.policies import (
    DEFAULT_LONGEST_DELAY_SECONDS,
    LONGEST_DELAY_SECONDS,
    MOST_AT_ONCE,
    Backoff,
    ErrorClass,
    Priority,
    RetryPolicy,
    WhenLost,
)
from app.jobs.queries import JobRow
from app.jobs.service import (
    DEFAULT_TIME_LIMIT_SECONDS,
    LONGEST_TIME_LIMIT_SECONDS,
    MOST_TRIES,
    default_retry,
)
from app.web.forms.base import BaseForm, text_of
from app.web.forms.lost import LOST_CHOICES, LOST_LABEL, chosen_when_lost
from app.web.run_words import ERROR_CLASS_WORDS

_QUEUE_OF_KIND = "The queue of its kind"
_PRIORITY_LABELS = {
    Priority.HIGH.word: "High: before the others of this organization",
    Priority.NORMAL.word: "Normal",
    Priority.LOW.word: "Low: when none of the others waits",
}


class WholeNumberField(IntegerField):
    """A whole number; what was typed stays in the field when it is none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError("Enter a whole number.") from error


def _limit(label: str, *, most: int) -> WholeNumberField:
    return WholeNumberField(label, [Optional()], render_kw={"min": 1, "max": most})


class PolicyForm(BaseForm):
    """Tries, waits, limits and the queue. What is acceptable, the command decides."""

    tries = WholeNumberField("Tries", [InputRequired("Say how often to try.")], render_kw={"min": 1, "max": MOST_TRIES})
    retry_delay_seconds = WholeNumberField(
        "Seconds between tries",
        [InputRequired("Say how long to wait.")],
        render_kw={"min": 0, "max": LONGEST_DELAY_SECONDS},
    )
    retry_backoff = RadioField(
        "The wait",
        choices={Backoff.FIXED.value: "Stays the same", Backoff.EXPONENTIAL.value: "Doubles after each try"},
    )
    retry_longest_delay_seconds = _limit("Longest wait in seconds", most=86_400)
    retry_has_jitter = BooleanField("Spread each wait by up to 20 %")
    retry_not_on = SelectMultipleField(
        "Do not try again after",
        # A refused credential is never tried again, whatever stands here.
        choices={one.value: ERROR_CLASS_WORDS[one] for one in ErrorClass if one is not ErrorClass.REFUSED},
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    when_lost = RadioField(LOST_LABEL, choices=LOST_CHOICES, default=WhenLost.KIND.value)
    soft_limit_seconds = _limit("Expected to take at most, in seconds", most=LONGEST_TIME_LIMIT_SECONDS)
    time_limit_seconds = WholeNumberField(
        "Time limit in seconds",
        [InputRequired("Say how long it may take.")],
        render_kw={"min": 1, "max": LONGEST_TIME_LIMIT_SECONDS},
    )
    queue = SelectField("Queue", choices={"": _QUEUE_OF_KIND}, validate_choice=False)
    priority = SelectField("Priority", choices=_PRIORITY_LABELS, validate_choice=False)
    concurrency = _limit("Runs at once", most=MOST_AT_ONCE)

    def offer_queues(self, names: Iterable[str]) -> None:
        """Let one of these be chosen. One that is gone meanwhile stays chosen until somebody chooses another."""
        chosen = text_of(self.queue)
        found = dict.fromkeys([*names, *([chosen] if chosen else [])])
        self.queue.choices = {"": _QUEUE_OF_KIND, **{name: name for name in found}}

    @property
    def has_line_errors(self) -> bool:
        """Whether something is wrong about limits or queue, so that their part of the form has to be open."""
        parts = self.soft_limit_seconds, self.time_limit_seconds, self.queue, self.priority, self.concurrency
        return any(part.errors for part in parts)

    @property
    def has_retry_errors(self) -> bool:
        """The same for tries and waits."""
        parts = self.tries, self.retry_delay_seconds, self.retry_longest_delay_seconds, self.retry_not_on
        return any(part.errors for part in (*parts, self.when_lost))

    def retry(self) -> RetryPolicy:
        """How often, and with which waits. To be asked for when the form is valid."""
        longest = self.retry_longest_delay_seconds.data
        return RetryPolicy(
            self.tries.data or 0,
            self.retry_delay_seconds.data or 0,
            Backoff(text_of(self.retry_backoff)),
            WhenLost(text_of(self.when_lost)),
            DEFAULT_LONGEST_DELAY_SECONDS if longest is None else longest,
            bool(self.retry_has_jitter.data),
            frozenset(ErrorClass(word) for word in self.retry_not_on.data or ()),
        )

    def limits(self) -> dict[str, Any]:
        """The fields of a draft about limits and queue. Likewise."""
        priority = text_of(self.priority)
        return {
            "time_limit_seconds": self.time_limit_seconds.data or 0,
            "soft_limit_seconds": self.soft_limit_seconds.data,
            "queue": text_of(self.queue) or None,
            "priority": Priority.of(priority) if priority in _PRIORITY_LABELS else Priority.NORMAL,
            "concurrency": self.concurrency.data,
        }


def fresh_policies(kind: KindName) -> dict[str, Any]:
    """What this part of the form opens with for a new job."""
    retry = default_retry(kind)
    fresh = {"time_limit_seconds": DEFAULT_TIME_LIMIT_SECONDS, "priority": Priority.NORMAL.word}
    return _retry_values(retry) | fresh


def stored_policies(job: JobRow) -> dict[str, Any]:
    """What it opens with for an existing one."""
    return _retry_values(job.retry) | {
        "when_lost": chosen_when_lost(job),
        "time_limit_seconds": job.time_limit_seconds,
        "soft_limit_seconds": job.soft_limit_seconds,
        "queue": job.queue or "",
        "priority": job.priority.word,
        "concurrency": job.concurrency,
    }


def _retry_values(retry: RetryPolicy) -> dict[str, Any]:
    return {
        "tries": retry.tries,
        "retry_delay_seconds": retry.delay_seconds,
        "retry_backoff": retry.backoff.value,
        "retry_longest_delay_seconds": retry.longest_delay_seconds,
        "retry_has_jitter": retry.has_jitter,
        "retry_not_on": sorted(retry.not_on),
    }
