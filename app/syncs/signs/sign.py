"""What every sign says, whatever service it is for. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from app.core.errors import Invalid

# What signs in to any service is shorter; forms and the API take no more.
LONGEST_SECRET = 16_384
# The address of a spreadsheet is the longest of all that is pasted.
LONGEST_ACCOUNT = 300


class SecretInvalid(Invalid):
    """What was given to sign in with can be none."""


class AccountIdInvalid(Invalid):
    """What was given as the id of an account can be none."""


@dataclass(frozen=True)
class LoginField:
    """One thing to type in. `name` is its key in the text that signs in."""

    name: str
    label: str
    is_secret: bool = True


@dataclass(frozen=True)
class LoginKind:
    """One of several ways to sign in."""

    value: str
    label: str
    help: str
    fields: tuple[LoginField, ...]


@dataclass(frozen=True)
class DoorSign:
    """What is asked of somebody who connects an account, in words, and how what they gave is read. Pure.

    `clean_secret` and `clean_account_id` give what is stored; they raise SecretInvalid and AccountIdInvalid.
    `hint_of` gives the few characters of a cleaned secret that may be shown. `allowed` and `limits` say what Belfry
    does with the login before anybody hands it over. `unknown_end` is advice where nobody knows when a login ends.
    """

    login_label: str
    login_help: str
    account_label: str
    account_help: str
    nothing_found: str
    tested: str
    allowed: tuple[str, ...]
    limits: str
    clean_secret: Callable[[str], str]
    clean_account_id: Callable[[str], str]
    hint_of: Callable[[str], str | None]
    # Whether the secret is the text of a file, which may be uploaded.
    is_file: bool = False
    # Whether the service says which accounts a login reads.
    lists_accounts: bool = True
    unknown_end: str = ""
    # Where there are several ways to sign in: what was typed for one of them is put together as JSON.
    kinds: tuple[LoginKind, ...] = ()
