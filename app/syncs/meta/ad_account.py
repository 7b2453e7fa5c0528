"""What an ad account is. Pure."""

from dataclasses import dataclass
from datetime import date, datetime

from app.syncs.days import day_of


@dataclass(frozen=True)
class MetaAccount:
    """An ad account. Its days are days of `zone` (IANA), its money is in `currency` (ISO 4217), in major units."""

    id: str
    name: str
    currency: str
    zone: str
    status: int

    @property
    def path(self) -> str:
        return f"/act_{self.id}"

    def today(self, now: datetime) -> date:
        return day_of(now, self.zone)
