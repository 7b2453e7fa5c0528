"""The form of a new chain. What is acceptable, the command decides."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Optional, ValidationError

from app.jobs.chains import ChainDraft
from app.jobs.policies import ChainOutcome
from app.jobs.queries import JobRow
from app.web.forms.base import BaseForm, text_of

OUTCOMES = {
    ChainOutcome.SUCCESS.value: "It succeeds",
    ChainOutcome.FAILURE.value: "It fails for good, with every try used up",
}


class ChainForm(BaseForm):
    """After which end which other job starts, and with what."""

    outcome = RadioField("When", [InputRequired("Say after which end.")], choices=OUTCOMES)
    then_job_id = SelectField("Start", [InputRequired("Choose a job.")], choices={})
    parameters = TextAreaField("Parameters", [Optional()], render_kw={"rows": 3, "spellcheck": "false"})

    def __init__(self, jobs: Iterable[JobRow], **more: Any) -> None:
        super().__init__(**more)
        self.then_job_id.choices = {str(job.id): job.name for job in jobs}

    def validate_parameters(self, field: TextAreaField) -> None:
        """WTForms calls this."""
        try:
            found = json.loads(text_of(field))
        except ValueError as error:
            raise ValidationError(f"This is not JSON: {error}.") from error
        if not isinstance(found, dict):
            raise ValidationError('Use a JSON object, in braces, such as {"days": 7}.')

    def draft(self, job_id: UUID) -> ChainDraft:
        """To be asked once the form is valid."""
        parameters = json.loads(text_of(self.parameters) or "{}")
        return ChainDraft(job_id, ChainOutcome(text_of(self.outcome)), UUID(text_of(self.then_job_id)), parameters)
