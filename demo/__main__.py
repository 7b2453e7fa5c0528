"""`python -m demo`, which is `make demo`: everything on this machine, with demo data, until Ctrl-C."""

import errno
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from app.cli.children import children_of
from app.cli.database import migrate
from app.cli.listening import AddressUnusable, refuse_unusable_address
from app.cli.supervisor import Supervisor
from app.core.config import Settings, read_settings
from app.core.db import open_database
from app.core.demo import SENTENCE
from app.core.errors import AppError
from app.core.failures import explain
from app.core.keys import with_keys
from app.core.log import set_up_logging
from app.core.process import keep_files_private, share_one_heap
from app.ops.login_desk import LoginDesk
from demo.folder import DemoFolder, open_folder
from demo.provider import NEW_UK_TOKEN, TOKENS, DemoMeta, make_world
from demo.seeding import EMAIL, Seed, seed
from demo.truth import UK
from tests.fakes.providers.meta.scenarios import APP_ID, APP_SECRET
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.world import World

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
EXIT_REFUSED = 2


@dataclass(frozen=True)
class Ports:
    """Where the pages and the fakes are served."""

    pages: int
    provider: int


@click.command()
@click.option("--folder", default="var/demo", type=click.Path(path_type=Path), help="A directory of the demo's own.")
@click.option("--port", default=8090, type=click.IntRange(1, 65_535), help="Where the pages are served.")
@click.option("--provider-port", default=8091, type=click.IntRange(1, 65_535), help="Where the fakes are.")
def demo(folder: Path, port: int, provider_port: int) -> None:
    """Run Belfry beside a fake provider, with an organization that is read from it."""
    ports = Ports(port, provider_port)
    with open_folder(folder.resolve(), now=datetime.now(UTC)) as held:
        _refuse_busy(ports.pages, "DEMO_PORT")
        world = make_world(held.begun)
        with _serve(world, ports.provider) as fakes:
            settings = _settings(held, ports, fakes.url)
            migrate(settings)
            _prepare(settings, world, fakes.url)
            greet = Greeting(settings).greet
            Supervisor(settings, children_of(held.path), folder=held.path).run(greet)


class Greeting:
    """Says once, as soon as pages are served, where they are and what there is to see."""

    def __init__(self, settings: Settings, say: Callable[[str], None] = click.echo) -> None:
        self._settings = settings
        self._say = say
        self._is_over = False

    def greet(self) -> None:
        """For a loop: costs nothing once it was said."""
        if self._is_over:
            return
        self._is_over = True
        self._say(
            f"\n{SENTENCE}\nBelfry runs. Open {self._settings.public_url} and sign in as {EMAIL}\n"
            f"Meta refuses the login that {UK.name} began with. To reconnect it, paste this token: {NEW_UK_TOKEN}\n"
            f"Everything lies in {self._settings.data_dir}; delete it, and nothing is left.\nStop it with Ctrl-C.\n"
        )


def _refuse_busy(port: int, name: str) -> None:
    try:
        refuse_unusable_address(HOST, port)
    except AddressUnusable as error:
        raise _busy(port, name) from error


def _serve(world: World, port: int) -> FakeServer:
    try:
        return FakeServer(world, port=port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise _busy(port, "DEMO_PROVIDER_PORT") from error


def _busy(port: int, name: str) -> AddressUnusable:
    words = f"Another program serves at {HOST}:{port}. Stop it, or name another port: make demo {name}={port + 100}"
    return AddressUnusable(words)


def _settings(held: DemoFolder, ports: Ports, fakes_url: str) -> Settings:
    """The settings of the demo alone: what the environment says of Belfry is meant for an installation."""
    for name in [name for name in os.environ if name.startswith("BELFRY_")]:
        del os.environ[name]
    own = {
        "BELFRY_DEMO": "on",
        "BELFRY_ENV": "development",
        "BELFRY_DATA_DIR": str(held.path),
        "BELFRY_LISTEN": f"{HOST}:{ports.pages}",
        "BELFRY_META_BASE_URL": f"{fakes_url}/meta",
        "BELFRY_GA4_BASE_URL": f"{fakes_url}/ga4",
        "BELFRY_GOOGLE_TOKEN_URL": f"{fakes_url}/google/token",
        "BELFRY_SHEETS_BASE_URL": f"{fakes_url}/sheets",
        "BELFRY_SHOPIFY_BASE_URL_TEMPLATE": f"{fakes_url}/shopify/{{shop}}",
        "BELFRY_META_APP_ID": APP_ID,
        "BELFRY_META_APP_SECRET": APP_SECRET,
        "BELFRY_ALLOWED_PRIVATE_ADDRESSES": HOST,
    }
    held.write_settings(own)
    # The processes that are started get them from here, and `belfry` in that directory from the file.
    os.environ.update(own)
    return with_keys(read_settings(folder=held.path))


def _prepare(settings: Settings, world: World, fakes_url: str) -> None:
    """Make what a demo begins with, unless it is there, and let the service take back one of the logins."""
    began = time.monotonic()
    database = open_database(settings.database_url)
    try:
        made_of = Seed(settings, database, LoginDesk(settings, database), f"{fakes_url}/shop", settings.public_url)
        password = seed(made_of)
    finally:
        database.dispose()
    if password is None:
        click.echo("The demo goes on with what it had. Its password was shown when it was made.")
    else:
        log.info("demo made", extra={"seconds": round(time.monotonic() - began, 1)})
        click.echo(f"Made a demo. Sign in as {EMAIL} with the password {password}\nIt is shown this once.")
    meta = world.provider("meta")
    assert isinstance(meta, DemoMeta)
    meta.take_back(TOKENS[UK.id])


def main() -> None:
    """What can be explained is one sentence and exit status 2."""
    keep_files_private()
    share_one_heap()
    set_up_logging()
    try:
        demo(prog_name="make demo")
    except Exception as error:
        sentence = error.message if isinstance(error, AppError) else explain(error)
        if sentence is None:
            raise
        click.echo(sentence, err=True)
        sys.exit(EXIT_REFUSED)


if __name__ == "__main__":
    main()
