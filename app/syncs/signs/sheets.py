"""What connecting a Google Sheet asks for. Pure."""

import re

from app.syncs.signs.key_files import clean_key_file, hint_of_key
from app.syncs.signs.sign import AccountIdInvalid, DoorSign

_ADDRESS = re.compile(r"(?:https://)?docs\.google\.com/spreadsheets/(?:u/[0-9]+/)?d/([A-Za-z0-9_-]+)(?:[/?#].*)?")
_ID = re.compile(r"[A-Za-z0-9_-]{20,120}", re.ASCII)


def clean_spreadsheet_id(text: str) -> str:
    """The id of a spreadsheet as it is stored, also out of its address. Raises AccountIdInvalid."""
    said = text.strip()
    address = _ADDRESS.fullmatch(said)
    found = address[1] if address else said
    if _ID.fullmatch(found):
        return found
    if "/spreadsheets/d/e/" in said:
        message = "This is the address of a published copy. Open the spreadsheet itself and copy its address."
    else:
        message = "Paste the address of the spreadsheet, such as https://docs.google.com/spreadsheets/d/1AbC…/edit."
    raise AccountIdInvalid(message, field="account_id")


SHEETS_SIGN = DoorSign(
    login_label="What is in the key file",
    login_help="The JSON key of a Google service account. Share the spreadsheet with its e-mail, as Editor.",
    account_label="Spreadsheet",
    account_help="Its address, such as https://docs.google.com/spreadsheets/d/1AbC…/edit, or the id in that.",
    nothing_found="Google does not list spreadsheets for this login. Paste the address of the spreadsheet.",
    tested="the tabs, and a mark that is taken away at once",
    allowed=(
        "Read the title of the spreadsheet and the names of its tabs",
        "Make tabs of its own in it, and write figures into these",
    ),
    limits=(
        "It writes into no tab that somebody else made, and asks for no other file. The role Editor on this one "
        "spreadsheet is needed, for a Viewer writes nothing."
    ),
    clean_secret=clean_key_file,
    clean_account_id=clean_spreadsheet_id,
    hint_of=hint_of_key,
    is_file=True,
    lists_accounts=False,
)
