"""The form of a job that pushes figures to a spreadsheet: which of them, of which account, into which tab."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from app.jobs.services import SERVICE_NAMES, Service
from app.ops.push_choices import FiguresOf, PushChoices
from app.syncs.amounts import LEVEL_WORDS, metric_name
from app.syncs.figures import Level, Metric
from app.syncs.periods import Grain
from app.syncs.sheets.plan import DEFAULT_DAYS, MOST_DAYS
from app.web.forms.base import text_of
from app.web.forms.job_policies import WholeNumberField
from app.web.forms.jobs import JobForm
from app.web.forms.lost import LOST_CHOICES_OF_CALLS, LOST_LABEL

_GRAINS = {Grain.DAY: "each day", Grain.WEEK: "each week, from Monday", Grain.MONTH: "each month"}
_PLACE = "push."


class PushForm(JobForm):
    """A job that keeps a tab of a spreadsheet as the figures of an account are."""

    service = HiddenField()
    connection_id = SelectField("Spreadsheet", choices={}, validate_choice=False)
    tab = StringField(
        "Tab", [InputRequired("Say what the tab is called.")], render_kw={"maxlength": 100, "autocomplete": "off"}
    )
    source = SelectField("Figures of", choices={}, validate_choice=False)
    metrics = SelectMultipleField(
        "Which figures",
        choices={},
        # What an account has is for its service to say, in its own words.
        validate_choice=False,
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    level = SelectField("A row for each", choices={}, validate_choice=False)
    grain = SelectField("and", choices={one.value: words for one, words in _GRAINS.items()}, validate_choice=False)
    days = WholeNumberField(
        "Days", [InputRequired("Say how many days are pushed.")], render_kw={"min": 1, "max": MOST_DAYS}
    )
    when_lost = RadioField(LOST_LABEL, choices=LOST_CHOICES_OF_CALLS, default="kind")

    def offer(self, choices: PushChoices) -> None:
        """What there is to choose from. What is chosen already and is gone stays one of them."""
        self.connection_id.choices = _with_gone(self.connection_id, choices.sheets, "A spreadsheet that is gone")
        sources = {one.id: f"{one.name} ({SERVICE_NAMES[Service(one.service)]})" for one in choices.sources}
        self.source.choices = _with_gone(self.source, sources, "An account that was disconnected")
        self.metrics.choices = {
            metric.value: _metric_words(metric, choices.sources) for metric in choices.metrics or tuple(Metric)
        }
        self.level.choices = {level.value: LEVEL_WORDS[level] for level in Level}

    def definition(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "service": Service.SHEETS.value,
            "push": {
                "source": text_of(self.source),
                "level": text_of(self.level),
                "metrics": list(self.metrics.data or ()),
                "grain": text_of(self.grain),
                "days": self.days.data,
                "tab": text_of(self.tab).strip(),
            },
        }
        chosen = text_of(self.connection_id)
        return said | {"connection_id": chosen} if chosen else said

    def _show(self, name: str | None, message: str) -> None:
        place = name.removeprefix(_PLACE) if name else name
        super()._show("source" if place == "push" else place, message)


def fresh_push(*, connection_id: str = "", source: str = "") -> dict[str, Any]:
    """What the form of a new push opens with."""
    return {
        "service": Service.SHEETS.value, "connection_id": connection_id, "source": source, "days": DEFAULT_DAYS,
        "level": Level.ACCOUNT.value, "grain": Grain.DAY.value,
    }  # fmt: skip


def stored_push(definition: Mapping[str, Any]) -> dict[str, Any]:
    """What the form of an existing one opens with; nothing for a job that pushes nothing."""
    plan = definition.get("push")
    if not isinstance(plan, Mapping):
        return {}
    return {"service": Service.SHEETS.value, "connection_id": definition.get("connection_id", ""), **plan}


def _metric_words(metric: Metric, sources: Sequence[FiguresOf]) -> str:
    """`Spend (Meta)`: whose it is, where accounts of several services are connected."""
    services = dict.fromkeys(one.service for one in sources)
    having = [SERVICE_NAMES[Service(one.service)] for one in sources if metric in one.metrics]
    return f"{metric_name(metric)} ({', '.join(dict.fromkeys(having))})" if len(services) > 1 else metric_name(metric)


def _with_gone(field: SelectField, names: Mapping[str, str], words: str) -> dict[str, str]:
    chosen = text_of(field)
    return {"": "Choose one", **names, **({chosen: words} if chosen and chosen not in names else {})}
