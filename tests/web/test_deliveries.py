"""The delivery log: what was told, by which channel, what became of it, and sending it again."""

import html
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.ids import new_id
from app.edge.runtime import EXTENSION
from app.notifications.models import Channel, Delivery
from app.notifications.types import DeliveryKind, Facts, NotificationType
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

LOG = "/notifications/deliveries"


class Outbox:
    """Messages of an organization."""

    def __init__(self, database: OpenDatabase, organization_id: UUID, now) -> None:
        self.database, self.organization_id, self.now = database, organization_id, now
        self.channel = self.add_channel("#data")

    def add_channel(self, name: str, **more: object) -> UUID:
        moments = {"created_at": self.now, "updated_at": self.now}
        here = {"organization_id": self.organization_id, "state": "on", **moments, **more}
        row = Channel(id=new_id(), name=name, kind="webhook", settings={}, **here)
        with self.database.transaction() as session:
            session.add(row)
        return row.id

    def add(self, title: str = "Nightly fails", state: str = "sent", minutes: int = 0, **more: object) -> UUID:
        facts = Facts(type=NotificationType.RUN_FAILED, kind=DeliveryKind.OPENED, title=title)
        at = self.now - timedelta(minutes=minutes)
        values = {"channel_id": self.channel, "kind": "opened", "type": "run_failed", "key": str(new_id()), **more}
        row = Delivery(
            id=new_id(), organization_id=self.organization_id, facts=facts.as_json(), state=state, next_try_at=at,
            created_at=at, reached=[], **values,
        )  # fmt: skip
        with self.database.transaction() as session:
            session.add(row)
        return row.id


@pytest.fixture
def outbox(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> Outbox:
    return Outbox(database, organization_id, clock.moment)


def shown(browser: Browser, path: str = LOG) -> str:
    return html.unescape(browser.visit(path).text)


class TestTheLog:
    def test_is_refreshed_on_its_first_page_alone(self, owner: Browser, outbox: Outbox):
        for minutes in range(51):
            outbox.add(f"Number {minutes:02}", minutes=minutes)

        first, rows = shown(owner), html.unescape(owner.visit(LOG, htmx=True).text)
        older = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]

        assert (first.count("live:told"), shown(owner, older).count("live:told")) == (1, 0)
        assert ("Number 49" in rows, "<html" in rows) == (True, False)

    def test_says_that_nothing_was_told(self, owner: Browser):
        assert "Nothing was told" in shown(owner)

    def test_says_what_became_of_each(self, owner: Browser, outbox: Outbox):
        outbox.add(words="Delivered to “#data” in 0.6 s.")
        outbox.add("Export fails", "given_up", last_error="hooks.example.com answered 410.", maybe_twice=True)

        text = shown(owner)

        for words in ("Nightly fails", "Delivered to “#data” in 0.6 s.", "Given up", "answered 410", "Maybe twice"):
            assert words in text

    def test_shows_one_channel_alone(self, owner: Browser, outbox: Outbox):
        outbox.add()
        other = outbox.add_channel("#ops")
        outbox.add("Export fails", channel_id=other)

        text = shown(owner, f"{LOG}?channel={other}")

        assert "Export fails" in text
        assert "Nightly fails" not in text

    def test_goes_on_behind_its_last_row(self, owner: Browser, outbox: Outbox):
        for number in range(60):
            outbox.add(f"Message {number:02}", minutes=number)

        first = shown(owner)
        at = first.index('rel="next"')
        older = first[: at + 200].rpartition('href="')[2].partition('"')[0]

        assert "Message 49" in first
        assert "Message 50" not in first
        assert "Message 59" in shown(owner, older)

    @pytest.mark.parametrize("query", ["channel=x", "before=x", "before=2026-01-01~x", "channel=%00", "before=%ff"])
    def test_leaves_out_what_it_cannot_read(self, owner: Browser, query):
        assert owner.visit(f"{LOG}?{query}").status_code in {200, 400}

    def test_shows_nothing_of_others(self, owner: Browser, stranger: Browser, outbox: Outbox):
        outbox.add()

        assert "Nightly fails" not in shown(stranger)
        assert "Nightly fails" not in shown(stranger, f"{LOG}?channel={outbox.channel}")

    def test_shows_a_text_of_code_as_text(self, owner: Browser, outbox: Outbox):
        outbox.add("<script>alert(1)</script>{{ 7 * 7 }}")

        assert "<script>alert(1)" not in owner.visit(LOG).text
        assert "{{ 7 * 7 }}" in shown(owner)


class TestSendingAgain:
    def sent(self, browser: Browser) -> list[str]:
        with browser.application.extensions[EXTENSION].database.reading() as session:
            return list(session.scalars(select(Delivery.state).order_by(Delivery.created_at, Delivery.id)))

    def test_makes_another_message(self, owner: Browser, outbox: Outbox):
        answer = owner.send(f"{LOG}/{outbox.add(minutes=5)}/again")

        assert answer.status_code == 303
        assert self.sent(owner) == ["sent", "pending"]

    def test_is_refused_while_it_is_under_way(self, owner: Browser, outbox: Outbox):
        owner.send(f"{LOG}/{outbox.add(state='pending')}/again")

        assert self.sent(owner) == ["pending"]
        assert "still under way" in shown(owner)

    def test_is_refused_by_a_channel_that_is_off(self, owner: Browser, outbox: Outbox):
        off = outbox.add_channel("#off", state="off")

        owner.send(f"{LOG}/{outbox.add(channel_id=off)}/again")

        assert "is switched off" in shown(owner)

    def test_is_refused_by_a_channel_that_does_not_work(self, owner: Browser, outbox: Outbox):
        broken = outbox.add_channel("#broken", state="broken")

        owner.send(f"{LOG}/{outbox.add(channel_id=broken)}/again")

        assert "“#broken” does not work. Mend it" in shown(owner)

    def test_is_for_admins(self, owner: Browser, operator: Browser, outbox: Outbox):
        assert operator.send(f"{LOG}/{outbox.add()}/again").status_code == 403

    def test_of_a_channel_that_was_deleted_is_not_offered(self, owner: Browser, outbox: Outbox):
        gone = outbox.add_channel("#gone", deleted_at=outbox.now)
        outbox.add(channel_id=gone)

        text = shown(owner)

        assert "A deleted channel" in text
        assert "/again" not in text
