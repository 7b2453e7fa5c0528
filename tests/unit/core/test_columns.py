"""Numbers that are stored as whole millionths come back as they were."""

from decimal import Decimal

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from app.core.columns import Millionths, plain

DIALECTS = (sqlite.dialect(), postgresql.dialect())


@pytest.mark.parametrize("text", ["0", "0.1", "-0.000001", "11.97", "100", "9000000000000", "-9000000000000.000001"])
def test_a_number_goes_there_and_back(text: str) -> None:
    column = Millionths()

    for dialect in DIALECTS:
        stored = column.process_bind_param(Decimal(text), dialect)
        assert isinstance(stored, int)
        assert str(column.process_result_value(stored, dialect)) == text


def test_more_places_are_refused_and_never_rounded() -> None:
    with pytest.raises(ValueError, match="more than 6 places"):
        Millionths().process_bind_param(Decimal("0.0000001"), DIALECTS[0])


@pytest.mark.parametrize(
    ("text", "trimmed"), [("1E+3", "1000"), ("2000.0", "2000"), ("0.10", "0.1"), ("0E-6", "0"), ("-0.50", "-0.5")]
)
def test_a_plain_number_has_no_exponent_and_no_needless_zeros(text: str, trimmed: str) -> None:
    assert str(plain(Decimal(text))) == trimmed
