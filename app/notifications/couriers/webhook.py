"""A web address of one's own that is sent signed JSON. The address may hold a token, so all of it is sealed."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from app.core.addresses import Network, OutboundRefused, refuse_forbidden
from app.core.hiding import make_cleaner
from app.core.http import OutboundRequest
from app.core.urls import parse_target
from app.notifications.couriers.errands import ChannelInvalid, Errand, FieldWords, Place, Receipt, hint_of
from app.notifications.couriers.judging import Sender, ask, judge
from app.notifications.messages.content import Content
from app.notifications.messages.forms import webhook_json

SHORTEST_KEY = 16
LONGEST_KEY = 200


@dataclass(frozen=True)
class WebhookCourier:
    """Sends through the guard: to public machines, and to private ones the operator listed."""

    sender: Sender
    allowed_private: tuple[Network, ...] = ()
    label: str = "Webhook"
    can_edit: bool = False
    # Who receives it tells two tries of one message by the key.
    is_idempotent: bool = True
    fields: tuple[FieldWords, ...] = (
        FieldWords("url", "Address", "https://example.com/hook. It gets JSON by POST.", is_secret=True),
        FieldWords(
            "signing_key",
            "Signing key",
            f"At least {SHORTEST_KEY} characters; the receiver checks X-Belfry-Signature with it.",
            is_secret=True,
            is_required=False,
            if_empty="Empty: one is made, and shown once.",
        ),
    )

    def clean(self, given: Mapping[str, str], *, before: Place | None = None) -> Place:
        old = {} if before is None else json.loads(before.secret)
        url = given.get("url", "").strip() or old.get("url", "")
        known = given.get("signing_key", "").strip() or old.get("key")
        key = known or _new_key()
        if not SHORTEST_KEY <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
            message = f"A signing key has {SHORTEST_KEY} to {LONGEST_KEY} letters, digits and signs."
            raise ChannelInvalid(message, field="signing_key")
        try:
            target = parse_target(url)
            if target.literal is not None:
                refuse_forbidden(target.literal, host=target.host, allowed_private=self.allowed_private)
        except OutboundRefused as error:
            raise ChannelInvalid(error.message, field="url") from error
        made = None if known else key
        return Place({"host": target.host}, json.dumps({"url": url, "key": key}), hint_of(url), made)

    def carry(self, place: Place, content: Content, errand: Errand) -> Receipt:
        sealed = json.loads(place.secret)
        said = webhook_json(content, key=errand.key, kind=errand.kind, at=errand.made_at)
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        moment = str(int(errand.now.timestamp()))
        headers = (
            ("Content-Type", "application/json"),
            ("Idempotency-Key", errand.key),
            ("X-Belfry-Signature", f"t={moment},v1={signature(sealed['key'], moment, body)}"),
        )
        answer = ask(self.sender, OutboundRequest("POST", sealed["url"], headers, body))
        if 200 <= answer.status < 300:
            return Receipt(f"{place.settings['host']} answered {answer.status}.")
        clean = make_cleaner([sealed["url"], sealed["key"]])
        raise judge(answer, who=str(place.settings["host"]), now=errand.now, clean=clean)


def with_new_key(place: Place) -> Place:
    """The same place, with a key that was made just now."""
    key = _new_key()
    secret = json.dumps({**json.loads(place.secret), "key": key})
    return Place(place.settings, secret, place.hint, key)


def signature(key: str, moment: str, body: bytes) -> str:
    """HMAC-SHA256, in hexadecimal digits, over the second, a dot and the body."""
    return hmac.new(key.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def _new_key() -> str:
    return secrets.token_urlsafe(32)
