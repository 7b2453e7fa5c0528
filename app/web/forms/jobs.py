"""The forms of jobs: what every kind has, the step of a workflow, the function and arguments of a code job."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import (
    Field,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    SubmitField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.core.hiding import HIDDEN
from app.jobs.kinds.base import KindName
from app.jobs.kinds.code.arguments import ArgumentField, argument_fields
from app.jobs.kinds.code.catalog import CodeFunction
from app.jobs.kinds.workflow.header_secrets import is_secret
from app.jobs.policies import WhenLost
from app.jobs.queries import JobRow
from app.jobs.service import LONGEST_NAME, JobDraft
from app.web.forms.arguments import (
    NO_HELP,
    argument_defaults,
    argument_input,
    argument_name,
    argument_value,
    opened_values,
)
from app.web.forms.base import text_of
from app.web.forms.job_policies import PolicyForm, WholeNumberField, fresh_policies, stored_policies
from app.web.forms.lost import LOST_CHOICES_OF_CALLS, LOST_LABEL

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
DEFAULT_STEP = {"step_name": "Call", "method": "GET", "expected_status": "200-299", "timeout_seconds": 30}
# Where a problem of a definition belongs in the form; what is not listed has a field of its own name.
_STEP_PLACES = {
    "steps.0": "body",
    "steps.0.name": "step_name",
    "steps.0.method": "method",
    "steps.0.url": "url",
    "steps.0.headers": "headers",
    "steps.0.body": "body",
    "steps.0.expected_status": "expected_status",
    "steps.0.timeout_seconds": "timeout_seconds",
}


class JobForm(PolicyForm):
    """What every kind of job has."""

    kind = HiddenField()
    revision = HiddenField()
    name = StringField(
        "Name", [InputRequired("Give the job a name.")], render_kw={"maxlength": LONGEST_NAME, "autocomplete": "off"}
    )
    description = TextAreaField("Description", [Optional()], render_kw={"rows": 2})

    def definition(self) -> dict[str, Any]:
        """What the job does, in the shape its kind checks. A form without fields of a kind describes nothing."""
        return {}

    def draft(self) -> JobDraft:
        """What the person says about the job. To be asked for when the form is valid."""
        return JobDraft(
            name=text_of(self.name),
            kind=KindName(text_of(self.kind)),
            definition=self.definition(),
            description=text_of(self.description),
            retry=self.retry(),
            **self.limits(),
        )

    @property
    def seen_revision(self) -> int:
        """The revision the person saw; 0, which no job has, when that cannot be read."""
        text = text_of(self.revision)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class WorkflowForm(JobForm):
    """A job whose one step calls an HTTP API."""

    when_lost = RadioField(LOST_LABEL, choices=LOST_CHOICES_OF_CALLS, default=WhenLost.KIND.value)

    step_name = StringField("Step", [InputRequired("Name the step.")], render_kw={"maxlength": 80})
    method = SelectField("Method", choices={name: name for name in METHODS}, validate_choice=False)
    url = StringField(
        "Address",
        [InputRequired("Enter the address to call.")],
        render_kw={**NO_HELP, "inputmode": "url", "placeholder": "https://"},
    )
    headers = TextAreaField("Headers", [Optional()], render_kw={**NO_HELP, "rows": 3, "class": "mono"})
    body = TextAreaField("Body", [Optional()], render_kw={**NO_HELP, "rows": 5, "class": "mono"})
    expected_status = StringField(
        "Expected status", [InputRequired("Say which answers are good, for example 200-299.")], render_kw=NO_HELP
    )
    timeout_seconds = WholeNumberField(
        "Seconds to wait for the answer", [InputRequired("Say how long to wait.")], render_kw={"min": 1, "max": 300}
    )

    def validate_headers(self, field: Field) -> None:
        for number, line in enumerate(text_of(field).splitlines(), start=1):
            if line.strip() and ":" not in line:
                raise ValidationError(f"Line {number} has no colon. Write it as “Name: value”.")

    def definition(self) -> dict[str, Any]:
        return {
            "steps": [
                {
                    "name": text_of(self.step_name).strip(),
                    "method": text_of(self.method),
                    "url": text_of(self.url).strip(),
                    "headers": parse_headers(text_of(self.headers)),
                    # Browsers end lines with two characters; without this, saving twice would change the body.
                    "body": text_of(self.body).replace("\r\n", "\n"),
                    "expected_status": text_of(self.expected_status),
                    "timeout_seconds": self.timeout_seconds.data,
                }
            ]
        }

    def _show(self, name: str | None, message: str) -> None:
        parts = (name or "").split(".")
        if parts[:3] == ["steps", "0", "headers"] and len(parts) > 3:
            message = f"Header {int(parts[3]) + 1}: {message}"
        super()._show(_STEP_PLACES.get(".".join(parts[:3]), name), message)


class SyncForm(JobForm):
    """A job that reads a service, through one of the connections that `offer_connections` names, and of it those of
    the streams that `offer_streams` names."""

    connection_id = SelectField("Reads from", choices={}, validate_choice=False)
    streams = SelectMultipleField(
        "What it reads",
        choices={},
        # What a service has is for its kind to say, in its own words.
        validate_choice=False,
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    when_lost = RadioField(LOST_LABEL, choices=LOST_CHOICES_OF_CALLS, default=WhenLost.KIND.value)

    def offer_connections(self, names: Mapping[str, str]) -> None:
        """The connections to choose from, by id. One that is chosen already stays one of them."""
        chosen = text_of(self.connection_id)
        gone = {chosen: "A connection that was disconnected"} if chosen and chosen not in names else {}
        self.connection_id.choices = {"": "No account yet", **names, **gone}

    def offer_streams(self, brings: Mapping[str, str]) -> None:
        """What can be read, by name, with what it brings in words. A job that names none reads all of it."""
        self.streams.choices = {name: f"{name}: {words}" if words else name for name, words in brings.items()}
        if not self.is_submitted() and not self.streams.data:
            self.streams.data = list(brings)

    # A validator in the field's list would have browsers demand every single box.
    def validate_streams(self, field: SelectMultipleField) -> None:
        if field.choices and not field.data:
            raise ValidationError("Choose at least one thing to read. To read nothing, disable the schedules instead.")

    def definition_over(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """What the job says now. What stands in no form stays as it is."""
        said = dict(before)
        if text_of(self.connection_id):
            said["connection_id"] = text_of(self.connection_id)
        else:
            said.pop("connection_id", None)
        if self.streams.choices:
            chosen = list(self.streams.data or ())
            said["streams"] = chosen
            if set(chosen) == set(self.streams.choices):
                # All of it is not a list of what there is today.
                said.pop("streams")
        return said


class CodeForm(JobForm):
    """A job that runs a function; `code_form` adds a field for each of its arguments."""

    function = RadioField("What it does", [InputRequired("Choose what the job does.")], validate_choice=False)
    reload = SubmitField("Show its fields")
    offered: Mapping[str, CodeFunction] = {}
    arguments: Sequence[ArgumentField] = ()

    def validate_function(self, field: Field) -> None:
        if text_of(field) not in self.offered:
            raise ValidationError("Choose one of the functions listed here.")

    @property
    def argument_inputs(self) -> list[tuple[Field, ArgumentField]]:
        """Each argument's field, with what is known about the argument."""
        return [(self[argument_name(argument.name)], argument) for argument in self.arguments]

    def definition(self) -> dict[str, Any]:
        given = ((argument.name, argument_value(field, argument)) for field, argument in self.argument_inputs)
        return {
            "function": text_of(self.function),
            "arguments": {name: value for name, value in given if value is not None},
        }

    def _show(self, name: str | None, message: str) -> None:
        parts = (name or "").split(".")
        place = argument_name(parts[1]) if parts[0] == "arguments" and len(parts) > 1 else name
        super()._show(place, message)


def code_form(*, offered: Sequence[CodeFunction], function: str, data: Mapping[str, Any] | None = None) -> CodeForm:
    """The form of a code job, with fields for the arguments of the function that is chosen."""
    by_name = {one.name: one for one in offered}
    arguments = argument_fields(by_name[function]) if function in by_name else ()
    fields = {argument_name(argument.name): argument_input(argument) for argument in arguments}
    form_class = type("CodeForm", (CodeForm,), {"offered": by_name, "arguments": arguments, **fields})
    form: CodeForm = form_class(data={**argument_defaults(arguments), "function": function, **(data or {})})
    form.function.choices = {one.name: one.title for one in offered}
    return form


def fresh_values(kind: KindName) -> dict[str, Any]:
    """What the form of a new job opens with."""
    common = {"kind": kind.value, **fresh_policies(kind)}
    return common | (DEFAULT_STEP if kind is KindName.WORKFLOW else {})


def stored_values(job: JobRow) -> dict[str, Any]:
    """What the form of an existing job opens with."""
    common = {
        "kind": job.kind.value,
        "revision": job.revision,
        "name": job.name,
        "description": job.description,
        **stored_policies(job),
    }
    if job.kind is KindName.SYNC:
        stored = job.definition
        return common | {"connection_id": stored.get("connection_id", ""), "streams": stored.get("streams")}
    return common | (_step_values(job) if job.kind is KindName.WORKFLOW else _argument_values(job))


def parse_headers(text: str) -> list[dict[str, str]]:
    """One header for each line “Name: value”. Where a secret's value is left out, the stored one is kept."""
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return [_header(name.strip(), value.strip()) for name, _, value in pairs]


def _header(name: str, value: str) -> dict[str, str]:
    return {"name": name} if is_secret(name) and value in {"", HIDDEN} else {"name": name, "value": value}


def _step_values(job: JobRow) -> dict[str, Any]:
    step: dict[str, Any] = next(iter(job.definition.get("steps", [])), {})
    # A secret's value never leaves again, not even one that was stored before values were sealed.
    lines = [
        f"{header['name']}: {HIDDEN if is_secret(header['name']) else header.get('value', '')}"
        for header in step.get("headers", [])
    ]
    return {**DEFAULT_STEP, **step, "step_name": step.get("name", ""), "headers": "\n".join(lines), "name": job.name}


def _argument_values(job: JobRow) -> dict[str, Any]:
    return opened_values(job.definition.get("arguments", {}))
