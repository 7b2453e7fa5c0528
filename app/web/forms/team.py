"""Forms of the team: inviting, the organization itself, joining. What is acceptable, the commands decide."""

from collections.abc import Iterable
from typing import Any

from wtforms import SelectField, StringField
from wtforms.validators import InputRequired

from app.tenants.people import LONGEST_EMAIL, LONGEST_NAME
from app.tenants.roles import Role
from app.web.forms.account import SetupForm, TimezoneField
from app.web.forms.base import BaseForm

ROLE_WORDS = {
    Role.VIEWER: "Viewer: sees everything",
    Role.OPERATOR: "Operator: also starts runs and edits schedules",
    Role.ADMIN: "Admin: also defines jobs, looks after the queue and the team",
    Role.OWNER: "Owner: also runs the organization",
}
_EMAIL = {"type": "email", "autocomplete": "off", "maxlength": LONGEST_EMAIL, "autocapitalize": "off"}
_ORGANIZATION_NAME = {"autocomplete": "organization", "maxlength": LONGEST_NAME}


class InviteForm(BaseForm):
    """An invitation. The roles are those that whoever invites may give."""

    email = StringField("Email", [InputRequired("Enter the e-mail address of the person.")], render_kw=_EMAIL)
    role = SelectField("Role", [InputRequired("Choose a role.")], choices={})

    def __init__(self, roles: Iterable[Role], **more: Any) -> None:
        super().__init__(**more)
        self.role.choices = {role.value: ROLE_WORDS[role] for role in roles}


class RoleForm(BaseForm):
    """Another role for a member."""

    role = SelectField(
        "Role", [InputRequired("Choose a role.")], choices={role.value: role.value.capitalize() for role in Role}
    )


class OrganizationForm(BaseForm):
    """Name and time zone of an organization."""

    name = StringField("Name", [InputRequired("Give the organization a name.")], render_kw=_ORGANIZATION_NAME)
    timezone = TimezoneField()


class NewAccountForm(SetupForm):
    """The account of an invited person. The address is the invitation's."""

    email = None  # type: ignore[assignment]  # takes the field out of the form
