"""Settings, read once at the start. Every other module is handed what it needs of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from dotenv import dotenv_values

from app.core.addresses import parse_networks
from app.core.demo import is_marked, why_no_demo
from app.core.mail_settings import MailServer, read_mail
from app.core.service_settings import ServiceSettings, read_services
from app.core.service_urls import broker_address, database_address
from app.core.setting_reader import Expected, SettingReader
from app.core.setting_values import (
    MIN_SECRET_CHARACTERS,
    address,
    file_or_none,
    heartbeat_or_none,
    postgres_or_none,
    secret,
    web_url,
    zone,
)

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
    "BELFRY_HEARTBEAT_URL": Expected("an address with http:// or https://", "https://hc-ping.com/your-check"),
    "BELFRY_HEALTH_TOKEN": Expected(
        f"{MIN_SECRET_CHARACTERS} random characters or more",
        "$(python3 -c 'import secrets; print(secrets.token_urlsafe(48))')",
    ),
    "BELFRY_LISTEN": Expected("host:port", "0.0.0.0:8000"),
    "BELFRY_PUBLIC_URL": Expected("the address people open, with http:// or https://", "https://belfry.example.com"),
    "BELFRY_DEFAULT_TIMEZONE": Expected("an IANA time zone", "Europe/Berlin"),
    "BELFRY_ALLOWED_PRIVATE_ADDRESSES": Expected(
        "addresses or networks separated by commas", "10.1.0.0/16, 192.168.7.4"
    ),
}


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
    services: ServiceSettings
    mail: MailServer | None
    is_demo: bool
    # Belfry's own run each minute, the address that is called when it came through, and who else may ask how it fares.
    canary: bool
    heartbeat_url: str | None = field(repr=False)
    health_token: str | None = field(repr=False)

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
    keys_file = partial(file_or_none, base, is_alone=not vault_keys)
    host, port = read.one("BELFRY_LISTEN", "127.0.0.1:8000", address)
    services = read_services(read)
    is_demo = read.switch("BELFRY_DEMO", default=is_marked(data_dir))
    if is_demo and (reason := why_no_demo(*services.any_of_syncs)):
        read.note_wrong(reason)
    lease = read.number("BELFRY_LEASE_SECONDS", 30, low=4, high=600)
    return Settings(
        env=env,
        data_dir=data_dir,
        database_url=database,
        database_admin_url=read.one("BELFRY_DATABASE_ADMIN_URL", "", postgres_or_none),
        broker_url=broker,
        secret_key=read.one("BELFRY_SECRET_KEY", "", secret),
        vault_keys=tuple(vault_keys),
        vault_keys_file=read.one("BELFRY_VAULT_KEYS_FILE", "", keys_file),
        auto_migrate=read.switch("BELFRY_AUTO_MIGRATE", default=_is_embedded(database, broker)),
        listen_host=host,
        listen_port=port,
        web_processes=read.number("BELFRY_WEB_PROCESSES", 1, low=1, high=32),
        public_url=read.one("BELFRY_PUBLIC_URL", f"http://{_reachable(host)}:{port}", web_url),
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
        default_timezone=read.one("BELFRY_DEFAULT_TIMEZONE", "UTC", zone),
        job_modules=_modules(read.words("BELFRY_JOBS")),
        allowed_private_addresses=read.one("BELFRY_ALLOWED_PRIVATE_ADDRESSES", "", parse_networks),
        services=services,
        mail=read_mail(read),
        is_demo=is_demo,
        canary=read.switch("BELFRY_CANARY", default=True),
        heartbeat_url=read.one("BELFRY_HEARTBEAT_URL", "", heartbeat_or_none),
        health_token=read.one("BELFRY_HEALTH_TOKEN", "", secret),
    )


def _is_embedded(database_url: str, broker_url: str) -> bool:
    return database_url.startswith("sqlite") and broker_url.startswith("sqlite")


def _modules(words: list[str]) -> tuple[str, ...]:
    return () if words == [NO_JOBS] else tuple(words) or EXAMPLE_JOBS


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "[::]"} else host  # noqa: S104 - compared, not bound
