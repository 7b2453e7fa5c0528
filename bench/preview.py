"""How long the preview of a schedule takes on the server, with 5,000 schedules in the organization.

Measured are the answers to the API and to both forms, a new schedule's and an old one's, by the application and its
database, without the network: texts that people type, and texts that were made to be expensive. Each way has bars;
a failed one ends the benchmark with status 1.
"""

import argparse
import random
import sys
import time
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import combinations, cycle, islice

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.clock import DatabaseClock
from app.core.ids import new_id
from app.events.service import Topic, append_event
from app.factory import create_app
from app.jobs.models import Job
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.fire_times import next_fire, rhythm
from app.schedules.models import Schedule
from app.schedules.rhythm_rows import fill_minutes
from bench.crowd import add_schedules, settle
from bench.figures import ROUNDS, median_of_rounds, percentile, print_figures
from bench.installation import Installation, installation
from bench.line import add_ready_runs
from bench.preview_ways import Ask, ways_to_ask
from bench.services import Engine
from tests.unit.schedules.hostile_texts import HOSTILE

# The preview, what is wrong with the text, or that it is larger than any body may be.
ANSWERS = (200, 422, 413)
SCHEDULES = 5_000
REQUESTS = 400
# Each hostile text is sent so often to each way.
HOSTILE_TIMES = 5
RUNS = 1_000
# Milliseconds: of what people type nineteen in twenty, of hostile texts each.
BARS = {"p95_ms": 30.0, "shared_p95_ms": 30.0, "hostile_max_ms": 50.0}
# So many schedules of the job share their next time with this text, and go on otherwise.
SHARED, SHARED_TEXT, SHARED_TIMES = 218, "0 9 * * *", 40
# One request in so many meets an organization that changed since the last one.
CHANGE_EVERY = 50
HOSTILE_ZONE = "Africa/Casablanca"
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney")
TYPED = (
    "0 0 * * *", "0 6 * * *", "*/15 * * * *", "0 9 * * 1-5", "30 2 * * *", "0 */6 * * *", "0 0 1 * *", "0 9 * *",
    "0 9 * * MON-SUN", "H H * * *", "*/7 * * * *", "0 0 13 * 5", "* * * * *", "0 0 29 2 *", "60 * * * *", "@daily",
    "0 6 L * *", "15,45 8-18 * * 1-5", "0 0 * * 5#2", "0 0 31 2 *",
)  # fmt: skip


def rhythms(count: int) -> Iterator[tuple[str, str]]:
    """As organizations have them: a good part on the hour, the rest all over the day, some on single days only."""
    chance = random.Random(1)
    for _ in range(count):
        minute = chance.choice((0, 0, 0, 15, 30, chance.randrange(60), chance.randrange(60)))
        hour, day = chance.randrange(24), chance.randint(1, 28)
        shapes = (
            *(f"{minute} {hour} * * *", f"{minute} {hour} * * *", f"{minute} {hour} * * *", "0 0 * * *"),
            *("0 * * * *", "*/15 * * * *", f"{minute} */6 * * *", f"{minute} {hour} * * 1-5"),
            *(f"{minute} {hour} * * {day % 7}", f"{minute} {hour} {day} * *"),
        )
        yield chance.choice(shapes), chance.choice(ZONES)


def main() -> None:
    """Measure, print, and say which bars were missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with installation(options.engine, BELFRY_API_REQUESTS_PER_MINUTE="1000000") as place:
        _fill(place, options.schedules)
        figures: dict[str, float] = {"schedules": options.schedules}
        for name, ask in ways_to_ask(place, create_app(place.settings)).items():
            found = median_of_rounds(lambda ask=ask: _timed(place, ask, options.requests), rounds=options.rounds)
            figures |= {f"{name}_{figure}": value for figure, value in (found | _memory(ask)).items()}
    verdicts = list(_verdicts(figures))
    for is_met, words in verdicts:
        print("pass" if is_met else "FAIL", words, flush=True)
    print_figures("preview", options.engine, figures)
    sys.exit(not all(is_met for is_met, _ in verdicts))


def _timed(place: Installation, ask: Ask, requests: int) -> dict[str, float]:
    pairs = islice(cycle((cron, zone) for cron in TYPED for zone in ZONES), requests)
    typed = list(_ask_amid_changes(place, ask, pairs))
    hostile = [_milliseconds(ask, text, HOSTILE_ZONE) for _ in range(HOSTILE_TIMES) for text in HOSTILE.values()]
    shared = [_milliseconds(ask, SHARED_TEXT, "UTC") for _ in range(SHARED_TIMES)]
    apart = {"hostile": hostile, "shared": shared}
    return _percentiles(typed) | {
        f"{which}_{name}": value for which, values in apart.items() for name, value in _percentiles(values).items()
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    return {f"p{percent}_ms": percentile(values, percent) for percent in (50, 95)} | {"max_ms": max(values)}


def _ask_amid_changes(place: Installation, ask: Ask, pairs: Iterable[tuple[str, str]]) -> Iterator[float]:
    for number, (cron, zone) in enumerate(pairs):
        if number % CHANGE_EVERY == 0:
            _change(place)
        yield _milliseconds(ask, cron, zone)


def _milliseconds(ask: Ask, cron: str, zone: str) -> float:
    begin = time.perf_counter()
    answer = ask(cron, zone)
    took = time.perf_counter() - begin
    if answer.status_code not in ANSWERS:
        raise SystemExit(f"{cron[:40]!r}: {answer.status_code} {answer.text[:300]}")
    return took * 1_000


def _memory(ask: Ask) -> dict[str, float]:
    """The most that one answer takes besides what is there. Apart from the times, because watching takes time."""
    typed = max(_peak_kib(ask, text, zone) for text in TYPED for zone in ZONES)
    return {"peak_kib": typed, "hostile_peak_kib": max(_peak_kib(ask, text, HOSTILE_ZONE) for text in HOSTILE.values())}


def _peak_kib(ask: Ask, cron: str, zone: str) -> float:
    tracemalloc.start()
    ask(cron, zone)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1_024


def _verdicts(figures: Mapping[str, float]) -> Iterator[tuple[bool, str]]:
    for name, value in figures.items():
        _, _, figure = name.partition("_")
        if figure in BARS:
            yield value <= BARS[figure], f"{name} {value:.1f}, at most {BARS[figure]:.0f}"


def _fill(place: Installation, count: int) -> None:
    """So many schedules, as they are once the housekeeper has been there, and a history of what they started."""
    due_at = _now(place) + timedelta(days=1)
    add_schedules(place, count, due_at=due_at, rhythms=rhythms(count))
    with place.database.transaction() as session:
        _share_the_next_time(session, now=_now(place))
        while fill_minutes(session, limit=count):
            session.flush()
        job = session.scalars(select(Job)).one()
        add_ready_runs(session, job, RUNS, now=_now(place))
        ended = {"state": RunState.SUCCEEDED.value, "started_at": Run.created_at, "finished_at": due_at}
        session.execute(update(Run).values(**ended))
    settle(place)


def _share_the_next_time(session: Session, *, now: datetime) -> None:
    """Give some of them months of their own, and one next time all together."""
    months = (others for size in range(8) for others in combinations(range(1, 13), size + 4))
    texts = [f"0 9 * {','.join(map(str, others))} *" for others in months if _is_on_around(now.month, others)]
    ids = session.scalars(select(Schedule.id).order_by(Schedule.id.desc()).limit(SHARED)).all()
    for schedule_id, cron in zip(ids, texts, strict=False):
        upcoming = next_fire(rhythm(cron, timezone="UTC"), after=now)
        says = {"cron": cron, "timezone": "UTC", "next_run_at": upcoming, "minutes": None}
        session.execute(update(Schedule).where(Schedule.id == schedule_id).values(**says))


def _is_on_around(month: int, months: tuple[int, ...]) -> bool:
    """Whether it is on in this month and the three that follow."""
    return {(month - 1 + ahead) % 12 + 1 for ahead in range(4)} <= set(months)


def _change(place: Installation) -> None:
    """As if somebody had saved a schedule: what is known of all of them has to be read again."""
    with place.database.transaction() as session:
        append_event(
            session, organization_id=place.actor.organization_id, topic=Topic.SCHEDULES, kind="schedule.edited",
            subject_id=new_id(), now=DatabaseClock().now(session),
        )  # fmt: skip


def _now(place: Installation) -> datetime:
    with place.database.reading() as session:
        return DatabaseClock().now(session)


if __name__ == "__main__":
    main()
