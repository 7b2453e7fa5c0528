"""The question before a schedule is switched on that missed something meanwhile, with the numbers."""

from dataclasses import dataclass
from datetime import datetime

from flask import Response

from app.core.clock_words import Clocks
from app.runs.resuming import missed_meanwhile, most_made_up, why_none_runs
from app.schedules.policies import Missed, Overlap
from app.schedules.queries import ScheduleRow
from app.schedules.slot_accounts import MissedSlots
from app.web.context import viewer_zone
from app.web.forms.schedules import ResumeForm
from app.web.pages.schedule_effects import ChangeEffect
from app.web.responses import page


@dataclass(frozen=True)
class ResumeQuestion:
    """What was missed, in one sentence, and the words of each choice."""

    sentence: str
    choices: dict[str, str]
    count: int


def resume_question(schedule: ScheduleRow, *, now: datetime) -> ResumeQuestion | None:
    """The question, or None where nothing was missed. Times are on the schedule's clock and on the viewer's."""
    missed = missed_meanwhile(schedule, now=now)
    if missed is None:
        return None
    clocks = Clocks(schedule.timezone, viewer_zone(), now)
    last = clocks.say(missed.last)
    if missed.count == 1:
        sentence = f"1 slot was missed while it was off, at {last}."
        choices = {Missed.SKIP: "Leave it: it stays missed", Missed.LATEST: "Run it now"}
    else:
        since = clocks.say(_since(schedule, missed))
        sentence = f"{missed.count:,} slots were missed since {since}, the latest at {last}."
        choices = {
            Missed.SKIP: "Leave them: they stay missed",
            Missed.LATEST: f"Run the latest now, {last}",
            Missed.ALL: _all_words(schedule, missed),
        }
    why_none = why_none_runs(schedule)
    if why_none is None:
        return ResumeQuestion(sentence, _by_value(choices), missed.count)
    # A choice that would only be skipped is none.
    only = _by_value({Missed.SKIP: choices[Missed.SKIP]})
    return ResumeQuestion(f"{sentence} {why_none}", only, missed.count)


def ask_about_missed(
    question: ResumeQuestion, *, name: str, crumbs: list[tuple[str, str]], url: str, back: str,
    effect: ChangeEffect | None = None,
) -> Response:  # fmt: skip
    """The page that asks, and says what else comes. The answer is sent to `url`; whoever leaves it off goes `back`."""
    form = ResumeForm(data={"missed": Missed.SKIP.value})
    form.missed.choices = question.choices
    return page(
        "schedules/resume.html",
        name=name, crumbs=crumbs, form=form, sentence=question.sentence, seen=question.count, effect=effect, url=url,
        back=back,
    )  # fmt: skip


def _since(schedule: ScheduleRow, missed: MissedSlots) -> datetime:
    switched_at = schedule.switched_at
    return switched_at if switched_at is not None and switched_at <= missed.first else missed.first


def _all_words(schedule: ScheduleRow, missed: MissedSlots) -> str:
    most = most_made_up(schedule, Missed.ALL)
    how = "at once" if schedule.overlap is Overlap.ALLOW else "one after the other"
    if missed.count <= most:
        return f"Run all {missed.count} now, {how}"
    return f"Run the newest {most} of the {missed.count:,} now, {how}; the others stay missed"


def _by_value(choices: dict[Missed, str]) -> dict[str, str]:
    return {choice.value: words for choice, words in choices.items()}
