"""What every form shares: the token, and errors of commands shown at the field they are about."""

from flask_wtf import FlaskForm
from wtforms import Field

from app.core.errors import AppError
from app.jobs.kinds.base import DefinitionInvalid


class BaseForm(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """A form of ours."""

    def show_error(self, error: AppError) -> None:
        """Put a refused command's message at its field, or at the top of the form when it has none."""
        if isinstance(error, DefinitionInvalid):
            for name, message in error.problems.items():
                self._show(name, message)
            return
        self._show(getattr(error, "field", None), error.message)

    def show_outdated(self, what: str) -> None:
        """Say that somebody else was faster. The command's own words would have the person reload what they typed."""
        self._show(None, f"Somebody else changed this {what} meanwhile, so nothing was saved.")

    def _show(self, name: str | None, message: str) -> None:
        if name is not None and name in self:
            self[name].errors = [*self[name].errors, message]
        else:
            self.form_errors.append(message)


def text_of(field: Field) -> str:
    """What was typed; empty when the field did not arrive at all."""
    return str(field.data or "")
