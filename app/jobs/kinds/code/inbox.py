"""What comes back from a function's process through the pipe for it: log lines, progress, and how it ended."""

from collections.abc import Callable

from app.jobs.kinds.code.output import LONGEST_LINE, BoundedLog, LineBuffer
from app.jobs.kinds.code.protocol import LONGEST_MESSAGE, EndMessage, LogMessage, ProgressMessage, decode_message


class Inbox:
    """Takes the function's messages: log lines go into the log, progress is handed on, the end is kept."""

    def __init__(self, log: BoundedLog, tell_progress: Callable[[int, int | None, str], None]) -> None:
        self._log = log
        self._tell_progress = tell_progress
        self._lines = LineBuffer(LONGEST_MESSAGE)
        self.end: EndMessage | None = None

    def feed(self, piece: bytes) -> None:
        for line in self._lines.feed(piece):
            message = decode_message(line)
            if isinstance(message, LogMessage):
                self._write(message)
            elif isinstance(message, ProgressMessage):
                self._tell_progress(message.done, message.total, message.text)
            # The first end counts: a function can write what it likes.
            elif message is not None and self.end is None:
                self.end = message

    def _write(self, message: LogMessage) -> None:
        lines = LineBuffer(LONGEST_LINE)
        self._log.add([*lines.feed(message.text.encode("utf-8", "replace")), *lines.finish()], message.level)
