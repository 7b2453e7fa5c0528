"""From an error of Google Sheets to the class of trouble it is. Pure. What is not known is INTERNAL, and quoted."""

from datetime import timedelta

from app.syncs.calls.troubles import Trouble, TroubleClass
from app.syncs.google.errors import GoogleError, disabled_words, usual_trouble
from app.syncs.signs.key_files import ServiceKey

NAME, SETTING = "Google Sheets", "BELFRY_SHEETS_BASE_URL"
# The quota is of so many calls in each minute, and nothing says when that minute is over.
A_MINUTE = timedelta(seconds=60)
# Somebody changed the spreadsheet between two requests, or a request was sent twice: looked at again, it is clear.
STALE = "changed_meanwhile"
_BAD_REQUESTS = (
    (
        ("no sheet with id", "already exists", "unable to parse range", "no developer metadata", "exceeds grid"),
        TroubleClass.INTERNAL,
        "The spreadsheet was changed meanwhile.",
        STALE,
    ),
    (("payload size exceeds",), TroubleClass.TOO_LARGE, "That is more than Google Sheets takes at once.", None),
    (
        ("above the limit of",),
        TroubleClass.SETUP_ERROR,
        "The spreadsheet is full. Push to another one, or fewer days.",
        None,
    ),
    (("protected cell",), TroubleClass.SETUP_ERROR, "The tab is protected. Take the protection away.", None),
    (
        ("not supported for this document",),
        TroubleClass.SETUP_ERROR,
        "This is an Office file. Save it as a Google Sheet, and connect that.",
        None,
    ),
)


def trouble_of(error: GoogleError, *, key: ServiceKey, wait: timedelta | None) -> Trouble:
    """The trouble of an error. The key says who asked: a spreadsheet is shared with the e-mail of its account."""
    email = key.client_email
    if error.reason == "SERVICE_DISABLED":
        words = disabled_words("Google Sheets API", key.project_id)
        return Trouble(TroubleClass.SETUP_ERROR, f"{words} {error.quote}", error.code)
    if error.http_status == 403 and error.status:
        words = f"Google does not let {email} change this spreadsheet. Share it with {email} as Editor."
        return Trouble(TroubleClass.PERMISSION_MISSING, f"{words} {error.quote}", error.code)
    if error.http_status == 404 and error.status:
        words = f"There is no such spreadsheet, it was deleted, or it was never shared with {email}."
        return Trouble(TroubleClass.ACCOUNT_UNAVAILABLE, f"{words} {error.quote}", error.code)
    if error.http_status == 409:
        words = f"Google Sheets was busy with another change. {error.quote}"
        return Trouble(TroubleClass.TRANSIENT, words, error.code)
    if error.http_status == 400 and error.status:
        return _bad_request(error)
    return usual_trouble(error, service=NAME, setting=SETTING, wait=wait or _usual_wait(error))


def _usual_wait(error: GoogleError) -> timedelta | None:
    return A_MINUTE if error.http_status == 429 else None


def _bad_request(error: GoogleError) -> Trouble:
    said = error.said.lower()
    for signs, trouble_class, words, code in _BAD_REQUESTS:
        if any(sign in said for sign in signs):
            return Trouble(trouble_class, f"{words} {error.quote}", code or error.code)
    words = "Google Sheets answered with an error that Belfry does not know."
    return Trouble(TroubleClass.INTERNAL, f"{words} {error.quote}", error.code)
