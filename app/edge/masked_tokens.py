"""Form tokens as pages have them: another text in each answer, so that its compressed size tells nothing."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

from flask import g
from flask_wtf.csrf import CSRFProtect, generate_csrf

_LONGEST = 1_000


class MaskedProtect(CSRFProtect):  # type: ignore[misc]  # flask_wtf ships no types
    """Flask-WTF's check, of the token behind the mask."""

    def _get_csrf_token(self) -> str | None:
        # Where Flask-WTF finds what was sent; it offers no other place to change it.
        found = super()._get_csrf_token()
        return None if found is None else unmask(found)


def page_token() -> str:
    """The token of this request behind a mask, the same one as often as it is asked for. Templates call it."""
    token = str(generate_csrf())
    known = g.get("masked_token")
    if known is None or known[0] != token:
        # Errors make a new token within a request.
        known = g.masked_token = (token, mask(token))
    return str(known[1])


def mask(token: str) -> str:
    """The token behind random bytes of its own length, which come first."""
    plain = token.encode()
    noise = secrets.token_bytes(len(plain))
    return urlsafe_b64encode(noise + _joined(noise, plain)).decode()


def unmask(text: str) -> str:
    """The token behind the mask. A text that no mask covers stays as it is: pages of an older version still send it."""
    # Signed tokens have dots, which base64 has not.
    if "." in text or len(text) > _LONGEST:
        return text
    try:
        both = urlsafe_b64decode(text)
        half = len(both) // 2
        return _joined(both[:half], both[half:]).decode()
    except (NotBase64, ValueError):
        return text


def _joined(noise: bytes, text: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(noise, text, strict=True))
