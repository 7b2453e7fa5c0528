"""Why a schedule did not run, decided from facts. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from app.ops.gap_words import GAP_REASONS
from app.ops.why.crew import Crew
from app.ops.why.facts import LastSlot, RunFacts, ScheduleFacts, Traffic
from app.ops.why.of_runs import scheduler_silence, why_left_out, why_run_waits
from app.ops.why.reasons import Telling, Why, WhyCode, first_of
from app.runs.states import RunState
from app.schedules.connection_pauses import is_paused_for_refusal, switched_off


def why_schedule_waits(schedule: ScheduleFacts, crew: Crew, traffic: Traffic, telling: Telling) -> Why:
    """The first cause that alone would hold the schedule back, with the others; or when it is due."""
    causes = [
        *_of_itself(schedule, telling),
        *_of_planning(schedule, crew, telling),
        *_of_its_run(schedule.run, crew, traffic, telling),
        *_of_its_last_slot(schedule, telling),
    ]
    is_held = any(one.code in _PLANS_NOTHING for one in causes)
    quiet = () if is_held else _what_is_next(schedule, telling)
    return first_of(sorted(chain(causes, quiet), key=lambda one: not one.holds))


# With one of these, nothing is said about the next time: it would not be true.
_PLANS_NOTHING = frozenset(
    {
        WhyCode.LEFT_CODE,
        WhyCode.PAUSED,
        WhyCode.SET_ASIDE,
        WhyCode.NEVER,
        WhyCode.SCHEDULING_STOPPED,
        WhyCode.SCHEDULER_SILENT,
    }
)


def _of_itself(schedule: ScheduleFacts, telling: Telling) -> Iterator[Why]:
    if schedule.left_code_at is not None:
        at = schedule.left_code_at
        words = f"It is no longer defined in code since {telling.at(at)}. Put it back there to run it again."
        yield Why(WhyCode.LEFT_CODE, words, since=at)
    elif not schedule.enabled:
        yield _pause(schedule, telling)
    elif schedule.job_left_at is not None:
        at = schedule.job_left_at
        # Which job a schedule in code starts, the code alone says.
        other = "." if schedule.is_of_code else ", or give the schedule another job."
        since = f"Its job is no longer in the code since {telling.at(at)}, so its slots are skipped."
        words = f"{since} Put it back there{other}"
        yield Why(WhyCode.LEFT_CODE, words, since=at)
    if schedule.problem is not None:
        words = f"It was set aside, because it cannot be read: {schedule.problem} Edit it to put that right."
        yield Why(WhyCode.SET_ASIDE, words)
    if schedule.to_connect:
        yield Why(WhyCode.NEEDS_CONNECTION, f"{schedule.to_connect} Until then its slots are skipped.")
    if schedule.cursor is None and schedule.enabled and schedule.problem is None and not schedule.is_manual:
        yield Why(WhyCode.NEVER, "Its times are over: none lies ahead. Give it another rhythm.")


def _pause(schedule: ScheduleFacts, telling: Telling) -> Why:
    at, then = schedule.switched_at, "Enable it to run it on schedule."
    if at is not None and at != schedule.created_at:
        who = schedule.switched_by or "Somebody"
        is_refused = is_paused_for_refusal(enabled=False, switched_by=schedule.switched_by)
        then = "Reconnect its account, and enable it again." if is_refused else "Enable it to run it on schedule again."
        words = f"It is off: {switched_off(who, telling.at(at))}. {then}"
        return Why(WhyCode.PAUSED, words, since=at, by=schedule.switched_by)
    if at is not None:
        words = f"It is off: {schedule.switched_by or 'Somebody'} made it so at {telling.at(at)}. {then}"
        return Why(WhyCode.PAUSED, words, since=at, by=schedule.switched_by)
    if not (schedule.is_of_code or schedule.is_untouched):
        # It was changed, perhaps before it was kept who switches what.
        return Why(WhyCode.PAUSED, f"It is off. Who switched it off, if anybody did, is not recorded. {then}")
    how = "loaded from code" if schedule.is_of_code else "made"
    words = f"It was {how} switched off, at {telling.at(schedule.created_at)}, and nobody has switched it on. {then}"
    return Why(WhyCode.PAUSED, words, since=schedule.created_at)


def _of_planning(schedule: ScheduleFacts, crew: Crew, telling: Telling) -> Iterator[Why]:
    stop, hold = schedule.stop, schedule.hold
    if stop is not None:
        words = f"All scheduling is stopped: {stop.stopped_by} stopped it at {telling.at(stop.stopped_at)}"
        then = "A platform admin starts it again on any page, or with: belfry scheduling start"
        text = f"{words} and said “{stop.reason}” {then}"
        yield Why(WhyCode.SCHEDULING_STOPPED, text, since=stop.stopped_at, by=stop.stopped_by)
    if hold is not None:
        words = f"{hold.text} Nothing is planned until {telling.at(hold.held_until)}; it goes on by itself."
        yield Why(WhyCode.CLOCK_SET, words, until=hold.held_until)
    # Without times of its own it needs nobody who keeps them.
    silence = None if schedule.is_manual else scheduler_silence(crew, telling)
    if silence is not None:
        yield silence


def _of_its_run(run: RunFacts | None, crew: Crew, traffic: Traffic, telling: Telling) -> Iterator[Why]:
    if run is None:
        return
    why = why_run_waits(run, crew, traffic, telling)
    opening = f"Its run that was due at {telling.at(run.due_at)} waits. " if run.state is not RunState.RUNNING else ""
    yield replace(why, words=f"{opening}{why.words}", waiting_run_id=run.id, also=())
    yield from (replace(one, waiting_run_id=run.id) for one in why.also)


def _of_its_last_slot(schedule: ScheduleFacts, telling: Telling) -> Iterator[Why]:
    last = schedule.last
    if last is None:
        return
    if last.gap is not None:
        yield _gap(last, telling)
    elif last.state is not None:
        left_out = why_left_out(last.state, last.reason, last.error)
        if left_out is not None and left_out.code is not WhyCode.NEEDS_CONNECTION:
            yield _left_out(left_out, last, schedule.run, telling)


def _gap(last: LastSlot, telling: Telling) -> Why:
    because = last.gap_explanation or (GAP_REASONS[last.gap] if last.gap is not None else "")
    since = last.gap_first_at or last.at
    if last.gap_slots == 1:
        slots = f"Nobody ran its slot at {telling.at(since)}"
    else:
        slots = f"Nobody ran its {last.gap_slots:,} slots from {telling.at(since)} to {telling.at(last.at)}"
    return Why(WhyCode.GAP, f"{slots}: {because.rstrip('.')}.", since=since, until=last.at)


def _left_out(why: Why, last: LastSlot, run: RunFacts | None, telling: Telling) -> Why:
    words = f"Its slot at {telling.at(last.at)} was {last.state}. {why.words}"
    if why.code is not WhyCode.PREVIOUS_RUN or run is None or run.started_at is None:
        return replace(why, words=words, since=last.at)
    # The run that was in the way goes on.
    still = f"That run is still going, for {telling.length_since(run.started_at)} now."
    return replace(why, words=f"{words} {still}", since=run.started_at, run_id=run.id)


def _what_is_next(schedule: ScheduleFacts, telling: Telling) -> Iterator[Why]:
    if schedule.is_manual:
        yield Why(WhyCode.ON_REQUEST, "It has no times of its own: it runs when somebody presses “Run now”.")
    elif schedule.cursor is not None and schedule.cursor > telling.now:
        yield Why(WhyCode.NOT_DUE, f"It is next due at {telling.at(schedule.cursor)}.", until=schedule.cursor)
    elif schedule.cursor is not None:
        words = f"It was due at {telling.at(schedule.cursor)}, and is planned in a moment."
        yield Why(WhyCode.DUE, words, since=schedule.cursor)
    last = schedule.last
    if last is not None and last.state in _RAN:
        because = f" {last.error}" if last.state is RunState.FAILED and last.error else ""
        yield Why(WhyCode.RAN, f"Its slot at {telling.at(last.at)} ran: {last.state}.{because}", since=last.at)


_RAN = frozenset({RunState.SUCCEEDED, RunState.FAILED})
