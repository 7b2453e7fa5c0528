import pytest
from pydantic import ValidationError

from app.api.models import Answer, Body, Flag, Int32, Moment, Query
from app.api.reading import problems_of
from tests.fakes.clock import utc


class Given(Body):
    at: Moment


class Asked(Query):
    at: Moment | None = None
    count: Int32 = 0
    flag: Flag | None = None


class Told(Answer):
    at: Moment


def problem_with(model: type[Body] | type[Query], **values: object) -> str:
    with pytest.raises(ValidationError) as found:
        model.model_validate(values)
    return problems_of(found.value)[0].message


class TestMoment:
    @pytest.mark.parametrize(
        "text", ["2026-01-31T08:00:00Z", "2026-01-31t08:00:00z", "2026-01-31T10:00:00+02:00", "2026-01-31T08:00Z"]
    )
    def test_is_read_with_any_offset(self, text: str):
        assert Given.model_validate_json(f'{{"at": "{text}"}}').at == utc("2026-01-31 08:00")
        assert Asked.model_validate({"at": text}).at == utc("2026-01-31 08:00")

    @pytest.mark.parametrize("text", ['"1700000000"', "1700000000", '"2026-01-31"', '"yesTerday"', "true", "null"])
    def test_is_no_number_and_no_day(self, text: str):
        with pytest.raises(ValidationError):
            Given.model_validate_json(f'{{"at": {text}}}')

    def test_needs_an_offset(self):
        assert problem_with(Asked, at="2026-01-31T08:00:00") == "Say the offset too, such as 2026-01-31T08:00:00Z."

    def test_stays_within_the_years_that_can_be_stored(self):
        assert problem_with(Asked, at="0001-01-01T00:00:00+14:00") == "Use an instant between the years 1 and 9999."

    def test_is_written_in_utc(self):
        told = Told(at=utc("2026-01-31 08:00"))

        assert told.model_dump(mode="json") == {"at": "2026-01-31T08:00:00Z"}


class TestQueryTypes:
    @pytest.mark.parametrize("text", ["1_0", " 5", "5.0", "1e3", "-1", "2147483648", "٥"])
    def test_a_number_is_written_as_digits_and_fits_a_column(self, text: str):
        assert problem_with(Asked, count=text)

    @pytest.mark.parametrize("text", ["1", "yes", "True", ""])
    def test_a_flag_is_true_or_false(self, text: str):
        assert problem_with(Asked, flag=text) == "Use true or false."

    def test_both_are_read_from_text(self):
        asked = Asked.model_validate({"count": "2147483647", "flag": "false"})

        assert (asked.count, asked.flag) == (2**31 - 1, False)
