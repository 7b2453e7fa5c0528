"""The pages of the texts of messages: a list, a form with its names, and what the messages look like."""

import html
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.ids import new_id
from app.notifications.models import Delivery, NotifySettings
from app.notifications.types import DeliveryKind, Facts, NotificationType
from app.tenants.models import AuditEntry
from tests.factories.notifications import make_channel
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

LIST = "/notifications/texts"
PAGE = f"{LIST}/run_failed"
OWN = {"title": "{{job}} is down", "body": "Call somebody.\n{{error}}"}


def texts(database: OpenDatabase) -> dict[str, dict[str, str]]:
    with database.reading() as session:
        return dict(session.scalars(select(NotifySettings.texts)).one_or_none() or {})


def entries(database: OpenDatabase) -> list[AuditEntry]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == "telling.worded")))


def shown(browser: Browser, path: str = PAGE) -> str:
    return html.unescape(browser.visit(path).text)


def looks(browser: Browser, **typed: str) -> str:
    """What the live preview answers."""
    return html.unescape(browser.send(f"{PAGE}/preview", typed, htmx=True).text)


def tell(database: OpenDatabase, organization_id: UUID, clock: ManualClock, **said: object) -> None:
    """A message that was really sent."""
    kind, type_ = DeliveryKind(str(said.pop("kind", "opened"))), NotificationType(str(said.pop("type", "run_failed")))
    facts = Facts(type_, kind, "Orders failed", **said)  # type: ignore[arg-type]
    with database.transaction() as session:
        channel_id = make_channel(session, organization_id)
        row = {"id": new_id(), "key": str(new_id()), "state": "sent", "kind": kind.value, "type": type_.value}
        at = clock.moment - timedelta(hours=1)
        session.add(
            Delivery(
                organization_id=organization_id, channel_id=channel_id, facts=facts.as_json(), next_try_at=at,
                created_at=at, **row,
            )
        )  # fmt: skip


class TestTheList:
    def test_has_every_type_with_whose_words_it_is_told_in(self, admin: Browser, viewer: Browser) -> None:
        admin.send(PAGE, OWN)

        text = shown(viewer, LIST)

        assert all(f'href="{LIST}/{type_.value}"' in text for type_ in NotificationType)
        assert (text.count("Your own"), "{{job}} is down" in text) == (1, True)


class TestSaving:
    def test_is_kept_shown_and_audited(self, admin: Browser, database: OpenDatabase) -> None:
        answer = admin.send(PAGE, OWN)

        assert (answer.status_code, texts(database)) == (303, {"run_failed": OWN})
        (entry,) = entries(database)
        assert entry.changes == {"title": [None, OWN["title"]], "body": [None, OWN["body"]]}

    def test_goes_back_to_the_standard_text(self, admin: Browser, database: OpenDatabase) -> None:
        admin.send(PAGE, OWN)
        before = shown(admin)

        answer = admin.send(f"{PAGE}/deletion")

        assert (answer.status_code, texts(database), len(entries(database))) == (303, {}, 2)
        assert ("Back to the standard text" in before, "Back to the standard text" in shown(admin)) == (True, False)

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"title": ""}, "Write a title."),
            ({"title": "{{jobb}}"}, "Nothing is called {{jobb}}. There are: {{cause}}, {{connection}}, {{count}},"),
            ({"body": "{{secret_key}}"}, "Nothing is called {{secret_key}}."),
            ({"title": "Hello\r\nBcc: eve@example.com"}, "Write it in one line."),
            ({"title": "x" * 301}, "at most 300 characters"),
            ({"body": "x" * 4_001}, "at most 4,000 characters"),
            ({"body": "\u202eevil"}, "characters that cannot be shown"),
        ],
    )
    def test_refuses_what_cannot_be_said(
        self, admin: Browser, database: OpenDatabase, wrong: dict[str, str], words: str
    ) -> None:
        answer = admin.send(PAGE, {**OWN, **wrong})

        assert (answer.status_code, words in html.unescape(answer.text), texts(database)) == (422, True, {})

    def test_is_for_admins_alone(self, operator: Browser, database: OpenDatabase) -> None:
        refused = [operator.send(path, OWN).status_code for path in (PAGE, f"{PAGE}/preview", f"{PAGE}/deletion")]

        assert (refused, texts(database)) == ([403] * 3, {})
        assert "Save the text" not in operator.visit(PAGE).text

    def test_of_a_type_that_there_is_not_is_not_found(self, admin: Browser) -> None:
        assert [admin.visit(f"{LIST}/nonsense").status_code, admin.send(f"{LIST}/nonsense", OWN).status_code] == [
            404
        ] * 2

    def test_is_of_one_organization(self, admin: Browser, stranger: Browser) -> None:
        admin.send(PAGE, OWN)

        assert "is down" not in shown(stranger) + shown(stranger, LIST)


class TestThePreview:
    def test_says_that_its_values_are_made_up(self, admin: Browser) -> None:
        text = shown(admin)

        assert "Example:" in text
        assert all(name in text for name in ("E-mail", "Text, for other services", "Discord", "Telegram"))

    def test_has_the_values_of_the_newest_message_that_it_is_meant_for(
        self, admin: Browser, database: OpenDatabase, organization_id: UUID, clock: ManualClock
    ) -> None:
        tell(database, organization_id, clock, error="The till is shut.")
        for kind in ("digest", "recovered", "test"):
            tell(database, organization_id, clock, kind=kind, error="Another one.")

        text = looks(admin, title="{{title}}!", body="Because: {{error}}")

        assert text.count("Because: The till is shut.") == 4
        assert ("Orders failed!" in text, "Another one" in text, "Example:" in text) == (True, False, False)

    def test_has_nothing_of_others(
        self, stranger: Browser, database: OpenDatabase, organization_id: UUID, clock: ManualClock
    ) -> None:
        tell(database, organization_id, clock, error="The till is shut.")

        assert "The till is shut." not in shown(stranger)

    def test_saves_nothing(self, admin: Browser, database: OpenDatabase) -> None:
        assert "This is not saved yet." in looks(admin, **OWN)
        assert "This is not saved yet." in html.unescape(admin.send(f"{PAGE}/preview", OWN).text)
        assert (texts(database), entries(database)) == ({}, [])

    def test_says_what_is_wrong_and_goes_on(self, admin: Browser) -> None:
        assert "Nothing is called {{jobb}}." in looks(admin, title="{{jobb}}", body="")
        assert admin.send(f"{PAGE}/preview", {"title": "{{jobb}}"}).status_code == 422

    @pytest.mark.parametrize(
        "code",
        ["{{7*7}}", "{% include 'x' %}", "${7*7}", "{{config.items()}}", "<b>bold</b>", "<script>alert(1)</script>",
         "**loud** _low_", "@everyone", "[here](https://evil.example)", "{{job|safe}}"],
    )  # fmt: skip
    def test_shows_code_as_text_in_every_form(self, admin: Browser, code: str) -> None:
        answer = admin.send(f"{PAGE}/preview", {"title": "T", "body": code}, htmx=True).text

        assert html.unescape(answer).count(f'class="as-typed">{code}') == 4
        assert code not in answer or "<" not in code

    def test_hides_what_looks_secret(self, admin: Browser) -> None:
        key = "shpat_" + "a1" * 16

        assert key not in looks(admin, title="T", body=f"Use {key}")
