"""What H is spread by where nobody says: known before a schedule is saved, so that a preview tells its times. Pure."""

import hashlib
from uuid import UUID

from app.schedules.cron_fields import is_spread
from app.schedules.intervals import Interval
from app.schedules.rhythm_text import Times
from app.schedules.single_times import SingleTimes

NOT_KNOWN_YET = "H stands for times that are chosen when it is saved, so these are an example of them."
_LENGTH = 32


def spread_key_of(organization_id: UUID, job_id: UUID, name: str) -> str:
    """The key of a new schedule for which nobody says one: the same for a preview and for saving it."""
    # Two who spread the same job by hand shall not meet at one minute, so the name counts; spaces around it do not.
    text = f"{organization_id} {job_id} {name.strip()}"
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_LENGTH]


def is_spread_by_key(times: Times) -> bool:
    """Whether a rhythm has H in it, so that its times depend on the key."""
    lines = () if isinstance(times, Interval | SingleTimes) else times.lines
    return any(is_spread(text) for line in lines for text in line.text.split())
