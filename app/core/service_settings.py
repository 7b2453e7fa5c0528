"""Where the services of syncs and messages answer, and what Belfry is to them. All but tests and demos leave it so."""

from dataclasses import dataclass, field

from app.core.service_urls import own_shop_urls, provider_address, shop_address, shop_template
from app.core.setting_reader import Expected, SettingReader
from app.core.setting_values import app_secret_or_none, digits_or_none, graph_version, shopify_version

_ADDRESS = "an address with https://, or with http:// on this machine itself"
_SHOP = Expected(
    "an address with {shop} where the address of a shop stands, with https://, or with http:// on this machine itself",
    "https://{shop}",
)
_GRAPH_VERSION = Expected("a version of Meta's Graph API", "v26.0")
_SHOPIFY_VERSION = Expected("a version of Shopify's Admin API", "2026-10")
_APP_ID = Expected("the id of an app at Meta, in digits", "1234567890")
_APP_SECRET = Expected("the secret of that app", "$(cat /run/secrets/meta_app_secret)")


@dataclass(frozen=True)
class ServiceSettings:
    """The addresses below which services answer, the versions they are asked in, and our app at Meta."""

    meta_base_url: str
    meta_api_version: str
    meta_app_id: str | None
    meta_app_secret: str | None = field(repr=False)
    ga4_base_url: str
    google_token_url: str
    sheets_base_url: str
    shopify_base_url_template: str
    shopify_api_version: str
    discord_base_url: str
    telegram_base_url: str

    @property
    def of_syncs(self) -> tuple[str, ...]:
        """Where syncs go, be it on a private machine: the operator said so."""
        return (*self._of_all, *own_shop_urls(self.shopify_base_url_template))

    @property
    def of_messages(self) -> tuple[str, ...]:
        """Where messages go, be it on a private machine."""
        return (self.discord_base_url, self.telegram_base_url)

    @property
    def any_of_syncs(self) -> tuple[str, ...]:
        """Where syncs go, with a shop as it could be."""
        return (*self._of_all, shop_address(self.shopify_base_url_template))

    @property
    def _of_all(self) -> tuple[str, ...]:
        return (self.meta_base_url, self.ga4_base_url, self.google_token_url, self.sheets_base_url)


def read_services(read: SettingReader) -> ServiceSettings:
    """The settings of services; wrong ones are noted."""
    read.need_together("BELFRY_META_APP_ID", "BELFRY_META_APP_SECRET")
    return ServiceSettings(
        meta_base_url=_address(read, "BELFRY_META_BASE_URL", "https://graph.facebook.com"),
        meta_api_version=read.one("BELFRY_META_API_VERSION", "v26.0", graph_version, _GRAPH_VERSION),
        meta_app_id=read.one("BELFRY_META_APP_ID", "", digits_or_none, _APP_ID),
        meta_app_secret=read.one("BELFRY_META_APP_SECRET", "", app_secret_or_none, _APP_SECRET),
        ga4_base_url=_address(read, "BELFRY_GA4_BASE_URL", "https://analyticsdata.googleapis.com"),
        google_token_url=_address(read, "BELFRY_GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token"),
        sheets_base_url=_address(read, "BELFRY_SHEETS_BASE_URL", "https://sheets.googleapis.com"),
        shopify_base_url_template=read.one("BELFRY_SHOPIFY_BASE_URL_TEMPLATE", "https://{shop}", shop_template, _SHOP),
        shopify_api_version=read.one("BELFRY_SHOPIFY_API_VERSION", "2026-10", shopify_version, _SHOPIFY_VERSION),
        discord_base_url=_address(read, "BELFRY_DISCORD_BASE_URL", "https://discord.com"),
        telegram_base_url=_address(read, "BELFRY_TELEGRAM_BASE_URL", "https://api.telegram.org"),
    )


def _address(read: SettingReader, name: str, default: str) -> str:
    return read.one(name, default, provider_address, Expected(_ADDRESS, default))
