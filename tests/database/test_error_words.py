"""What an error of the database says of the statement that failed."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.fakes.database import OpenDatabase


class TestErrors:
    @pytest.mark.parametrize("engine", ["write", "read"])
    def test_hold_no_value_that_was_sent(self, database: OpenDatabase, engine: str) -> None:
        with getattr(database, engine).connect() as connection, pytest.raises(DBAPIError) as caught:
            connection.execute(text("SELECT :value FROM nothing_is_called_so"), {"value": "hunter2hunter2"})

        assert "hunter2" not in str(caught.value)
        assert "nothing_is_called_so" in str(caught.value)
