"""What connecting a property of Google Analytics asks for. Pure."""

from app.syncs.signs.key_files import clean_key_file, hint_of_key
from app.syncs.signs.sign import AccountIdInvalid, DoorSign

_LONGEST_ID = 20


def clean_property_id(text: str) -> str:
    """The id of a property as it is stored: digits. Raises AccountIdInvalid."""
    said = text.strip().removeprefix("properties/")
    if said.isascii() and said.isdecimal() and len(said) <= _LONGEST_ID:
        return said
    where = "Google Analytics shows it under Admin → Property details: a number such as 123456789."
    if said[:2].upper() in {"G-", "A-"} or said[:3].upper() in {"GT-", "UA-", "AW-"}:
        message = f"{said[:20]} is the id of a tag or a stream, and not of a property. {where}"
    else:
        message = f"The id of a property consists of digits. {where}"
    raise AccountIdInvalid(message, field="account_id")


GA4_SIGN = DoorSign(
    login_label="What is in the key file",
    login_help="The JSON key of a Google service account that may view the property.",
    account_label="Property",
    account_help="The number of the property, such as 123456789: Google Analytics → Admin → Property details.",
    nothing_found="A service account cannot list its properties. Type the number of the property.",
    tested="the sessions of four weeks",
    allowed=(
        "Read the time zone and currency of one property",
        "Read its daily figures by channel: sessions, users, key events, purchases and revenue",
    ),
    limits="It changes nothing at Google: the role Viewer on the property is enough, and all it asks for is to read.",
    clean_secret=clean_key_file,
    clean_account_id=clean_property_id,
    hint_of=hint_of_key,
    is_file=True,
    lists_accounts=False,
)
