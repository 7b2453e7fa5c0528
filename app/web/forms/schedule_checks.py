"""What is wrong with a schedule's form, every mistake at its field. The command decides again about what is sent."""

from collections.abc import Callable
from datetime import datetime

from app.core.errors import Invalid
from app.core.names import clean_name
from app.schedules.acceptance import TimesInvalid
from app.schedules.policy_fields import clean_limit, clean_notes
from app.schedules.preview import read_typed
from app.schedules.queries import ScheduleRow
from app.schedules.rhythm_text import clean_text
from app.schedules.service import LONGEST_NAME
from app.schedules.tags import read_tags
from app.web.forms.base import text_of
from app.web.forms.rhythm_fields import SaidWhen
from app.web.forms.schedules import ScheduleForm


def check(form: ScheduleForm, *, before: ScheduleRow | None, now: datetime) -> bool:
    """Whether nothing is wrong as far as the form itself tells. Messages are put at the fields; nothing is read."""
    is_good: bool = form.validate()
    for read in _readers(form, before, now):
        try:
            read()
        except Invalid as error:
            is_good = False
            form.show_mistake(error)
    return is_good


def _readers(form: ScheduleForm, before: ScheduleRow | None, now: datetime) -> list[Callable[[], object]]:
    return [
        lambda: clean_name(text_of(form.name), noun="schedule", longest=LONGEST_NAME),
        lambda: _read_when(form, before, now),
        lambda: read_tags(text_of(form.tags)),
        lambda: clean_limit(form.limit(before)),
        lambda: form.max_age(before),
        lambda: clean_notes(text_of(form.notes)),
    ]


def _read_when(form: ScheduleForm, before: ScheduleRow | None, now: datetime) -> None:
    for name, message in form.mistaken.items():
        form.show_mistake(TimesInvalid(message, field=name))
    said = form.says_when(before)._asdict()
    # Whoever changes something else need not mend what was accepted before.
    if before is None or said | {"cron": clean_text(said["cron"])} != when_stored(before)._asdict():
        read_typed(said.pop("cron"), now=now, **said)


def when_stored(schedule: ScheduleRow) -> SaidWhen:
    """What a stored schedule says about when it runs."""
    return SaidWhen(**{name: getattr(schedule, name) for name in SaidWhen._fields})
