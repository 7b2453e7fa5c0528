"""Forms of saved views. What is acceptable, the commands decide."""

from wtforms import BooleanField, StringField

from app.tenants.saved_views import LONGEST_NAME
from app.web.forms.base import BaseForm

_NAME = {"maxlength": LONGEST_NAME, "autocomplete": "off"}


class RenameViewForm(BaseForm):
    """Another name for a view."""

    name = StringField("Name", render_kw=_NAME)


class SaveViewForm(RenameViewForm):
    """The name of a new view, and whose it is."""

    is_shared = BooleanField("For everybody in the organization")
