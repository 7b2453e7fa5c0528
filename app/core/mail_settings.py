"""The mail server that messages go through, if the operator named one."""

from dataclasses import dataclass, field
from enum import StrEnum

from app.core.setting_reader import Expected, SettingReader
from app.core.setting_values import host_or_none, mail_address_or_none

_HOST = Expected("the name or address of a mail server", "mail.example.com")
_SECURITY = Expected("'starttls', 'tls' or, for a server that encrypts nothing, 'none'", "starttls")
_FROM = Expected("the mail address that mails come from", "belfry@example.com")
# The ports that mail servers take mail from programs at.
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class MailSecurity(StrEnum):
    """How the way to the mail server is encrypted."""

    STARTTLS = "starttls"  # after a greeting in the open
    TLS = "tls"  # from the first byte
    NONE = "none"


@dataclass(frozen=True)
class MailServer:
    """The server of the installation, and what letters say they come from. `authority` is a file to trust besides."""

    host: str
    port: int
    security: MailSecurity
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    authority: str | None = None


def read_mail(read: SettingReader) -> MailServer | None:
    """The mail server, None where no host is named; wrong settings are noted either way."""
    read.need_together("BELFRY_SMTP_USER", "BELFRY_SMTP_PASSWORD")
    host = read.one("BELFRY_SMTP_HOST", "", host_or_none, _HOST)
    security = read.one("BELFRY_SMTP_SECURITY", "starttls", MailSecurity, _SECURITY)
    port = read.number("BELFRY_SMTP_PORT", _PORTS[security], low=1, high=65_535)
    sender = read.one("BELFRY_SMTP_FROM", "", mail_address_or_none, _FROM)
    user, password = read.text("BELFRY_SMTP_USER", "") or None, read.text("BELFRY_SMTP_PASSWORD", "") or None
    return MailServer(host, port, security, sender or f"belfry@{host}", user, password) if host else None
