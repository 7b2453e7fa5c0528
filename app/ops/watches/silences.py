"""Whether anything is heard of schedulers and workers, as their own silence cannot tell it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.events.service import Topic
from app.ops.heartbeats import ProcessRow, at_work, kept_time_at
from app.ops.watches.marks import Happening, Look, Subject, Watch
from app.tenants.models import SYSTEM_ORGANIZATION_ID

# A new version is in its place by then.
SILENT_FOR = timedelta(minutes=3)
SCHEDULER, WORKERS = "scheduler", "workers"


def look_for_silence(processes: Sequence[ProcessRow], *, now: datetime) -> Look:
    """`processes` are all that were heard of within the last day, also those that ended."""
    found = {SCHEDULER: silence_of_schedulers(processes, now=now), WORKERS: _silence_of_workers(processes, now)}
    seen = {_subject(part): _silent(part, since) for part, since in found.items() if since is not None}
    over = {
        _subject(part): Happening(Topic.NOTIFICATIONS, "system.heard", SYSTEM_ORGANIZATION_ID, {"part": part})
        for part in found
    }
    return Look(Watch.SILENT, seen, over=over)


def silence_of_schedulers(processes: Sequence[ProcessRow], *, now: datetime) -> datetime | None:
    """Since when no scheduler keeps time; None while one does, and where none was heard of for a day."""
    # What lies ahead was reported before the clock was set back, and says nothing of now.
    heard = [row.beat_at if row.has_ended else kept_time_at(row) for row in processes if row.schedules]
    return _long_ago([at for at in heard if at <= now + SILENT_FOR], now)


def _silence_of_workers(processes: Sequence[ProcessRow], now: datetime) -> datetime | None:
    workers = [row for row in processes if row.slots]
    if at_work(workers, now=now):
        return None
    # One that lives and starts nothing is no worker; the last that it is known to have done is to begin.
    heard = [row.started_at if row.problem is not None else row.beat_at for row in workers]
    # Where there never was one, as long as somebody has kept time.
    heard = heard or [row.started_at for row in processes if row.schedules and not row.is_gone(now)]
    return _long_ago([at for at in heard if at <= now + SILENT_FOR], now)


def _long_ago(heard: Sequence[datetime], now: datetime) -> datetime | None:
    last = max(heard, default=None)
    return None if last is None or now - last <= SILENT_FOR else last


def _subject(part: str) -> Subject:
    return Subject(SYSTEM_ORGANIZATION_ID, part)


def _silent(part: str, since: datetime) -> Happening:
    at = f"{since:%Y-%m-%d %H:%M} UTC"
    text = (
        f"No scheduler has kept time since {at}: nothing that is due is planned. Look into its log, and restart it."
        if part == SCHEDULER
        else f"No worker has taken runs since {at}, so what is due waits. Start one with: belfry up or belfry worker"
    )
    data = {"part": part, "since": since.isoformat(), "text": text}
    return Happening(Topic.NOTIFICATIONS, "system.silent", SYSTEM_ORGANIZATION_ID, data)
