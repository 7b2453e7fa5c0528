"""Settings, read once at the start. Every other module is handed what it needs of them."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from zoneinfo import available_timezones

from dotenv import dotenv_values

from app.core.addresses import parse_networks
from app.core.demo import is_marked, why_no_demo
from app.core.service_urls import (
    broker_address,
    database_address,
    postgres_address,
    provider_address,
    shop_address,
    shop_template,
)
from app.core.setting_reader import Expected, SettingReader

MIN_SECRET_CHARACTERS = 32
# What stands for no module with jobs, and those that there are unless others are named.
NO_JOBS = "none"
EXAMPLE_JOBS = ("app.jobs.examples",)
# What each setting that is neither a number nor a switch takes, and an example of it.
EXPECTED = {
    "BELFRY_ENV": Expected("'development' or 'production'", "production"),
    "BELFRY_DATABASE_URL": Expected(
        "a URL that begins with postgresql:// or, for a file, with sqlite:///", "postgresql://belfry:…@db/belfry"
    ),
    "BELFRY_DATABASE_ADMIN_URL": Expected(
        "a URL that begins with postgresql:// and names a user who may make roles and tables",
        "postgresql://postgres:…@db/belfry",
    ),
    "BELFRY_BROKER_URL": Expected(
        "a URL that begins with redis://, rediss:// or unix:// or, for a file, with sqlite:///",
        "redis://:…@queue:6379/0",
    ),
    "BELFRY_SECRET_KEY": Expected(
        f"{MIN_SECRET_CHARACTERS} random characters or more",
        "$(python3 -c 'import secrets; print(secrets.token_urlsafe(48))')",
    ),
    "BELFRY_VAULT_KEYS_FILE": Expected(
        "a file instead of BELFRY_VAULT_KEYS, not beside it", "/run/secrets/belfry_vault_keys"
    ),
    "BELFRY_LISTEN": Expected("host:port", "0.0.0.0:8000"),
    "BELFRY_PUBLIC_URL": Expected("the address people open, with http:// or https://", "https://belfry.example.com"),
    "BELFRY_DEFAULT_TIMEZONE": Expected("an IANA time zone", "Europe/Berlin"),
    "BELFRY_ALLOWED_PRIVATE_ADDRESSES": Expected(
        "addresses or networks separated by commas", "10.1.0.0/16, 192.168.7.4"
    ),
    "BELFRY_META_BASE_URL": Expected(
        "an address with https://, or with http:// on this machine itself", "https://graph.facebook.com"
    ),
    "BELFRY_GA4_BASE_URL": Expected(
        "an address with https://, or with http:// on this machine itself", "https://analyticsdata.googleapis.com"
    ),
    "BELFRY_GOOGLE_TOKEN_URL": Expected(
        "an address with https://, or with http:// on this machine itself", "https://oauth2.googleapis.com/token"
    ),
    "BELFRY_SHEETS_BASE_URL": Expected(
        "an address with https://, or with http:// on this machine itself", "https://sheets.googleapis.com"
    ),
    "BELFRY_META_API_VERSION": Expected("a version of Meta's Graph API", "v26.0"),
    "BELFRY_SHOPIFY_BASE_URL_TEMPLATE": Expected(
        "an address with {shop} where the address of a shop stands, with https://, or with http:// on this machine "
        "itself",
        "https://{shop}",
    ),
    "BELFRY_SHOPIFY_API_VERSION": Expected("a version of Shopify's Admin API", "2026-10"),
    "BELFRY_META_APP_ID": Expected("the id of an app at Meta, in digits", "1234567890"),
    "BELFRY_META_APP_SECRET": Expected("the secret of that app", "$(cat /run/secrets/meta_app_secret)"),
    "BELFRY_SMTP_HOST": Expected("the name or address of a mail server", "mail.example.com"),
    "BELFRY_SMTP_SECURITY": Expected("'starttls', 'tls' or, for a server that encrypts nothing, 'none'", "starttls"),
    "BELFRY_SMTP_FROM": Expected("the mail address that mails come from", "belfry@example.com"),
    "BELFRY_DISCORD_BASE_URL": Expected(
        "an address with https://, or with http:// on this machine itself", "https://discord.com"
    ),
    "BELFRY_TELEGRAM_BASE_URL": Expected(
        "an address with https://, or with http:// on this machine itself", "https://api.telegram.org"
    ),
}
# The ports that mail servers take mail from programs at.
_SMTP_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class MailSecurity(StrEnum):
    """How the way to the mail server is encrypted."""

    STARTTLS = "starttls"  # after a greeting in the open
    TLS = "tls"  # from the first byte
    NONE = "none"


class Environment(StrEnum):
    """Where this installation runs."""

    DEVELOPMENT = "development"  # somebody's machine: short polls, plain http
    PRODUCTION = "production"  # keys must be given, cookies need https


@dataclass(frozen=True)
class Settings:
    """All settings. `docs/settings.md` says what each is for."""

    env: Environment
    data_dir: Path
    database_url: str = field(repr=False)
    database_admin_url: str | None = field(repr=False)
    broker_url: str = field(repr=False)
    secret_key: str | None = field(repr=False)
    vault_keys: tuple[str, ...] = field(repr=False)
    vault_keys_file: Path | None
    auto_migrate: bool
    listen_host: str
    listen_port: int
    web_processes: int
    public_url: str
    trusted_proxies: int
    scheduler_enabled: bool
    poll_seconds: int
    workers: int
    lease_seconds: int
    heartbeat_seconds: int
    sweep_seconds: int
    stop_seconds: int
    function_memory_mib: int
    function_processes: int
    retention_days: int
    figure_changes_days: int
    api_requests_per_minute: int
    default_timezone: str
    job_modules: tuple[str, ...]
    allowed_private_addresses: tuple[IPv4Network | IPv6Network, ...]
    meta_base_url: str
    meta_api_version: str
    meta_app_id: str | None
    meta_app_secret: str | None = field(repr=False)
    smtp_host: str | None
    smtp_port: int
    smtp_security: MailSecurity
    smtp_user: str | None
    smtp_password: str | None = field(repr=False)
    smtp_from: str | None
    discord_base_url: str
    telegram_base_url: str
    ga4_base_url: str
    google_token_url: str
    sheets_base_url: str
    shopify_base_url_template: str
    shopify_api_version: str
    is_demo: bool

    @property
    def is_embedded(self) -> bool:
        """Whether everything lies in files of this machine."""
        return _is_embedded(self.database_url, self.broker_url)

    @property
    def reachable_host(self) -> str:
        """Where this machine finds its own pages: listening everywhere is no address to open."""
        return _reachable(self.listen_host)

    @property
    def is_production(self) -> bool:
        return self.env is Environment.PRODUCTION


def read_settings(environ: Mapping[str, str] | None = None, *, folder: Path | None = None) -> Settings:
    """Settings from the environment, with `.env` of the folder behind it. Raises SettingInvalid."""
    base = (folder or Path.cwd()).resolve()
    given = {name: value for name, value in dotenv_values(base / ".env").items() if value is not None}
    given.update(os.environ if environ is None else environ)
    reader = SettingReader(given, EXPECTED)
    settings = _collect(reader, base)
    reader.refuse_if_wrong()
    return settings


def _collect(read: SettingReader, base: Path) -> Settings:
    env = read.one("BELFRY_ENV", "development", Environment)
    data_dir = base / read.text("BELFRY_DATA_DIR", "var")
    database = read.one("BELFRY_DATABASE_URL", f"sqlite:///{data_dir}/belfry.db", partial(database_address, base))
    broker = read.one("BELFRY_BROKER_URL", f"sqlite:///{data_dir}/queue.db", partial(broker_address, base))
    vault_keys = read.words("BELFRY_VAULT_KEYS")
    keys_file = partial(_file_or_none, base, is_alone=not vault_keys)
    host, port = read.one("BELFRY_LISTEN", "127.0.0.1:8000", _address)
    read.need_together("BELFRY_META_APP_ID", "BELFRY_META_APP_SECRET")
    meta = read.one("BELFRY_META_BASE_URL", "https://graph.facebook.com", provider_address)
    is_demo = read.switch("BELFRY_DEMO", default=is_marked(data_dir))
    ga4 = read.one("BELFRY_GA4_BASE_URL", "https://analyticsdata.googleapis.com", provider_address)
    google_token = read.one("BELFRY_GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token", provider_address)
    sheets = read.one("BELFRY_SHEETS_BASE_URL", "https://sheets.googleapis.com", provider_address)
    shopify = read.one("BELFRY_SHOPIFY_BASE_URL_TEMPLATE", "https://{shop}", shop_template)
    if is_demo and (reason := why_no_demo(meta, ga4, google_token, sheets, shop_address(shopify))):
        read.note_wrong(reason)
    smtp_security = read.one("BELFRY_SMTP_SECURITY", "starttls", MailSecurity)
    read.need_together("BELFRY_SMTP_USER", "BELFRY_SMTP_PASSWORD")
    lease = read.number("BELFRY_LEASE_SECONDS", 30, low=4, high=600)
    return Settings(
        env=env,
        data_dir=data_dir,
        database_url=database,
        database_admin_url=read.one("BELFRY_DATABASE_ADMIN_URL", "", _postgres_or_none),
        broker_url=broker,
        secret_key=read.one("BELFRY_SECRET_KEY", "", _secret),
        vault_keys=tuple(vault_keys),
        vault_keys_file=read.one("BELFRY_VAULT_KEYS_FILE", "", keys_file),
        auto_migrate=read.switch("BELFRY_AUTO_MIGRATE", default=_is_embedded(database, broker)),
        listen_host=host,
        listen_port=port,
        web_processes=read.number("BELFRY_WEB_PROCESSES", 1, low=1, high=32),
        public_url=read.one("BELFRY_PUBLIC_URL", f"http://{_reachable(host)}:{port}", _web_url),
        trusted_proxies=read.number("BELFRY_TRUSTED_PROXIES", 0, low=0, high=5),
        scheduler_enabled=read.switch("BELFRY_SCHEDULER_ENABLED", default=True),
        poll_seconds=read.number("BELFRY_POLL_SECONDS", 60 if env is Environment.PRODUCTION else 10, low=1, high=60),
        workers=read.number("BELFRY_WORKERS", 5, low=1, high=256),
        lease_seconds=lease,
        # Two beats must fit into a lease, so that one that was lost costs nothing.
        heartbeat_seconds=read.number("BELFRY_HEARTBEAT_SECONDS", lease // 3, low=1, high=lease // 2),
        sweep_seconds=read.number("BELFRY_SWEEP_SECONDS", 5, low=1, high=60),
        stop_seconds=read.number("BELFRY_STOP_SECONDS", 20, low=1, high=600),
        function_memory_mib=read.number("BELFRY_FUNCTION_MEMORY_MIB", 1_024, low=64, high=1_048_576),
        function_processes=read.number("BELFRY_FUNCTION_PROCESSES", 256, low=2, high=30_000),
        retention_days=read.number("BELFRY_RETENTION_DAYS", 365, low=0, high=36_500),
        figure_changes_days=read.number("BELFRY_FIGURE_CHANGES_DAYS", 400, low=0, high=36_500),
        api_requests_per_minute=read.number("BELFRY_API_REQUESTS_PER_MINUTE", 600, low=1, high=1_000_000),
        default_timezone=read.one("BELFRY_DEFAULT_TIMEZONE", "UTC", _zone),
        job_modules=_modules(read.words("BELFRY_JOBS")),
        allowed_private_addresses=read.one("BELFRY_ALLOWED_PRIVATE_ADDRESSES", "", parse_networks),
        meta_base_url=meta,
        meta_api_version=read.one("BELFRY_META_API_VERSION", "v26.0", _graph_version),
        meta_app_id=read.one("BELFRY_META_APP_ID", "", _digits_or_none),
        meta_app_secret=read.one("BELFRY_META_APP_SECRET", "", _app_secret_or_none),
        smtp_host=read.one("BELFRY_SMTP_HOST", "", _host_or_none),
        smtp_port=read.number("BELFRY_SMTP_PORT", _SMTP_PORTS[smtp_security], low=1, high=65_535),
        smtp_security=smtp_security,
        smtp_user=read.text("BELFRY_SMTP_USER", "") or None,
        smtp_password=read.text("BELFRY_SMTP_PASSWORD", "") or None,
        smtp_from=read.one("BELFRY_SMTP_FROM", "", _mail_address_or_none),
        discord_base_url=read.one("BELFRY_DISCORD_BASE_URL", "https://discord.com", provider_address),
        telegram_base_url=read.one("BELFRY_TELEGRAM_BASE_URL", "https://api.telegram.org", provider_address),
        ga4_base_url=ga4,
        google_token_url=google_token,
        sheets_base_url=sheets,
        shopify_base_url_template=shopify,
        shopify_api_version=read.one("BELFRY_SHOPIFY_API_VERSION", "2026-10", _shopify_version),
        is_demo=is_demo,
    )


def _is_embedded(database_url: str, broker_url: str) -> bool:
    return database_url.startswith("sqlite") and broker_url.startswith("sqlite")


def _modules(words: list[str]) -> tuple[str, ...]:
    return () if words == [NO_JOBS] else tuple(words) or EXAMPLE_JOBS


def _postgres_or_none(value: str) -> str | None:
    return postgres_address(value) if value else None


def _file_or_none(base: Path, value: str, *, is_alone: bool) -> Path | None:
    if value and not is_alone:
        raise ValueError(value)
    return base / value if value else None


def _address(value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not 0 < int(port) < 65_536:
        raise ValueError(value)
    return host, int(port)


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "[::]"} else host  # noqa: S104 - compared, not bound


def _web_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError(value)
    return value.rstrip("/")


def _secret(value: str) -> str | None:
    if value and len(value) < MIN_SECRET_CHARACTERS:
        raise ValueError("too short")
    return value or None


def _graph_version(value: str) -> str:
    if not re.fullmatch(r"v[0-9]{1,3}\.[0-9]", value):
        raise ValueError(value)
    return value


def _shopify_version(value: str) -> str:
    if not re.fullmatch(r"20[0-9]{2}-(01|04|07|10)", value):
        raise ValueError(value)
    return value


def _digits_or_none(value: str) -> str | None:
    if value and not re.fullmatch(r"[0-9]{1,40}", value):
        raise ValueError(value)
    return value or None


def _app_secret_or_none(value: str) -> str | None:
    if value and not re.fullmatch(r"[0-9A-Za-z]{16,128}", value):
        raise ValueError("no secret of an app")
    return value or None


def _host_or_none(value: str) -> str | None:
    if value and not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z.:-]{0,252}", value):
        raise ValueError(value)
    return value or None


def _mail_address_or_none(value: str) -> str | None:
    if value and not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}", value):
        raise ValueError(value)
    return value or None


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(value)
    return value
