"""Every slot from the cursor up to now lies in exactly one place: the run, or one gap with its cause."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.schedules.fire_times import MOMENT, Rhythm, fire_times, next_fire, rhythm
from app.schedules.policies import LATE_AFTER, GapReason, Missed, MissedPolicy, is_missed
from app.schedules.slot_accounts import (
    DOWNTIME,
    Absence,
    CursorBetweenSlots,
    MissedSlots,
    account_for,
    account_for_pause,
    count_missed,
)
from app.schedules.stops import SchedulingStopRow

START = datetime(2026, 1, 1, tzinfo=UTC)
LINES = (
    "*/20 * * * *", "0 * * * *", "30 2 * * *", "15,45 1-3 * * *", "0 9 * * 1-5", "0 0 13 * 5", "0 0 29 2 *",
    "0 12 L * *", "10 3 */2 3,10 *", "0 0 * * 5#2", "59 23 31 12 *",
)  # fmt: skip
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu")
DAY = 24 * 60

rhythms = st.builds(lambda line, zone: rhythm(line, timezone=zone), st.sampled_from(LINES), st.sampled_from(ZONES))
policies = st.builds(
    lambda missed, hours, limit: MissedPolicy(missed, timedelta(hours=hours), limit),
    st.sampled_from(Missed),
    st.integers(0, 72),
    st.integers(1, 100),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[datetime, datetime, list[SchedulingStopRow]]:
    """When the cursor was set, what time it is now, and when scheduling was stopped in between."""
    since = START + timedelta(minutes=draw(st.integers(0, 800 * DAY)))
    now = since + timedelta(minutes=draw(st.integers(0, 40 * DAY)), seconds=draw(st.integers(0, 59)))
    cuts = sorted(draw(st.lists(st.integers(0, 40 * DAY), max_size=4, unique=True)))
    bounds = [since + timedelta(minutes=cut) for cut in cuts]
    stops = [
        SchedulingStopRow(began, "ada", "Moving house.", ended)
        for began, ended in zip(bounds[::2], bounds[1::2], strict=False)
        if ended <= now
    ]
    if len(bounds) % 2 and bounds[-1] <= now:
        # This one lasts.
        stops.append(SchedulingStopRow(bounds[-1], "ada", "Moving again."))
    return since, now, stops


def due_cursor(when: Rhythm, *, since: datetime, now: datetime) -> datetime:
    """The first slot after the cursor was set. Histories in which none is due are passed over."""
    cursor = next_fire(when, after=since)
    assume(cursor is not None and cursor <= now)
    assert cursor is not None
    return cursor


def listed(when: Rhythm, since: datetime, until: datetime) -> list[datetime]:
    """Every slot, the slow way."""
    return fire_times(when, after=since - MOMENT, until=until, limit=10**6)


def stops_around(stops: Sequence[SchedulingStopRow], slot: datetime) -> bool:
    return any(
        # What came shortly before a stop that lasts belongs to it.
        stop.stopped_at - LATE_AFTER <= slot if stop.started_at is None else stop.stopped_at <= slot < stop.started_at
        for stop in stops
    )


@settings(max_examples=400, deadline=None, derandomize=True)
@given(when=rhythms, policy=policies, history=histories())
def test_every_slot_lies_in_exactly_one_place(
    when: Rhythm, policy: MissedPolicy, history: tuple[datetime, datetime, list[SchedulingStopRow]]
) -> None:
    since, now, stops = history
    cursor = due_cursor(when, since=since, now=now)

    found = account_for(when, cursor=cursor, policy=policy, stops=stops, absence=DOWNTIME, now=now)

    in_gaps = [listed(when, gap.first_slot_at, gap.last_slot_at) for gap in found.gaps]
    run = list(found.slots)
    assert [len(slots) for slots in in_gaps] == [gap.slots for gap in found.gaps]
    assert sorted([*run, *(slot for slots in in_gaps for slot in slots)]) == listed(when, cursor, now)
    assert not (run and any(stop.is_open for stop in stops))
    assert found.following == next_fire(when, after=now)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(when=rhythms, policy=policies, history=histories())
def test_no_gap_mixes_a_stop_with_downtime(
    when: Rhythm, policy: MissedPolicy, history: tuple[datetime, datetime, list[SchedulingStopRow]]
) -> None:
    since, now, stops = history
    cursor = due_cursor(when, since=since, now=now)

    found = account_for(when, cursor=cursor, policy=policy, stops=stops, absence=DOWNTIME, now=now)

    for gap in found.gaps:
        causes = {stops_around(stops, slot) for slot in listed(when, gap.first_slot_at, gap.last_slot_at)}
        assert causes == {gap.why.reason is GapReason.SCHEDULING_STOPPED}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(when=rhythms, policy=policies, history=histories())
def test_only_a_slot_that_the_policy_allows_runs(
    when: Rhythm, policy: MissedPolicy, history: tuple[datetime, datetime, list[SchedulingStopRow]]
) -> None:
    since, now, _ = history
    cursor = due_cursor(when, since=since, now=now)

    found = account_for(when, cursor=cursor, policy=policy, stops=[], absence=DOWNTIME, now=now)

    most = {Missed.LATEST: 1, Missed.SKIP: 1, Missed.ALL: policy.limit}[policy.missed]
    max_age = timedelta(0) if policy.missed is Missed.SKIP else policy.max_age
    slots = listed(when, cursor, now)
    allowed = [slot for slot in slots if not is_missed(slot, now=now) or now - slot <= max_age]
    assert list(found.slots) == allowed[-most:]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(when=rhythms, most=st.integers(0, 100), history=histories())
def test_after_a_pause_as_many_of_the_newest_run_as_somebody_wants(
    when: Rhythm, most: int, history: tuple[datetime, datetime, list[SchedulingStopRow]]
) -> None:
    since, now, _ = history
    cursor = due_cursor(when, since=since, now=now)
    slots = listed(when, cursor, now)

    found = account_for_pause(when, cursor=cursor, most=most, absence=Absence(GapReason.PAUSED), now=now)
    told = count_missed(when, cursor=cursor, now=now)

    assert list(found.slots) == (slots[-most:] if most else [])
    assert sum(gap.slots for gap in found.gaps) == len(slots) - len(found.slots)
    assert told == MissedSlots(len(slots), slots[0], slots[-1])


def test_a_time_whose_rules_have_changed_since_still_counts_as_a_slot() -> None:
    daily = rhythm("0 9 * * *", timezone="Europe/Berlin")
    cursor = START + timedelta(hours=9)
    skip = MissedPolicy(Missed.SKIP, timedelta(days=1))

    in_time = account_for(daily, cursor=cursor, policy=skip, stops=[], absence=DOWNTIME, now=cursor)
    late = account_for(
        daily, cursor=cursor, policy=skip, stops=[], absence=DOWNTIME, now=cursor + timedelta(minutes=10)
    )  # fmt: skip

    assert in_time.slots == (cursor,)
    assert [(gap.first_slot_at, gap.slots) for gap in late.gaps] == [(cursor, 1)]


@pytest.mark.parametrize(
    ("zone", "after_ten"),
    [("UTC", timedelta()), ("Europe/Berlin", timedelta(seconds=1)), ("Europe/Berlin", timedelta(minutes=7))],
)
def test_a_time_between_two_slots_is_none(zone: str, after_ten: timedelta) -> None:
    daily = rhythm("0 9 * * *", timezone=zone)
    cursor = START + timedelta(hours=10) + after_ten
    latest = MissedPolicy(Missed.LATEST, timedelta(days=1))

    with pytest.raises(CursorBetweenSlots):
        account_for(daily, cursor=cursor, policy=latest, stops=[], absence=DOWNTIME, now=cursor)
