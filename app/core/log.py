"""Log lines of the product itself: one line each, a fixed message and its facts as fields."""

import logging
import sys

from app.core.names import visible

# What every record has; the rest was handed in as a fact.
_ORDINARY = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FieldsFormatter(logging.Formatter):
    """`2027-01-05 12:00:00 WARNING app.runs.reaper run lost run_id=… worker=…`"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        line = visible(super().format(record))
        facts = {name: value for name, value in vars(record).items() if name not in _ORDINARY}
        # One line, and one that steers no terminal, whatever a fact holds.
        fields = " ".join(f"{name}={visible(str(value))}".replace("\n", "\\n") for name, value in facts.items())
        # Behind the message and before a trace, if there is one.
        head, newline, trace = line.partition("\n")
        return f"{head} {fields}{newline}{trace}" if fields else line


def set_up_logging(level: int = logging.INFO) -> None:
    """Log to standard error. Libraries speak up only when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FieldsFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("app").setLevel(level)
