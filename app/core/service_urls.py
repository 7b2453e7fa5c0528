"""Where database, broker and the services of syncs are, in the form the rest of the code reads. Connects to nothing."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy.engine import URL, make_url

from app.core.urls import parse_target

# Where the address of a shop stands in a template.
SHOP = "{shop}"
_POSTGRES = {"postgresql", "postgres"}
_REDIS = {"redis", "rediss", "unix"}


def database_address(base: Path, value: str) -> str:
    """The URL of a database, a relative file made absolute. Raises ValueError or ArgumentError."""
    return _file_address(base, value) if value.startswith("sqlite:") else postgres_address(value)


def postgres_address(value: str) -> str:
    """The URL of a PostgreSQL database with the driver we use. Raises ValueError or ArgumentError."""
    url = make_url(value)
    # The roles of an installation are named after its login, so it cannot be left to the driver's guess.
    if url.drivername.partition("+")[0] not in _POSTGRES or not url.database or not url.username:
        raise ValueError("not a PostgreSQL database with a user")
    return _spelled(url.set(drivername="postgresql+psycopg"))


def broker_address(base: Path, value: str) -> str:
    """The URL of a Redis database or of a SQLite file, a relative one made absolute. Raises ValueError."""
    if value.startswith("sqlite:"):
        return _file_address(base, value)
    parts = urlsplit(value)
    is_complete = bool(parts.path if parts.scheme == "unix" else parts.hostname)
    # Reading the port raises ValueError when it is none.
    if parts.scheme not in _REDIS or not is_complete or parts.port == 0:
        raise ValueError("not a Redis address")
    _refuse_odd_options(value)
    return value


def provider_address(value: str) -> str:
    """The address below which a service of syncs answers. Raises ValueError or OutboundRefused.

    Tokens go there with every request, so without encryption it has to be this machine itself.
    """
    target = parse_target(value)
    is_here = target.literal is not None and target.literal.is_loopback
    if (target.url.scheme != "https" and not is_here) or target.url.query or target.url.fragment:
        raise ValueError("tokens would go over the network for everyone to read")
    return value.rstrip("/")


def shop_template(value: str) -> str:
    """The address of any shop: `{shop}` is its host or a part of its path. Raises ValueError or OutboundRefused."""
    parts = urlsplit(value)
    if [parts.netloc, *parts.path.split("/")].count(SHOP) != 1 or value.count("{") != 1 or value.count("}") != 1:
        raise ValueError("the shop stands once in the address")
    provider_address(shop_address(value))
    return value.rstrip("/")


def shop_address(template: str, shop: str = "any-shop.myshopify.com") -> str:
    """The address of a shop, after `shop_template`. The shop is one that was cleaned before."""
    return template.replace(SHOP, shop)


def own_shop_urls(template: str) -> tuple[str, ...]:
    """The operator's own address in a template; none where shops have hosts of their own."""
    return () if urlsplit(template).netloc == SHOP else (shop_address(template),)


def is_on_this_machine(address: str) -> bool:
    """Whether an address that `provider_address` let through leads to this machine and nowhere else."""
    literal = parse_target(address).literal
    return literal is not None and literal.is_loopback


def _refuse_odd_options(value: str) -> None:
    # Nothing is connected here; what the client cannot understand it says now, and not in every loop.
    parts = urlsplit(value)
    database = parts.path.strip("/")
    if parts.scheme != "unix" and database and not database.isdecimal():
        raise ValueError("the database is a number")
    if not parts.query:
        return
    # The client takes megabytes, and only options are left to it.
    from redis import ConnectionPool, RedisError  # noqa: PLC0415

    try:
        ConnectionPool.from_url(value).make_connection()
    except (TypeError, RedisError) as error:
        raise ValueError("an option that nobody knows") from error
    authority = dict(parse_qsl(parts.query)).get("ssl_ca_certs")
    if authority and not Path(authority).is_file():
        raise ValueError("no such file with authorities")


def _file_address(base: Path, value: str) -> str:
    url = make_url(value)
    # Belfry is several processes: a database in the memory of one is no database to the others.
    is_file = url.database and url.database != ":memory:" and not url.database.startswith("file:")
    if url.get_backend_name() != "sqlite" or not url.database or not is_file:
        raise ValueError("not a file")
    if Path(url.database).is_absolute():
        return value
    return _spelled(url.set(database=str(base / url.database)))


def _spelled(url: URL) -> str:
    return url.render_as_string(hide_password=False)
