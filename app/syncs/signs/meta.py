"""What connecting an ad account of Meta asks for. Pure."""

from app.syncs.signs.sign import AccountIdInvalid, DoorSign, SecretInvalid

LONGEST_TOKEN = 4_096
# Shorter ones would be given away by their last letters.
SHORTEST_HINTED = 20
HINT_CHARACTERS = 4


def clean_token(text: str) -> str:
    """The token as it is sealed: without what surrounds it. Raises SecretInvalid."""
    token = text.strip()
    if not token:
        raise SecretInvalid("Paste the access token.", field="token")
    if len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        message = "This is no access token: it is one line of letters, digits and signs, without spaces. Copy it again."
        raise SecretInvalid(message, field="token")
    return token


def clean_ad_account(text: str) -> str:
    """The id of an ad account as it is stored: digits. Raises AccountIdInvalid."""
    account_id = text.strip().removeprefix("act_")
    if not account_id.isascii() or not account_id.isdecimal() or len(account_id) > 40:
        message = "The id of a Meta ad account is a number, such as act_1234567890. Meta’s Ads Manager shows it."
        raise AccountIdInvalid(message, field="account_id")
    return account_id


def hint_of(token: str) -> str | None:
    """Its last letters, where they give nothing away."""
    return token[-HINT_CHARACTERS:] if len(token) >= SHORTEST_HINTED else None


META_SIGN = DoorSign(
    login_label="Access token",
    login_help="From the business settings at Meta: a system user’s token with the permission ads_read lasts longest.",
    account_label="Ad account",
    account_help="A number such as act_1234567890. Leave it empty to choose from the accounts that the token reads.",
    nothing_found="This token reads no ad account at all.",
    tested="one campaign",
    allowed=(
        "Read the name, currency and time zone of one ad account",
        "Read the daily figures of its campaigns: spend, impressions, clicks, reach and purchases",
    ),
    limits="It changes nothing at Meta: the permission ads_read is enough, and all it asks for.",
    clean_secret=clean_token,
    clean_account_id=clean_ad_account,
    hint_of=hint_of,
    unknown_end="Whoever runs Belfry can name an app at Meta in the settings.",
)
