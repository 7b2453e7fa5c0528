"""Looks at everything that time alone brings, and tells what is new."""

from app.core.clock import Clock
from app.core.db import Database
from app.core.scopes import ENGINE
from app.ops.heartbeats import list_processes
from app.ops.watches.held_runs import look_at_held
from app.ops.watches.marks import News, read_marks, tell
from app.ops.watches.silences import look_for_silence, silence_of_schedulers
from app.ops.watches.waiting_runs import look_for_backlogs, look_for_late


def watch(database: Database, clock: Clock) -> int:
    """Look once, for all organizations. Returns how many events there were."""
    with database.reading(ENGINE) as session:
        now = clock.now(session)
        marks = read_marks(session)
        processes = list_processes(session, now=now, with_ended=True)
        looks = [
            look_for_late(session, marks, now=now),
            look_for_backlogs(session, marks, now=now),
            *look_at_held(session, processes, now=now),
            look_for_silence(processes, now=now),
        ]
    return _tell(database, clock, [news for look in looks if (news := look.news(marks)) is not None])


def watch_silence(database: Database, clock: Clock) -> bool:
    """Look whether anybody keeps time, for processes that do not. Returns whether nobody does."""
    with database.reading(ENGINE) as session:
        now = clock.now(session)
        processes = list_processes(session, now=now, with_ended=True)
        is_silent = silence_of_schedulers(processes, now=now) is not None
        if not is_silent:
            # Who keeps time tells that it does.
            return False
        news = look_for_silence(processes, now=now).news(read_marks(session))
    _tell(database, clock, [] if news is None else [news])
    return True


def _tell(database: Database, clock: Clock, news: list[News]) -> int:
    if not news:
        return 0
    return database.run(ENGINE, lambda session: sum(tell(session, one, now=clock.now(session)) for one in news))
