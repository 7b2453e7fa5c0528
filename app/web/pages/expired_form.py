"""Forms with a password whose token was refused: shown again themselves, because a password is never echoed."""

from flask import Response, current_app, request

from app.core.errors import Invalid
from app.web.forms.account import LoginForm, PasswordForm, SetupForm
from app.web.pages.account import account_page
from app.web.responses import invalid

_OPEN_TOO_LONG = Invalid("This page was open too long. Type your password and send it again.")
# Browsers keep a cookie that is marked secure to themselves, so no form of such a page can ever be accepted.
_NEEDS_HTTPS = Invalid(
    "Signing in needs https here, and this page came over http. Open Belfry under its https address. Behind a proxy "
    "that ends https, set BELFRY_TRUSTED_PROXIES."
)
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
    is_kept_back = current_app.config["SESSION_COOKIE_SECURE"] and not request.is_secure and not request.cookies
    form.show_error(_NEEDS_HTTPS if is_kept_back else _OPEN_TOO_LONG)
    if isinstance(form, PasswordForm):
        return account_page(status=400, password=form)
    template = "account/login.html" if isinstance(form, LoginForm) else "account/setup.html"
    return invalid(template, status=400, form=form, has_accounts=True)


def _sent_form() -> LoginForm | SetupForm | PasswordForm | None:
    kind = _FORMS.get(request.endpoint or "")
    return None if kind is None else kind()
