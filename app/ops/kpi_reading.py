"""From words to what somebody asks of landed figures: the same for pages, API and commands.

Words that cannot be read are problems with the field they stand in; whoever asks decides whether the rest holds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.text import quoted, storable
from app.ops.kpi_question import Compare, KpiQuestion, Problem, QuestionInvalid, Range, days_of, service_name
from app.syncs.amounts import LEVEL_WORDS
from app.syncs.days import DayRange, day_of
from app.syncs.figure_sources import FigureSource, find_entity, list_sources
from app.syncs.figures import LONGEST_ID, METRIC_FACTS, Level, Metric
from app.syncs.periods import Grain, split
from app.syncs.service_metrics import metrics_of

# What is read is twice as long, for the period before.
MOST_DAYS = 400
# More of them side by side nobody tells apart.
MOST_POINTS = 120
NOTHING_CONNECTED = "Nothing is connected yet, so there are no figures. Connect an account first."
FIELDS = ("source", "metric", "level", "entity", "range", "from", "to", "grain", "compare")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_YEARS = range(2000, 2101)
Word = TypeVar("Word", bound=StrEnum)


@dataclass
class Reading:
    """A question, as far as it could be read."""

    problems: list[Problem] = field(default_factory=list)
    question: KpiQuestion | None = None

    def forget_entity(self) -> None:
        """Ask about all of them instead: nobody knows this one."""
        if self.question is not None and self.question.entity_id is not None:
            word, id_ = LEVEL_WORDS[self.question.level], quoted(self.question.entity_id)
            self.problems.append(Problem("entity", f"Nothing ever landed of a {word} {id_} here."))
            self.question = replace(self.question, entity_id=None)

    def refuse_problems(self) -> None:
        """Raises QuestionInvalid."""
        if self.problems:
            first = self.problems[0]
            raise QuestionInvalid(" ".join(one.words for one in self.problems), field=first.field)


def read_question(
    texts: Mapping[str, str], sources: Sequence[FigureSource], *, organization_id: UUID, now: datetime
) -> Reading:
    """What these words ask of these sources. Without a word, what most people want to see; no question without sources.

    Words are those of FIELDS; an empty one is none. `sources` are all that may be asked about.
    """
    reading = Reading()
    ask = _Asker({name: texts.get(name, "") for name in FIELDS}, reading.problems)
    chosen, service, is_of_service = ask.sources(sources)
    if not chosen:
        return reading
    # Where it is already tomorrow, the day before is whole; the range has to be whole in all of them.
    today = min(day_of(now, source.zone or "UTC") for source in chosen)
    metric = ask.metric(service)
    is_additive = METRIC_FACTS[metric].is_additive
    # Each point of what must not be added up is a day.
    wanted_range, days = ask.days(today, most=MOST_DAYS if is_additive else MOST_POINTS)
    question = KpiQuestion(
        organization_id=organization_id,
        sources=chosen,
        service=service,
        is_of_service=is_of_service,
        metric=metric,
        level=Level.ACCOUNT,
        entity_id=None,
        range=wanted_range,
        days=days,
        today=today,
        grain=ask.grain(days, is_additive=is_additive),
        compares=ask.word(Compare, "compare", Compare.PREVIOUS) is Compare.PREVIOUS,
    )
    question = replace(question, level=ask.level(question.levels))
    reading.question = replace(question, entity_id=ask.entity(question))
    return reading


def asked_question(session: Session, texts: Mapping[str, str], *, organization_id: UUID, now: datetime) -> KpiQuestion:
    """The same where nothing may be left out. Raises QuestionInvalid."""
    sources = list_sources(session, organization_id=organization_id)
    reading = read_question(texts, sources, organization_id=organization_id, now=now)
    reading.refuse_problems()
    if reading.question is None:
        raise QuestionInvalid(NOTHING_CONNECTED, field="source")
    if reading.question.entity_id is not None and entity_name(session, reading.question) is None:
        reading.forget_entity()
        reading.refuse_problems()
    return reading.question


def read_sources(session: Session, *, organization_id: UUID, source: str) -> list[FigureSource]:
    """The sources that a word means, as in a question; without one, all that are connected. Raises QuestionInvalid."""
    sources = list_sources(session, organization_id=organization_id)
    if not source:
        return [one for one in sources if one.is_connected]
    problems: list[Problem] = []
    chosen, _, _ = _Asker({"source": source}, problems).sources(sources)
    Reading(problems).refuse_problems()
    return list(chosen)


def entity_name(session: Session, question: KpiQuestion) -> str | None:
    """What the campaign or channel is called that a question is about; None for one of which nothing ever landed."""
    if question.entity_id is None:
        return None
    name = find_entity(
        session,
        organization_id=question.organization_id,
        connection_id=question.sources[0].id,
        level=question.level,
        entity_id=question.entity_id,
    )
    return None if name is None else name or question.entity_id


@dataclass
class _Asker:
    """Reads word after word, and notes what it cannot read."""

    texts: Mapping[str, str]
    problems: list[Problem]

    def refuse(self, name: str, words: str) -> None:
        self.problems.append(Problem(name, words))

    def word(self, values: type[Word], name: str, usual: Word) -> Word:
        text = self.texts[name]
        if not text:
            return usual
        if text in {value.value for value in values}:
            return values(text)
        known = ", ".join(values)
        self.refuse(name, f"{quoted(text)} is no {name} that there is. Use one of: {known}.")
        return usual

    def sources(self, sources: Sequence[FigureSource]) -> tuple[tuple[FigureSource, ...], str, bool]:
        """Of which connections, of which service, and whether of all of it."""
        text = self.texts["source"]
        for source in sources:
            if str(source.id) == text.lower():
                return (source,), source.service, False
        # One that was ended may be connected anew, and then has the same days again.
        of_service = tuple(one for one in sources if one.service == text and one.is_connected)
        if of_service:
            return of_service, text, True
        if text:
            self.refuse("source", f"{quoted(text)} is no connection here, and no service of which one is connected.")
        usual = max(sources, key=lambda one: (one.is_connected, bool(one.streams)), default=None)
        return ((), "", False) if usual is None else ((usual,), usual.service, False)

    def metric(self, service: str) -> Metric:
        known = metrics_of(service)
        text = self.texts["metric"]
        if not text:
            return known[0]
        if text in set(known):
            return Metric(text)
        names = ", ".join(known)
        self.refuse("metric", f"{service_name(service)} tells no {quoted(text)}. Use one of: {names}.")
        return known[0]

    def level(self, there: Sequence[Level]) -> Level:
        usual = there[0] if there else Level.ACCOUNT
        level = self.word(Level, "level", usual)
        if level in there or not there:
            return level
        names = ", ".join(there)
        self.refuse("level", f"There are no figures by {LEVEL_WORDS[level]} here. Use one of: {names}.")
        return usual

    def entity(self, question: KpiQuestion) -> str | None:
        text = self.texts["entity"]
        if not text:
            return None
        if question.level is Level.ACCOUNT:
            self.refuse("entity", "An account has no parts at its own level. Say level=campaign as well.")
        elif len(question.sources) > 1:
            self.refuse("entity", "Say which connection this is of, for others may have one with the same id.")
        elif len(text) > LONGEST_ID or storable(text) != text:
            self.refuse("entity", f"{quoted(text)} cannot be the id of anything.")
        else:
            return text
        return None

    def grain(self, days: DayRange, *, is_additive: bool) -> Grain:
        grain = self.word(Grain, "grain", Grain.DAY)
        if not is_additive and grain is not Grain.DAY:
            self.refuse("grain", "People come on several days, so their number by day makes none by week or month.")
            return Grain.DAY
        if not is_additive or sum(1 for _ in split(days, grain)) <= MOST_POINTS:
            return grain
        if self.texts["grain"]:
            self.refuse("grain", f"{days.days} days are more than {MOST_POINTS} points. Weeks are shown instead.")
        return Grain.WEEK

    def days(self, today: date, *, most: int) -> tuple[Range, DayRange]:
        wanted = self.word(Range, "range", Range.LAST_28)
        is_custom = wanted is Range.CUSTOM or bool(self.texts["from"] or self.texts["to"])
        usual = days_of(Range.LAST_28 if wanted is Range.CUSTOM else wanted, today)
        # A form sends the days that it showed along with the range that they are.
        if not is_custom or (self.texts["from"], self.texts["to"]) == (str(usual.first), str(usual.last)):
            return wanted, usual
        days = self._custom(today, most)
        return (Range.LAST_28, days_of(Range.LAST_28, today)) if days is None else (Range.CUSTOM, days)

    def _custom(self, today: date, most: int) -> DayRange | None:
        first, last = (self._day(name) for name in ("from", "to"))
        if first is None or last is None:
            return None
        if first > last:
            self.refuse("from", f"{first} is after {last}. Give the earlier day first.")
        elif last > today:
            self.refuse("to", f"{last} has not begun: in the account it is {today}.")
        elif (last - first).days >= most:
            self.refuse("from", f"From {first} to {last} is more than {most} days. Ask for fewer.")
        else:
            return DayRange(first, last)
        return None

    def _day(self, name: str) -> date | None:
        text = self.texts[name]
        try:
            found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
        except ValueError:
            found = None
        if found is None or found.year not in _YEARS:
            said = f"{quoted(text)} is no day" if text else f"The range has no day “{name}”"
            self.refuse(name, f"{said}. Write one such as 2026-11-05.")
            return None
        return found
