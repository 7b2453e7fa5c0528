"""Forms of signing in, setting up and one's own account. Rules are in tenants; here is what a browser needs."""

from functools import cache, lru_cache
from typing import Any

from markupsafe import Markup
from wtforms import HiddenField, PasswordField, RadioField, StringField
from wtforms.validators import InputRequired
from wtforms.widgets import html_params

from app.core.clock_words import HourClock
from app.edge.identity import Person
from app.schedules.zones import COMMON_ZONES, all_zone_names
from app.tenants.passwords import MAX_CHARACTERS, MIN_CHARACTERS
from app.tenants.people import LONGEST_EMAIL, LONGEST_NAME, known_timezones, offered_timezones
from app.tenants.preferences import Density, Theme
from app.web.forms.base import BaseForm, text_of

_EMAIL = {
    "type": "email",
    "autocomplete": "username",
    "maxlength": LONGEST_EMAIL,
    "autocapitalize": "off",
    "spellcheck": "false",
}
_NEW_PASSWORD = {"autocomplete": "new-password", "minlength": MIN_CHARACTERS, "maxlength": MAX_CHARACTERS}
_CURRENT_PASSWORD = {"autocomplete": "current-password", "maxlength": MAX_CHARACTERS}
_NAME = {"autocomplete": "name", "maxlength": LONGEST_NAME}


def _email_field() -> StringField:
    return StringField("Email", [InputRequired("Enter your e-mail address.")], render_kw=_EMAIL)


def _name_field() -> StringField:
    return StringField("Name", [InputRequired("Enter your name.")], render_kw=_NAME)


class _ZoneSelect:
    """The zones as a select. WTForms' own takes 17 ms for so many options; this one is kept as text."""

    def __call__(self, field: Any, **attributes: Any) -> Markup:
        given = Markup(html_params(id=field.id, name=field.name, required=True, **attributes))  # noqa: S704 - escaped
        return Markup("<select {}>{}</select>").format(given, _options(str(field.data)))


class TimezoneField(StringField):
    """Every zone to choose from, the common ones first, and whatever is stored already, even if it is an old name.

    Which names are zones is decided by the command that gets the value.
    """

    widget = _ZoneSelect()

    def __init__(self, label: str = "Time zone", **more: Any) -> None:
        super().__init__(label, [InputRequired("Choose a time zone.")], **more)


@lru_cache(maxsize=64)
def _options(selected: str) -> Markup:
    groups = {"Common": COMMON_ZONES, "All": _uncommon_zones()}
    if selected in known_timezones() and not any(selected in names for names in groups.values()):
        groups = {"Now": (selected,), **groups}
    return Markup("").join(_option_group(label, names, selected) for label, names in groups.items())


@cache
def _uncommon_zones() -> tuple[str, ...]:
    # Old names stay on offer, because some browsers still say that they are in Asia/Calcutta.
    return tuple(sorted({*offered_timezones(), *all_zone_names()}.difference(COMMON_ZONES)))


def _option_group(label: str, names: tuple[str, ...], selected: str) -> Markup:
    options = Markup("").join(_option(name, is_selected=name == selected) for name in names)
    return Markup('<optgroup label="{}">{}</optgroup>').format(label, options)


def _option(name: str, *, is_selected: bool) -> Markup:
    mark = "selected " if is_selected else ""
    return Markup('<option {}value="{}">{}</option>').format(mark, name, name.replace("_", " "))


class LoginForm(BaseForm):
    """Signing in."""

    email = _email_field()
    password = PasswordField("Password", [InputRequired("Enter your password.")], render_kw=_CURRENT_PASSWORD)
    next = HiddenField()


class SetupForm(BaseForm):
    """The first account."""

    token = HiddenField()
    name = _name_field()
    email = _email_field()
    password = PasswordField("Password", [InputRequired("Choose a password.")], render_kw=_NEW_PASSWORD)
    timezone = TimezoneField()


CLOCKS = {HourClock.H24.value: "24 hours: 14:30", HourClock.H12.value: "12 hours: 2:30 pm"}
THEMES = {Theme.SYSTEM.value: "As the system", Theme.LIGHT.value: "Light", Theme.DARK.value: "Dark"}
DENSITIES = {
    Density.COMFORTABLE.value: "Comfortable: two lines for each row",
    Density.COMPACT.value: "Compact: more rows on a screen",
}
ON, OFF = "on", "off"


class ProfileForm(BaseForm):
    """One's own name, time zone, and how pages look. What does not arrive stays as it is."""

    name = _name_field()
    timezone = TimezoneField()
    # Which words are right is the command's to say.
    clock = RadioField("Clock", choices=CLOCKS, validate_choice=False)
    theme = RadioField("Theme", choices=THEMES, validate_choice=False)
    density = RadioField("Rows of tables", choices=DENSITIES, validate_choice=False)
    shortcuts = RadioField("Keyboard shortcuts", choices={ON: "On", OFF: "Off"}, validate_choice=False)

    def said(self) -> dict[str, str | bool]:
        """The profile as the command takes it."""
        found: dict[str, str | bool] = {"name": text_of(self.name), "timezone": text_of(self.timezone)}
        found |= {field.name: text_of(field) for field in (self.clock, self.theme, self.density) if field.data}
        return found | ({"shortcuts_enabled": self.shortcuts.data == ON} if self.shortcuts.data else {})


def profile_data(person: Person) -> dict[str, str | None]:
    """What the form shows of a person before anything is typed."""
    likes = person.preferences
    return {
        "name": person.name,
        "timezone": person.timezone,
        "clock": likes.clock.value,
        "theme": None if likes.theme is None else likes.theme.value,
        "density": likes.density.value,
        "shortcuts": ON if likes.shortcuts_enabled else OFF,
    }


class PasswordForm(BaseForm):
    """A new password for oneself."""

    current_password = PasswordField(
        "Current password", [InputRequired("Enter your current password.")], render_kw=_CURRENT_PASSWORD
    )
    new_password = PasswordField("New password", [InputRequired("Choose a password.")], render_kw=_NEW_PASSWORD)
