"""What can go wrong between us and a service, what is done about it, and who is told. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.core.errors import Unavailable


class TroubleClass(StrEnum):
    """What kind of trouble it is, alike for every service."""

    AUTH_EXPIRED = "auth_expired"  # the sign-in ran out
    AUTH_REVOKED = "auth_revoked"  # somebody took it back
    PERMISSION_MISSING = "permission_missing"  # the sign-in is good, but may not read this
    SETUP_ERROR = "setup_error"  # what is asked for does not exist, or the service is not set up for it
    RATE_LIMITED = "rate_limited"  # too many calls; goes on by itself
    QUOTA_EXHAUSTED = "quota_exhausted"  # the same, for more than half an hour
    ACCOUNT_UNAVAILABLE = "account_unavailable"  # disabled, unsettled, closed, deleted or blocked
    TOO_LARGE = "too_large"  # more than the service hands out at once
    REPORT_PENDING = "report_pending"  # a report that the service makes for us takes its time
    TRANSIENT = "transient"  # down, slow, broken off, or unreadable
    VERSION_RETIRED = "version_retired"  # the version we ask for is no longer served
    CLOCK_WRONG = "clock_wrong"  # the clock of this machine differs too much from that of the service
    DATA_QUALITY = "data_quality"  # an answer, but not to be mixed with what we have
    INTERNAL = "internal"  # nothing we know: a mistake of ours, or something the service never said before


class Action(StrEnum):
    """What follows for the run or its connection."""

    PAUSE_CONNECTION = "pause_connection"  # until somebody reconnects
    PAUSE_STREAM = "pause_stream"  # until somebody grants what is missing
    WAIT_OR_DEFER = "wait_or_defer"  # a minute at most in place, else the run comes back later
    DEFER = "defer"  # the run comes back later
    SPLIT = "split"  # a smaller window is asked for
    TRY_AGAIN = "try_again"  # a few times in place, then as the job's retries say
    HOLD = "hold"  # nothing lands until somebody decided
    FAIL = "fail"  # the run fails


class Audience(StrEnum):
    """Whose trouble it is."""

    NOBODY = "nobody"
    MEMBERS = "members"  # the organization whose connection it is
    OPERATOR = "operator"  # whoever runs the installation


class Telling(StrEnum):
    """When its audience is told. Always once, until it is over."""

    NEVER = "never"
    AT_ONCE = "at_once"
    WHEN_LATE = "when_late"  # it delays more than one period of the schedule, or came three times in a row
    AFTER_THREE_RUNS = "after_three_runs"  # that failed in a row


@dataclass(frozen=True)
class Handling:
    """What is done about a class of trouble."""

    action: Action
    audience: Audience
    telling: Telling


HANDLING: Mapping[TroubleClass, Handling] = {
    TroubleClass.AUTH_EXPIRED: Handling(Action.PAUSE_CONNECTION, Audience.MEMBERS, Telling.AT_ONCE),
    TroubleClass.AUTH_REVOKED: Handling(Action.PAUSE_CONNECTION, Audience.MEMBERS, Telling.AT_ONCE),
    TroubleClass.PERMISSION_MISSING: Handling(Action.PAUSE_STREAM, Audience.MEMBERS, Telling.AT_ONCE),
    TroubleClass.SETUP_ERROR: Handling(Action.PAUSE_STREAM, Audience.MEMBERS, Telling.AT_ONCE),
    TroubleClass.RATE_LIMITED: Handling(Action.WAIT_OR_DEFER, Audience.MEMBERS, Telling.WHEN_LATE),
    TroubleClass.QUOTA_EXHAUSTED: Handling(Action.DEFER, Audience.MEMBERS, Telling.AT_ONCE),
    TroubleClass.ACCOUNT_UNAVAILABLE: Handling(Action.PAUSE_CONNECTION, Audience.MEMBERS, Telling.AT_ONCE),
    TroubleClass.TOO_LARGE: Handling(Action.SPLIT, Audience.NOBODY, Telling.NEVER),
    TroubleClass.REPORT_PENDING: Handling(Action.DEFER, Audience.NOBODY, Telling.NEVER),
    TroubleClass.TRANSIENT: Handling(Action.TRY_AGAIN, Audience.MEMBERS, Telling.AFTER_THREE_RUNS),
    TroubleClass.VERSION_RETIRED: Handling(Action.FAIL, Audience.OPERATOR, Telling.AT_ONCE),
    TroubleClass.CLOCK_WRONG: Handling(Action.FAIL, Audience.OPERATOR, Telling.AT_ONCE),
    TroubleClass.DATA_QUALITY: Handling(Action.HOLD, Audience.MEMBERS, Telling.AT_ONCE),
    TroubleClass.INTERNAL: Handling(Action.FAIL, Audience.OPERATOR, Telling.AT_ONCE),
}


@dataclass(frozen=True)
class Trouble:
    """One trouble, as an answer or its absence shows it. Holds no secret: what the service said was cleaned.

    `code` is the service's own, such as `190/463`, and `reference` what its support wants to know. `wait` is how long
    the service asks to be left alone.
    """

    trouble_class: TroubleClass
    message: str
    code: str | None = None
    reference: str | None = None
    wait: timedelta | None = None


class SyncFailed(Unavailable):
    """The window could not be read, and nothing of it may land.

    `until` is when to come back: the caller ends its attempt, frees its slot, and is called again then.
    """

    def __init__(self, trouble: Trouble, *, until: datetime | None = None) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble
        self.until = until

    @property
    def trouble_class(self) -> TroubleClass:
        return self.trouble.trouble_class

    @property
    def handling(self) -> Handling:
        return HANDLING[self.trouble_class]


def failed(trouble_class: TroubleClass, message: str) -> SyncFailed:
    """The error for a trouble that we saw ourselves."""
    return SyncFailed(Trouble(trouble_class, message))
