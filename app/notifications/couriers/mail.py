"""E-mail by the mail server of the installation. The operator names the server; a channel only has addresses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from app.core.mail_settings import MailServer
from app.core.names import has_unshowable
from app.core.text import first_words
from app.notifications.couriers.errands import (
    TOTAL_SECONDS,
    ChannelInvalid,
    Errand,
    Fate,
    FieldWords,
    NotDelivered,
    Place,
    Receipt,
)
from app.notifications.couriers.mail_addresses import MOST_ADDRESSES, is_mail_address
from app.notifications.couriers.mail_server import Refusals, hand_over
from app.notifications.messages.content import Content
from app.notifications.messages.forms import mail_html, mail_subject, plain_text


@dataclass(frozen=True)
class MailCourier:
    """Without a server nothing can be set up, and what was set up before waits."""

    server: MailServer | None
    label: str = "E-mail"
    can_edit: bool = False
    is_idempotent: bool = False
    total_seconds: float = TOTAL_SECONDS
    fields: tuple[FieldWords, ...] = (
        FieldWords("addresses", "Addresses", f"One or more, with commas between; at most {MOST_ADDRESSES}."),
    )

    def clean(self, given: Mapping[str, str], *, before: Place | None = None) -> Place:
        if self.server is None:
            raise ChannelInvalid(
                "This installation has no mail server. Whoever operates it names one in BELFRY_SMTP_HOST."
            )
        text = given.get("addresses", "")
        if has_unshowable(text.strip(), besides="\n\r\t"):
            raise ChannelInvalid("The addresses contain characters that no address has.", field="addresses")
        found = list(dict.fromkeys(word for word in re.split(r"[,;\s]+", text) if word))
        if not 1 <= len(found) <= MOST_ADDRESSES:
            raise ChannelInvalid(f"Give one address, or up to {MOST_ADDRESSES} of them.", field="addresses")
        for address in found:
            if not is_mail_address(address):
                shown = first_words(address, longest=60)
                raise ChannelInvalid(f"“{shown}” is no mail address. Write ops@example.com.", field="addresses")
        return Place({"addresses": ", ".join(found)}, "")

    def carry(self, place: Place, content: Content, errand: Errand) -> Receipt:
        if self.server is None:
            raise NotDelivered("This installation has no mail server any more.", fate=Fate.LATER)
        wanted = [one for one in place.settings["addresses"].split(", ") if one not in errand.reached]
        refused = hand_over(
            self.server, _letter(self.server, place, content, errand), wanted, seconds=self.total_seconds
        )
        if refused:
            reached = (*errand.reached, *(one for one in wanted if one not in refused))
            raise _partly(self.server, refused, reached)
        return Receipt(f"{self.server.host} took it.")


def _letter(server: MailServer, place: Place, content: Content, errand: Errand) -> EmailMessage:
    letter = EmailMessage()
    letter["Subject"] = mail_subject(content)
    letter["From"] = Address("Belfry", addr_spec=server.sender)
    # Of several, nobody learns who else is told.
    addresses = place.settings["addresses"].split(", ")
    letter["To"] = Address(addr_spec=addresses[0] if len(addresses) == 1 else server.sender)
    letter["Date"] = format_datetime(errand.made_at)
    # The same for every try: mail programs show two letters with one id once.
    letter["Message-ID"] = f"<{errand.key}@{server.sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    letter.set_content(plain_text(content), cte="quoted-printable")
    letter.add_alternative(mail_html(content), subtype="html", cte="quoted-printable")
    return letter


def _partly(server: MailServer, refused: Refusals, reached: tuple[str, ...]) -> NotDelivered:
    """Some addresses were refused, or all of them: for now, by a server that lists greys, or for good."""
    address, (code, said) = next(iter(refused.items()))
    more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    sentence = f"{server.host} refused {address}{more} ({code} {first_words(said, longest=120)})."
    if any(code < 500 for code, _ in refused.values()):
        return NotDelivered(f"{sentence} It is tried again.", fate=Fate.LATER, reached=reached)
    # Nobody is left who could be reached by this channel, or some are; those are told on.
    fate = Fate.REFUSED if reached else Fate.BROKEN
    return NotDelivered(f"{sentence} Check the address.", fate=fate, reached=reached)
