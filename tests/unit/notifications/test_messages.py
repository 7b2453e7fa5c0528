"""Facts become messages, in every form that a channel takes."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.notifications.messages.content import Content, Tone
from app.notifications.messages.forms import (
    discord_embed,
    mail_html,
    plain_text,
    quiet,
    telegram_html,
    webhook_json,
)
from app.notifications.messages.texts import MessageText
from app.notifications.messages.without_secrets import without_secrets
from app.notifications.messages.writing import VARIABLES, Press, can_be_worded, example_facts, values_of, write
from app.notifications.types import DeliveryKind, Facts, NotificationType
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
PRESS = Press("https://belfry.example")
HOSTILE = '<script>alert(1)</script> @everyone <!channel> **bold** [x](javascript:1) `code` & "quotes" {{7*7}}'


def facts(**more: object) -> Facts:
    values = example_facts(NotificationType.RUN_FAILED, now=NOW, organization="Acme", zone="Europe/Riga")
    return replace(values, **more)  # type: ignore[arg-type]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]


class TestWriting:
    def test_says_all_that_somebody_asks(self):
        content = write(facts(), press=PRESS, now=NOW)

        labels = [label for label, _ in content.rows]
        assert labels[:3] == ["Since", "Failures in a row", "Happened"]
        assert labels[-5:] == ["Error", "Likely cause", "What to do", "Next try", "Last success"]
        assert content.links[0].url == "https://belfry.example/"

    def test_times_are_in_the_zone_of_the_facts(self):
        content = write(facts(), press=PRESS, now=NOW)

        assert dict(content.rows)["Since"] == "Tue 5 Jan, 12:00 Riga"

    @pytest.mark.parametrize("type_", list(NotificationType))
    def test_every_type_has_an_example_that_fills_every_form(self, type_):
        content = write(example_facts(type_, now=NOW, organization="Acme", zone="UTC"), press=PRESS, now=NOW)

        forms = [plain_text(content), mail_html(content), telegram_html(content), json.dumps(discord_embed(content))]
        assert all("Acme" in form for form in forms)

    def test_a_recovery_is_good_news_and_says_how_long_it_took(self):
        content = write(facts(kind=DeliveryKind.RECOVERED, until=NOW), press=PRESS, now=NOW)

        assert content.tone is Tone.GOOD
        assert dict(content.rows)["Until"].endswith("(2 h)")

    def test_ones_own_text_takes_the_place_of_ours(self):
        text = MessageText("{{job}} is down", "{{error}}\n{{link}}")

        content = write(facts(), press=PRESS, now=NOW, text=text)

        assert (content.title, content.rows) == ("Meta ads is down", ())
        assert content.body == "The service did not answer within 30 seconds.\nhttps://belfry.example/"

    def test_every_variable_has_a_value_and_words(self):
        values = values_of(facts(), links=(), now=NOW)

        assert set(values) == set(VARIABLES)

    def test_names_of_facts_cannot_take_the_place_of_what_we_say(self):
        values = values_of(facts(names={"title": "x", "evil": "y", "job": "z"}), links=(), now=NOW)

        assert (values["title"] != "x", "evil" in values, values["job"]) == (True, False, "z")

    def test_secrets_are_hidden_wherever_they_stand(self):
        token = "EAAB" + "x" * 40

        content = write(facts(error=f"Refused {token}", names={"job": token}), press=PRESS, now=NOW)

        assert token not in repr(content)

    def test_a_text_is_not_for_what_says_something_else(self):
        of_ours = {kind for kind in DeliveryKind if not can_be_worded(kind, NotificationType.RUN_FAILED)}

        assert of_ours == {DeliveryKind.TEST, DeliveryKind.DIGEST, DeliveryKind.RECOVERED}
        assert can_be_worded(DeliveryKind.RECOVERED, NotificationType.RECOVERED)

    def test_a_secret_in_a_text_is_hidden(self):
        text = MessageText("Ask shpat_" + "a1" * 16, "The password=swordfish, then {{job}}")

        content = write(facts(), press=PRESS, now=NOW, text=text)

        assert "a1a1" not in content.title
        assert ("swordfish" in content.body, content.body.endswith("then Meta ads")) == (False, True)


class TestForms:
    @pytest.fixture
    def content(self) -> Content:
        return write(facts(title=HOSTILE, what=HOSTILE, error=HOSTILE), press=PRESS, now=NOW)

    def test_mail_holds_no_tag_of_a_value(self, content):
        found = Tags()
        found.feed(mail_html(content))

        assert "script" not in found.tags
        assert found.links == ["https://belfry.example/"]

    def test_telegram_holds_no_tag_of_a_value(self, content):
        found = Tags()
        found.feed(telegram_html(content))

        assert set(found.tags) <= {"b", "i", "a"}
        assert "@everyone" not in telegram_html(content)

    def test_discord_mentions_nobody(self, content):
        said = discord_embed(content)

        assert said["allowed_mentions"] == {"parse": []}
        assert "@everyone" not in json.dumps(said, ensure_ascii=False)
        assert "**bold**" not in json.dumps(said)

    def test_discord_can_follow_an_address_in_a_text(self):
        text = MessageText("T", "{{link}} https://x.example/a-b_c?d=e#f)**bold**")

        content = write(facts(), press=Press("https://bel-fry.example"), now=NOW, text=text)

        (embed,) = discord_embed(content)["embeds"]
        assert embed["description"].startswith("https://bel-fry.example/ https://x.example/a-b_c?d=e#f\\)\\*\\*bold")

    def test_other_chats_are_called_by_nothing(self):
        assert "@everyone" not in quiet("@everyone <!channel>")
        assert "<!channel>" not in quiet("@everyone <!channel>")
        assert quiet("a < b, mail ops") == "a < b, mail ops"

    def test_programs_get_the_text_as_it_is(self, content):
        said = webhook_json(content, key="k", kind="opened", at=NOW)

        assert (said["key"], said["text"]) == ("k", HOSTILE)

    def test_what_steers_a_reader_is_written_out_in_every_form(self):
        said = "evil\u202etxt.exe \x00\x1b[31m half \ud83d"
        content = write(facts(what=said, error=said, lines=(said,)), press=PRESS, now=NOW)

        hook = json.dumps(webhook_json(content, key="k", kind="opened", at=NOW), ensure_ascii=False)
        discord = json.dumps(discord_embed(content), ensure_ascii=False)
        for form in (hook, discord, telegram_html(content), mail_html(content), plain_text(content)):
            assert not set(form) & {"\u202e", "\x00", "\x1b", "\ud83d"}

    def test_discord_takes_what_is_nothing_but_signs_and_keeps_the_links(self):
        signs = facts(title="*" * 300, what="_" * 2_000, error="[" * 2_000, to_do="<" * 2_000, cause="@" * 2_000)
        embed = discord_embed(write(signs, press=PRESS, now=NOW))["embeds"][0]

        fields = sum(len(field["name"]) + len(field["value"]) for field in embed["fields"])
        assert len(embed["title"]) + len(embed["description"]) + fields + len(embed["footer"]["text"]) <= 6_000
        assert len(embed["title"]) <= 256
        assert embed["description"].endswith("(https://belfry.example/)")

    def test_chats_are_told_the_next_try_and_the_last_success_of_whatever_else_is_known(self):
        content = write(facts(things=4, missed_slots=3), press=PRESS, now=NOW)

        names = [field["name"] for field in discord_embed(content)["embeds"][0]["fields"]]
        assert {"Next try", "Last success"} <= set(names)
        assert "Next try" in telegram_html(content)
        assert "Last success" in telegram_html(content)

    def test_nothing_is_longer_than_a_service_takes(self):
        long = facts(title="t" * 9_000, what="w" * 90_000, error="&" * 90_000, to_do="<" * 9_000, cause="_" * 9_000)
        content = write(long, press=PRESS, now=NOW)

        embed = discord_embed(content)["embeds"][0]
        fields = sum(len(field["name"]) + len(field["value"]) for field in embed["fields"])
        assert len(embed["title"]) <= 256
        assert all(len(field["value"]) <= 1_024 for field in embed["fields"])
        assert len(embed["title"]) + len(embed["description"]) + fields + len(embed["footer"]["text"]) <= 6_000
        assert all(len(form.encode()) <= 64 * 1024 for form in (plain_text(content), mail_html(content)))


class TestSecrets:
    @pytest.mark.parametrize(
        "secret",
        [
            "shpat_" + "a1" * 16,
            "ya29." + "a" * 60,
            "xoxb-1234567890-abcdefghij",
            "AKIAABCDEFGHIJKLMNOP",
            "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abcdef123456",
            "1234567890:AA" + "c" * 33,
            "ghp_" + "a" * 36,
        ],
    )
    def test_known_shapes_are_hidden(self, secret):
        assert secret not in without_secrets(f"It said {secret} and left.")

    @pytest.mark.parametrize("end", ["/stock answered 404", " is down", ".", ""])
    def test_the_port_of_a_host_is_no_password(self, end: str):
        assert without_secrets(f"GET http://orders:8392{end}") == f"GET http://orders:8392{end}"

    @pytest.mark.parametrize(
        ("text", "secret"),
        [
            ("GET /x?access_token=hunter2hunter2&y=1", "hunter2hunter2"),
            ('{"password": "hunter22"}', "hunter22"),
            ("Authorization: Bearer abcdefgh12345", "abcdefgh12345"),
            ("postgresql://user:pa55word@db/x", "pa55word"),
            ("https://user:12345@db.example/x", "12345"),
            ("redis://:hunter22@cache", "hunter22"),
            ("https://discord.com/api/webhooks/123456789/" + "t" * 60, "t" * 60),
            ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "MIIE"),
        ],
    )
    def test_values_beside_telling_names_are_hidden(self, text, secret):
        assert secret not in without_secrets(text)

    def test_ordinary_sentences_stay(self):
        text = "The token of “Acme EU” has expired: ask its admin. 3 of 40 runs failed at 12:30."

        assert without_secrets(text) == text
