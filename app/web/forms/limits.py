"""Forms of limits: a queue's, and an organization's. What is acceptable, the commands decide."""

from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Optional

from app.runs.queue_limits import QueueLimits, QueueLimitsRow
from app.web.forms.base import BaseForm

_WHOLE = "Write a whole number, or leave it empty for no limit."


class _NumberField(IntegerField):
    """A whole number or nothing, which may not be what a browser lets through."""

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not text:
            return
        if not (text.isascii() and text.isdigit()) or len(text) > 9:
            raise ValueError(_WHOLE)
        self.data = int(text)


class LimitsForm(BaseForm):
    """The limits of a queue."""

    concurrency = _NumberField("Runs at once", [Optional()])
    rate_starts = _NumberField("Starts", [Optional()])
    rate_seconds = _NumberField("In seconds", [Optional()])
    version = _NumberField("Version", [Optional()], render_kw={"type": "hidden"})

    @classmethod
    def showing(cls, row: QueueLimitsRow) -> "LimitsForm":
        """The form as a queue stands."""
        return cls(
            None,
            data={
                "concurrency": row.concurrency,
                "rate_starts": row.rate_starts,
                "rate_seconds": row.rate_seconds,
                "version": row.version,
            },
        )

    @property
    def limits(self) -> QueueLimits:
        return QueueLimits(self.concurrency.data, self.rate_starts.data, self.rate_seconds.data)


class NewQueueForm(LimitsForm):
    """A queue to be."""

    name = StringField(
        "Name",
        [InputRequired("Give the queue a name.")],
        render_kw={"maxlength": 32, "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"},
    )


class OrganizationLimitForm(BaseForm):
    """How many runs of an organization go on at once."""

    organization = StringField(
        "Organization", [InputRequired("Name the organization, or give its id.")], render_kw={"autocomplete": "off"}
    )
    concurrency = _NumberField("Runs at once", [Optional()])
