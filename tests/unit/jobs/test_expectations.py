"""Expected statuses as text."""

import pytest

from app.jobs.kinds.expectations import parse_expected_status


@pytest.mark.parametrize(
    ("text", "status", "is_expected"),
    [
        ("200-299", 200, True),
        ("200-299", 299, True),
        ("200-299", 300, False),
        ("200, 204", 204, True),
        ("200,204", 203, False),
        (" 200 - 204 , 404 ", 404, True),
    ],
)
def test_a_status_is_expected_when_a_range_holds_it(text: str, status: int, is_expected: bool) -> None:
    expected = parse_expected_status(text)

    assert (status in expected) is is_expected


@pytest.mark.parametrize("text", ["", "2xx", "299-200", "99", "600", "200-", "200;204", "٢٠٠", "2" * 500])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected statuses"):
        parse_expected_status(text)


def test_the_spelling_is_made_uniform() -> None:
    assert str(parse_expected_status(" 200 -  204,304-304")) == "200-204, 304"
