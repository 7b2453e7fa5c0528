"""How far an attempt has come, as it says itself. Written by the keeper now and then, and with its end."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, update
from sqlalchemy.orm import Session

from app.core.db import count_changed
from app.core.text import storable
from app.core.whole_numbers import whole_number
from app.runs.models import Attempt, Run
from app.runs.states import RunState

LONGEST_TEXT = 200


@dataclass(frozen=True)
class Progress:
    """So much is done, of a total if there is one, and a line about it."""

    done: int
    total: int | None = None
    text: str = ""

    @classmethod
    def said(cls, done: int, total: int | None, text: str) -> "Progress":
        """As a job said it, made to fit: what it says must never be what makes it fail."""
        line = storable(" ".join(str(text).split()))[:LONGEST_TEXT]
        return cls(whole_number(done), None if total is None else whole_number(total), line)

    @property
    def percent(self) -> int | None:
        """Whole percents, unless the total is unknown."""
        return None if not self.total else min(100, 100 * self.done // self.total)

    def __str__(self) -> str:
        """`40 of 100 (40 %): Orders`."""
        figures = f"{self.done:,}" if self.total is None else f"{self.done:,} of {self.total:,}"
        share = "" if self.percent is None else f" ({self.percent} %)"
        return f"{figures}{share}{': ' + self.text if self.text else ''}"


def write_progress(session: Session, *, run_id: UUID, token: int, progress: Progress) -> bool:
    """Write down how far an attempt has come. False when the run is no longer this attempt's."""
    held = exists().where(Run.id == run_id, Run.token == token, Run.state == RunState.RUNNING.value)
    query = update(Attempt).where(Attempt.run_id == run_id, Attempt.token == token, held)
    values = {"progress_done": progress.done, "progress_total": progress.total, "progress_text": progress.text}
    return count_changed(session, query.values(**values)) == 1
