"""What a change of a schedule will do, in sentences: the same on pages, in the API and in commands. Pure.

The facts are schedule_effects.py. Times are on the clocks of the schedule, and on the viewer's where they differ.
"""

from collections.abc import Iterator

from app.core.clock_words import Clocks
from app.ops.schedule_effects import Action, Effect, Standing
from app.runs.foreseen import Foreseen

_LOST_WORDS = ", because its times change. To decide otherwise, enable it first"


def effect_lines(effect: Effect, clocks: Clocks) -> tuple[str, ...]:
    """What becomes of runs, one sentence each. `clocks` are those of the schedule as it is now."""
    return (
        *_due_lines(effect, clocks),
        *_end_lines(effect, clocks),
        *_missed_lines(effect, clocks),
        *_replaced_lines(effect),
    )


def replacement_line(standing: Standing) -> str | None:
    """What becomes of the runs without an end once a missed slot runs and takes their place; None without any."""
    found = _replaced_words(standing.waiting - standing.begun, standing.running + standing.begun)
    return found and f"If a missed slot runs, it takes the place of what is there: {found}."


def _due_lines(effect: Effect, clocks: Clocks) -> Iterator[str]:
    due, is_deletion = effect.standing.due, effect.action is Action.DELETE
    if due is not None:
        slots = _slots_words(due, clocks)
        if is_deletion:
            yield f"{slots} due just now and not started any more."
        elif effect.action is Action.EDIT:
            yield f"{slots} due already and {_go(due)} by what it said until now{_outcome_words(due)}."
        else:
            yield f"{slots} due already{_outcome_words(due)}."


def _end_lines(effect: Effect, clocks: Clocks) -> Iterator[str]:
    standing, action = effect.standing, effect.action
    if effect.is_on_before == effect.is_on_after and action in (Action.PAUSE, Action.RESUME):
        yield f"It is switched {'on' if effect.is_on_after else 'off'} already: nothing changes."
        return
    if action in (Action.PAUSE, Action.DELETE) and effect.before:
        yield f"Its next run, {clocks.say(effect.before[0])}, and all that follow do not happen."
    if action is Action.RESUME and effect.after:
        yield f"Its next run is {clocks.say(effect.after[0])}."
    if action is Action.DELETE:
        yield from _deletion_lines(effect)
    elif standing.waiting > standing.begun and not effect.replaces:
        waiting = standing.waiting - standing.begun
        is_one = waiting == 1
        yield f"{waiting:,} {'run waits and starts' if is_one else 'runs wait and start'} all the same."
    going_on = standing.running + standing.begun
    if action is Action.PAUSE and going_on and not effect.replaces:
        yield _running_words(going_on)
    if action is Action.EDIT and effect.is_on_before and not effect.is_on_after:
        yield "It is switched off: nothing new starts until somebody enables it."


def _deletion_lines(effect: Effect) -> Iterator[str]:
    standing = effect.standing
    if standing.waiting:
        is_one = standing.waiting == 1
        yield f"{standing.waiting:,} waiting {'run is' if is_one else 'runs are'} cancelled with it."
    if standing.running and not effect.replaces:
        yield _running_words(standing.running)


def _replaced_lines(effect: Effect) -> Iterator[str]:
    """Who overlaps by making room: the runs before end, or are asked to."""
    waiting = 0 if effect.action is Action.DELETE else effect.cancelled
    found = _replaced_words(waiting, effect.asked_to_stop) if effect.replaces else None
    if found is not None and effect.action is Action.DELETE:
        yield f"A slot that is due was to take the place of what goes on: {found}."
    elif found is not None:
        yield f"The run of a slot takes the place of what is there: {found}."


def _replaced_words(waiting: int, going_on: int) -> str | None:
    """“2 waiting runs end and 1 run that goes on is asked to stop”."""
    parts = []
    if waiting:
        parts.append(f"{waiting:,} waiting {'run ends' if waiting == 1 else 'runs end'}")
    if going_on:
        parts.append(f"{going_on:,} {'run that goes on is' if going_on == 1 else 'runs that go on are'} asked to stop")
    return " and ".join(parts) or None


def _missed_lines(effect: Effect, clocks: Clocks) -> Iterator[str]:
    missed = effect.missed
    if missed is not None:
        slots = _slots_words(missed, clocks).removesuffix(" is").removesuffix(" are")
        lost = "" if effect.is_on_after else _LOST_WORDS
        yield f"{slots} passed while it was off{_outcome_words(missed)}{lost}."
    if effect.unreadable is not None:
        count = effect.unreadable.count
        slots = "1 slot" if count == 1 else f"{count:,} slots"
        yield f"{slots} passed while nobody could read it: recorded as missed."


def _running_words(count: int) -> str:
    return "1 run goes on and ends by itself." if count == 1 else f"{count:,} runs go on and end by themselves."


def _go(slots: Foreseen) -> str:
    return "goes" if slots.count == 1 else "go"


def _outcome_words(slots: Foreseen) -> str:
    """“: 1 runs, 2 are skipped and 5 stay missed”, with why they are skipped."""
    counts = (
        (len(slots.runs), "runs", "run"),
        (len(slots.skipped), "is skipped", "are skipped"),
        (0 if slots.lost is None else slots.lost.count, "stays missed", "stay missed"),
    )
    found = [f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count]
    if slots.count == 1:
        found = [one.replace("1 ", "it ", 1) for one in found]
    why = "" if slots.why_skipped is None else f" ({slots.why_skipped.rstrip('.')})"
    return f": {', '.join(found)}{why}"


def _slots_words(slots: Foreseen, clocks: Clocks) -> str:
    if slots.count == 1:
        return f"The slot at {clocks.say(slots.first)} is"
    return f"{slots.count:,} slots up to {clocks.say(slots.last)} are"
