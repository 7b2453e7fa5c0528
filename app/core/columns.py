"""Column types that hold on both engines."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect
from sqlalchemy.types import TypeDecorator


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant, stored as UTC. A naive value is refused: it would mean another time elsewhere."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; only aware instants are stored")
        moment = value.astimezone(UTC)
        # SQLite keeps text without an offset, so what is stored must already be UTC to sort and compare.
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Millionths(TypeDecorator[Decimal]):
    """A decimal number of at most six places, stored as a whole number of millionths.

    SQLite has no decimal numbers: its NUMERIC turns them into floats. Whole numbers are exact on both engines, and so
    are their sums. Those of many rows may be too large for SQLite's, so sum in two parts: `syncs.series` does.
    """

    impl = BigInteger
    cache_ok = True
    PLACES = 6

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else self.whole(value)

    @classmethod
    def whole(cls, value: Decimal) -> int:
        """How many millionths it is. Never rounded: raises ValueError for more places."""
        scaled = value.scaleb(cls.PLACES)
        whole = int(scaled)
        if whole != scaled:
            raise ValueError(f"{value} has more than {cls.PLACES} places")
        return whole

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else plain(Decimal(value).scaleb(-self.PLACES))


def plain(value: Decimal) -> Decimal:
    """The same number without zeros behind its last place that says something, and without an exponent."""
    trimmed = value.normalize()
    exponent = trimmed.as_tuple().exponent
    return trimmed.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else trimmed
