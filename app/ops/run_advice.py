"""What to do about a run that failed, where its cause is known. Pure: how it stands is told elsewhere."""

import re

from app.jobs.kinds.base import KindName
from app.jobs.policies import ErrorClass
from app.runs.attempt_queries import AttemptRow
from app.runs.queries import RunRow
from app.runs.states import Reason, RunState

# More than that of an error says only where it happened.
_READ = 2_000
_TROUBLE = frozenset({RunState.FAILED, RunState.WAITING_RETRY})

_REFUSED = (
    "The other side does not accept what this job signs in with. Check the key or password in the job, and whether "
    "its owner took the access back."
)
# A sync signs in with its connection, and nothing in its job can be corrected.
_SYNC_REFUSED = "The service no longer takes the login of the connection. Reconnect the connection{name}."
_FORBIDDEN = (
    "The other side knows who asks and does not allow this. Ask its owner for access, or use a key in the job that "
    "may do it."
)
_NOT_FOUND = "Nothing is at this address. Check its spelling in the job, and whether it has moved."
_LIMITED = (
    "The other side asks for fewer requests. Let the schedule run more seldom, have the job ask for less at once, or "
    "raise the limit there."
)
_SERVER = (
    "The other side itself has trouble; nothing here has to be corrected. If it lasts, ask whoever operates it. "
    "More tries, further apart, bridge such times."
)
_NETWORK = "Check whether the other side is up, and whether the machines of the workers reach it."
_STATUSES = {401: _REFUSED, 403: _FORBIDDEN, 404: _NOT_FOUND, 410: _NOT_FOUND, 429: _LIMITED}
_CLASSES = {
    ErrorClass.REFUSED: _REFUSED,
    ErrorClass.RATE_LIMITED: _LIMITED,
    ErrorClass.SERVER: _SERVER,
    ErrorClass.NETWORK: _NETWORK,
}

_LOST = (
    "A worker that is ended from outside leaves no message here. Look at the processes and at the memory of their "
    "machine, and at the log for how far the run came."
)
_REASONS = {
    Reason.TIMED_OUT: (
        "See in its log what took so long. Raise the time limit of the job if it may take longer, or have it do less "
        "in one run."
    ),
    Reason.LOST: _LOST,
    Reason.LOST_TOO_OFTEN: _LOST,
    Reason.KEY_MISSING: (
        "Give every worker the same keys: BELFRY_VAULT_KEYS, or the file that BELFRY_VAULT_KEYS_FILE names."
    ),
    Reason.UNREADABLE: (
        "Another version of Belfry may have written it. Bring all processes to the newest version; if that does not "
        "help, save the job once more."
    ),
    Reason.NEEDS_CONNECTION: "Connect an account of this service for the job to read from.",
    Reason.LEFT_CODE: "Put the function back into the code and start the workers anew, or delete the job.",
    Reason.MISTAKE: "Correct the definition in the code, and start the workers anew.",
    Reason.ENDLESS: "Take a link out of the chain of jobs: one of them leads back to where the chain began.",
}

# In this order: what is more special comes first. A status stands for itself and is looked for before these.
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"Requests to .{1,300} are refused: that is", re.DOTALL),
        "Belfry calls no addresses inside its own network unless they are allowed. Correct the address in the job, "
        "or have whoever operates this installation allow it with BELFRY_ALLOWED_PRIVATE_ADDRESSES.",
    ),
    (
        re.compile(r"has no address\. Check its spelling|Name or service not known|nodename nor servname|getaddrinfo"),
        "No machine goes by this name. Check its spelling in the job, and whether the machines of the workers can "
        "look it up.",
    ),
    (
        re.compile(r"certificate of .{1,300} is not trusted|CERTIFICATE_VERIFY_FAILED", re.DOTALL),
        "Have the certificate of the other side renewed, or its issuer trusted on the machines of the workers.",
    ),
    (
        re.compile(r"Nothing answers at .{1,300}refused|Connection refused", re.DOTALL),
        "The machine is there, and nothing listens at this port. Check the port in the job, and whether the service "
        "is running.",
    ),
    (
        re.compile(r"MiB are allowed, with all that it starts|ended by SIGKILL|\bMemoryError\b"),
        "Have the function hold less at once, or allow it more memory: by its own limit, or for all by "
        "BELFRY_FUNCTION_MEMORY_MIB.",
    ),
    (
        re.compile(r"processes and threads at once and was ended"),
        "Have the function start fewer at once, or allow it more: by its own limit, or for all by "
        "BELFRY_FUNCTION_PROCESSES.",
    ),
    (
        re.compile(r"did not answer within|did not finish its answer within|took too long|\btimed out\b"),
        "The other side is slow or out of reach. Check whether it is up; if it always takes that long, have the job "
        "ask for less at once.",
    ),
    (re.compile(r"Nothing answers at|\bgot no answer\b|broke off, or what it answered"), _NETWORK),
)
# As Belfry's own kinds say it, and as the clients do that functions use most.
_STATUS = re.compile(
    r"\b(?:answered|http(?:[ _]?error)?|status(?:[ _]code)?|(?:client|server) error)[ :='\"]{1,3}([45]\d\d)\b"
    r"|\b([45]\d\d) (?:client|server) error\b",
    re.IGNORECASE,
)
_RAISED = "The code of the job raised this. Its last lines, under “Tries”, say where; correct it there."


def advice_on(run: RunRow, last: AttemptRow | None = None) -> str:
    """What to do about it, in whole sentences; empty where nothing is known, or nothing has to be done.

    Its last try, where the caller has it, tells more causes apart.
    """
    if run.state not in _TROUBLE and run.reason is not Reason.NEEDS_CONNECTION:
        return ""
    error_class = None if last is None else last.error_class
    if is_refused_sync(run, last):
        return _SYNC_REFUSED.format(name=_connection_name(last)) + (
            " Then retry the run." if run.wants_retry and not run.job_gone else ""
        )
    # What a service answered is kept in the same place.
    has_trace = last is not None and last.detail is not None and error_class in {None, ErrorClass.JOB}
    advice = known_advice(run.reason, run.error, error_class=error_class, has_trace=has_trace)
    if advice and run.state is RunState.WAITING_RETRY:
        return f"{advice} The next try comes by itself."
    return f"{advice} Then retry the run." if advice and run.wants_retry and not run.job_gone else advice


def is_refused_sync(run: RunRow, last: AttemptRow | None) -> bool:
    """Whether it is a sync that failed because the service refused the login of its connection."""
    is_sync = run.kind == KindName.SYNC.value and run.state is RunState.FAILED
    return is_sync and last is not None and last.error_class is ErrorClass.REFUSED


def _connection_name(last: AttemptRow | None) -> str:
    name = None if last is None else last.result.get("connection")
    return f" “{name}”" if isinstance(name, str) and name else ""


def known_advice(
    reason: Reason | None, error: str | None, *, error_class: ErrorClass | None = None, has_trace: bool = False
) -> str:
    """What is known to help against an error; `has_trace` says that it was raised by the job's own code."""
    if reason in _REASONS:
        return _REASONS[reason]
    text = (error or "")[:_READ]
    status = _STATUS.search(text)
    if status is not None:
        number = int(status[1] or status[2])
        return _STATUSES.get(number, _SERVER if number >= 500 else "")
    for pattern, advice in _WORDS:
        if pattern.search(text):
            return advice
    if error_class in _CLASSES:
        return _CLASSES[error_class]
    return _RAISED if has_trace else ""
