"""What connecting a shop of Shopify asks for. Pure."""

import re

from app.syncs.signs.shopify_logins import clean_login, hint_of_login
from app.syncs.signs.sign import AccountIdInvalid, DoorSign, LoginField, LoginKind

# As Shopify writes it. Whatever else somebody types is never made a part of an address.
SHOP = re.compile(r"[a-z0-9][a-z0-9-]{0,99}\.myshopify\.com", re.ASCII)


def clean_shop(text: str) -> str:
    """The address of a shop as it is stored, such as acme.myshopify.com. Raises AccountIdInvalid."""
    said = text.strip()
    # Some letters of other scripts become ASCII when they are made small.
    shop = said.lower().removeprefix("https://").removesuffix("/") if said.isascii() else ""
    if not SHOP.fullmatch(shop):
        message = (
            "Say which shop by the address that Shopify gave it, such as acme.myshopify.com, and not by a domain of "
            "your own. Shopify shows it under Settings, Domains."
        )
        raise AccountIdInvalid(message, field="account_id")
    return shop


_CLIENT_ID = LoginField("client_id", "Client ID", is_secret=False)
_CLIENT_SECRET = LoginField("client_secret", "Client secret")
SHOPIFY_SIGN = DoorSign(
    login_label="Login",
    login_help="An app of the shop with the scopes read_orders and read_all_orders, and no other.",
    account_label="Shop",
    account_help="The address that ends in .myshopify.com. Shopify shows it under Settings, Domains.",
    nothing_found="An app reads the shop it is installed in. Say which one.",
    tested="one order",
    allowed=(
        "Read the name, currency and time zone of one shop",
        "Read its orders: when each was made, changed and paid back, and the amounts. Nothing about customers",
    ),
    limits="It changes nothing at Shopify: the scopes read_orders and read_all_orders are enough.",
    clean_secret=clean_login,
    clean_account_id=clean_shop,
    hint_of=hint_of_login,
    lists_accounts=False,
    kinds=(
        LoginKind(
            "client_credentials",
            "An app of your own organization",
            "Made in the Dev Dashboard and installed in the shop. Belfry signs in anew every day.",
            (_CLIENT_ID, _CLIENT_SECRET),
        ),
        LoginKind(
            "token",
            "A custom app with a fixed token",
            "Made in the admin of the shop. Its token starts with shpat_ and does not end by itself.",
            (LoginField("access_token", "Admin API access token"),),
        ),
        LoginKind(
            "refresh",
            "An app with a refresh token",
            "Each use changes the refresh token. From now on only Belfry may use it.",
            (_CLIENT_ID, _CLIENT_SECRET, LoginField("refresh_token", "Refresh token")),
        ),
    ),
)
