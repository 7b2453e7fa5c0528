"""The last look at a text before it leaves: what looks like a secret is taken out, wherever it came from. Pure."""

import re

from app.core.hiding import HIDDEN

# Errors are made without secrets where they arise. A function of one's own may have said anything.
_LOOKS_SECRET = re.compile(
    r"(?P<kept>(?i:\b(?:bearer|basic)\s{1,3}|[?&;\s\"'](?:access_token|api_?key|apikey|token|secret|password|passwd|pwd|"
    r"client_secret|refresh_token|signature|appsecret_proof)[\"']?\s{0,3}[=:]\s{0,3}[\"']?|"
    # The password in an address; what stands there is mostly the port of a host, which says where it failed.
    r"://[^/\s:@]{0,100}:(?!\d{1,5}(?:[/?#\s\"'.,;:)\]”]|\Z))))"
    r"[^\s&\"'@,;]{4,500}"
)
_KNOWN_SHAPES = re.compile(
    r"\bEAA[0-9A-Za-z]{20,500}"  # Meta
    r"|\bshp(?:at|ca|pa|ss|rt)_[0-9A-Za-z]{16,100}"  # Shopify
    r"|\bya29\.[0-9A-Za-z_-]{20,500}|\bAIza[0-9A-Za-z_-]{30,60}"  # Google
    r"|\bxox[abprs]-[0-9A-Za-z-]{10,200}|\bgh[pousr]_[0-9A-Za-z]{20,200}"  # Slack, GitHub
    r"|\bAKIA[0-9A-Z]{16}\b"  # AWS
    r"|\beyJ[0-9A-Za-z_-]{10,2000}\.[0-9A-Za-z_-]{10,2000}\.[0-9A-Za-z_-]{5,2000}"  # signed tokens
    r"|\b[0-9]{6,12}:AA[0-9A-Za-z_-]{30,40}"  # Telegram
    r"|(?<=/webhooks/)[0-9]{5,25}/[0-9A-Za-z_-]{20,200}"  # Discord
    r"|(?<=hooks\.slack\.com/services/)[0-9A-Za-z/]{10,200}"
)
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]{1,40}-----.{0,10000}?(?:-----END [A-Z ]{1,40}-----|\Z)", re.DOTALL)


def without_secrets(text: str) -> str:
    """The text with every value hidden that has the looks of a token, a key or a password."""
    shown = _KEY_BLOCK.sub(HIDDEN, text)
    shown = _KNOWN_SHAPES.sub(HIDDEN, shown)
    return _LOOKS_SECRET.sub(lambda found: found["kept"] + HIDDEN, shown)
