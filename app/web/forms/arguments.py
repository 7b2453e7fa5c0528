"""Fields of a form for the arguments of a function, and what was entered in them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wtforms import BooleanField, Field, SelectField, StringField
from wtforms.validators import InputRequired, Optional

from app.jobs.kinds.base import DefinitionInvalid
from app.jobs.kinds.code.arguments import ArgumentField, ArgumentKind, argument_fields, entered_value, shown_value
from app.jobs.kinds.code.catalog import CodeFunction
from app.tenants.audit_masks import MASK, masked
from app.web.forms.base import BaseForm, text_of

NO_HELP = {"autocapitalize": "off", "autocomplete": "off", "spellcheck": "false"}


class ParametersForm(BaseForm):
    """The parameters of one run; `parameters_form` adds a field for each."""

    arguments: Sequence[ArgumentField] = ()

    @property
    def argument_inputs(self) -> list[tuple[Field, ArgumentField]]:
        """Each argument's field, with what is known about the argument."""
        return [(self[argument_name(argument.name)], argument) for argument in self.arguments]

    def given(self) -> dict[str, Any]:
        """What was entered."""
        values = ((argument.name, argument_value(field, argument)) for field, argument in self.argument_inputs)
        return {name: value for name, value in values if value is not None}

    def show_problems(self, refused: DefinitionInvalid) -> None:
        """Put each problem at its field."""
        for place, message in refused.problems.items():
            self._show(argument_name(place.removeprefix("arguments.").partition(".")[0]), message)


def parameters_form(function: CodeFunction | None, stored: Mapping[str, Any]) -> ParametersForm:
    """The form for a run of a function; opens with the job's own arguments and the function's defaults.

    What is secret in them is masked: whoever may start a job need not be shown that. Left so, it means what is stored.
    """
    shown = {name: masked(name, value) for name, value in stored.items()}
    hidden = {name for name, value in shown.items() if value != stored[name]}
    found = () if function is None else argument_fields(function)
    arguments = tuple(_hidden(argument) if argument.name in hidden else argument for argument in found)
    fields = {argument_name(argument.name): argument_input(argument) for argument in arguments}
    form_class = type("ParametersForm", (ParametersForm,), {"arguments": arguments, **fields})
    opened = opened_values(shown)
    form: ParametersForm = form_class(data={**argument_defaults(arguments), **opened})
    return form


def _hidden(argument: ArgumentField) -> ArgumentField:
    """The same argument in a field that can hold a mask, and that says what it means."""
    # Neither a number nor one of some choices looks like a mask.
    kind = argument.kind if argument.kind is ArgumentKind.TEXT else ArgumentKind.JSON
    words = f"{argument.help} {MASK} is hidden. Leave it, and it stays as it is.".strip()
    return replace(argument, kind=kind, help=words)


def argument_name(name: str) -> str:
    """The form's name for an argument."""
    # An argument may be called like a field that every job has.
    return f"argument_{name}"


def argument_defaults(arguments: Sequence[ArgumentField]) -> dict[str, Any]:
    """What the fields open with."""
    return {argument_name(argument.name): argument.default for argument in arguments}


def opened_values(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields open with where a job has arguments of its own."""
    return {argument_name(name): shown_value(value) for name, value in stored.items()}


def argument_input(argument: ArgumentField) -> Any:
    """The field of a form for an argument."""
    required = [InputRequired(f"Enter a value for “{argument.label}”.")] if argument.required else [Optional()]
    if argument.kind is ArgumentKind.BOOLEAN:
        return BooleanField(argument.label)
    if argument.kind is ArgumentKind.CHOICE:
        choices = {name: name for name in argument.choices}
        is_open = not argument.required and argument.default is None
        return SelectField(argument.label, choices={"": "–", **choices} if is_open else choices, validate_choice=False)
    number = {ArgumentKind.INTEGER: "1", ArgumentKind.NUMBER: "any"}.get(argument.kind)
    return StringField(
        argument.label, required, render_kw=NO_HELP if number is None else {"type": "number", "step": number}
    )


def argument_value(field: Field, argument: ArgumentField) -> Any:
    """What was entered; None leaves the argument to its default."""
    if argument.kind is ArgumentKind.BOOLEAN:
        return bool(field.data)
    text = text_of(field)
    # A text that has a default can be emptied; an empty number or choice means that nothing was said.
    may_be_empty = argument.kind is ArgumentKind.TEXT and argument.default is not None
    return entered_value(argument, text) if text or may_be_empty else None
