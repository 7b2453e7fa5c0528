"""`belfry keys`: the keys that seal secrets, and the rotation of what they seal."""

import time

import click

from app.cli.console import Console, as_json, pass_console, show, table
from app.cli.terminal import say
from app.core.clock import DatabaseClock
from app.core.errors import Conflict, Invalid
from app.core.key_rings import KeyFile, key_file, key_ring, new_key, parse_keys
from app.core.sealing import Sealer
from app.ops.kinds import job_kinds
from app.ops.vault_keys import KeyOffice, Rotation

EXIT_INCOMPLETE = 1
# By then, whoever had begun to seal with the key before is done.
QUIET_SECONDS = 60


class KeysNotInFile(Invalid):
    """The keys are given in the environment, which no command can change."""


class KeyNotRemovable(Conflict):
    """The key seals now, or did a moment ago, or is none of this installation."""


@click.group()
def keys() -> None:
    """Look after the keys that seal secrets."""


@keys.command()
@as_json
@pass_console
def status(console: Console, is_json: bool) -> None:
    """How many secrets are sealed with each key."""
    office = _office(console)
    known = [key.id for key in office.sealer.ring.all_keys()]
    counts = office.count_by_key()
    roles = dict.fromkeys(known, "opens") | {known[0]: "seals"}
    facts = [
        {"id": key_id, "role": roles.get(key_id, "missing"), "secrets": counts.get(key_id, 0)}
        for key_id in [*known, *sorted(set(counts) - set(known))]
    ]
    rows = [[str(value) for value in fact.values()] for fact in facts]
    show(facts, table(["KEY", "ROLE", "SECRETS"], rows, empty="No keys."), is_json=is_json)


@keys.command()
def new() -> None:
    """Print a new key, and keep it nowhere."""
    say(new_key())


@keys.command()
@pass_console
def add(console: Console) -> None:
    """Put a new key into the file of keys; it seals from now on."""
    file = _file(console)
    text = new_key()
    # An empty file or a damaged one is no place to put a key before others.
    file.all_keys()
    [key] = parse_keys([text], source="the new key")
    with _office(console).adding(key.id):
        file.add(text)
    say(f"Added the key {key.id} to {file.path}. Next: belfry keys rotate")


@keys.command()
@as_json
@pass_console
def rotate(console: Console, is_json: bool) -> None:
    """Seal everything with the newest key. Safe at any time, and to repeat; exit status 1 when something is left."""
    done = _office(console).rotate()
    show(vars(done), _sentences(done), is_json=is_json)
    if not done.is_complete:
        raise SystemExit(EXIT_INCOMPLETE)


@keys.command()
@click.argument("key_id")
@click.confirmation_option(prompt="Backups made before the last rotation need this key. Remove it?")
@pass_console
def remove(console: Console, key_id: str) -> None:
    """Take a key out of the file of keys, if nothing is sealed with it."""
    file = _file(console)
    _refuse_to_remove(file, key_id)
    with _office(console).unused(key_id):
        file.remove(key_id)
    say(f"Removed the key {key_id} from {file.path}.")


def _office(console: Console) -> KeyOffice:
    console.schema.require()
    sealer = Sealer(key_ring(console.settings))
    # Asked for now, so that missing keys are named before anything is begun.
    sealer.ring.all_keys()
    return KeyOffice(console.database, DatabaseClock(), job_kinds(console.settings), sealer)


def _file(console: Console) -> KeyFile:
    file = key_file(console.settings)
    if file is None:
        raise KeysNotInFile(
            "The keys of this installation are given in BELFRY_VAULT_KEYS. Change them there, the new one first, "
            "and start every process again. belfry keys new prints a new one."
        )
    return file


def _refuse_to_remove(file: KeyFile, key_id: str) -> None:
    known = [key.id for key in file.all_keys()]
    if key_id not in known:
        raise KeyNotRemovable(f"There is no key {key_id} in {file.path}. There are: {', '.join(known)}")
    if key_id == known[0]:
        raise KeyNotRemovable(f"The key {key_id} seals. First run: belfry keys add, and then: belfry keys rotate")
    if file.unchanged_seconds(time.time()) < QUIET_SECONDS:
        raise KeyNotRemovable(
            f"{file.path} changed less than {QUIET_SECONDS} seconds ago, and somebody may still be sealing with the "
            "key before. Try again in a minute."
        )


def _sentences(done: Rotation) -> str:
    first = "Everything is sealed" if done.is_complete else "Not everything is sealed"
    notes = {
        "Secrets sealed again: {:,}.": done.resealed,
        "Jobs that held values in the open, sealed now: {:,}.": done.jobs_sealed,
        "Finished runs that held values in the open, cleared now: {:,}.": done.runs_cleared,
        "Runs that are not over and still hold some: {:,}. Rotate again once they are over.": done.runs_waiting,
        "Secrets sealed with a key that is missing: {:,}. belfry keys status names the key.": done.locked,
        "Damaged secrets, which open with no key: {:,}. Enter them again in their jobs.": done.broken,
        "Secrets that another process seals with another key: {:,}. Give all the same keys in the same order.": (
            done.contested
        ),
        "Definitions that this version cannot read, left as they are: {:,}.": done.unreadable,
    }
    lines = [text.format(count) for text, count in notes.items() if count]
    return "\n".join([f"{first} with the key {done.newest_key_id}.", *lines])
