"""The form of a text for messages. What is acceptable, the command decides."""

from wtforms import StringField, TextAreaField
from wtforms.validators import Optional

from app.notifications.messages.texts import LONGEST_BODY_TEXT, LONGEST_TITLE_TEXT, MessageText
from app.web.forms.base import BaseForm, text_of

# Where somebody begins who has no text yet.
BEGINNING = MessageText("{{title}}", "{{what}}\n\nSince {{since}}\n{{error}}\n\n{{to_do}}")


class TextForm(BaseForm):
    """A title of one line, and a text."""

    title = StringField("Title", render_kw={"autocomplete": "off", "maxlength": LONGEST_TITLE_TEXT})
    body = TextAreaField("Text", [Optional()], render_kw={"rows": 8, "maxlength": LONGEST_BODY_TEXT})

    @property
    def text(self) -> MessageText:
        """What was typed."""
        return MessageText(text_of(self.title), text_of(self.body))


def text_form(before: MessageText | None) -> TextForm:
    """The form of a text as it stands, or of one that there is not yet."""
    shown = before or BEGINNING
    # Flask-WTF takes what was sent by itself; None keeps it from that.
    return TextForm(None, data={"title": shown.title, "body": shown.body})
