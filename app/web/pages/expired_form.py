"""Forms with a password whose token was refused: shown again themselves, because a password is never echoed."""

from flask import Response, request

from app.core.errors import Invalid
from app.web.forms.account import LoginForm, PasswordForm, SetupForm
from app.web.pages.account import account_page
from app.web.responses import invalid

_OPEN_TOO_LONG = Invalid("This page was open too long. Type your password and send it again.")
_FORMS: dict[str, type[LoginForm | SetupForm | PasswordForm]] = {
    "web.sign_in_person": LoginForm,
    "web.make_owner": SetupForm,
    "web.change_own_password": PasswordForm,
}


def expired_form() -> Response | None:
    """The form of this request with its message, status 400; nothing when it is none of those."""
    form = _sent_form()
    if form is None:
        return None
    form.show_error(_OPEN_TOO_LONG)
    if isinstance(form, PasswordForm):
        return account_page(status=400, password=form)
    template = "account/login.html" if isinstance(form, LoginForm) else "account/setup.html"
    return invalid(template, status=400, form=form, has_accounts=True)


def _sent_form() -> LoginForm | SetupForm | PasswordForm | None:
    kind = _FORMS.get(request.endpoint or "")
    return None if kind is None else kind()
