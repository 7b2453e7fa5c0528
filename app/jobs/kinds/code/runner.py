"""Runs one function inside its own process and reports how it ended. The worker's side is process.py."""

import atexit
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

from app.core.config import read_settings
from app.core.errors import AppError
from app.core.http import OutboundFailed, OutboundRefused
from app.core.whole_numbers import whole_number
from app.jobs.kinds.base import DefinitionInvalid, Level
from app.jobs.kinds.code import http_check
from app.jobs.kinds.code.catalog import JobModuleInvalid, Result, find_function
from app.jobs.kinds.code.context import FunctionContext, JobFailed, RetryLater
from app.jobs.kinds.code.limits import Limits, memory_message
from app.jobs.kinds.code.protocol import (
    MAX_RESULT_BYTES,
    EndMessage,
    FunctionCall,
    LogMessage,
    Message,
    ProgressMessage,
    decode_call,
    decode_message,
    encode_call,
    encode_message,
    encode_result,
    write_line,
)
from app.jobs.kinds.code.said import is_a, plain, text_of, type_name
from app.jobs.kinds.definitions import parse_definition
from app.jobs.policies import ErrorClass

LONGEST_ERROR = 2_000
LONGEST_TRACE = 16_000
LONGEST_LOG_TEXT = 65_536
LONGEST_PROGRESS_TEXT = 1_000
# Progress is shown about once a second; a function that says it in every pass of a loop must not wait for that.
PROGRESS_SECONDS = 0.25
# Those between the worker and a function.
_OUR_MODULES = {__name__, "app.jobs.kinds.code.catalog", "app.jobs.kinds.code.in_thread"}
# Another try would fail in the same way.
_POINTLESS_TO_REPEAT = (OutboundRefused, DefinitionInvalid, JobModuleInvalid)


class Channel:
    """The way back to the worker. Safe to use from several threads of the function."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._progress_at = 0.0
        self._begin()
        # A forked process has none of our threads. What one held just then, as the buffer of what is printed while it
        # is written, would stay held there for ever: so nobody forks while something is sent.
        os.register_at_fork(before=self._hold, after_in_parent=self._let_go, after_in_child=self._begin)

    def _hold(self) -> None:
        self._lock.acquire()

    def _let_go(self) -> None:
        self._lock.release()

    def _begin(self) -> None:
        # Whoever sends may be asked to send once more by what it flushes.
        self._lock = threading.RLock()
        self._withheld: ProgressMessage | None = None
        self._is_withholding = threading.Event()
        self._teller: threading.Thread | None = None

    def send(self, message: Message) -> None:
        """Send one message, after what was printed before it."""
        with self._lock:
            _flush()
            write_line(self._pipe, encode_message(message))

    def write_line(self, text: str, level: Level) -> None:
        self.send(LogMessage(Level(level), str(text)[:LONGEST_LOG_TEXT]))

    def write_progress(self, done: int, total: int | None, text: str) -> None:
        """Send it; a moment later, if something was sent a moment ago. Of what is said until then the last is sent."""
        is_whole, total = done == total, None if total is None else whole_number(total)
        self._withheld = ProgressMessage(whole_number(done), total, str(text)[:LONGEST_PROGRESS_TEXT])
        if is_whole or time.monotonic() - self._progress_at >= PROGRESS_SECONDS:
            self.send_withheld()
        else:
            self._have_it_sent()

    def send_withheld(self) -> None:
        """Send the progress that was said last, unless it was sent."""
        with self._lock:
            _flush()
            said, self._withheld = self._withheld, None
            if said is not None:
                self._progress_at = time.monotonic()
                write_line(self._pipe, encode_message(said))

    def _have_it_sent(self) -> None:
        self._is_withholding.set()
        if self._teller is not None:
            return
        self._teller = threading.Thread(target=self._tell, name="progress", daemon=True)
        # Where there is no room for one more thread, it is sent with what is said next, or at the end.
        with suppress(RuntimeError):
            self._teller.start()

    def _tell(self) -> None:
        while self._is_withholding.wait():
            time.sleep(PROGRESS_SECONDS)
            self._is_withholding.clear()
            # Nobody may listen any more. The function hears of that when it sends something itself.
            with suppress(OSError):
                self.send_withheld()


def run(line: bytes, result_pipe: int, environment: Mapping[str, str]) -> None:
    """Do what the line says, report through the pipe and end this process.

    Lets SystemExit through: its status is then the report.
    """
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    channel = Channel(result_pipe)
    own_pid = os.getpid()
    call = decode_call(line)
    try:
        end = perform(partial(_call_function, call, channel), call.limits)
    finally:
        channel.send_withheld()
    # A process that the function forked may come here as well, and before it. The end of the run is the function's.
    if os.getpid() == own_pid:
        channel.send(end)
    _leave()


def call_to_rehearse() -> bytes:
    """A line that says to call the built-in function, for nobody."""
    nobody = UUID(int=0)
    settings = read_settings({}, folder=Path(os.sep))
    arguments = {"url": "http://localhost/"}
    call = FunctionCall(http_check.__name__, "http_check", arguments, nobody, nobody, "", settings, Limits(1, 1))
    return encode_call(call)


def rehearse(line: bytes) -> None:
    """Do what comes before any function, for nothing: what a forked process touches first has to be copied first."""
    call = decode_call(line)
    function = find_function(call.module, call.function)
    parse_definition(function.arguments, call.arguments, prefix="arguments.")
    encode_message(EndMessage())


def _leave() -> None:
    """What Python does at its end, without taking every module apart: those are copies, and that takes longer than
    many a function."""
    # Private, and what the standard library's own forked processes do: threads, and the pools that hold them, end as
    # they do in any program.
    ending: Any = threading
    ending._shutdown()
    atexit._run_exitfuncs()
    _flush()
    os._exit(0)


def _flush() -> None:
    # A function may have closed or replaced them, and done its work all the same.
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


def perform(work: Callable[[], Result], limits: Limits) -> EndMessage:
    """Run the function; whatever it raises becomes part of the answer."""
    try:
        return _success(work())
    except JobFailed as error:
        return EndMessage(message=_shortened(text_of(error.message)), may_retry=bool(error.retry))
    except RetryLater as error:
        text = _shortened(text_of(error.message))
        return EndMessage(message=text, error_class=ErrorClass.RATE_LIMITED, come_back_seconds=error.seconds)
    except AppError as error:
        may_retry = not isinstance(error, _POINTLESS_TO_REPEAT)
        error_class = ErrorClass.NETWORK if isinstance(error, OutboundFailed) else None
        text, trace = _shortened(error.message), _own_trace(error)
        return EndMessage(message=text, detail=trace, may_retry=may_retry, error_class=error_class)
    except MemoryError as error:
        return EndMessage(message=memory_message(limits), detail=_own_trace(error))
    except Exception as error:  # noqa: BLE001 - the function is somebody else's code
        text = f"{type_name(error)}: {text_of(error)}".removesuffix(": ")
        return EndMessage(message=_shortened(text), detail=_own_trace(error))


def _call_function(call: FunctionCall, channel: Channel) -> Result:
    function = find_function(call.module, call.function)
    arguments = parse_definition(function.arguments, call.arguments, prefix="arguments.")
    context = FunctionContext(
        run_id=call.run_id,
        organization_id=call.organization_id,
        idempotency_key=call.idempotency_key,
        settings=call.settings,
        write_line=channel.write_line,
        write_progress=channel.write_progress,
    )
    return function.invoke(context, arguments)


def _success(result: Result) -> EndMessage:
    """The end of a function that returned. A result that cannot be kept is a failure that repeating would not mend."""
    try:
        stored = encode_result(result or {})
    except (TypeError, ValueError, RecursionError) as error:
        return _unstorable(str(error))
    if len(stored) > MAX_RESULT_BYTES:
        text = f"The function returned {len(stored):,} bytes; at most {MAX_RESULT_BYTES:,} are kept. Return less."
        return EndMessage(message=text, may_retry=False)
    # What JSON makes of it, because a dictionary of a type of its own may not bear being copied on the way.
    end = EndMessage(result=json.loads(stored))
    if decode_message(encode_message(end)) is None:
        return _unstorable("it is nested too deeply.")
    return end


def _unstorable(why: str) -> EndMessage:
    text = f"The function returned something that cannot be stored as JSON: {why}"
    return EndMessage(message=_shortened(text), may_retry=False)


def _own_trace(error: Exception) -> str:
    """The trace without the frames of ours at its beginning. Of a long one the end says most."""
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None and _is_ours(frames):
        frames = frames.tb_next
    text = "".join(traceback.format_exception(type(error), error, frames))
    return text[-LONGEST_TRACE:]


def _is_ours(frame: TracebackType) -> bool:
    name = plain(frame.tb_frame.f_globals.get("__name__"))
    return is_a(name, str) and name in _OUR_MODULES


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_ERROR else text[:LONGEST_ERROR] + " …"
