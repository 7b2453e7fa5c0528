"""Trying a key on a spreadsheet proves that it may write, leaves no trace, and says what to do where it may not."""

from dataclasses import replace

import pytest

from app.syncs.sheets.door import SheetsDoor
from app.syncs.signs.key_files import clean_key_file
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.google.keys import KEY_FILE, READER, SECRETS
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.sheets.fake import SheetsFake
from tests.fakes.providers.sheets.scenarios import BOOK, VIEW_BOOK
from tests.fakes.providers.world import World

SECRET = clean_key_file(KEY_FILE)


@pytest.fixture
def world() -> World:
    google = GoogleFake()
    return World(google, SheetsFake(google.email_of))


@pytest.fixture
def door(world: World) -> SheetsDoor:
    return SheetsDoor(f"{BASE}/sheets", f"{BASE}/google/token", InsideClient(world), chance=lambda: 0.5)


class TestALogin:
    def test_that_may_write_says_where_and_as_whom(self, door: SheetsDoor, world: World) -> None:
        before = repr(world.provider("sheets").books[BOOK].tabs)

        tried = door.try_login(SECRET, BOOK, now=world.now)

        assert tried.words.startswith(f"Can write to “Marketing KPIs” as {READER}: ok")
        assert tried.seen is not None
        assert (tried.seen.account_name, tried.seen.zone, tried.seen.currency) == ("Marketing KPIs", None, None)
        book = world.provider("sheets").books[BOOK]
        assert (repr(book.tabs), book.marks) == (before, [])

    def test_that_may_only_look_says_with_whom_to_share(self, door: SheetsDoor, world: World) -> None:
        tried = door.try_login(SECRET, VIEW_BOOK, now=world.now)

        assert (tried.is_good, tried.trouble) == (False, "permission_missing")
        assert f"Share it with {READER} as Editor" in tried.words

    @pytest.mark.parametrize(
        ("provider", "fault", "variant", "trouble", "words"),
        [
            ("sheets", "no_permission", "404", "account_unavailable", "There is no such spreadsheet"),
            ("sheets", "no_permission", "disabled", "setup_error", "Google Sheets API is not enabled"),
            ("sheets", "office_file", "", "setup_error", "This is an Office file"),
            ("sheets", "rate_limit_nohint", "", "rate_limited", "Test again in"),
            ("sheets", "5xx", "html", "transient", "Test again in a moment"),
            ("sheets", "slow", "", "transient", "No answer from Google in 10 s"),
            ("google", "revoked", "signature", "auth_revoked", "Google does not accept this key"),
            ("google", "clock_skew", "", "clock_wrong", "The clock of the machine"),
        ],
    )
    def test_that_fails_says_what_to_do(
        self, door: SheetsDoor, world: World, provider: str, fault: str, variant: str, trouble: str, words: str
    ) -> None:
        world.fail(provider, fault, variant=variant, times=None)

        tried = door.try_login(SECRET, BOOK, now=world.now)

        assert (tried.trouble, words in tried.words) == (trouble, True), tried.words

    def test_is_asked_for_once(self, door: SheetsDoor, world: World) -> None:
        world.fail("sheets", "5xx", times=None)

        door.try_login(SECRET, BOOK, now=world.now)

        assert [asked.route for asked in world.asked] == ["token", "get"]

    def test_is_in_no_words(self, door: SheetsDoor, world: World) -> None:
        world.fail("sheets", "echo", text=" ".join(SECRETS), times=None)

        tried = door.try_login(SECRET, BOOK, now=world.now)

        assert not any(secret in tried.words for secret in SECRETS)

    def test_finds_no_spreadsheets_by_itself(self, door: SheetsDoor, world: World) -> None:
        assert "Paste the address" in (door.find_accounts(SECRET, now=world.now).problem or "")

    def test_calls_the_addresses_of_the_settings_alone(self, world: World) -> None:
        # The fakes refuse every other one, such as the `token_uri` of the file.
        door = SheetsDoor(f"{BASE}/sheets", f"{BASE}/google/token", InsideClient(world))

        assert replace(door).try_login(SECRET, BOOK, now=world.now).is_good
